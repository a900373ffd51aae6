"""Commits: what was asked for becomes the head of a branch, as a whole or not at all.

What needs no lock is prepared first. The rest happens in one transaction under the repository's lock, from the look at
the head to the new one, so that of commits made at the same time none is lost.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from sqlalchemy import Connection, update

from rl_hub import cards, clock
from rl_hub.accounts.identity import Identity
from rl_hub.database import tables
from rl_hub.database.engine import insert_ignore
from rl_hub.errors import BadRequest, HeadMoved
from rl_hub.events import feed
from rl_hub.events.payloads import UpdatedRef
from rl_hub.hub import Hub
from rl_hub.repositories import card_index, catalog, contents, history, quotas, revisions, trees
from rl_hub.repositories.catalog import Repository
from rl_hub.repositories.contents import MayUse, NewFile
from rl_hub.repositories.git_objects import StoredObject
from rl_hub.repositories.gitattributes import FILE_NAME as GITATTRIBUTES
from rl_hub.repositories.gitattributes import LfsRules
from rl_hub.repositories.operations import AddFile, AddLargeFile, CommitRequest, DeleteFile, deletions_first
from rl_hub.repositories.preparation import Prepared, prepare
from rl_hub.repositories.tree_editor import TreeEditor


@dataclass(frozen=True)
class Committed:
    """How a commit ended.

    Attributes:
        repository: As it is now.
        sha: The head of the branch. If nothing was to change, it is the one from before.
    """

    repository: Repository
    sha: str


def apply(
    hub: Hub, identity: Identity, repository_id: int, revision: str, request: CommitRequest, may_use: MayUse
) -> Committed:
    """Makes a commit.

    Args:
        hub: The Hub.
        identity: Who commits.
        repository_id: The repository.
        revision: The branch.
        request: What to do.
        may_use: Says whether a user may name an uploaded content in this repository.

    Raises:
        RepositoryNotFound: If it is gone by now, or hidden from this person.
        Forbidden: If this person may not write to it.
        RevisionNotFound: If there is no such branch.
        HeadMoved: If the branch is not where the request expects it.
        EntryNotFound: If something to delete is not there.
        BadRequest: If the files cannot be together in a repository, or the card is not valid.
        QuotaExceeded: If there is no room left for the new files.
        TooManyRequests: If this person commits too often.
        StorageFull: If the disk has no room.
    """
    prepared = prepare(hub, identity, repository_id, revision, request, may_use)
    with hub.database.write() as connection, ExitStack() as staging:
        hub.database.lock_repository(connection, repository_id)
        contents.lock(connection, hub.database, request.operations)
        repository = catalog.find_by_id(connection, identity, repository_id, write=True)
        branch = revisions.branch(connection, repository, revision)
        head = _head(connection, repository, branch, request.parent)
        quotas.check_commits(connection, identity.user_id)
        change = _Change(connection, hub, identity, repository, head, prepared)
        tree, folders = change.apply(request, may_use, staging)
        if tree == head.tree:
            return Committed(repository, head.sha)
        change.write(tree, folders)
        commit = history.next_commit(head, tree, identity.name, clock.now(), request.title, request.description)
        history.add(connection, repository.id, identity.user_id, commit)
        revisions.move(connection, repository, replace(branch, sha=commit.sha))
        if branch.name == revisions.MAIN:
            repository = _move_main(connection, repository, commit, change.new_card())
        feed.record(connection, "update", "repo.content", repository, [UpdatedRef(branch.ref, head.sha, commit.sha)])
    hub.wake()
    return Committed(repository, commit.sha)


class _Change:
    """The files of a commit, from the request to the database."""

    def __init__(
        self,
        connection: Connection,
        hub: Hub,
        identity: Identity,
        repository: Repository,
        head: history.Commit,
        prepared: Prepared,
    ) -> None:
        self._prepared = prepared
        self._connection = connection
        self._hub = hub
        self._identity = identity
        self._repository = repository
        self._files: dict[str, NewFile] = {}
        self._editor = TreeEditor(lambda sha: trees.load(connection, [sha])[sha], head.tree)
        self._old_card_oid = self._editor.oid(card_index.FILE_NAME)
        self._card = cards.Card()

    def apply(self, request: CommitRequest, may_use: MayUse, staging: ExitStack) -> tuple[str, Sequence[StoredObject]]:
        """Does what the request says, on the tree only, and checks it.

        Returns:
            The id of the new tree, and the folders that are new in it.
        """
        large = [operation for operation in request.operations if isinstance(operation, AddLargeFile)]
        user_id = self._identity.user_id or 0
        uploaded = contents.of_uploaded(self._connection, self._hub, user_id, self._repository, large, may_use)
        for operation in deletions_first(request.operations):
            if isinstance(operation, AddFile):
                self._add(operation.path, contents.of_staged(operation.staged))
            elif isinstance(operation, AddLargeFile):
                self._add(operation.path, uploaded[operation.path])
            elif isinstance(operation, DeleteFile):
                self._editor.delete_file(operation.path)
            else:
                self._editor.delete_folder(operation.path)
        self._cover([operation.path for operation in large], staging)
        if card_index.FILE_NAME in self._files:
            self._card = self._checked_card(self._files[card_index.FILE_NAME])
        return self._editor.write()

    def write(self, tree: str, folders: Sequence[StoredObject]) -> None:
        """Writes files and folders, if there is room for them."""
        new = {file.sha256: file.size for file in self._files.values()}
        held = contents.held_contents(self._connection, self._repository.id, new)
        new_bytes = sum(size for sha256, size in new.items() if sha256 not in held)
        quotas.check(self._connection, self._hub.settings.limits, self._repository, new_bytes)
        contents.write(self._connection, self._hub, self._repository.id, self._files.values())
        rows = [{"sha": folder.sha, "kind": "tree", "data": folder.data} for folder in folders]
        insert_ignore(self._connection, tables.git_objects, sorted(rows, key=lambda row: str(row["sha"])))
        quotas.check_files(trees.count_files(self._connection, tree))

    def new_card(self) -> cards.Card | None:
        """The card after the commit; None if it is the one from before."""
        return None if self._editor.oid(card_index.FILE_NAME) == self._old_card_oid else self._card

    def _add(self, path: str, file: NewFile) -> None:
        self._editor.add(path, file.git_oid)
        self._files[path] = file

    def _cover(self, paths: Sequence[str], staging: ExitStack) -> None:
        """Adds a line to `.gitattributes` for each large file of which git-lfs would not know in a clone."""
        if not paths:
            return
        content = self._gitattributes()
        rules = self._prepared.rules if self._prepared.rules.content == content else LfsRules(content)
        uncovered = [path for path in paths if not rules.covers(path)]
        if not uncovered:
            return
        content = rules.with_paths(uncovered)
        staged = staging.enter_context(self._hub.blobs.stage(len(content)))
        staged.write(content)
        staged.close()
        file = contents.of_staged(staged)
        self._editor.replace(GITATTRIBUTES, file.git_oid)
        self._files[GITATTRIBUTES] = file

    def _checked_card(self, file: NewFile) -> cards.Card:
        checked = self._prepared.card
        if checked is None or checked.sha256 != file.sha256:
            return card_index.check(self._content(file))
        if isinstance(checked.card, BadRequest):
            raise checked.card
        return checked.card

    def _gitattributes(self) -> bytes:
        if GITATTRIBUTES in self._files:
            return self._content(self._files[GITATTRIBUTES])
        oid = self._editor.oid(GITATTRIBUTES)
        return b"" if oid is None else self._content(contents.of_stored(self._connection, oid))

    def _content(self, file: NewFile) -> bytes:
        limit = self._hub.settings.limits.regular_bytes
        if file.staged is not None:
            return file.staged.path.read_bytes()
        return self._hub.blobs.read(file.sha256, limit)


def _head(
    connection: Connection, repository: Repository, branch: revisions.NamedCommit, parent: str | None
) -> history.Commit:
    """The commit on which the new one comes.

    Raises:
        HeadMoved: If it is not the one that the request expects.
    """
    if parent is not None and not branch.sha.startswith(parent):
        raise HeadMoved(
            f"The branch {branch.name} is at {branch.sha}, not at {parent}: somebody has committed since. Fetch the "
            "new state, and commit on top of it."
        )
    return history.get(connection, repository.id, branch.sha)


def _move_main(
    connection: Connection, repository: Repository, commit: history.Commit, card: cards.Card | None
) -> Repository:
    """Lets the repository, and what listings know of it, stand at a commit."""
    moved = replace(repository, sha=commit.sha, last_modified=commit.created_at)
    values = {"sha": commit.sha, "last_modified": commit.created_at}
    connection.execute(update(tables.repositories).where(tables.repositories.c.id == repository.id).values(values))
    if card is None:
        card_index.touch(connection, moved)
    else:
        card_index.write(connection, moved, card)
    return moved
