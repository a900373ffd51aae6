"""What was expected of each client, what came of it, and the table of both in the README."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.operations.context import Operation
from clients.run import Outcome

README = Path(__file__).resolve().parents[2] / "leaderboard" / "README.md"
BEGIN, END = "<!-- clients: start -->", "<!-- clients: end -->"


@dataclass(frozen=True)
class Client:
    """A version of the client, and how it sends files that are too large for the commit."""

    version: str
    large_files: str


@dataclass(frozen=True)
class Limitation:
    """What some clients cannot do with any Hub but huggingface.co, why, and what is in their error."""

    clients: tuple[str, ...]
    operations: tuple[str, ...]
    says: str
    reason: str


@dataclass(frozen=True)
class Expectations:
    """What each client is expected to do: everything that is no limitation."""

    clients: tuple[Client, ...]
    transports: Mapping[str, str]
    limitations: tuple[Limitation, ...]

    def limitation(self, client: Client, operation: str) -> Limitation | None:
        """Why a client cannot do an operation."""
        for limitation in self.limitations:
            if client.version in limitation.clients and operation in limitation.operations:
                return limitation
        return None

    def transport(self, client: Client, operation: str, *, xet: bool) -> str | None:
        """How the files of an operation have to travel; None if it does not matter."""
        way = self.transports.get(operation)
        if way != "large":
            return way
        return client.large_files if xet else "LFS"


def load_expectations() -> Expectations:
    """Reads what is expected."""
    document = tomllib.loads(Path(__file__).with_name("clients.toml").read_text("utf-8"))
    return Expectations(
        tuple(Client(**client) for client in document["clients"]),
        document["transports"],
        tuple(
            Limitation(tuple(entry["clients"]), tuple(entry["operations"]), entry["says"], entry["reason"])
            for entry in document["limitations"]
        ),
    )


def surprises(expectations: Expectations, client: Client, outcomes: Iterable[Outcome], *, xet: bool) -> list[str]:
    """A sentence for each outcome that was not expected, successes included."""
    found = []
    for outcome in outcomes:
        sentence = _surprise(expectations, client, outcome, xet)
        if sentence:
            mode = "" if xet else " with HF_HUB_DISABLE_XET=1"
            found.append(f"huggingface_hub {client.version}{mode}: {outcome.operation}: {sentence}")
    return found


def _surprise(expectations: Expectations, client: Client, outcome: Outcome, xet: bool) -> str:
    limitation = expectations.limitation(client, outcome.operation)
    if limitation is None:
        if outcome.error:
            return outcome.error
        wanted = expectations.transport(client, outcome.operation, xet=xet)
        wrong = wanted is not None and outcome.transport != wanted
        return f"its files travelled by {outcome.transport}, not {wanted}" if wrong else ""
    if not outcome.error:
        return "succeeded, though it is listed as a limitation of this client"
    if limitation.says not in outcome.error:
        return f"failed, but not with {limitation.says!r}: {outcome.error}"
    return ""


def table(expectations: Expectations, groups: Mapping[str, Sequence[Operation]]) -> str:
    """The README's table, which is what the clients do if nothing surprises: for each group its operations."""
    clients = expectations.clients
    lines = ["| huggingface_hub | " + " | ".join(client.version for client in clients) + " |"]
    lines.append("|---" * (len(clients) + 1) + "|")
    for group, operations in groups.items():
        lines.append(f"| **{group}** |" + " |" * len(clients))
        for operation in operations:
            cells = " | ".join(_cell(expectations, client, operation.name) for client in clients)
            lines.append(f"| {operation.title} | {cells} |")
    notes = [f"{number}. {limitation.reason}" for number, limitation in enumerate(expectations.limitations, start=1)]
    return "\n".join([*lines, "", *notes])


def _cell(expectations: Expectations, client: Client, operation: str) -> str:
    limitation = expectations.limitation(client, operation)
    if limitation is not None:
        return f"no ({expectations.limitations.index(limitation) + 1})"
    ways = {expectations.transport(client, operation, xet=xet): None for xet in (True, False)}
    return "yes" if None in ways else " or ".join(str(way) for way in ways)


def with_table(readme: str, text: str) -> str:
    """The README with another table between its marks.

    Raises:
        ValueError: If the marks are not there.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
