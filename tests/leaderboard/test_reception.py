"""Taking in commits: once each, within the day's quota, and wherever their repository goes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hub_clock import moving_clock
from leaderboard_agents import ASSIGNMENT, GAME, measure, push, submit
from leaderboard_sources import kept, rows
from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.boards import assignments
from rl_leaderboard.database.tables import activities
from rl_leaderboard.errors import TooManyRequests
from rl_leaderboard.rules.claims import Claim, without_score
from rl_leaderboard.submissions import reception, submissions, whereabouts
from rl_units.course import Course, load_course

ALIAS = "SpaceInvaders-other-name"


def limit(classroom, quota):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=quota)


def commits(number, start=0, **more):
    return [push(sha=f"{start + index:040x}", mean=100 + start + index, std=0, **more) for index in range(number)]


def told(classroom):
    with classroom.read() as connection:
        return [activity.kind for activity in reversed(feed.latest(connection, 100))]


def take_again(classroom, number):
    with classroom.write() as connection:
        return reception.take_again(connection, submissions.get(connection, number))


def forget(classroom, repo_id, source="hub"):
    with classroom.write() as connection:
        whereabouts.forget(connection, source, repo_id)


def find_again(classroom, repo_id, among):
    with classroom.write() as connection:
        whereabouts.find_again(connection, "hub", repo_id, among)


def move(classroom, repo_id, new_id):
    with classroom.write() as connection:
        whereabouts.move(connection, "hub", repo_id, new_id)


def fail(classroom, number):
    with classroom.write() as connection:
        submissions.fail(connection, submissions.get(connection, number), "Its weights cannot be read.")


def retract(classroom, number):
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), "Copied.")


def restore(classroom, number):
    with classroom.write() as connection:
        submissions.restore(connection, submissions.get(connection, number))


def test_a_commit_that_is_told_again_changes_nothing(classroom):
    first = submit(classroom, push())
    before = kept(classroom)

    assert len(first) == 1
    assert submit(classroom, push(), push(mean=999)) == []
    assert kept(classroom) == before


def test_the_same_name_in_another_case_is_the_same_repository(classroom):
    submit(classroom, push("Ada"))

    assert submit(classroom, push("ada"), push("ADA")) == []
    assert [row.repo_id for row in kept(classroom)] == ["Ada/invader"]


def test_the_same_name_on_another_hub_is_another_repository(classroom):
    assert len(submit(classroom, push(), push(source="huggingface.co"))) == 2


def test_one_call_may_tell_a_commit_twice(classroom):
    assert len(submit(classroom, push(), push())) == 1


def test_many_pushes_are_taken_in_at_once(classroom):
    assert len(submit(classroom, *(push(f"student-{number}") for number in range(1001)))) == 1001


def test_of_an_environment_and_its_alias_in_one_card_the_result_counts(classroom):
    unit = load_course().units[0]
    assignment = next(a for a in load_course().assignments if a.id == ASSIGNMENT)
    aliased = replace(unit, assignments=(replace(assignment, aliases=(ALIAS,)),))
    card = replace(push(), claims=(without_score(ALIAS, "None."), Claim(GAME, 300.0, 50.0, None, "")))
    with classroom.write() as connection:
        numbers = reception.receive(connection, Course((aliased,)), [card])

    (row,) = kept(classroom)
    assert [row.id] == numbers
    assert (row.env_id, row.claimed_score) == (GAME, 250.0)


def test_a_claim_for_no_assignment_of_the_course_is_left_out(classroom):
    assert submit(classroom, push(env_id="CartPole-v1")) == []


def test_a_commit_from_the_future_counts_as_of_now(classroom):
    submit(classroom, push(minutes_ago=-60 * 24 * 365))

    (row,) = kept(classroom)
    assert row.submitted_at == row.received_at


@pytest.mark.parametrize(
    "changes",
    [
        {"repo_id": "agent"},
        {"repo_id": "a/b/c"},
        {"repo_id": "a/" + "b" * 300},
        {"repo_id": "ada/\u202einvader"},
        {"repo_id": "ada/in\0vader"},
        {"sha": ""},
        {"sha": "a" * 65},
        {"sha": "a\n"},
        {"student": ""},
        {"student": "a" * 97},
        {"student": "ada\x1b[2J"},
        {"student": "\u0130" * 90},  # has 180 characters in lower case
        {"repo_id": "\u0130" * 90 + "/" + "\u0130" * 90},
    ],
)
def test_what_cannot_be_a_name_is_not_taken_in(classroom, changes):
    assert submit(classroom, replace(push(), **changes)) == []
    assert kept(classroom) == []


def test_what_is_new_is_told_and_what_is_history_is_not(classroom):
    submit(classroom, push("ada"), push("grace", minutes_ago=61))

    assert told(classroom) == ["received"]


def test_what_is_over_the_days_quota_stands_on_no_board_and_says_why(classroom):
    limit(classroom, 2)
    submit(classroom, *commits(3))

    row = kept(classroom)[2]
    assert (row.over_quota, row.state) == (True, "failed")
    assert (
        row.reason
        == "Today's quota of 2 is used up. Hand this commit in again tomorrow: python -m rl_units submit owner/name."
    )
    assert rows(classroom) == [("ada", "ada/invader", 101.0)]
    assert told(classroom) == ["received", "received", "failed"]


def test_a_quota_is_of_one_student_one_assignment_and_one_day(classroom, monkeypatch):
    move_clock = moving_clock(monkeypatch)
    limit(classroom, 1)
    submit(classroom, *commits(1), *commits(1, student="grace"))
    submit(classroom, *commits(1, start=10))
    move_clock(86_400)
    submit(classroom, *commits(1, start=20))

    assert [row.over_quota for row in kept(classroom)] == [False, False, True, False]


def test_a_submission_that_failed_uses_up_no_quota(classroom):
    limit(classroom, 1)
    (number,) = submit(classroom, *commits(1))
    fail(classroom, number)

    submit(classroom, *commits(1, start=10))

    assert [row.over_quota for row in kept(classroom)] == [False, False]


def test_failures_use_up_the_days_tries(classroom, monkeypatch):
    """Three for each submission of the quota, whether as new commits or as one that is handed in again."""
    move_clock = moving_clock(monkeypatch)
    limit(classroom, 1)
    (first,) = submit(classroom, *commits(1))
    fail(classroom, first)
    (second,) = submit(classroom, *commits(1, start=10))
    fail(classroom, second)
    assert take_again(classroom, second).tries == 2
    fail(classroom, second)

    with pytest.raises(TooManyRequests, match=r"^Today's 3 tries are used up, those that failed included\. Hand"):
        take_again(classroom, first)
    (late,) = submit(classroom, *commits(1, start=20))

    assert kept(classroom)[2].over_quota
    move_clock(86_400)
    assert take_again(classroom, first).tries == 1
    fail(classroom, first)
    assert take_again(classroom, late).tries == 1


def test_a_commit_over_the_quota_is_taken_in_again_the_next_day(classroom, monkeypatch):
    move_clock = moving_clock(monkeypatch)
    limit(classroom, 1)
    _, late = submit(classroom, *commits(2))
    with pytest.raises(TooManyRequests, match="quota of 1 is used up"):
        take_again(classroom, late)
    move_clock(86_400)

    again = take_again(classroom, late)

    assert (again.state, again.over_quota, again.reason, again.received_at) == ("received", False, "", clock.now())
    assert rows(classroom) == [("ada", "ada/invader", 101.0)]
    assert told(classroom)[-1] == "received"
    with pytest.raises(TooManyRequests):
        take_again(classroom, submit(classroom, *commits(1, start=10))[0])


def test_a_failed_one_is_taken_in_again_and_one_that_has_not_failed_stays_as_it_is(classroom):
    (number,) = submit(classroom, push())
    before = kept(classroom)
    take_again(classroom, number)
    assert kept(classroom) == before
    with classroom.write() as connection:
        submissions.fail(connection, submissions.get(connection, number), "Its weights cannot be read.")

    assert take_again(classroom, number).state == "received"


def test_a_repository_that_is_gone_leaves_the_board_to_the_students_next_best(classroom):
    submit(classroom, push(mean=300), push(mean=200, name="other"))

    forget(classroom, "Ada/Invader")

    assert rows(classroom) == [("ada", "ada/other", 150.0)]
    find_again(classroom, "ADA/invader", ["a" * 40])
    assert rows(classroom) == [("ada", "ada/invader", 250.0)]


def test_being_told_twice_that_it_is_gone_keeps_the_first_time(classroom, monkeypatch):
    move_clock = moving_clock(monkeypatch)
    submit(classroom, push())
    forget(classroom, "ada/invader")
    before = kept(classroom)
    move_clock(60)
    forget(classroom, "ada/invader")

    assert kept(classroom) == before


def test_only_the_hub_that_says_so_has_lost_it(classroom):
    submit(classroom, push(), push(source="huggingface.co", mean=100))

    forget(classroom, "ada/invader", "huggingface.co")

    assert rows(classroom) == [("ada", "ada/invader", 250.0)]


def test_only_commits_that_the_repository_has_come_back(classroom):
    submit(classroom, *commits(2))
    forget(classroom, "ada/invader")

    find_again(classroom, "ada/invader", among=[f"{0:040x}", "f" * 40])

    assert rows(classroom) == [("ada", "ada/invader", 100.0)]


def test_a_moved_repository_takes_its_submissions_along(classroom):
    (number,) = submit(classroom, push())
    measure(classroom, number, (100.0, 100.0))

    move(classroom, "ada/invader", "ada/champion")

    assert rows(classroom) == [("ada", "ada/champion", 100.0)]
    assert [row.id for row in kept(classroom)] == [number]


def test_what_was_handed_in_stays_the_work_of_whoever_it_counted_for_wherever_it_is_moved(classroom):
    (number,) = submit(classroom, replace(push("team", name="agent"), student="ada"))
    measure(classroom, number, (900.0, 900.0))

    move(classroom, "team/agent", "bob/agent")
    submit(classroom, push("bob", name="agent"), push("bob", name="agent", sha="b" * 40, mean=100, std=0))

    assert rows(classroom) == [("ada", "bob/agent", 900.0), ("bob", "bob/agent", 100.0)]


def test_a_move_that_is_told_again_changes_nothing(classroom):
    submit(classroom, push())
    move(classroom, "ada/invader", "grace/champion")
    before = kept(classroom)

    move(classroom, "ada/invader", "grace/champion")

    assert kept(classroom) == before


def test_a_change_of_case_is_a_move_too(classroom):
    submit(classroom, push())

    move(classroom, "ada/invader", "Ada/Invader")

    assert rows(classroom) == [("Ada", "Ada/Invader", 250.0)]


def test_a_commit_that_came_under_the_new_name_before_the_move_is_one_submission(classroom):
    (number,) = submit(classroom, push())
    measure(classroom, number, (100.0, 100.0))
    submit(classroom, push(name="champion"), push(name="champion", sha="b" * 40, mean=10, std=0))

    move(classroom, "ada/invader", "ada/champion")

    assert [(row.id, row.repo_id) for row in kept(classroom)] == [(1, "ada/champion"), (3, "ada/champion")]
    assert rows(classroom) == [("ada", "ada/champion", 100.0)]
    with classroom.read() as connection:
        assert {activity.submission_id for activity in feed.after(connection, 0, 100)} == {1, 3}
        assert connection.scalar(select(func.count()).where(activities.c.submission_id == 2)) == 0


def test_a_move_does_not_undo_that_the_same_commit_was_retracted(classroom):
    _, retracted = submit(classroom, push(), push(name="champion"))
    retract(classroom, retracted)

    move(classroom, "ada/invader", "ada/champion")
    submit(classroom, push(name="another"))

    assert rows(classroom) == []
    assert kept(classroom)[0].retraction == "Copied."


def test_a_push_that_cannot_be_kept_keeps_nobody_else_out(classroom, caplog):
    """No card is known that gets as far as this: the next one that is shall stop nobody."""
    unfit = replace(push("eve"), algorithm="\ud800")

    assert len(submit(classroom, push("ada"), unfit, push("grace"))) == 2
    assert sorted(student for student, *_ in rows(classroom)) == ["ada", "grace"]
    assert 'A commit of "eve/invader" cannot be kept' in caplog.text


class TestReview:
    """After a retraction: the same agent is easily handed in again."""

    @pytest.fixture
    def retracted(self, classroom):
        (number,) = submit(classroom, push())
        retract(classroom, number)
        return number

    def test_what_its_student_hands_in_later_waits_for_a_teacher(self, classroom, retracted):
        submit(classroom, push(sha="b" * 40), push(name="other"), push("grace", mean=100, std=0))

        assert rows(classroom) == [("grace", "grace/invader", 100.0)]
        again = kept(classroom)[1]
        assert (again.review, again.state) == ("pending", "received")
        assert again.retraction == (
            "An earlier submission of this student was taken off this board, so a teacher has to look at this one "
            "before it counts."
        )
        assert told(classroom) == ["received"]

    def test_what_came_before_counts_on(self, classroom):
        earlier, later = submit(classroom, push(mean=100, std=0), push(sha="b" * 40))
        retract(classroom, later)

        assert rows(classroom) == [("ada", "ada/invader", 100.0)]
        assert kept(classroom)[0].id == earlier

    def test_it_is_of_one_assignment(self, classroom, retracted):
        submit(classroom, push(sha="b" * 40, env_id="PongNoFrameskip-v4"))

        assert kept(classroom)[-1].review == ""

    def test_measuring_it_does_not_end_the_waiting(self, classroom, retracted):
        (again,) = submit(classroom, push(sha="b" * 40))
        measure(classroom, again, (900.0, 900.0))

        assert rows(classroom) == []

    def test_a_teacher_lets_one_count_and_with_it_what_comes_later(self, classroom, retracted):
        again, _ = submit(classroom, push(sha="b" * 40), push(sha="c" * 40, mean=900))
        restore(classroom, again)

        assert rows(classroom) == [("ada", "ada/invader", 250.0)]
        submit(classroom, push(sha="d" * 40, mean=400))
        assert rows(classroom) == [("ada", "ada/invader", 350.0)]
        assert [row.retracted_at is None for row in kept(classroom)] == [False, True, False, True]

    def test_a_retraction_that_is_taken_back_brings_back_what_has_waited(self, classroom, retracted):
        submit(classroom, push(sha="b" * 40, mean=900))
        restore(classroom, retracted)

        assert rows(classroom) == [("ada", "ada/invader", 850.0)]
        assert [row.review for row in kept(classroom)] == ["", ""]

    def test_of_several_retractions_each_lets_wait(self, classroom, retracted):
        (again,) = submit(classroom, push(sha="b" * 40))
        retract(classroom, again)
        submit(classroom, push(sha="c" * 40))
        restore(classroom, retracted)

        assert [row.review for row in kept(classroom)] == ["", "required", "pending"]

    def test_what_is_taken_in_again_waits_as_well(self, classroom):
        failed, number = submit(classroom, push(), push(sha="b" * 40))
        fail(classroom, failed)
        retract(classroom, number)

        assert take_again(classroom, failed).review == "pending"


class TestFrozenBoards:
    @pytest.fixture
    def numbers(self, classroom):
        numbers = submit(classroom, push(), push(sha="b" * 40, mean=100, std=0), push("grace", mean=50, std=0))
        with classroom.write() as connection:
            assignments.freeze(connection, ASSIGNMENT)
        return numbers

    def test_what_is_retracted_or_gone_leaves_them_and_nothing_takes_its_place(self, classroom, numbers):
        retract(classroom, numbers[0])
        assert rows(classroom) == [("grace", "grace/invader", 50.0)]

        forget(classroom, "grace/invader")
        assert rows(classroom) == []

    def test_what_comes_back_takes_its_place_again(self, classroom, numbers):
        before = rows(classroom)
        retract(classroom, numbers[0])
        forget(classroom, "grace/invader")
        restore(classroom, numbers[0])
        find_again(classroom, "grace/invader", ["a" * 40])

        assert rows(classroom) == before

    def test_a_decision_about_another_submission_changes_nothing(self, classroom, numbers):
        before = rows(classroom)
        retract(classroom, numbers[1])
        restore(classroom, numbers[1])

        assert rows(classroom) == before

    def test_what_came_too_late_does_not_come_back_to_them(self, classroom, numbers):
        retract(classroom, numbers[0])
        (late,) = submit(classroom, push(sha="c" * 40, mean=900))
        restore(classroom, late)

        assert rows(classroom) == [("grace", "grace/invader", 50.0)]


def test_a_commit_is_found_by_its_id(classroom):
    numbers = submit(classroom, push(), push(sha="b" * 40))

    with classroom.read() as connection:
        (found,) = reception.of_commit(connection, "hub", "ADA/invader", "b" * 40)
    assert found.id == numbers[1]
    assert clock.now() - found.received_at < timedelta(minutes=1)
