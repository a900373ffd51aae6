"""What agents are called in front of others: a pure rule."""


def shown_agent(repo_id: str, pseudonym: str | None, submission_id: int) -> str:
    """An agent as others see it.

    A repository's name is as good as its owner's: a Hub's search finds the one by the other. So whoever has a
    pseudonym hands in agents that have a number and nothing else.
    """
    return repo_id if pseudonym is None else f"Agent {submission_id}"
