"""Checks of contents: each against its name, and against git's ids of it."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select

from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.maintenance.findings import Findings
from rl_hub.repositories.git_objects import object_id, pointer

_BATCH, _PIECE = 500, 2**20

_blobs, _files = tables.blobs.c, tables.files.c


def check(hub: Hub, findings: Findings) -> None:
    """Reads every content.

    Args:
        hub: An open Hub whose contents nobody removes meanwhile.
        findings: Takes what is wrong.
    """
    last = ""
    with hub.database.read() as connection:
        total = connection.scalar(select(func.count()).select_from(tables.blobs)) or 0
    while True:
        query = select(_blobs.sha256, _blobs.size).where(_blobs.sha256 > last).order_by(_blobs.sha256).limit(_BATCH)
        with hub.database.read() as connection:
            rows = connection.execute(query).all()
            named = connection.execute(select(tables.files).where(_files.sha256.in_([row.sha256 for row in rows])))
            files: dict[str, list[Row[Any]]] = {}
            for file in named:
                files.setdefault(file.sha256, []).append(file)
        if not rows:
            return
        last = rows[-1].sha256
        for row in rows:
            _check_content(hub.blobs.path(row.sha256), row, files.get(row.sha256, []), findings)
            findings.count("contents of files", 1, total)


def _check_content(path: Path, row: Any, files: Sequence[Row[Any]], findings: Findings) -> None:
    try:
        size, sha256, git_oid = _digests(path)
    except FileNotFoundError:
        findings.damage("blob", row.sha256, "The content is missing on the disk.")
        return
    except OSError as error:
        findings.damage("blob", row.sha256, f"The content cannot be read: {error.strerror}.")
        return
    if sha256 != row.sha256:
        findings.damage("blob", row.sha256, f"The content has changed: its SHA-256 is {sha256} now.")
        return
    if size != row.size:
        findings.damage("blob", row.sha256, f"The database says {row.size} bytes, but there are {size}.")
    for file in files:
        expected = object_id("blob", pointer(sha256, size)) if file.lfs else git_oid
        if file.git_oid != expected or file.size != size:
            findings.damage("file", file.git_oid, f"It is not the file of content {sha256}, which would be {expected}.")


def _digests(path: Path) -> tuple[int, str, str]:
    """The size of a file, its SHA-256, and git's id of it."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        while piece := file.read(_PIECE):
            sha256.update(piece)
            git.update(piece)
    return size, sha256.hexdigest(), git.hexdigest()
