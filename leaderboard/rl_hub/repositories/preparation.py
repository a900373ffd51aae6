"""What a commit needs and what takes long, done before anybody else has to wait for it."""

from dataclasses import dataclass

from sqlalchemy import Connection

from rl_hub import cards
from rl_hub.accounts.identity import Identity
from rl_hub.errors import BadRequest, TooLarge
from rl_hub.hub import Hub
from rl_hub.repositories import card_index, catalog, contents, history, revisions, trees
from rl_hub.repositories.contents import MayUse
from rl_hub.repositories.gitattributes import FILE_NAME as GITATTRIBUTES
from rl_hub.repositories.gitattributes import LfsRules
from rl_hub.repositories.operations import AddFile, AddLargeFile, CommitRequest, Operation


@dataclass(frozen=True)
class CheckedCard:
    """A README.md that was looked at.

    Attributes:
        sha256: Its content.
        card: What it says, or why it is refused.
    """

    sha256: str
    card: cards.Card | BadRequest


@dataclass(frozen=True)
class Prepared:
    """What was found out before the transaction; whoever uses it compares whether it is still about the same content.

    Attributes:
        card: The card that the commit brings, if it does.
        rules: The `.gitattributes` that its large files meet.
    """

    card: CheckedCard | None
    rules: LfsRules


def prepare(
    hub: Hub, identity: Identity, repository_id: int, revision: str, request: CommitRequest, may_use: MayUse
) -> Prepared:
    """Reads the card and the rules of a commit, see `commits.apply`; what is wrong with the commit is said there."""
    added = {
        operation.path: operation for operation in request.operations if isinstance(operation, AddFile | AddLargeFile)
    }
    with hub.database.read() as connection:
        repository = catalog.find_by_id(connection, identity, repository_id, write=True)
        head = history.get(connection, repository_id, revisions.branch(connection, repository, revision).sha)
        trees.count_files(connection, head.tree)  # kept for the count after the commit
        card = added.get(card_index.FILE_NAME)
        sha256 = None if card is None else _usable(connection, identity, repository_id, card, may_use)
        has_large = any(isinstance(operation, AddLargeFile) for operation in added.values())
        rules = _gitattributes(connection, hub, head, added.get(GITATTRIBUTES)) if has_large else b""
    return Prepared(_checked(hub, card, sha256), LfsRules(rules))


def _usable(
    connection: Connection, identity: Identity, repository_id: int, operation: AddFile | AddLargeFile, may_use: MayUse
) -> str | None:
    """The content of a file, if this person may name it: otherwise not even the time may tell that it is there."""
    if isinstance(operation, AddFile):
        return operation.staged.sha256
    is_held = bool(contents.held_contents(connection, repository_id, [operation.sha256]))
    is_usable = is_held or may_use(connection, identity.user_id or 0, repository_id, operation.sha256)
    return operation.sha256 if is_usable else None


def _gitattributes(connection: Connection, hub: Hub, head: history.Commit, added: Operation | None) -> bytes:
    """The rules that will apply, as things stand now."""
    if isinstance(added, AddFile):
        return added.staged.path.read_bytes()
    entry = trees.entry_in(connection, head.tree, GITATTRIBUTES)
    if entry is None or entry.is_folder:
        return b""
    return _read(hub, contents.of_stored(connection, entry.oid).sha256) or b""


def _checked(hub: Hub, operation: AddFile | AddLargeFile | None, sha256: str | None) -> CheckedCard | None:
    if operation is None or sha256 is None:
        return None
    content = operation.staged.path.read_bytes() if isinstance(operation, AddFile) else _read(hub, sha256)
    if content is None:
        return None
    try:
        return CheckedCard(sha256, card_index.check(content))
    except BadRequest as error:
        return CheckedCard(sha256, error)


def _read(hub: Hub, sha256: str) -> bytes | None:
    """A stored content, if it is there and short enough to be read."""
    try:
        return hub.blobs.read(sha256, hub.settings.limits.regular_bytes)
    except (FileNotFoundError, TooLarge):
        return None
