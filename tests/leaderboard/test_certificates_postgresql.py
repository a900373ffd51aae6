"""Certificates on SQLite and on a real PostgreSQL: what is issued while a teacher takes the work back."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest
from fastapi.testclient import TestClient

from leaderboard_agents import measure, push, submit
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from leaderboard_people import Someone
from rl_leaderboard.certificates import issuing
from rl_leaderboard.submissions import submissions
from rl_leaderboard.web.app import create_app


@pytest.fixture(params=ENGINES)
def classroom(request, new_classroom):  # noqa: F811
    """Takes the place of the one on SQLite alone."""
    return new_classroom(request.param)


def pass_everything(classroom, student):
    ids = []
    for number, assignment in enumerate(classroom.course.assignments):
        ids += submit(classroom, push(student, env_id=assignment.env_id, sha=f"{number:040x}"))
        measure(classroom, ids[-1], [(assignment.threshold or 0) + 100.0] * 2)
    return ids


def test_no_certificate_is_issued_of_what_is_just_being_retracted(classroom):
    app = create_app(classroom)
    with TestClient(app):
        ada = Someone.of(app, classroom, "ada")
        ids = pass_everything(classroom, "ada")
        with ThreadPoolExecutor(1) as pool:
            with classroom.write() as connection:
                for number in ids:
                    submissions.retract(connection, submissions.get(connection, number), "Copied.")
                answer = pool.submit(ada.send, "/me/certificate", {"name": "Ada"})
                with pytest.raises(NotYet):
                    answer.result(timeout=1)
            status = answer.result().status_code

        with classroom.read() as connection:
            assert issuing.list_of_person(connection, ada.person.id) == []
    assert status == 409
