"""Large files by the basic transfer of Git LFS: what may be sent or fetched, and under which signed address.

Source: Git LFS specification, "Batch API" and "Basic Transfer API".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from rl_hub.blobs import StagedFile
from rl_hub.database import tables
from rl_hub.errors import BadRequest, Forbidden, TooLarge
from rl_hub.uploads import grants, signatures

_MOST_OBJECTS = 1000
_OID = re.compile(r"[0-9a-f]{64}")
_UPLOAD, _DOWNLOAD = "lfs upload", "lfs download"


@dataclass(frozen=True)
class LfsObject:
    """A content that somebody wants to send or to fetch.

    Attributes:
        oid: Its SHA-256 in hex.
        size: Its size in bytes.
    """

    oid: str
    size: int


@dataclass(frozen=True)
class Upload:
    """One content that one user may send for one repository."""

    user_id: int
    repository_id: int
    content: LfsObject


@dataclass(frozen=True)
class Download:
    """One content of a repository that one user may fetch; `room.NOBODY` for somebody who is not signed in."""

    user_id: int
    repository_id: int
    oid: str


def read_objects(request: Mapping[str, Any]) -> list[LfsObject]:
    """The contents that a batch request names.

    Raises:
        BadRequest: If it is none, or asks for another transfer or hash than this Hub has.
    """
    objects = request.get("objects")
    if not isinstance(objects, list) or len(objects) > _MOST_OBJECTS:
        raise BadRequest(f"A batch request has a list `objects` of {_MOST_OBJECTS} at most.")
    if request.get("hash_algo", "sha256") != "sha256":
        raise BadRequest("This Hub knows contents by their SHA-256 only.")
    transfers = request.get("transfers", ["basic"])
    if not isinstance(transfers, list) or "basic" not in transfers:
        raise BadRequest("This Hub has LFS's basic transfer only.")
    return [read_object(item) for item in objects]


def read_object(item: Any) -> LfsObject:
    """One content as JSON.

    Raises:
        BadRequest: If it is none.
    """
    oid, size = (item.get("oid"), item.get("size")) if isinstance(item, Mapping) else (None, None)
    if not isinstance(oid, str) or not _OID.fullmatch(oid):
        raise BadRequest("An LFS object is named by its SHA-256: 64 lower-case hexadecimal digits.")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise BadRequest("An LFS object has a `size` in bytes.")
    return LfsObject(oid, size)


def holds(connection: Connection, repository_id: int, content: LfsObject) -> bool:
    """Whether a repository has a content, in whichever commit."""
    files, held = tables.files.c, tables.repository_files.c
    query = (
        select(files.git_oid)
        .join(tables.repository_files, held.git_oid == files.git_oid)
        .where(files.sha256 == content.oid, files.size == content.size, held.repository_id == repository_id)
    )
    return connection.scalar(query.limit(1)) is not None


def has_sent(connection: Connection, upload: Upload) -> bool:
    """Whether the user has sent the content for the repository."""
    if not grants.granted(connection, upload.user_id, upload.repository_id, upload.content.oid):
        return False
    size = select(tables.blobs.c.size).where(tables.blobs.c.sha256 == upload.content.oid)
    return connection.scalar(size) == upload.content.size


def sign_upload(secret: bytes, upload: Upload, expires_at: datetime) -> str:
    """The permission to send a content, until a time."""
    content = upload.content
    claims: dict[str, str | int] = {
        "user": upload.user_id,
        "repository": upload.repository_id,
        "oid": content.oid,
        "size": content.size,
    }
    return signatures.sign(secret, _UPLOAD, claims, expires_at)


def verify_upload(secret: bytes, oid: str, signature: str) -> Upload:
    """What a permission to send allows at the address of a content.

    Raises:
        Forbidden: If this Hub did not give it, or gave it for another content, or it has expired.
    """
    claims = signatures.verify(secret, _UPLOAD, signature)
    if claims is None or claims["oid"] != oid:
        raise Forbidden("This upload address is not valid for this file, or has expired. Start the upload again.")
    return Upload(claims["user"], claims["repository"], LfsObject(claims["oid"], claims["size"]))


def sign_download(secret: bytes, download: Download, expires_at: datetime) -> str:
    """The permission to fetch a content, until a time."""
    claims: dict[str, str | int] = {
        "user": download.user_id,
        "repository": download.repository_id,
        "oid": download.oid,
    }
    return signatures.sign(secret, _DOWNLOAD, claims, expires_at)


def verify_download(secret: bytes, oid: str, signature: str) -> Download:
    """What a permission to fetch allows at the address of a content.

    Raises:
        Forbidden: If this Hub did not give it, or gave it for another content, or it has expired.
    """
    claims = signatures.verify(secret, _DOWNLOAD, signature)
    if claims is None or claims["oid"] != oid:
        raise Forbidden("This download address is not valid for this file, or has expired. Ask for a new one.")
    return Download(claims["user"], claims["repository"], claims["oid"])


class IncomingFile:
    """A content that is being received and has to be what was announced."""

    def __init__(self, staged: StagedFile, content: LfsObject) -> None:
        self._staged = staged
        self._content = content

    def write(self, piece: bytes | bytearray) -> None:
        """Takes the next bytes.

        Raises:
            TooLarge: As soon as there are more than announced.
            StorageFull: If the disk has no room.
        """
        if self._staged.size + len(piece) > self._content.size:
            raise TooLarge(f"More was sent than the announced {self._content.size} bytes.")
        self._staged.write(piece)

    def close(self) -> None:
        """Ends the receiving.

        Raises:
            BadRequest: If the content is not the announced one.
        """
        if self._staged.size != self._content.size:
            raise BadRequest(
                f"{self._staged.size} of the announced {self._content.size} bytes were sent. Start the upload again."
            )
        self._staged.close()
        if self._staged.sha256 != self._content.oid:
            raise BadRequest(
                "What was sent does not have the announced SHA-256: it was damaged on its way, or changed while it was "
                "sent. Start the upload again."
            )
