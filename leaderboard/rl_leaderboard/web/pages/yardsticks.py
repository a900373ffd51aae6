"""What agents that learn nothing score: what a board's scores are to be compared with."""

import logging
from collections.abc import Sequence

from rl_units.baselines import Baseline, load_baselines
from rl_units.course import Assignment, Course, Unit
from rl_units.errors import ManifestError

_log = logging.getLogger(__name__)


def unit_of(course: Course, assignment: Assignment) -> Unit:
    """The unit that an assignment belongs to."""
    return next(unit for unit in course.units if assignment in unit.assignments)


def read_baselines(course: Course, assignment: Assignment) -> Sequence[Baseline]:
    """The baselines of an assignment; none if the course's file of them cannot be read, which the log tells."""
    try:
        found = load_baselines(unit_of(course, assignment))
    except ManifestError as error:
        _log.warning("A board is shown without its baselines: %s", error)
        return ()
    return [baseline for baseline in found if baseline.assignment_id == assignment.id]
