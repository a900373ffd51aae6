"""What other programs do with the client."""

import os
import subprocess
import sys
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.repocard import metadata_save

from clients.operations.context import Context, operation


@operation
def push_from_ml_agents(api: HfApi, context: Context):
    """The calls of `mlagents-push-to-hf`, twice."""
    run = context.folder / "Huggy"
    context.file("Huggy/Huggy.onnx", b"onnx")
    context.file("Huggy/Huggy/checkpoint.pt", b"torch")
    context.file("Huggy/configuration.yaml", "behaviors: {Huggy: {trainer_type: ppo}}\n")
    context.file("Huggy/README.md", "\n  # **ppo** Agent playing **Huggy**\n")
    metadata_save(run / "README.md", {"library_name": "ml-agents", "tags": ["Huggy", "reinforcement-learning"]})
    for _ in range(2):
        url = api.create_repo(repo_id=context.repository, exist_ok=True)
        assert url.repo_id == context.repository
        api.upload_folder(repo_id=context.repository, folder_path=run, commit_message="Push to Hub")
    model = api.model_info(context.repository)
    assert model.library_name == "ml-agents"
    assert {"Huggy", "reinforcement-learning"} <= set(model.tags), model.tags
    assert "Huggy/checkpoint.pt" in [file.rfilename for file in model.siblings]


@operation
def use_the_command_line(api: HfApi, context: Context):
    """`hf auth whoami`, `hf upload` and `hf download`."""

    def hf(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("hf")), *arguments]
        environment = os.environ | {"HF_TOKEN": context.token}
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=context.folder)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout + finished.stderr

    context.file("agent/a.txt", "text")
    assert context.user in hf("auth", "whoami")
    hf("upload", context.repository, "agent", ".")
    hf("download", context.repository, "a.txt", "--local-dir", "loaded")
    assert (context.folder / "loaded" / "a.txt").read_text() == "text"
