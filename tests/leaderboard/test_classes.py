"""Classes: the state of a student and an assignment, the roster, members, deadlines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_classes import make_class, roles_in
from leaderboard_people import add_person
from rl_hub import clock
from rl_leaderboard.classes import deadlines, members, records, roster
from rl_leaderboard.classes.matrix import Attempt, Cell, cell
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, Conflict, NotFound
from rl_leaderboard.people import people
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import submissions
from rl_units.course import Assignment, Course, Protocol, Unit, load_course

START = datetime(2026, 11, 1, tzinfo=UTC)
scores = st.none() | st.floats(-1e12, 1e12)
moments = st.integers(0, 1000).map(lambda minutes: START + timedelta(minutes=minutes))
attempts = st.lists(
    st.builds(Attempt, st.integers(1, 10**6), moments, scores, scores), unique_by=lambda one: one.submission_id
)
thresholds = st.none() | st.floats(-1e6, 1e6)
deadline = st.none() | moments


def attempt(number=1, *, claimed=None, verified=None, minutes=0):
    return Attempt(number, START + timedelta(minutes=minutes), claimed, verified)


def waiting(number, *, claimed):
    return replace(attempt(number, claimed=claimed), waits=True)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([], Cell("missing")),
        ([waiting(1, claimed=900.0)], Cell("waits", submission_id=1)),
        ([attempt(1, claimed=10.0), waiting(2, claimed=900.0)], Cell("below", 10.0, submission_id=1)),
        ([attempt(1)], Cell("unscored", submission_id=1)),
        ([attempt(1, claimed=199.9)], Cell("below", 199.9, submission_id=1)),
        ([attempt(1, claimed=200.0)], Cell("claimed", 200.0, submission_id=1)),
        ([attempt(1, claimed=900.0, verified=150.0)], Cell("below", 150.0, verified=True, submission_id=1)),
        ([attempt(1, claimed=100.0, verified=200.0)], Cell("passed", 200.0, verified=True, submission_id=1)),
        (
            [attempt(1, verified=210.0), attempt(2, claimed=900.0)],
            Cell("passed", 210.0, verified=True, submission_id=1),
        ),
        ([attempt(1, verified=10.0), attempt(2, claimed=900.0)], Cell("claimed", 900.0, submission_id=2)),
        ([attempt(1, verified=10.0), attempt(2, claimed=90.0)], Cell("below", 10.0, verified=True, submission_id=1)),
        ([attempt(1, verified=250.0), attempt(2, verified=250.0)], Cell("passed", 250.0, True, submission_id=1)),
    ],
)
def test_a_cell_tells_the_best_that_a_student_has(made, expected):
    assert cell(made, 200.0, None) == expected


def test_claims_pass_where_the_operator_says_so():
    made = [attempt(1, claimed=900.0, minutes=99)]

    assert cell(made, 200.0, START, certify_claims=True) == Cell("passed", 900.0, late=True, submission_id=1)


@pytest.mark.parametrize(("minutes", "late"), [(9, False), (10, False), (11, True)])
def test_what_first_passes_after_the_deadline_is_late(minutes, late):
    due_at = START + timedelta(minutes=10)

    assert cell([attempt(verified=300.0, minutes=minutes)], 200.0, due_at).late is late


def test_a_better_submission_after_the_deadline_does_not_make_an_earlier_pass_late():
    made = [attempt(1, verified=210.0, minutes=0), attempt(2, verified=500.0, minutes=99)]

    found = cell(made, 200.0, START + timedelta(minutes=10))

    assert (found.score, found.late) == (500.0, False)


@given(attempts, thresholds, deadline, st.randoms())
def test_the_order_of_submissions_says_nothing(made, threshold, due_at, chance):
    shuffled = list(made)
    chance.shuffle(shuffled)

    assert cell(shuffled, threshold, due_at) == cell(made, threshold, due_at)


@given(attempts, thresholds, deadline)
def test_a_cell_keeps_what_it_says(made, threshold, due_at):
    found = cell(made, threshold, due_at)
    reaches = found.score is not None and (threshold is None or found.score >= threshold)

    assert (found.state == "missing") is (not made)
    assert reaches is (found.state in ("passed", "claimed"))
    assert found.late is False or (due_at is not None and found.state in ("passed", "claimed"))
    assert found.verified or found.state != "passed"
    assert (
        found.submission_id is None
        or found.score == {one.submission_id: one.score for one in made}[found.submission_id]
    )


@given(attempts, st.builds(Attempt, st.just(10**7), moments, scores, scores), thresholds, deadline)
def test_one_submission_more_never_takes_a_pass_away(made, more, threshold, due_at):
    before, after = cell(made, threshold, due_at), cell([*made, more], threshold, due_at)

    if before.state == "passed":
        assert after.state == "passed"
        assert after.score >= before.score
        assert before.late or not after.late


@pytest.fixture
def people_of(sign_in):
    return lambda *names: [sign_in(name) for name in names]


@pytest.fixture
def course():
    """One unit with one required assignment: who has passed that misses nothing."""
    return Course(load_course().units[:1])


def read(classroom, record):
    with classroom.read() as connection:
        return roster.read(connection, record.id, classroom.course)


def test_the_roster_has_a_row_for_every_student_and_none_for_teachers(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("bob", "ada"))
    submit(classroom, push("ada", mean=300, std=50), push("eve", mean=900, std=0))

    rows = read(classroom, record).rows

    assert [(row.person.name, row.cells[0].state) for row in rows] == [("ada", "claimed"), ("bob", "missing")]


def test_what_does_not_count_is_not_in_the_roster(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("ada"))
    (number,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), "Copied.")

    assert read(classroom, record).rows[0].cells[0].state == "missing"


def test_what_waits_for_a_teacher_is_not_missing(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("ada"))
    (first,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, first), "Copied.")
    (second,) = submit(classroom, push("ada", sha="b" * 40))

    found = read(classroom, record)

    assert found.rows[0].cells[0] == Cell("waits", submission_id=second)
    assert found.needing_attention().rows == []


def test_a_submission_of_the_same_name_on_another_hub_is_somebody_elses(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("ada"))
    submit(classroom, push("ada", source="huggingface.co"))

    assert read(classroom, record).rows[0].cells[0].state == "missing"


def test_only_those_with_something_late_or_missing_are_left(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("prompt", "late", "idle"))
    ids = submit(classroom, push("prompt", minutes_ago=60), push("late", minutes_ago=1))
    for number in ids:
        measure(classroom, number)
    with classroom.write() as connection:
        deadlines.change(connection, record.id, {ASSIGNMENT: clock.now() - timedelta(minutes=30)})

    found = read(classroom, record).needing_attention()

    assert [row.person.name for row in found.rows] == ["idle", "late"]


def test_what_is_optional_is_missed_only_when_it_is_due(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("ada"))
    submit(classroom, push("ada"))
    before = read(classroom, record).needing_attention().rows
    with classroom.write() as connection:
        deadlines.change(connection, record.id, {"pong": clock.now() + timedelta(days=1)})

    after = read(classroom, record).needing_attention().rows

    assert [len(before), len(after)] == [0, 1]


def many(number):
    """A course with many assignments of one kind."""
    made = tuple(
        Assignment(f"task-{place}", f"Task {place}", Protocol(f"p{place}", 1, f"Env{place}-v1"), 100.0, required=True)
        for place in range(number)
    )
    return Course((Unit("unit", 1, "Unit", "unit", None, {}, made),))


def test_the_table_leaves_empty_what_nobody_expects_and_rounds_scores(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("ada", "bob"))
    submit(classroom, push("ada", mean=300.12345, std=0))

    found = read(classroom, record)
    ada, bob = (dict(zip(roster.header(found), row, strict=True)) for row in roster.table(found))

    assert (ada[ASSIGNMENT], ada[f"{ASSIGNMENT} state"]) == (300.12, "claimed")
    assert (bob[f"{ASSIGNMENT} state"], bob[f"{ASSIGNMENT} late"]) == ("missing", False)
    assert (ada["pong"], ada["pong state"], ada["pong late"]) == (None, None, None)


@pytest.fixture
def large(tmp_path, hub):
    opened = Classroom.open(Settings(tmp_path / "large"), many(10), hub)
    yield opened
    opened.close()


def test_a_class_of_two_hundred_is_read_in_three_queries(large, sign_in):
    class Teacher:
        person = add_person(large, "grace", "teacher")

    record = make_class(large, Teacher)
    with large.write() as connection:
        for number in range(200):
            name = f"student-{number:03}"
            arrival = people.Arrival(people.HUB, f"subject of {name}", name, people.HUB)
            members.join(connection, record.id, people.welcome(connection, arrival).id, "student")
    submit(large, *(push(f"student-{n % 200:03}", env_id=f"Env{n % 10}-v1", sha=f"{n:040}") for n in range(400)))
    seen = []

    with large.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *call: seen.append(call[2]))
        found = roster.read(connection, record.id, large.course)

    assert len(found.rows) == 200
    assert all(len(row.cells) == 10 for row in found.rows)
    assert sum(one.state == "claimed" for row in found.rows for one in row.cells) > 0
    assert len(seen) == 3


def test_a_class_keeps_a_teacher(classroom, sign_in):
    grace, ada = sign_in("grace", role="teacher"), sign_in("ada")
    record = make_class(classroom, grace, ada)

    with classroom.write() as connection:
        with pytest.raises(Conflict, match="at least one teacher"):
            members.remove(connection, record.id, grace.person.id)
        with pytest.raises(Conflict, match="at least one teacher"):
            members.change_role(connection, record.id, grace.person.id, "student")
        members.change_role(connection, record.id, ada.person.id, "teacher")
        members.remove(connection, record.id, grace.person.id)

    assert roles_in(classroom, record) == {"ada": "teacher"}


def test_a_full_class_takes_nobody_more(classroom, sign_in, monkeypatch):
    monkeypatch.setattr(members, "MOST_MEMBERS", 2)
    record = make_class(classroom, sign_in("grace", role="teacher"), sign_in("ada"))
    bob = sign_in("bob")

    with classroom.write() as connection, pytest.raises(Conflict, match="full"):
        members.join(connection, record.id, bob.person.id, "student")

    assert "bob" not in roles_in(classroom, record)


@pytest.mark.parametrize("name", ["", "   ", "x" * 129, "a\u202eb", "a\0b"])
def test_a_class_has_a_name_that_can_be_shown(classroom, sign_in, name):
    grace = sign_in("grace", role="teacher")

    with classroom.write() as connection, pytest.raises(BadRequest, match="printable"):
        records.create(connection, name, grace.person)


def test_an_archived_class_gives_nobody_a_role(classroom, sign_in):
    grace, ada = sign_in("grace", role="teacher"), sign_in("ada")
    record = make_class(classroom, grace, ada)
    with classroom.write() as connection:
        records.archive(connection, record.id)

    with classroom.read() as connection:
        assert members.roles_of(connection, ada.person.id) == {}
        assert members.roles_of(connection, grace.person.id) == {}


def test_the_roster_of_an_archived_class_has_nothing_that_came_later(classroom, sign_in, people_of):
    record = make_class(classroom, sign_in("grace", role="teacher"), *people_of("ada"))
    submit(classroom, push("ada", mean=300, std=50))
    with classroom.write() as connection:
        records.archive(connection, record.id)
    # Its commit may say that it is older.
    submit(classroom, push("ada", mean=900, std=0, sha="b" * 40, minutes_ago=10**4))

    archived = read(classroom, record).rows[0].cells[0]
    with classroom.write() as connection:
        records.restore(connection, record.id)

    assert archived.score == 250.0
    assert read(classroom, record).rows[0].cells[0].score == 900.0


def test_deadlines_that_are_not_named_stay(large):
    class Teacher:
        person = add_person(large, "grace", "teacher")

    record = make_class(large, Teacher)
    with large.write() as connection:
        deadlines.change(connection, record.id, {"task-1": START, "task-2": START})
        changed = deadlines.change(connection, record.id, {"task-2": None, "task-1": START})

    with large.read() as connection:
        assert deadlines.read(connection, record.id) == {"task-1": START}
    assert changed == {"task-2": None}


def test_somebody_who_is_not_in_the_class_cannot_be_removed(classroom, sign_in):
    record = make_class(classroom, sign_in("grace", role="teacher"))
    stranger = sign_in("bob")

    with classroom.write() as connection, pytest.raises(NotFound):
        members.remove(connection, record.id, stranger.person.id)
