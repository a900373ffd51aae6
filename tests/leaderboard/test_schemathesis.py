"""The API against its own description: whatever it allows, and much that it does not, is answered without a fault."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans, one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person
from rl_leaderboard.classes import records as classes
from rl_leaderboard.people import tokens
from rl_leaderboard.web.app import create_app
from rl_units.course import load_course

DESCRIPTION = "/api/v1/openapi.json"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Machines may be slow, and what a description does not allow is thrown away often.
QUIET = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
]
# What addresses name that lead somewhere.
THERE = {
    "assignment_id": ASSIGNMENT,
    "class_id": 1,
    "evaluation_id": 1,
    "person_id": 1,
    "submission_id": 1,
    "unit_id": load_course().units[0].id,
}
ROLES = {"grace": "teacher", "root": "admin"}


@pytest.fixture
def filled(classroom):
    """A classroom in which the first numbers are somebody's."""
    first, _ = submit(classroom, push("ada"), push("bob"))
    measure(classroom, first)
    teacher = add_person(classroom, "grace", "teacher")
    with classroom.write() as connection:
        classes.create(connection, "7b", teacher)
    return classroom


def headers_of(classroom, who):
    """What a request of somebody carries; nothing for nobody."""
    if who == "nobody":
        return {}
    person = add_person(classroom, who, ROLES.get(who, "student"))
    with classroom.write() as connection:
        return {"Authorization": f"Bearer {tokens.create(connection, person.id, 'test', 'write')}"}


def ask_everything(classroom, who, examples):
    app = create_app(classroom)
    schema = schemathesis.openapi.from_asgi(DESCRIPTION, app)
    headers = headers_of(classroom, who)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 40
    for operation in operations:
        ask(operation, headers, examples)


def ask(operation, headers, examples):
    allowed, forbidden = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @given(case=one_of(allowed, forbidden), is_there=booleans())
    @settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=QUIET)
    def check(case, is_there):
        if is_there:
            case.path_parameters |= {name: THERE[name] for name in case.path_parameters if name in THERE}
        # A token that is deleted would make the rest of the questions those of nobody.
        if (case.method, case.path) != ("DELETE", "/api/v1/me/tokens/{token_id}"):
            case.validate_response(case.call(headers=headers), checks=CHECKS)

    check()


@pytest.mark.parametrize("who", ["nobody", "ada", "grace", "root"])
def test_no_question_makes_a_fault(filled, who):
    ask_everything(filled, who, examples=6)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["nobody", "ada", "grace", "root"])
def test_no_question_of_many_makes_a_fault(filled, who):
    ask_everything(filled, who, examples=200)
