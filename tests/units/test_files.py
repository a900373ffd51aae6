"""Atomic writes."""

import errno

import pytest

from rl_units.errors import StorageError
from rl_units.files import atomic_path, write_text


def test_a_finished_write_replaces_the_file(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")

    assert (tmp_path / "a.txt").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")

    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError

    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_temporary_file_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / "clip.mp4") as temporary:
        assert temporary.suffix == ".mp4"
        temporary.write_bytes(b"x")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_a_sentence(tmp_path, number):
    with pytest.raises(StorageError, match="disk is full"), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise OSError(number, "no space")


def test_a_missing_folder_is_made(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "x")

    assert (tmp_path / "new" / "a.txt").is_file()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    with pytest.raises(StorageError, match="cannot be written"), atomic_path(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "denied")


def test_another_error_of_the_system_stays_itself(tmp_path):
    with pytest.raises(OSError, match="odd"), atomic_path(tmp_path / "a.txt"):
        raise OSError(errno.EIO, "odd")
