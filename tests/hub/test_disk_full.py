"""A disk that is really full: each way to write is refused with a sentence, nothing is damaged, a retry succeeds."""

import contextlib
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import HfApi

SENTENCE = "The Hub's disk is full. Ask its administrator to make room, then try again."
MIB = 2**20
DISK_BYTES = 40 * MIB
# More than the Hub takes in the body of a commit, and more than the full disk has left.
LARGE = os.urandom(8 * MIB)
REGULAR = LARGE[: 4 * MIB]


@dataclass(frozen=True)
class SmallDisk:
    """A file system of a few megabytes, which only the processes of one namespace see at its place."""

    pid: int
    place: Path

    @property
    def from_outside(self):
        return Path(f"/proc/{self.pid}/root{self.place}")

    def command(self, *arguments):
        """A command of the Hub, run where the disk is seen."""
        enter = ["nsenter", "--target", str(self.pid), "--user", "--mount", "--preserve-credentials"]
        return [*enter, sys.executable, "-m", "rl_hub", "--data", str(self.place / "hub"), *arguments]

    @contextlib.contextmanager
    def full(self, but_for=0):
        """Leaves only so many bytes, for the length of a `with` block."""
        ballast = self.from_outside / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(64 * 1024))
        os.truncate(ballast, ballast.stat().st_size - but_for)
        try:
            yield
        finally:
            ballast.unlink()

    def assert_sound(self):
        """Has the Hub checked, and nothing left behind."""
        checked = subprocess.run(self.command("fsck"), capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
        assert list((self.from_outside / "hub" / "staging").iterdir()) == []


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    if not Path("/proc/self/ns/user").exists():
        pytest.skip("a small disk needs Linux")
    place = tmp_path_factory.mktemp("disk")
    mount = f'mount -t tmpfs -o size={DISK_BYTES} tmpfs "$0" && echo mounted && exec cat'
    # The namespace, and the disk with it, lasts as long as `cat` waits for input.
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        if holder.stdout.readline() != b"mounted\n":
            pytest.skip(f"no small disk can be mounted here: {holder.stderr.read().decode().strip()}")
        yield SmallDisk(holder.pid, place)
        holder.stdin.close()


@pytest.fixture(scope="module")
def api(disk):
    """The client of a Hub on the small disk."""
    command = disk.command("serve", "--port", "0", "--log-level", "ERROR")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        greeting = ""
        for line in server.stdout:
            greeting += line
            if "HF_ENDPOINT=" in line:
                break
        endpoint = re.search(r"HF_ENDPOINT=(\S+)", greeting)[1]
        client = HfApi(endpoint=endpoint, token=re.search(r"token +(\S+)", greeting)[1])
        client.create_repo("admin/agent")
        yield client
        server.terminate()


def told(error):
    """What an exception says, with those that it was made from."""
    texts = []
    while error is not None:
        texts.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


def upload(api, content, name):
    return api.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id="admin/agent")


def refused(api, content, name):
    with pytest.raises(Exception, match=r".") as caught:
        upload(api, content, name)
    return told(caught.value)


def downloaded(api, name, folder):
    return Path(api.hf_hub_download("admin/agent", name, cache_dir=folder)).read_bytes()


def test_a_regular_commit_is_refused_and_succeeds_later(disk, api, tmp_path):
    with disk.full(but_for=MIB):
        message = refused(api, REGULAR, "regular.bin")

    assert "507" in message
    assert SENTENCE in message
    disk.assert_sound()
    upload(api, REGULAR, "regular.bin")
    assert downloaded(api, "regular.bin", tmp_path) == REGULAR


@pytest.mark.filterwarnings("ignore:Use 'content=")  # the client's own way to send a file
def test_an_lfs_upload_is_refused_and_succeeds_later(disk, api, tmp_path):
    with disk.full(but_for=MIB):
        message = refused(api, io.BytesIO(LARGE), "lfs.bin")

    assert "507" in message
    assert SENTENCE in message
    disk.assert_sound()
    upload(api, io.BytesIO(LARGE), "lfs.bin")
    assert downloaded(api, "lfs.bin", tmp_path) == LARGE


UPLOAD_BY_XET = """
import sys
from huggingface_hub import HfApi
endpoint, token, path = sys.argv[1:]
HfApi(endpoint=endpoint, token=token).upload_file(path_or_fileobj=path, path_in_repo="xet.bin", repo_id="admin/agent")
"""


def test_a_xet_upload_is_refused_and_succeeds_later(disk, api, tmp_path):
    path = tmp_path / "xet.bin"
    path.write_bytes(LARGE[::-1])
    # In a process of its own, which tries once; this client would go on trying for two minutes.
    command = [sys.executable, "-c", UPLOAD_BY_XET, api.endpoint, api.token, str(path)]
    once = os.environ | {"HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1", "HF_XET_CLIENT_RETRY_BASE_DELAY": "10ms"}
    with disk.full(but_for=MIB):
        refusal = subprocess.run(command, env=once, capture_output=True, text=True)

    # This client shows the status and not the sentence.
    assert "507 Insufficient Storage" in refusal.stderr
    disk.assert_sound()
    subprocess.run(command, env=once, check=True, capture_output=True)
    assert downloaded(api, "xet.bin", tmp_path) == LARGE[::-1]


def test_a_change_of_the_database_is_refused_and_succeeds_later(disk, api):
    with disk.full():
        with pytest.raises(Exception, match="507") as caught:
            api.create_repo("admin/other")
        assert [model.id for model in api.list_models()] == ["admin/agent"]  # reading goes on
        disk.assert_sound()

    assert SENTENCE in told(caught.value)
    api.create_repo("admin/other")
    disk.assert_sound()


def test_a_backup_onto_a_full_disk_is_refused_and_leaves_nothing(disk, api):
    with disk.full():
        backup = subprocess.run(disk.command("backup", str(disk.place / "backup.tar")), capture_output=True, text=True)

    assert backup.returncode == 2
    assert backup.stderr == f"rl_hub: {SENTENCE}\n"
    assert not list(disk.from_outside.glob("backup*"))


def test_a_clean_up_makes_room_on_a_full_disk(disk, api):
    """What an interrupted upload has left goes first, and with it the lack of room to write down the rest."""
    api.create_repo("admin/large")
    api.upload_file(path_or_fileobj=REGULAR[::-1], path_in_repo="large.bin", repo_id="admin/large")
    api.delete_repo("admin/large")
    left = disk.from_outside / "hub" / "staging" / "left"
    left.write_bytes(bytes(MIB))
    os.utime(left, (0, 0))
    with disk.full():
        cleaned = subprocess.run(disk.command("gc"), capture_output=True, text=True)
        disk.assert_sound()

    assert (cleaned.returncode, cleaned.stderr) == (0, "")
    assert cleaned.stdout == "Removed: 1 interrupted uploads, 3 git objects.\n"
