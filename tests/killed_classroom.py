"""What campaigns of kills share: pushing to a classroom that may go at any moment, and looking at one that went."""

import base64
import http.client
import json
import urllib.error
import urllib.request

from sqlalchemy import select

from rl_hub.accounts import tokens, users
from rl_hub.accounts.identity import Identity
from rl_hub.repositories import catalog
from rl_leaderboard.boards import standings
from rl_leaderboard.database import tables

PATIENCE = 60
# What a killed server leaves of a request.
_CUT = (OSError, http.client.HTTPException)


def new_pusher(hub, name, repositories):
    """Makes an account with empty models; returns the token with which it pushes."""
    with hub.database.write() as connection:
        user = users.find(connection, name) or users.create(connection, name)
        identity = Identity(user.id, name, "write", via="token")
        for repository in repositories:
            catalog.create(connection, identity, "model", name, repository, private=False)
        return tokens.create(connection, user.id, "push", "write")


def commit(endpoint, repo_id, token, files):
    """Pushes files as the client does; returns the commit. The same files once more are no new commit."""
    lines = [{"key": "header", "value": {"summary": "Push"}}]
    for path, content in files.items():
        encoded = base64.b64encode(content).decode()
        lines.append({"key": "file", "value": {"path": path, "content": encoded, "encoding": "base64"}})
    body = "\n".join(map(json.dumps, lines)).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    address = f"{endpoint}/api/models/{repo_id}/commit/main"
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=PATIENCE) as answer:
        return json.load(answer)["commitOid"]


def excuse(error, *, was_killed):
    """Why a request may have ended with an error, for the report; None if it may not."""
    if isinstance(error, urllib.error.HTTPError) and error.code == 503:
        return "writes that others kept waiting for too long"
    return "writes that a kill ended" if isinstance(error, _CUT) and was_killed else None


def told(error):
    """An error with the end of what the server said."""
    body = error.read() if isinstance(error, urllib.error.HTTPError) else b""
    return f"{error!r} {body[-500:]}"


def board_faults(classroom):
    """Compares the boards with what they would be if they were made anew."""
    rows = select(tables.standings).order_by(*tables.standings.primary_key.columns)
    try:
        with classroom.database.write() as connection:
            before = connection.execute(rows).all()
            for assignment in classroom.course.assignments:
                standings.rebuild(connection, assignment.id)
            after = connection.execute(rows).all()
            raise _Undone
    except _Undone:
        return [] if before == after else [f"A board is {before}, and not {after}"]


class _Undone(Exception):
    """Takes a transaction back."""
