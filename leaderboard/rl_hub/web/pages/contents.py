"""Contents of stored files as text, within bounds."""

from rl_hub.blobs import BlobStore
from rl_hub.repositories.trees import Entry


def read_text(blobs: BlobStore, entry: Entry, limit: int) -> str | None:
    """A file as text.

    Args:
        blobs: Where contents are.
        entry: The file.
        limit: Bytes that are read at most.

    Returns:
        None if it is larger, or no UTF-8 text.
    """
    if entry.size > limit:
        return None
    content = blobs.read(entry.sha256, limit)
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
