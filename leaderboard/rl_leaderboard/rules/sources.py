"""What is the same for all Hubs that submissions come from."""

import re
from urllib.parse import urlsplit

REPLAY = "replay.mp4"
"""The video that libraries put into an agent's repository."""

_REPO_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}")
_EMBEDDED = "hub"  # the name of the classroom's own


def source_name(address: str) -> str:
    """What a Hub is called as a source: `huggingface.co` for https://huggingface.co, http://localhost:7870 as it is.

    Args:
        address: An http:// or https:// address.
    """
    parts = urlsplit(address.strip().rstrip("/"))
    name = f"{parts.netloc.lower()}{parts.path}"
    return name if parts.scheme == "https" and name != _EMBEDDED else f"{parts.scheme}://{name}"


def is_repo_id(text: str) -> bool:
    """Whether a text can be the name of a repository, owner/name; nothing else becomes a part of an address."""
    return _REPO_ID.fullmatch(text) is not None
