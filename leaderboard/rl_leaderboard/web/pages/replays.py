"""The judge's own videos."""

import re

from fastapi import APIRouter
from sqlalchemy import Connection, select
from starlette.responses import Response

from rl_hub.web.answers import file_answer
from rl_leaderboard.database.tables import evaluations
from rl_leaderboard.errors import NotFound
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor
from rl_leaderboard.web.visibility import look_at

router = APIRouter(include_in_schema=False)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_SUBMISSIONS = 100


@router.get("/files/{sha256}.mp4")
def play(sha256: str, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """A video, whole or a range of it.

    Raises:
        NotFound: If no evaluation of a submission that the visitor may see has it.
    """
    if not _SHA256.fullmatch(sha256):
        raise NotFound("There is no such video.")
    with classroom.read() as connection:
        is_seen = _is_seen(connection, visitor, sha256)
    path = classroom.video(sha256)
    if not is_seen or not path.is_file():
        raise NotFound("There is no such video.")
    # Teachers may take a submission off the board at any time: a browser asks again before it shows the video again.
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return file_answer(path, etag=sha256, media_type="video/mp4", headers=headers)


def _is_seen(connection: Connection, visitor: Visitor, sha256: str) -> bool:
    query = select(evaluations.c.submission_id).where(evaluations.c.replay == sha256).distinct()
    for number in connection.scalars(query.limit(_MOST_SUBMISSIONS)).all():
        try:
            look_at(connection, visitor, number)
        except NotFound:
            continue
        return True
    return False
