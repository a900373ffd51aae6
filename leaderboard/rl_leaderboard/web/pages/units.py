"""Units: the course, its lessons, their pictures and notebooks."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import NotFound
from rl_leaderboard.lessons import material
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.progress.assessment import Progress, assess
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.progress.quizzes import quiz_of
from rl_leaderboard.web.pages.site import show
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor

# Nothing moves this counter: what these pages show to strangers is part of the program.
_COURSE = "course"
_FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@router.get("/units")
def units_page(request: Request, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """Every unit, and how far the visitor has come."""
    progress = _progress(classroom, visitor)
    quizzes = {unit.id: quiz_of(unit) for unit in classroom.course.units}
    return show(
        request, visitor, "units.html", section="units", depends_on=_COURSE, units=progress.units, quizzes=quizzes
    )


@router.get("/units/{unit_id}")
def unit_page(request: Request, classroom: ClassroomOf, visitor: PageVisitor, unit_id: str) -> Response:
    """A unit's lesson, and what there is to do after it."""
    unit = material.find_unit(classroom.course, unit_id)
    units = _progress(classroom, visitor).units
    place = classroom.course.units.index(unit)
    return show(
        request,
        visitor,
        "unit.html",
        section="units",
        depends_on=_COURSE,
        unit=unit,
        lesson=material.lesson_of(unit),
        quiz=quiz_of(unit),
        progress=units[place],
        has_notebook=material.notebook_of(unit) is not None,
        colab=material.colab_address(classroom.settings.notebooks_url, unit),
        previous=units[place - 1].unit if place else None,
        following=units[place + 1].unit if place + 1 < len(units) else None,
    )


@router.get("/units/{unit_id}/pictures/{name}")
def picture(classroom: ClassroomOf, unit_id: str, name: str, v: str = "") -> Response:
    """A picture of a lesson.

    Raises:
        NotFound: If the unit has none of this name.
    """
    # Looked up among the names that are there, so that no name leads out of the folder.
    path = material.pictures_of(material.find_unit(classroom.course, unit_id)).get(name)
    if path is None:
        raise NotFound("The unit has no such picture.")
    return _file(path, material.PICTURE_TYPES[path.suffix.lower()], _FOREVER if v else "no-cache")


@router.get("/units/{unit_id}/notebook.ipynb")
def notebook(classroom: ClassroomOf, unit_id: str) -> Response:
    """The unit's notebook, to download.

    Raises:
        NotFound: If there is none.
    """
    path = material.notebook_of(material.find_unit(classroom.course, unit_id))
    if path is None:
        raise NotFound("This unit has no notebook here.")
    response = _file(path, "application/x-ipynb+json", "no-cache")
    response.headers["Content-Disposition"] = f'attachment; filename="{path.name}"'
    return response


def _file(path: Path, media_type: str, caching: str) -> Response:
    return FileResponse(path, media_type=media_type, headers={"Cache-Control": caching})


def _progress(classroom: Classroom, visitor: Visitor) -> Progress:
    """The visitor's progress; that of somebody who has not begun, if nobody is signed in."""
    certify_claims = classroom.settings.certify_claims
    if visitor.person is None:
        return assess(classroom.course, {}, {}, certify_claims=certify_claims)
    with classroom.read() as connection:
        return read_progress(connection, classroom.course, visitor.person, certify_claims=certify_claims)
