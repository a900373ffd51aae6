"""A classroom in the middle of a term, for pictures and for tests that look at every page.

The scores are drawn at random with a fixed seed; nobody trained these agents.
"""

import random
from dataclasses import dataclass
from datetime import timedelta

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person
from rl_hub import clock
from rl_leaderboard.classes import members, records
from rl_leaderboard.database.tables import deadlines
from rl_leaderboard.people import people
from rl_units.results import score

STUDENTS = (
    *("ada", "alan", "barbara", "claude", "dorothy", "edsger", "frances", "john"),
    *("katherine", "margaret", "radia", "richard", "shafi", "tim"),
)


@dataclass(frozen=True)
class Scene:
    """Who and what there is.

    Attributes:
        teacher: grace, a teacher of the site and of the class.
        class_id: The class of all students.
        agent_id: ada's submission, which was measured twice.
    """

    teacher: people.Person
    class_id: int
    agent_id: int


def set_up(classroom) -> Scene:
    """Fills a new classroom."""
    chance = random.Random(7)
    teacher = add_person(classroom, "grace", "teacher")
    students = [add_person(classroom, name) for name in STUDENTS]
    with classroom.write() as connection:
        class_id = records.create(connection, "Reinforcement learning, autumn", teacher).id
        for student in students:
            members.join(connection, class_id, student.id, "student")
        due = {"class_id": class_id, "assignment_id": ASSIGNMENT, "due_at": clock.now() - timedelta(days=1)}
        connection.execute(deadlines.insert().values(due))
        people.change_privacy(connection, students[3], pseudonym="Quiet Quokka", is_public=False)
        people.change_privacy(connection, students[0], pseudonym="", is_public=True)
    agents = {name: _hand_in(classroom, name, chance) for name in STUDENTS[:-2]}
    _measure(classroom, agents["ada"], chance, 520, 50, batch="2", log="50 games in 74 s, nothing unusual.")
    return Scene(teacher, class_id, agents["ada"])


def _hand_in(classroom, name, chance) -> int:
    """Two or three commits of a student; the last one is measured for most. Returns its submission."""
    level = chance.gauss(330, 110)
    number = chance.randint(2, 3)
    minutes = sorted((chance.uniform(30, 4000) for _ in range(number)), reverse=True)
    pushes = [
        push(name, mean=level + 30 * place, std=chance.uniform(40, 120), sha=_sha(chance), minutes_ago=minutes[place])
        for place in range(number)
    ]
    (*_, last) = submit(classroom, *pushes)
    if name not in ("john", "radia"):
        _measure(classroom, last, chance, level + 20, 70, agent_sha256=_sha(chance, 64))
    return last


def _measure(classroom, submission_id, chance, centre, spread, **more) -> None:
    """Publishes 50 games, with the interval that resampling them gives."""
    games = [max(0.0, round(chance.gauss(centre, spread) / 5) * 5.0) for _ in range(50)]
    scores = sorted(score(chance.choices(games, k=50)) for _ in range(400))
    measure(classroom, submission_id, games, interval=(scores[10], scores[389]), **more)


def _sha(chance, length=40) -> str:
    return f"{chance.getrandbits(4 * length):0{length}x}"
