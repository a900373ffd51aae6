"""The body of a commit: lines of JSON (NDJSON), read while they arrive.

Each file is decoded and put on disk as soon as its line is complete, so that a commit of a gigabyte needs the memory of
its longest line.

Format: https://github.com/huggingface/huggingface_hub/issues/1085#issuecomment-1265208073
"""

import binascii
import json
import re
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from rl_hub.blobs import BlobStore, StagedFile
from rl_hub.errors import BadRequest, TooLarge
from rl_hub.names import check_file_path, shown
from rl_hub.repositories.git_objects import is_pointer
from rl_hub.settings import KIB, Limits

_MOST_BLANK_LINES = 100  # each takes time too
_LONGEST_TITLE = 1000  # characters
_LONGEST_MESSAGE = 64 * KIB
# Lines above this are files: only their path and their content may be of any length.
_SHORT_LINE = 64 * KIB
# Characters of base64; whole groups of four.
_DECODED_AT_ONCE = 2**20
_CONTENT = re.compile(rb'"content"\s*:\s*"([^"\\]*)"')
_SHA1 = re.compile(r"[0-9a-fA-F]{7,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

_NO_NDJSON = (
    "The body of a commit has to be lines of JSON, the first of them a header. This is something else (an archive or a "
    "compressed body, perhaps)."
)


@dataclass(frozen=True)
class AddFile:
    """A file whose content came in the commit itself."""

    path: str
    staged: StagedFile


@dataclass(frozen=True)
class AddLargeFile:
    """A file whose content was uploaded before.

    Attributes:
        path: Where it goes.
        sha256: The content.
        size: Its bytes, as the client says; None where it does not say (copies).
    """

    path: str
    sha256: str
    size: int | None


@dataclass(frozen=True)
class DeleteFile:
    """A file to remove."""

    path: str


@dataclass(frozen=True)
class DeleteFolder:
    """A folder to remove with all that is in it."""

    path: str


Operation = AddFile | AddLargeFile | DeleteFile | DeleteFolder


@dataclass(frozen=True)
class CommitRequest:
    """What a commit is to do.

    Attributes:
        title: The first line of its message.
        description: What follows it.
        parent: The commit that has to be the head, or its first digits; None if any may be.
        operations: In the order in which they apply.
    """

    title: str
    description: str = ""
    parent: str | None = None
    operations: tuple[Operation, ...] = ()


def deletions_first(operations: Sequence[Operation]) -> list[Operation]:
    """The operations with deletions before additions, so that a file may become a folder, and the other way round.

    Where both concern the same file, or a file and the folder that it is in, they stay in order.
    """
    added = sorted(operation.path for operation in operations if isinstance(operation, AddFile | AddLargeFile))

    def has_additions(operation: DeleteFile | DeleteFolder) -> bool:
        path = operation.path if isinstance(operation, DeleteFile) else operation.path + "/"
        place = bisect_left(added, path)
        return place < len(added) and (added[place] == path or (path.endswith("/") and added[place].startswith(path)))

    def is_later(operation: Operation) -> bool:
        return isinstance(operation, AddFile | AddLargeFile) or has_additions(operation)

    return sorted(operations, key=is_later)


@dataclass
class CommitReader:
    """Reads a commit piece by piece; as a context manager it removes what it put on disk.

    Attributes:
        blobs: Where contents are staged.
        limits: The Hub's.
    """

    blobs: BlobStore
    limits: Limits
    _waiting: bytearray = field(default_factory=bytearray)
    _lines: int = 0
    _blank_lines: int = 0
    _header: CommitRequest | None = None
    _operations: list[Operation] = field(default_factory=list)
    _staged: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "CommitReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._staged.close()

    def feed(self, piece: bytearray) -> None:
        """Takes the next part of the body.

        Raises:
            BadRequest: If a line is not what a commit has.
            TooLarge: If a file, a line or the number of lines is above its limit.
            StorageFull: If the disk has no room.
        """
        start = 0
        while (end := piece.find(b"\n", start)) >= 0:
            self._waiting += memoryview(piece)[start:end]
            self._take_line()
            start = end + 1
        self._waiting += memoryview(piece)[start:]
        if len(self._waiting) > self._longest_line():
            self._refuse_line()

    def finish(self) -> CommitRequest:
        """The whole commit, after the last piece.

        Raises:
            BadRequest: If there was no header.
        """
        self._take_line()
        if self._header is None:
            raise BadRequest(_NO_NDJSON)
        header = self._header
        return CommitRequest(header.title, header.description, header.parent, tuple(self._operations))

    def _longest_line(self) -> int:
        # Base64 takes four characters for three bytes.
        return _SHORT_LINE + self.limits.regular_bytes * 4 // 3 + 4

    def _refuse_line(self) -> None:
        if self._header is None:
            raise BadRequest(_NO_NDJSON)
        raise TooLarge(
            f"A file of more than {self.limits.regular_bytes} bytes cannot be sent in the commit itself: it is "
            "uploaded by LFS or Xet before, which huggingface_hub does by itself."
        )

    def _take_line(self) -> None:
        """Reads the line that is complete now."""
        line, self._waiting = self._waiting, bytearray()
        if not line.strip():
            self._blank_lines += 1
            if self._blank_lines > _MOST_BLANK_LINES:
                raise BadRequest(f"A commit may have {_MOST_BLANK_LINES} blank lines at most.")
            return
        if len(line) > self._longest_line():
            self._refuse_line()
        self._lines += 1
        if self._lines > self.limits.commit_lines + 1:
            raise TooLarge(f"A commit may have {self.limits.commit_lines} operations at most. Split it into several.")
        key, value, content = _parse(line)
        if self._header is None:
            if key != "header":
                raise BadRequest(_NO_NDJSON)
            self._header = _header(value)
        else:
            self._operations.append(self._operation(key, value, content))

    def _operation(self, key: str, value: dict[str, Any], content: memoryview | None) -> Operation:
        path = _text(value, "path")
        if key == "file":
            check_file_path(path)
            return AddFile(path, self._stage(path, value, content))
        if key == "lfsFile":
            check_file_path(path)
            return _large_file(path, value)
        if key == "deletedFile":
            return DeleteFile(path)
        if key == "deletedFolder":
            return DeleteFolder(path.removesuffix("/"))
        raise BadRequest(f"This Hub does not know the operation {shown(key)}. Update the Hub or the client.")

    def _stage(self, path: str, value: dict[str, Any], content: memoryview | None) -> StagedFile:
        if value.get("encoding") != "base64":
            raise BadRequest(f"The content of {shown(path)} has to be encoded as base64.")
        try:
            encoded = memoryview(_text(value, "content").encode("ascii")) if content is None else content
            staged = self._staged.enter_context(self.blobs.stage(self._size(encoded)))
            for start in range(0, len(encoded), _DECODED_AT_ONCE):
                data = binascii.a2b_base64(encoded[start : start + _DECODED_AT_ONCE], strict_mode=True)
                if start == 0:
                    _refuse_pointer(path, data)
                staged.write(data)
            staged.close()
        except ValueError:
            raise BadRequest(f"The content of {shown(path)} is not valid base64.") from None
        if staged.size != self._size(encoded):  # padding in the middle
            raise BadRequest(f"The content of {shown(path)} is not valid base64.")
        return staged

    def _size(self, encoded: memoryview) -> int:
        """Bytes that a base64 text stands for."""
        size = len(encoded) // 4 * 3 - bytes(encoded[-2:]).count(b"=")
        if size > self.limits.regular_bytes:
            self._refuse_line()
        return size


def _parse(line: bytearray) -> tuple[str, dict[str, Any], memoryview | None]:
    """The operation of a line, its value, and the content of a long file line, which is taken out before parsing."""
    content, rest = None, bytes(line) if len(line) <= _SHORT_LINE else b""
    if len(line) > _SHORT_LINE:
        found = _CONTENT.search(line)
        start, end = found.span(1) if found else (0, 0)
        if len(line) - (end - start) > _SHORT_LINE:
            raise BadRequest("A line of this commit is too long. Only the content of a file may be.")
        content = memoryview(line)[start:end]
        rest = bytes(line[:start] + line[end:])
    try:
        parsed = json.loads(rest)
    except (ValueError, RecursionError):
        raise BadRequest(_NO_NDJSON) from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("value"), dict):
        raise BadRequest(_NO_NDJSON)
    value = parsed["value"]
    if content is not None and value.get("content") != "":
        raise BadRequest("A line of this commit is too long. Only the content of a file may be.")
    return _text(parsed, "key"), value, content


