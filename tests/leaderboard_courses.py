"""Courses of several units, for tests: copies of the course's own unit with other games."""

import json
import shutil

from rl_units.course import CONTENT

OWN = "unit3_dqn_atari"
_MANIFEST = """
number = {number}
title = {title}
notebook = {notebook}

[hyperparameters]
dqn = "dqn.yml"

[protocols.bare]
version = 1
max_episode_steps = 1000
"""
_ASSIGNMENT = """
[[assignments]]
id = "game-{number}-{place}"
title = "Game {number}.{place}"
env_id = "Game-{number}-{place}"
threshold = 200.0
required = true
protocol = "bare"
"""


def copied_course(folder):
    """The course's own unit in a folder where a test may change it; it has to do so before the course is read."""
    shutil.copytree(CONTENT / OWN, folder / OWN)
    return folder / OWN


def add_unit(folder, number, *, title="Another unit", notebook="unit3_dqn_space_invaders", required=1):
    """Adds a unit with as many required assignments: `game-<number>-1` and so on, passed at 200."""
    unit = folder / f"unit{number}_other"
    shutil.copytree(CONTENT / OWN, unit)
    assignments = [_ASSIGNMENT.format(number=number, place=place + 1) for place in range(required)]
    manifest = _MANIFEST.format(number=number, title=json.dumps(title), notebook=json.dumps(notebook))
    unit.joinpath("unit.toml").write_text(manifest + "".join(assignments))
    return unit


def games(course):
    """The environments of the required assignments."""
    return [assignment.env_id for assignment in course.assignments if assignment.required]
