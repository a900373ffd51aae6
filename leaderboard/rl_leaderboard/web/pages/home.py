"""The home page: what this is, the units, and what happens now."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from rl_leaderboard.activity import feed
from rl_leaderboard.web.pages.happenings import sentence
from rl_leaderboard.web.pages.site import show
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor

MOST_SHOWN = 20
"""Activities on the page; the script keeps to it."""

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """The first page."""
    with classroom.read() as connection:
        newest = feed.newest_id(connection)
        activities = feed.latest(connection, MOST_SHOWN)
    return show(
        request,
        visitor,
        "home.html",
        units=classroom.course.units,
        happenings=[(activity, sentence(activity, classroom.course)) for activity in activities],
        newest=newest,
    )