def _refuse_pointer(path: str, start: bytes) -> None:
    """Refuses a pointer of git-lfs: its id is that of the large file to which it points, whoever that belongs to."""
    if is_pointer(start):
        raise BadRequest(
            f"{shown(path)} is not the file itself but git-lfs's pointer to it. Run git lfs pull, then push again."
        )


def _header(value: dict[str, Any]) -> CommitRequest:
    summary, parent = _text(value, "summary"), value.get("parentCommit")
    description = value.get("description") or ""
    if not isinstance(description, str) or len(description) > _LONGEST_MESSAGE or not is_clean(description):
        raise BadRequest(f"A commit's description is a text of {_LONGEST_MESSAGE} characters at most.")
    title, _, rest = summary.strip().partition("\n")
    if not title.strip() or len(title) > _LONGEST_TITLE or not is_clean(summary):
        raise BadRequest(f"A commit's message begins with a line of 1 to {_LONGEST_TITLE} characters.")
    if parent is not None and not (isinstance(parent, str) and _SHA1.fullmatch(parent)):
        raise BadRequest(
            "The parent of a commit is named by its id: 40 hexadecimal digits, or the first seven of them."
        )
    message = "\n\n".join(part.strip() for part in (rest, description) if part.strip())
    return CommitRequest(title.strip(), message, parent.lower() if parent else None)


def _large_file(path: str, value: dict[str, Any]) -> AddLargeFile:
    sha256, size = _text(value, "oid"), value.get("size")
    if value.get("algo") != "sha256" or not _SHA256.fullmatch(sha256):
        raise BadRequest(f"The content of {shown(path)} has to be named by its SHA-256 in lower-case hexadecimal.")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise BadRequest(f"The size of {shown(path)} has to be a number of bytes.")
    return AddLargeFile(path, sha256, size)


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str):
        raise BadRequest(f"A line of this commit has no text as its {name!r}.")
    return text


def is_clean(text: str) -> bool:
    """Whether git and every database can keep a text."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
