"""What a unit's folder holds for its page: the lesson, its pictures and the notebook.

These are the course's own files, so each lesson is rendered once a process; what renders them is imported then.
"""

import hashlib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from rl_leaderboard.errors import NotFound
from rl_units import lessons
from rl_units.course import CONTENT, Course, Unit, load_course

if TYPE_CHECKING:
    from rl_leaderboard.lessons.markdown import Lesson

PICTURE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".svg": "image/svg+xml"}
"""Suffixes of pictures, and what they are served as."""

# Beside the unit; where the wheel has them; where a clone has them.
_PACKAGE = CONTENT.parent
_NOTEBOOKS = (_PACKAGE / "notebooks", _PACKAGE.parents[1] / "notebooks")


def find_unit(course: Course, unit_id: str) -> Unit:
    """A unit of the course.

    Raises:
        NotFound: If there is none of this id.
    """
    for unit in course.units:
        if unit.id == unit_id:
            return unit
    raise NotFound("The course has no such unit.")


def lesson_of(unit: Unit) -> "Lesson | None":
    """The unit's lesson; None if it has none yet.

    Raises:
        ManifestError: If it asks for a value that the unit does not have.
        ConfigError: If a hyperparameter file cannot be read.
    """
    return _rendered(unit.folder)


def lesson_text(unit: Unit) -> str:
    """The unit's lesson as Markdown, with the course's numbers in it; empty if it has none yet.

    Raises:
        ManifestError: If it asks for a value that the unit does not have.
        ConfigError: If a hyperparameter file cannot be read.
    """
    return _text(unit.folder)


def pictures_of(unit: Unit) -> dict[str, Path]:
    """The unit's pictures by their names."""
    folder = unit.folder / "pictures"
    if not folder.is_dir():
        return {}
    return {path.name: path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in PICTURE_TYPES}


def notebook_of(unit: Unit) -> Path | None:
    """The unit's notebook, as students open it; None if this installation has none."""
    name = f"{unit.notebook}.ipynb"
    return next((folder / name for folder in (unit.folder, *_NOTEBOOKS) if (folder / name).is_file()), None)


def colab_address(notebooks_url: str | None, unit: Unit) -> str | None:
    """The address that opens the unit's notebook in Colab.

    Args:
        notebooks_url: The notebooks' folder on GitHub, https://github.com/owner/name/tree/branch/folder.
        unit: The unit.

    Returns:
        None if there is no such folder, or it is not GitHub's.
    """
    parts = urlsplit(notebooks_url or "")
    names = [name for name in parts.path.split("/") if name]
    if parts.netloc.lower() not in ("github.com", "www.github.com") or len(names) < 4 or names[2] != "tree":
        return None
    owner, repository, _, *place = names
    path = "/".join((owner, repository, "blob", *place, quote(f"{unit.notebook}.ipynb")))
    return f"https://colab.research.google.com/github/{path}"


@cache
def _text(folder: Path) -> str:
    if not (folder / lessons.LESSON).is_file():
        return ""
    return lessons.render_lesson(load_course(folder.parent).unit(folder.name))


@cache
def _rendered(folder: Path) -> "Lesson | None":
    from rl_leaderboard.lessons.markdown import render_lesson

    if not (folder / lessons.LESSON).is_file():
        return None
    course = load_course(folder.parent)
    unit = course.unit(folder.name)
    digests = {name: _digest(path) for name, path in pictures_of(unit).items()}

    def picture_address(path: str) -> str:
        # The digest lets browsers keep a picture until it changes.
        name = PurePosixPath(path).name
        return f"/units/{quote(unit.id)}/pictures/{quote(name)}?v={digests.get(name, '')}"

    def link_address(path: str) -> str:
        """Another unit's lesson by its folder; everything else lies below this unit."""
        other = next((known for known in course.units if known.id in PurePosixPath(path).parts), None)
        return f"/units/{quote(other.id)}" if other else f"/units/{quote(unit.id)}/{quote(path)}"

    return render_lesson(lessons.render_lesson(unit), picture_address=picture_address, link_address=link_address)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
