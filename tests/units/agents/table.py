"""Writes the table of agents that load safely into units/README.md: `PYTHONPATH=tests python -m units.agents.table`."""

from pathlib import Path

from units.agents.cases import CASES, Case

README = Path(__file__).parents[3] / "units" / "README.md"
START, END = "<!-- agents: start -->", "<!-- agents: end -->"


def table() -> str:
    """The table in Markdown, one row a case."""
    head = "| Algorithm | Policy | Kind | Observations | Actions | `policy_kwargs` |\n|---|---|---|---|---|---|\n"
    return head + "".join(_row(case) for case in CASES)


def _row(case: Case) -> str:
    arguments = ", ".join(sorted(case.policy_kwargs)) or "none"
    cells = (case.algo, case.policy, case.title, case.observations, case.actions, arguments)
    return f"| {' | '.join(cells)} |\n"


def with_table(text: str) -> str:
    """`text` with the table between the two markers."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n\n{table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
