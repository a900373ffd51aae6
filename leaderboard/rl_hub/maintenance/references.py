"""Checks of rows against each other: nothing refers to what is not there, and copies agree."""

import json

from sqlalchemy import Connection, ForeignKeyConstraint, Table, and_, func, or_, select

from rl_hub.database import tables, upkeep
from rl_hub.hub import Hub
from rl_hub.maintenance.findings import Findings

_JSON = (
    (tables.events, "payload"),
    (tables.webhooks, "watched"),
    (tables.webhooks, "domains"),
)
_ROWS = 100


def check(hub: Hub, findings: Findings) -> None:
    """Looks at everything in one state of the database.

    Args:
        hub: An open Hub.
        findings: Takes what is wrong.
    """
    ordered = tables.metadata.sorted_tables
    with hub.database.read() as connection:
        for fault in upkeep.self_check(connection):
            findings.damage("database", hub.database.url.database or "", f"It finds a fault in itself: {fault}.")
        for table in ordered:
            for constraint in table.foreign_key_constraints:
                _check_reference(connection, table, constraint, findings)
            findings.count("tables", 1, len(ordered))
        for table, column in _JSON:
            _check_json(connection, table, column, findings)
        _check_names(connection, findings)


def _check_reference(
    connection: Connection, table: Table, constraint: ForeignKeyConstraint, findings: Findings
) -> None:
    """Every row that refers to another one finds it."""
    parent = constraint.referred_table.alias()
    pairs = [(element.parent, parent.c[element.column.name]) for element in constraint.elements]
    lost = (
        select(*table.primary_key.columns)
        .select_from(table.outerjoin(parent, and_(*(child == target for child, target in pairs))))
        .where(*(child.is_not(None) for child, _ in pairs), pairs[0][1].is_(None))
    )
    for row in connection.execute(lost):
        sentence = f"It refers to a row of {constraint.referred_table.name} that is not there."
        findings.damage(table.name, " ".join(str(value) for value in row), sentence)


def _check_json(connection: Connection, table: Table, column: str, findings: Findings) -> None:
    key = next(iter(table.primary_key.columns))
    for identity, text in connection.execute(select(key, table.c[column]).execution_options(yield_per=_ROWS)):
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            findings.damage(table.name, str(identity), f"Its {column} is not JSON.")


def _check_names(connection: Connection, findings: Findings) -> None:
    """Repositories carry their owner's name, and both are found by it."""
    accounts, repositories = tables.accounts.c, tables.repositories.c
    expected = func.lower(accounts.name + "/" + repositories.name)
    wrong = (
        select(repositories.id, repositories.owner_name, repositories.name)
        .join(tables.accounts, accounts.id == repositories.owner_id)
        .where(or_(repositories.owner_name != accounts.name, repositories.key != expected))
    )
    for row in connection.execute(wrong):
        sentence = "It is not found under its owner's name and its own."
        findings.damage("repository", f"{row.owner_name}/{row.name}", sentence)
    lost = select(accounts.name).where(accounts.key != func.lower(accounts.name))
    for name in connection.scalars(lost):
        findings.damage("account", name, "It is not found under its name.")
