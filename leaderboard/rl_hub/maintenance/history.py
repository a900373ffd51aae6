"""Checks of git's side: objects against their ids, commits against their rows, branches, and who has which file."""

from collections.abc import Sequence

from dulwich.errors import ObjectFormatException
from dulwich.objects import Commit
from sqlalchemy import Connection, and_, func, or_, select

from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.maintenance.findings import Findings
from rl_hub.maintenance.reachability import walk
from rl_hub.repositories.git_objects import object_id

_ROWS, _IDS = 16, 500

_repositories, _refs, _commits = tables.repositories.c, tables.refs.c, tables.commits.c
_objects, _files, _held = tables.git_objects.c, tables.files.c, tables.repository_files.c


def check(hub: Hub, findings: Findings) -> None:
    """Looks at everything in one state of the database.

    Args:
        hub: An open Hub.
        findings: Takes what is wrong.
    """
    with hub.database.read() as connection:
        _check_objects(connection, findings)
        _check_commits(connection, findings)
        _check_refs(connection, findings)
        _check_files(connection, findings)


def _check_objects(connection: Connection, findings: Findings) -> None:
    total = connection.scalar(select(func.count()).select_from(tables.git_objects)) or 0
    query = select(tables.git_objects).order_by(_objects.sha).execution_options(yield_per=_ROWS)
    for row in connection.execute(query):
        if object_id(row.kind, row.data) != row.sha:
            findings.damage(row.kind, row.sha, f"This {row.kind} has changed: its content has another id.")
        findings.count("git objects", 1, total)


def _check_commits(connection: Connection, findings: Findings) -> None:
    """Each commit's object says what its row says, and its parent is there."""
    total = connection.scalar(select(func.count()).select_from(tables.commits)) or 0
    before = tables.commits.alias()
    object_of = and_(_objects.sha == _commits.sha, _objects.kind == "commit")
    parent_of = and_(before.c.repository_id == _commits.repository_id, before.c.sha == _commits.parent)
    query = (
        select(
            _commits.repository_id,
            _commits.sha,
            _commits.tree,
            _commits.parent,
            _objects.data,
            before.c.sha.label("before"),
        )
        .select_from(tables.commits)
        .outerjoin(tables.git_objects, object_of)
        .outerjoin(before, parent_of)
        .execution_options(yield_per=_ROWS)
    )
    for row in connection.execute(query):
        if row.data is None:
            findings.damage("commit", row.sha, "Its git object is missing.")
        elif not _says(row.data, row.tree, row.parent):
            findings.damage("commit", row.sha, "Its git object names another tree or parent than the database does.")
        if row.parent != row.before:
            findings.damage("commit", row.sha, f"The commit before it, {row.parent}, is missing.")
        findings.count("commits", 1, total)


def _says(data: bytes, tree: str, parent: str | None) -> bool:
    """Whether a commit's body names this tree and this parent."""
    try:
        commit = Commit.from_string(data)
        parents = [sha.decode() for sha in commit.parents]
        return commit.tree.decode() == tree and parents == ([parent] if parent else [])
    except (ObjectFormatException, ValueError):
        return False


def _check_refs(connection: Connection, findings: Findings) -> None:
    """Branches and tags point to commits, and each repository knows its head."""
    target = and_(_commits.repository_id == _refs.repository_id, _commits.sha == _refs.sha)
    query = (
        select(_refs.repository_id, _refs.kind, _refs.name, _refs.sha)
        .outerjoin(tables.commits, target)
        .where(_commits.sha.is_(None))
    )
    for row in connection.execute(query):
        place = f"{row.name} of {_named(connection, row.repository_id)}"
        findings.damage(row.kind, place, f"It points to commit {row.sha}, which the repository does not have.")
    main = and_(_refs.repository_id == _repositories.id, _refs.kind == "branch", _refs.name == "main")
    heads = (
        select(_repositories.id, _repositories.sha, _refs.sha.label("main"))
        .select_from(tables.repositories)
        .outerjoin(tables.refs, main)
        .where(or_(_refs.sha.is_(None), _refs.sha != _repositories.sha))
    )
    for repository_id, sha, branch in connection.execute(heads):
        sentence = f"Its head is said to be {sha}, but its branch main is at {branch}."
        findings.damage("repository", _named(connection, repository_id), sentence)


def _check_files(connection: Connection, findings: Findings) -> None:
    """What a repository's commits reach is there, and known to be the repository's."""
    ids = list(connection.scalars(select(_repositories.id).order_by(_repositories.id)))
    for repository_id in ids:
        roots = connection.scalars(select(_commits.tree).where(_commits.repository_id == repository_id).distinct())
        reached: set[str] = set()
        for sha, tree in walk(connection, roots, set()):
            if tree is None:
                place = f"{sha} in {_named(connection, repository_id)}"
                findings.damage("tree", place, "A commit reaches this folder, but it is missing or cannot be read.")
            else:
                reached.update(tree.files)
        held = set(connection.scalars(select(_held.git_oid).where(_held.repository_id == repository_id)))
        _check_lacking(connection, repository_id, sorted(reached - held), findings)
        findings.count("repositories", 1, len(ids))


def _check_lacking(connection: Connection, repository_id: int, oids: Sequence[str], findings: Findings) -> None:
    """Files that commits name and that are not counted as the repository's."""
    for start in range(0, len(oids), _IDS):
        chunk = oids[start : start + _IDS]
        known = set(connection.scalars(select(_files.git_oid).where(_files.git_oid.in_(chunk))))
        for oid in chunk:
            sentence = (
                "A commit names this file, but it is not counted as the repository's."
                if oid in known
                else "A commit names this file, but nothing is known of its content."
            )
            findings.damage("file", f"{oid} in {_named(connection, repository_id)}", sentence)


def _named(connection: Connection, repository_id: int) -> str:
    """A repository as a person knows it."""
    query = select(_repositories.owner_name, _repositories.name).where(_repositories.id == repository_id)
    row = connection.execute(query).one_or_none()
    return f"{row.owner_name}/{row.name}" if row else f"repository {repository_id}"
