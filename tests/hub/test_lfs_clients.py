"""Real clients that send and fetch large files by Git LFS."""

import os
import shutil
import subprocess

import pytest

from rl_hub.accounts import tokens
from rl_hub.repositories import catalog
from rl_hub.settings import MIB
from upload_client import upload

needs_git_lfs = pytest.mark.skipif(not shutil.which("git-lfs"), reason="needs git-lfs")


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(os.urandom(6 * MIB))
    return path


def clone(address, folder):
    """Clones with git and git-lfs, with no configuration but the tests' own."""
    filters = {"clean": "git-lfs clean -- %f", "smudge": "git-lfs smudge -- %f", "process": "git-lfs filter-process"}
    options = [part for name, command in filters.items() for part in ("-c", f"filter.lfs.{name}={command}")]
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }
    command = ["git", *options, "clone", "--quiet", address, str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def pushed(live_hub, large, tmp_path):
    """A repository with a large file; returns its address and its owner's token."""
    token = live_hub.user("ada")
    done = upload(live_hub.endpoint, token, tmp_path / "home", "ada/agent", large, HF_HUB_DISABLE_XET="1")
    assert done.returncode == 0, done.stderr
    return live_hub.endpoint + "/ada/agent", token


def test_a_file_that_was_sent_without_xet_is_served(pushed, live_hub, large):
    (stored,) = [path for path in live_hub.hub.blobs.folder.rglob("*") if path.is_file() and path.stat().st_size > MIB]

    assert stored.read_bytes() == large.read_bytes()
    assert not (live_hub.hub.settings.data / "xet").exists()


@needs_git_lfs
def test_git_fetches_a_large_file(pushed, large, tmp_path):
    done = clone(pushed[0], tmp_path / "clone")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clone" / "model.bin").read_bytes() == large.read_bytes()


@needs_git_lfs
def test_git_fetches_a_large_file_of_a_private_repository_with_a_token(pushed, live_hub, large, tmp_path):
    address, token = pushed
    with live_hub.hub.database.write() as connection:
        owner = tokens.identify(connection, token)
        repository = catalog.find(connection, owner, "model", "ada/agent", manage=True)
        catalog.set_private(connection, repository, private=True)

    refused = clone(address, tmp_path / "refused")
    done = clone(address.replace("://", f"://ada:{token}@"), tmp_path / "clone")

    assert refused.returncode != 0
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clone" / "model.bin").read_bytes() == large.read_bytes()
