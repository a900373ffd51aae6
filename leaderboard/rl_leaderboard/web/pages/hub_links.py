"""Where a submission's repository is on its Hub, and what to type to load the agent from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from rl_hub.web.pages.snippets import Snippet, Subject, choose_snippets
from rl_leaderboard.people.people import HUB
from rl_leaderboard.submissions.submissions import Submission

# Boards' names of algorithms that the Zoo spells otherwise than in lower case.
_ZOO_NAMES = {"RecurrentPPO": "ppo_lstm"}


@dataclass(frozen=True)
class HubLinks:
    """Addresses on the Hub.

    Attributes:
        repository: The repository's page.
        commit: What this commit changed.
        video: The author's own video in this commit; None without one.
        snippets: What to type.
    """

    repository: str
    commit: str
    video: str | None
    snippets: Sequence[Snippet]


def hub_links(submission: Submission, embedded: str) -> HubLinks | None:
    """Addresses of a submission's repository.

    Args:
        submission: What was handed in.
        embedded: The embedded Hub's address for people; empty without one.

    Returns:
        None if the Hub has no address.
    """
    hub = _hub_address(submission.source, embedded)
    if not hub:
        return None
    repository = f"{hub}/{quote(submission.repo_id)}"
    sha = quote(submission.sha, safe="")
    return HubLinks(
        repository,
        commit=f"{repository}/commit/{sha}",
        video=f"{repository}/blob/{sha}/replay.mp4" if submission.has_replay else None,
        snippets=choose_snippets(_subject(submission, hub, repository)),
    )


def _hub_address(source: str, embedded: str) -> str:
    if source == HUB:
        return embedded
    return source if source.startswith(("http://", "https://")) else f"https://{source}"


def _subject(submission: Submission, hub: str, repository: str) -> Subject:
    """What the Hub's own snippets are made of: a submission is an agent that the Zoo would keep under this name."""
    owner, _, name = submission.repo_id.partition("/")
    algorithm = _ZOO_NAMES.get(submission.algorithm, submission.algorithm.lower())
    file = f"{algorithm}-{submission.env_id.replace('/', '-')}.zip"
    return Subject("model", owner, name, (submission.env_id,), (file,), repository, hub)
