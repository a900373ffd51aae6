"""Real clients that send and fetch by Git LFS."""

import os
import shutil
import subprocess
import sys

import pytest
from filled_hub import Owner

from rl_hub.accounts import tokens
from rl_hub.accounts.identity import Identity

UPLOAD = """
import sys
from huggingface_hub import HfApi
for path in sys.argv[2:]:
    HfApi().upload_file(path_or_fileobj=path, path_in_repo=path, repo_id=sys.argv[1])
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "client"
    made.mkdir()
    return made
