"""Which commits a clone or fetch has to bring: pure rules on a repository's history.

A commit of this Hub has one parent at most, so histories are chains that share their beginnings.
"""

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass

Parents = Mapping[str, str | None]
"""Every commit of a repository, with the one before it."""


@dataclass(frozen=True)
class Selection:
    """What a client lacks.

    Attributes:
        commits: To be sent, newest first.
        borders: Commits next to these that the client has, with all their files.
        shallow: Commits that the client gets without their parents, unlike so far.
        unshallow: Commits whose parents the client did not have so far, and gets now.
    """

    commits: tuple[str, ...]
    borders: frozenset[str]
    shallow: tuple[str, ...]
    unshallow: tuple[str, ...]


def select(
    parents: Parents, wants: Iterable[str], common: Iterable[str], client_shallow: Set[str], depth: int | None
) -> Selection:
    """Finds what to send.

    Args:
        parents: The repository's history; it has all of `wants` and `common`.
        wants: What the client asks for.
        common: What the client has of this history, with everything before, up to `client_shallow`.
        client_shallow: Commits whose parents the client does not have.
        depth: How many commits of each branch are asked for; None for all that the client lacks.
    """
    wanted = _distances(parents, wants, frozenset() if depth else client_shallow, depth)
    had = _distances(parents, common, client_shallow, None)
    commits = tuple(sha for sha in wanted if sha not in had)
    sent = set(commits)
    older = {parent for sha in commits if (parent := parents[sha]) is not None and parent in had}
    newer = {sha for sha in client_shallow if sha in had and parents[sha] in sent}
    ends = {sha for sha, distance in wanted.items() if distance == depth and parents[sha] is not None}
    return Selection(
        commits,
        frozenset(older | newer),
        tuple(sha for sha in wanted if sha in ends and sha not in client_shallow),
        tuple(sha for sha in wanted if depth and sha in client_shallow and sha not in ends),
    )


def covered(parents: Parents, wants: Collection[str], common: Set[str]) -> bool:
    """Whether each wanted commit descends from one that the client has, so that asking further is of no use."""
    walked: set[str] = set()
    for want in wants:
        at = want
        while at not in common and at not in walked:
            walked.add(at)
            parent = parents[at]
            if parent is None:
                return False
            at = parent
    return True


def _distances(parents: Parents, starts: Iterable[str], ends: Set[str], depth: int | None) -> dict[str, int]:
    """The commits that can be reached, nearest first, each with its distance from the nearest start, which has 1."""
    found: dict[str, int] = {}
    level = list(dict.fromkeys(starts))
    distance = 1
    while level and (depth is None or distance <= depth):
        found |= dict.fromkeys(level, distance)
        following = (parents[sha] for sha in level if sha not in ends)
        level = [sha for sha in dict.fromkeys(following) if sha is not None and sha not in found]
        distance += 1
    return found
