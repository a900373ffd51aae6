"""Writes the tables of the judge into leaderboard/README.md: `PYTHONPATH=tests python -m judge_tables`."""

from pathlib import Path

from rl_leaderboard.judge.sandbox.tiers import NOT_STOPPED, NOT_STOPPED_BY, PROMISES, Attempt, Tier
from rl_leaderboard.rules import intervals

README = Path(__file__).parents[1] / "leaderboard" / "README.md"


def tiers() -> str:
    """What each tier stops, a row an attempt, and what it does not stop, as lists."""
    head = f"| An agent that tries to… | {' | '.join(tier.value for tier in Tier)} |\n|---|{'---|' * len(Tier)}\n"
    rows = (
        f"| {attempt.value} | {' | '.join('stopped' if attempt in PROMISES[tier] else '**not**' for tier in Tier)} |\n"
        for attempt in Attempt
    )
    lists = [("Not stopped by any of them", NOT_STOPPED)]
    lists += [(f"Nor by {tier.value}", NOT_STOPPED_BY[tier]) for tier in Tier]
    return head + "".join(rows) + "".join(_listed(title, sentences) for title, sentences in lists if sentences)


def coverage() -> str:
    """How many intervals include the true score, as it was measured for the module's docstring."""
    documented = (intervals.__doc__ or "").splitlines()
    return "".join(f"{line}\n" for line in documented if line.startswith("|"))


TABLES = {"tiers": tiers, "coverage": coverage}


def shown(text: str, name: str) -> str:
    """What stands in a text where a table belongs."""
    _, start, rest = text.partition(f"<!-- {name}: start -->\n")
    table, end, _ = rest.partition(f"<!-- {name}: end -->")
    if not start or not end:
        raise ValueError(f"leaderboard/README.md has no place for the table {name!r}.")
    return table


def with_tables(text: str) -> str:
    """A text with every table as it is now."""
    for name, table in TABLES.items():
        markers = f"<!-- {name}: start -->\n", f"<!-- {name}: end -->"
        text = text.replace(shown(text, name).join(markers), table().join(markers))
    return text


def _listed(title: str, sentences: tuple[str, ...]) -> str:
    return f"\n{title}:\n\n" + "".join(f"- {sentence}\n" for sentence in sentences)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text("utf-8")), "utf-8")
