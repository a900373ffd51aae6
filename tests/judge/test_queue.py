"""What every engine of the judge's queue promises, on every database that it works with."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import delete, func, select

from hub_clock import moving_clock
from judge_queues import bench, empty_postgresql, empty_sqlite, new_bench  # noqa: F401  fixtures
from leaderboard_databases import postgresql  # noqa: F401  a fixture
from rl_hub.errors import CommandError
from rl_leaderboard.database.tables import activities, submissions
from rl_leaderboard.jobs import LostLease, open_queue, turns
from rl_leaderboard.submissions import judging

LONG = 3600.0


# Asking


def test_nothing_is_given_out_of_an_empty_queue(bench):  # noqa: F811
    assert bench.claim() is None


def test_what_was_asked_for_is_given_out_once(bench):  # noqa: F811
    (number,) = bench.submissions(1)
    bench.enqueue(number)

    claim = bench.claim(worker="ada's machine")

    assert (claim.submission_id, claim.attempt, claim.worker) == (number, 1, "ada's machine")
    assert not claim.is_last
    assert not claim.is_over
    assert bench.claim() is None


def test_what_is_finished_does_not_come_again(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    bench.finish(bench.claim())

    bench.let_pass(LONG)

    assert bench.claim() is None


def test_a_job_goes_with_the_transaction_that_asked_for_it(bench):  # noqa: F811
    (number,) = bench.submissions(1)

    with pytest.raises(ZeroDivisionError), bench.database.write() as connection:
        bench.queue.enqueue(connection, number)
        raise ZeroDivisionError

    assert bench.claim() is None


def test_a_job_is_seen_by_nobody_before_its_submission(bench):  # noqa: F811
    """Nor does a worker with nothing to do wait for whoever writes at the moment."""
    (number,) = bench.submissions(1)
    with ThreadPoolExecutor(1) as pool:
        with bench.database.write() as connection:
            bench.queue.enqueue(connection, number)
            early = pool.submit(bench.claim)
            assert early.result(timeout=60) is None
        assert bench.claim().submission_id == number


def test_asking_twice_gives_one_job(bench):  # noqa: F811
    (number,) = bench.submissions(1)
    bench.enqueue(number)
    bench.enqueue(number, number)

    assert bench.claim_all() == [number]


def test_asking_twice_neither_delays_nor_defers(bench):  # noqa: F811
    first, second = bench.submissions(2)
    bench.enqueue(first, second)

    bench.enqueue(first, turn=5, delay_seconds=LONG)

    assert bench.claim_all() == [first, second]


def test_many_may_ask_for_the_same_at_the_same_time(bench):  # noqa: F811
    (number,) = bench.submissions(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bench.enqueue(number), range(16)))

    assert bench.claim_all() == [number]


def test_what_was_asked_for_twice_does_not_spoil_the_rest_of_the_transaction(bench):  # noqa: F811
    first, second = bench.submissions(2)
    bench.enqueue(first)

    bench.enqueue(first, second)

    assert bench.claim_all() == [first, second]


def test_a_submission_that_is_gone_has_no_job(bench):  # noqa: F811
    first, second = bench.submissions(2)
    bench.enqueue(first, second)
    with bench.database.write() as connection:
        connection.execute(delete(submissions).where(submissions.c.id == first))

    assert bench.claim_all() == [second]


# Whose turn it is


def test_older_ones_go_first(bench):  # noqa: F811
    numbers = bench.submissions(5)
    asked = [numbers[place] for place in (3, 0, 4, 1, 2)]
    for number in asked:
        bench.enqueue(number)

    assert bench.claim_all() == asked


def test_a_lower_turn_goes_before_an_older_job(bench):  # noqa: F811
    first, second, third = bench.submissions(3)
    bench.enqueue(first, turn=2)
    bench.enqueue(second, turn=1)
    bench.enqueue(third, turn=0)

    assert bench.claim_all() == [third, second, first]


def test_a_students_tenth_waits_for_everybodys_first(bench):  # noqa: F811
    eager = bench.submissions(10)
    for place, number in enumerate(eager):
        bench.enqueue(number, turn=turns.turn_of(place))
    others = bench.submissions(3)
    for number in others:
        bench.enqueue(number, turn=turns.turn_of(0))

    assert bench.claim_all() == [eager[0], *others, *eager[1:]]


def test_turns_stay_within_what_a_column_holds():
    assert turns.turn_of(10**12) == turns.turn_of(10**13) < 2**31


# Delays


def test_a_delayed_job_waits_while_others_go_on(bench):  # noqa: F811
    first, second = bench.submissions(2)
    bench.enqueue(first, delay_seconds=100)
    bench.enqueue(second)

    assert bench.claim_all() == [second]
    bench.let_pass(101)
    assert bench.claim_all() == [first]


# Leases


def test_a_job_whose_lease_has_ended_is_taken_over(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    killed = bench.claim(lease_seconds=30)
    bench.let_pass(29)
    assert bench.claim() is None

    bench.let_pass(2)
    taken_over = bench.claim(worker="another")

    assert (taken_over.submission_id, taken_over.attempt) == (killed.submission_id, 2)
    assert taken_over.token > killed.token


def test_a_heartbeat_makes_a_lease_last(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    claim = bench.claim(lease_seconds=30)
    bench.let_pass(20)

    assert bench.queue.heartbeat(claim, 30)

    bench.let_pass(20)
    assert bench.claim() is None
    bench.let_pass(20)
    assert bench.claim().attempt == 2


def test_a_lease_that_has_ended_lasts_on_if_nobody_has_taken_the_job(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    claim = bench.claim(lease_seconds=30)
    bench.let_pass(40)

    assert bench.queue.heartbeat(claim, 30)
    assert bench.claim() is None
    bench.finish(claim)


def test_who_has_lost_a_job_is_told_so(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    slow = bench.claim(lease_seconds=30)
    bench.let_pass(31)
    quick = bench.claim()

    assert not bench.queue.heartbeat(slow, 30)
    assert bench.queue.heartbeat(quick, 30)
    assert_lost(bench, slow)
    bench.finish(quick)
    assert not bench.queue.heartbeat(quick, 30)
    assert_lost(bench, quick)


def test_nothing_is_published_by_who_has_lost_the_job(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    slow = bench.claim(lease_seconds=30)
    bench.let_pass(31)
    quick = bench.claim()

    with pytest.raises(LostLease, match="Throw away"):
        publish(bench, slow)
    publish(bench, quick)

    with bench.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(activities)) == 1


def test_nobody_takes_a_job_over_while_its_owner_publishes(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    claim = bench.claim(lease_seconds=30)
    bench.let_pass(31)

    with ThreadPoolExecutor(1) as pool:
        with bench.database.write() as connection:
            bench.queue.check(connection, claim)
            early = pool.submit(bench.claim)
            wait([early], timeout=1)  # on SQLite it waits for this transaction
            bench.queue.finish(connection, claim)
        assert early.result(timeout=60) is None


def test_a_job_is_not_over_if_what_was_published_is_not_kept(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    claim = bench.claim(lease_seconds=30)

    with pytest.raises(ZeroDivisionError), bench.database.write() as connection:
        bench.queue.finish(connection, claim)
        raise ZeroDivisionError

    assert bench.queue.heartbeat(claim, 30)
    bench.let_pass(31)
    assert bench.claim().attempt == 2


def test_a_worker_can_look_whether_a_job_is_still_its_own(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    claim = bench.claim(lease_seconds=30)

    with bench.database.write() as connection:
        bench.queue.check(connection, claim)

    bench.let_pass(31)
    bench.claim()
    with pytest.raises(LostLease), bench.database.write() as connection:
        bench.queue.check(connection, claim)


def test_the_clock_of_a_worker_means_nothing(bench, monkeypatch):  # noqa: F811
    numbers = bench.submissions(2)
    bench.enqueue(numbers[0])
    bench.enqueue(numbers[1], delay_seconds=100)
    claim = bench.claim(lease_seconds=30)

    moving_clock(monkeypatch)(24 * LONG)
    monkeypatch.setattr("time.time", lambda: 0.0)

    assert bench.claim() is None
    assert bench.queue.heartbeat(claim, 30)
    bench.let_pass(31)
    assert bench.claim().submission_id == numbers[0]


def publish(bench, claim):  # noqa: F811
    with bench.database.write() as connection:
        bench.queue.finish(connection, claim)
        moment = connection.scalar(select(submissions.c.received_at).where(submissions.c.id == claim.submission_id))
        connection.execute(activities.insert().values(kind="scored", payload="{}", created_at=moment))


def assert_lost(bench, claim):  # noqa: F811
    with pytest.raises(LostLease):
        bench.finish(claim)
    with pytest.raises(LostLease):
        bench.finish(claim, retry_after=0)


# Once more


def test_what_is_asked_for_while_it_runs_is_run_once_more_afterwards(bench):  # noqa: F811
    (number,) = bench.submissions(1)
    bench.enqueue(number)
    claim = bench.claim()
    bench.enqueue(number)
    bench.enqueue(number)
    assert bench.claim() is None

    bench.finish(claim)

    again = bench.claim()
    assert (again.submission_id, again.attempt) == (number, 1)
    assert_lost(bench, claim)
    bench.finish(again)
    assert bench.claim() is None


def test_what_is_asked_for_once_more_waits_behind_what_was_asked_for_before(bench):  # noqa: F811
    first, second = bench.submissions(2)
    bench.enqueue(first)
    bench.enqueue(second)
    claim = bench.claim()
    bench.enqueue(first)
    bench.finish(claim)

    assert bench.claim_all() == [second, first]


def test_a_takeover_is_the_run_that_was_asked_for_and_has_new_attempts(bench):  # noqa: F811
    (number,) = bench.submissions(1)
    bench.enqueue(number)
    for _ in range(3):
        last = bench.claim(lease_seconds=30)
        bench.let_pass(31)
    assert last.is_last
    bench.enqueue(number)

    again = bench.claim()

    assert (again.submission_id, again.attempt) == (number, 1)
    assert_lost(bench, last)
    bench.finish(again)
    assert bench.claim() is None


def test_another_try_is_the_run_that_was_asked_for_too(bench):  # noqa: F811
    (number,) = bench.submissions(1)
    bench.enqueue(number)
    claim = bench.claim()
    bench.enqueue(number)
    bench.finish(claim, retry_after=0)

    again = bench.claim()
    assert (again.submission_id, again.attempt) == (number, 1)
    bench.finish(again)
    assert bench.claim() is None


# Attempts


def test_what_failed_comes_again_after_a_while(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    claim = bench.claim()
    bench.finish(claim, retry_after=100)

    assert bench.claim() is None
    assert not bench.queue.heartbeat(claim, 30)
    assert_lost(bench, claim)
    bench.let_pass(101)
    again = bench.claim()
    assert again.attempt == 2
    assert again.token > claim.token


def test_what_failed_too_often_comes_only_to_be_finished(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    seen = []
    for _ in range(4):
        claim = bench.claim()
        seen.append((claim.attempt, claim.is_last, claim.is_over))
        bench.finish(claim, retry_after=0)

    assert seen == [(1, False, False), (2, False, False), (3, True, False), (4, True, True)]


def test_a_job_whose_workers_were_all_killed_comes_to_be_finished_until_somebody_does(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1))
    over = []
    for _ in range(6):
        over.append(bench.claim(lease_seconds=30).is_over)
        bench.let_pass(31)

    assert over == [False, False, False, True, True, True]
    bench.finish(bench.claim())
    bench.let_pass(LONG)
    assert bench.claim() is None


# Many workers


def test_many_workers_claim_each_job_once(bench):  # noqa: F811
    numbers = bench.submissions(60)
    bench.enqueue(*numbers)

    with ThreadPoolExecutor(8) as pool:
        claimed = [number for numbers in pool.map(lambda _: bench.claim_all(), range(8)) for number in numbers]

    assert sorted(claimed) == numbers


def test_many_workers_finish_while_others_ask(bench):  # noqa: F811
    numbers = bench.submissions(40)

    with ThreadPoolExecutor(8) as pool:
        for asked in [pool.submit(bench.enqueue, number) for number in numbers]:
            asked.result(timeout=60)
        done = list(pool.map(lambda _: bench.do(), range(60)))

    assert sorted(number for number in done if number is not None) == numbers


# Choosing an engine


def test_an_unknown_engine_is_refused_with_those_that_there_are(new_bench):  # noqa: F811
    with pytest.raises(CommandError, match="table, procrastinate"):
        open_queue(new_bench("table-sqlite").database, "celery")


# A queue that is gone


def states(bench):  # noqa: F811
    with bench.database.read() as connection:
        return connection.scalars(select(submissions.c.state).order_by(submissions.c.id)).all()


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_waits_or_runs_as_far_as_anybody_knows_and_has_no_job_is_asked_for_again(bench, state):  # noqa: F811
    numbers = bench.submissions(2, state=state)

    with bench.database.write() as connection:
        assert judging.catch_up(connection, bench.queue) == 2
        assert judging.catch_up(connection, bench.queue) == 0

    assert states(bench) == ["queued"] * 2
    assert bench.claim_all() == numbers


def test_what_has_a_job_that_waits_or_runs_is_not_asked_for_again(bench):  # noqa: F811
    running, waiting = bench.submissions(2, state="queued")
    bench.enqueue(running, waiting)
    claim = bench.claim()

    with bench.database.write() as connection:
        assert judging.catch_up(connection, bench.queue) == 0

    bench.finish(claim)
    assert bench.claim_all() == [waiting]


def test_what_is_put_off_is_not_asked_for_again(bench):  # noqa: F811
    bench.enqueue(*bench.submissions(1, state="queued"))
    bench.finish(bench.claim(), retry_after=LONG)

    with bench.database.write() as connection:
        assert judging.catch_up(connection, bench.queue) == 0
