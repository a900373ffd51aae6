"""Which names repositories, accounts and files may have.

A file's name has to work wherever a clone may land: on Windows, on file systems that do not tell upper from lower
case, and on those that compose accents differently. So a name that is a danger or a surprise on one of them is refused
for all.
"""

import re
import unicodedata

from rl_hub.errors import BadRequest

LONGEST_NAME = 96
"""Characters of a repository's or an account's name (as in `huggingface_hub.utils.validate_repo_id`)."""

_LONGEST_COMPONENT = 255  # bytes; what ext4, APFS and NTFS can hold
_LONGEST_PATH = 1024  # bytes
_DEEPEST_PATH = 64  # folders in folders
_SHOWN = 80  # characters of a refused name in a message

RESERVED_ACCOUNT_NAMES = frozenset(
    {
        "about",
        "admin",
        "api",
        "assets",
        "blog",
        "collections",
        "datasets",
        "device",
        "docs",
        "favicon.ico",
        "healthz",
        "join",
        "kernels",
        "login",
        "logout",
        "metrics",
        "models",
        "new",
        "notifications",
        "oauth",
        "organizations",
        "robots.txt",
        "search",
        "settings",
        "spaces",
        "static",
        "users",
        "v1",
        "v2",
        "webhooks",
        "xet",
    }
)
"""First parts of this Hub's own addresses, now or one day: a user of that name could not be reached."""

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
# Windows opens a device under these names, with any extension.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"}
)
_GIT = {".git", "git~1"}  # the second is the short name that NTFS gives to the first
_NOT_ON_WINDOWS = frozenset('<>:"|?*\\')


def check_repo_name(name: str) -> None:
    """Checks the second part of `owner/name`, by the client's own rules.

    Raises:
        BadRequest: If it cannot be a repository's name.
    """
    _check_name(name, "repository")
    if name.lower().endswith((".git", ".ipynb")):
        raise BadRequest(f"A repository's name must not end in .git or .ipynb: {shown(name)}. Take another name.")


def check_account_name(name: str) -> None:
    """Checks a user's or an organisation's name.

    Raises:
        BadRequest: If it cannot be one, or is an address of the Hub itself.
    """
    _check_name(name, "user or organisation")
    if name.lower() in RESERVED_ACCOUNT_NAMES:
        raise BadRequest(f"The name {shown(name)} is used by the Hub itself. Take another one.")


def split_repo_id(repo_id: str) -> tuple[str, str]:
    """The owner and the name of `owner/name`.

    Raises:
        BadRequest: If it is not made of these two.
    """
    owner, slash, name = repo_id.partition("/")
    if not (slash and owner and name) or "/" in name:
        raise BadRequest(f"A repository is named owner/name, not {shown(repo_id)}.")
    return owner, name


def check_file_path(path: str) -> None:
    """Checks the path of a file in a repository, as a commit gives it.

    Raises:
        BadRequest: If it could leave the repository, or cannot be a file on every system that may clone it.
    """
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise BadRequest(f"The file name {shown(path)} is not valid Unicode. Rename the file.") from None
    components = path.split("/")
    if not path or len(encoded) > _LONGEST_PATH or len(components) > _DEEPEST_PATH:
        raise BadRequest(
            f"A file's path has 1 to {_LONGEST_PATH} bytes and at most {_DEEPEST_PATH} parts, "
            f"which {shown(path)} has not. Rename the file or its folders."
        )
    for component in components:
        reason = _refusal(component)
        if reason:
            raise BadRequest(f"The file name {shown(path)} cannot be accepted: {reason}. Rename the file.")


def collision_key(path: str) -> str:
    """What two paths have in common if some file system takes them for the same.

    Returns:
        The path without differences of case or of composed accents (canonical caseless matching, Unicode 3.13 D145).
    """
    if path.isascii():
        return path.lower()
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
    return unicodedata.normalize("NFC", decomposed)


def shown(name: str) -> str:
    """A name as messages quote it: one short line without anything that a terminal or a page would obey."""
    short = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
    return '"' + "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in short) + '"'


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME or "--" in name or ".." in name:
        raise BadRequest(
            f"{shown(name)} cannot be the name of a {what}: use 1 to {LONGEST_NAME} letters (a to z), digits, dots, "
            "hyphens and underscores, beginning and ending with a letter, a digit or an underscore, and neither two "
            "hyphens nor two dots in a row."
        )


def _refusal(component: str) -> str | None:
    """Why this part of a path is refused; None if it is fine."""
    if component in ("", ".", ".."):
        return "it has an empty part, or one that is . or .."
    if len(component.encode()) > _LONGEST_COMPONENT:
        return f"a part of it is longer than {_LONGEST_COMPONENT} bytes"
    if not component.isprintable():
        return "it has a control character or another invisible one"
    if not _NOT_ON_WINDOWS.isdisjoint(component):
        return r'Windows does not allow \ < > : " | ? * in names'
    return _refusal_elsewhere(component)


def _refusal_elsewhere(component: str) -> str | None:
    """What only some systems take differently."""
    if component.endswith((".", " ")):
        return "Windows does not keep a dot or a blank at the end of a name"
    if component.split(".")[0].rstrip(" ").lower() in _DEVICES:
        return "Windows opens a device under this name"
    if unicodedata.normalize("NFC", component) != component:
        return "its accents are stored as characters of their own (not in the Unicode form NFC)"
    if collision_key(component) in _GIT:
        return "git keeps its own files under this name"
    return None
