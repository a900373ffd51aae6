"""The real client in a process of its own, with a home folder of its own."""

import os
import subprocess
import sys

_UPLOAD = """
import sys
from huggingface_hub import HfApi
api, (repo_id, *paths) = HfApi(), sys.argv[1:]
api.create_repo(repo_id, exist_ok=True)
for path in paths:
    api.upload_file(path_or_fileobj=path, path_in_repo=path.replace("\\\\", "/").rpartition("/")[2], repo_id=repo_id)
"""


def upload(endpoint, token, home, repo_id, *paths, **environment):
    """Uploads files, a commit for each; returns the finished process with what it wrote."""
    return subprocess.run(
        [sys.executable, "-c", _UPLOAD, repo_id, *map(str, paths)],
        env={
            **os.environ,
            "HF_ENDPOINT": endpoint,
            "HF_TOKEN": token,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
