"""Everything that is kept about a person, for that person: as JSON values, without any secret."""

import json
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, or_, select

from rl_hub import clock
from rl_leaderboard.database.tables import (
    activities,
    audit_entries,
    certificates,
    classes,
    episodes,
    evaluations,
    members,
    people,
    quiz_answers,
    sessions,
    submissions,
    tokens,
    webhooks,
)
from rl_leaderboard.database.tables import departures as departures_table
from rl_leaderboard.people import departures, work
from rl_leaderboard.people.people import Person

_JSON = {"versions", "choices", "details", "kinds", "payload", "retracted", "reviews", "used"}  # columns
_SECRET = {"digest", "secret"}  # columns: of a secret, the digest as well
_Rows = list[dict[str, Any]]


def collect(connection: Connection, person: Person) -> dict[str, Any]:
    """What is kept about a person.

    Args:
        connection: A transaction.
        person: Whose account it is.

    Returns:
        Lists of rows by what they are, with times as ISO 8601 in UTC.
    """
    (account,) = _rows(connection, people, people.c.id == person.id)
    mine = work.of(person.source, person.key)
    handed_in = select(submissions.c.id).where(mine)
    return {
        "exported_at": _value(clock.now()),
        "person": account,
        "classes": _classes(connection, person.id),
        "submissions": _rows(connection, submissions, mine),
        "evaluations": _evaluations(connection, handed_in),
        "quiz_answers": _rows(connection, quiz_answers, quiz_answers.c.person_id == person.id),
        "certificates": _rows(connection, certificates, certificates.c.person_id == person.id),
        "activities": _rows(
            connection,
            activities,
            or_(activities.c.person_id == person.id, activities.c.submission_id.in_(handed_in)),
        ),
        "audit_entries": _decisions(connection, person.id, set(connection.scalars(handed_in))),
        "sessions": _rows(connection, sessions, sessions.c.person_id == person.id),
        "tokens": _rows(connection, tokens, tokens.c.person_id == person.id),
        "departures": _rows(connection, departures_table, departures.of(person.source, person.key)),
        "webhooks": _rows(connection, webhooks, webhooks.c.owner_id == person.id),
    }


def _rows(connection: Connection, table: Table, where: ColumnElement[bool]) -> _Rows:
    query = select(table).where(where).order_by(*table.primary_key)
    return [_values(row) for row in connection.execute(query).mappings()]


def _classes(connection: Connection, person_id: int) -> _Rows:
    query = (
        select(classes.c.id, classes.c.name, members.c.role, members.c.joined_at)
        .join_from(members, classes, classes.c.id == members.c.class_id)
        .where(members.c.person_id == person_id)
        .order_by(classes.c.id)
    )
    return [_values(row) for row in connection.execute(query).mappings()]


def _evaluations(connection: Connection, handed_in: Select[tuple[int]]) -> _Rows:
    """What was measured, each with its episodes."""
    where = evaluations.c.submission_id.in_(handed_in)
    query = (
        select(episodes)
        .join_from(episodes, evaluations, evaluations.c.id == episodes.c.evaluation_id)
        .where(where)
        .order_by(episodes.c.evaluation_id, episodes.c.number)
    )
    played: defaultdict[int, _Rows] = defaultdict(list)
    for row in connection.execute(query).mappings():
        episode = _values(row)
        played[episode.pop("evaluation_id")].append(episode)
    return [{**values, "episodes": played[values["id"]]} for values in _rows(connection, evaluations, where)]


def _decisions(connection: Connection, person_id: int, handed_in: Collection[int]) -> _Rows:
    """What the person decided, and what was decided about the person or a submission of theirs.

    Names do not tell: somebody else may have the same one, from another sign-in service.
    """
    named = [audit_entries.c.details.contains(f'"{what}":') for what in ("person", "submission")]
    query = select(audit_entries).where(or_(audit_entries.c.actor_id == person_id, *named))
    found = [_values(row) for row in connection.execute(query.order_by(audit_entries.c.id)).mappings()]
    return [
        entry
        for entry in found
        if entry["actor_id"] == person_id
        or entry["details"].get("person") == person_id
        or entry["details"].get("submission") in handed_in
    ]


def _values(row: RowMapping) -> dict[str, Any]:
    return {
        name: json.loads(value) if name in _JSON else _value(value)
        for name, value in row.items()
        if name not in _SECRET
    }


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
