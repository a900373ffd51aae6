"""`train_eval_metrics.zip`: the learning curves of a run, packed for others and read from strangers."""

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rl_units.errors import UnsafeAgentError
from rl_units.files import atomic_path

FILE_NAME = "train_eval_metrics.zip"

MAX_BYTES = 64 * 1024**2
"""Largest zip; a run of 10 million steps on Atari has about 1 MB."""

_MAX_TOTAL_BYTES = 256 * 1024**2
_MAX_MEMBERS = 200  # one monitor file for each environment of the run, and a few more
_CHUNK_BYTES = 64 * 1024
_EVALUATIONS = "evaluations.npz"
_TABLE = re.compile(r"[A-Za-z0-9_-]{1,60}(\.until-\d{1,12})?(\.monitor)?\.csv")
# What zipfile and numpy raise for damaged, encrypted or pickled content; MemoryError for a header that lies.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    OSError,
    EOFError,
    KeyError,
    RuntimeError,  # NotImplementedError is one
    MemoryError,
)


def pack_metrics(run_folder: Path, path: Path) -> None:
    """Packs the monitor files and evaluations of a run, as the Zoo does.

    Args:
        run_folder: The run's folder; links in it are left out, because they may point anywhere.
        path: The zip to write.

    Raises:
        StorageError: If it cannot be written.
    """
    files = [*sorted(run_folder.glob("[!.]*.csv")), run_folder / _EVALUATIONS]
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            if file.is_file() and not file.is_symlink():
                archive.write(file, file.name)


def unpack_metrics(path: Path, run_folder: Path) -> None:
    """Takes the learning curves out of a stranger's zip.

    Members with other names than a run's csv files and `evaluations.npz` stay where they are, so no name in the zip
    can point outside; arrays are read without unpickling and written anew.

    Args:
        path: The zip, of at most `MAX_BYTES`.
        run_folder: Where the files go.

    Raises:
        UnsafeAgentError: `damaged-metrics` or `metrics-too-large`.
        StorageError: If the folder cannot be written.
    """
    try:
        contents = _read_members(path)
        evaluations = _read_arrays(contents.pop(_EVALUATIONS)) if _EVALUATIONS in contents else {}
        tables = {name: content.decode("utf-8") for name, content in contents.items()}
    except _DAMAGE as error:
        raise UnsafeAgentError("damaged-metrics", f"{path.name} cannot be read safely: {error}.") from error
    for name, text in tables.items():
        with atomic_path(run_folder / name) as temporary:
            temporary.write_bytes(text.encode("utf-8"))
    if evaluations:
        with atomic_path(run_folder / _EVALUATIONS) as temporary:
            np.savez(temporary, **evaluations)  # type: ignore[arg-type] # numpy types the names as flags of its own


def _read_members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        wanted = [member for member in members if member.filename == _EVALUATIONS or _TABLE.fullmatch(member.filename)]
        if len(members) > _MAX_MEMBERS or sum(member.file_size for member in wanted) > _MAX_TOTAL_BYTES:
            raise UnsafeAgentError(
                "metrics-too-large",
                f"{path.name} is refused: learning curves have at most {_MAX_MEMBERS} files and "
                f"{_MAX_TOTAL_BYTES:,} bytes.",
            )
        _check_compression(wanted)
        return {member.filename: _read_member(archive, member) for member in wanted}


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # In pieces: one long read inflates everything and cuts off what exceeds the announced size afterwards.
    with archive.open(member) as file:
        return b"".join(iter(lambda: file.read(_CHUNK_BYTES), b""))


def _check_compression(members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuses the methods that zipfile inflates without a limit, however little is asked for."""
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("a member is compressed in an unusual way")


def _read_arrays(content: bytes) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_compression(archive.infolist())
        if sum(member.file_size for member in archive.infolist()) > _MAX_TOTAL_BYTES:
            raise ValueError(f"{_EVALUATIONS} inflates to more than {_MAX_TOTAL_BYTES:,} bytes")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in ("timesteps", "results", "ep_lengths", "successes") if name in arrays}
