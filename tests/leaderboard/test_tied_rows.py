"""Ranks that the games played so far do not tell apart, on pages, in the API and in tables."""

import csv
import io
import re

import pytest
from sqlalchemy import update

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from rl_leaderboard.boards import board, tied
from rl_leaderboard.database.tables import submissions
from rl_leaderboard.rules.ties import Group

PAGE = f"/boards/{ASSIGNMENT}"
API = f"/api/v1/boards/{ASSIGNMENT}"
NOTE = "the games played so far do not tell apart"
FIVE = {"ada": (400, 20), "bob": (390, 20), "eve": (358, 20), "ivy": (345, 20), "lin": (200, 20)}
"""Scores, and half the length of their intervals: the second belongs to the first, and the fourth to the third."""


def fill(classroom, agents=FIVE, claims=("max",)):
    """Hands in agents that a judge has measured, and some that it has not; returns the submissions."""
    numbers = submit(classroom, *(push(name) for name in (*agents, *claims)))
    for number, (score, half) in zip(numbers, agents.values(), strict=False):
        measure(classroom, number, [float(score)] * 2, interval=(score - half, score + half))
    return numbers


def ties(answer):
    """The ranks of a page's rows, as they are read out, by student."""
    text = re.sub(r'<span [^>]*aria-hidden="true">[^<]*</span>', "", answer.text)
    rows = re.findall(r'<td class="number rank">(.*?)</td>.*?<bdi>(.*?)</bdi>', text, re.DOTALL)
    return {name: re.sub(r"\s*<[^>]*>", "", rank).strip() for rank, name in rows}


def read(classroom):
    with classroom.read() as connection:
        return tied.read_ties(connection, ASSIGNMENT)


def test_a_row_says_which_ranks_its_games_do_not_tell_it_apart_from(classroom, client):
    fill(classroom)

    page = client.get(PAGE)

    first, second = ", ranks 1 to 2 are not told apart", ", ranks 3 to 4 are not told apart"
    assert ties(page) == {
        "ada": f"1{first}",
        "bob": f"2{first}",
        "eve": f"3{second}",
        "ivy": f"4{second}",
        "lin": "5",
        "max": "6",
    }
    assert page.text.count(">≈ 1\N{EN DASH}2</span>") == 2
    assert page.text.count(NOTE) == 1


def test_ones_own_row_says_so_too(classroom, sign_in):
    fill(classroom)

    page = sign_in("bob").get(PAGE)

    assert page.text.count('id="me"') == 1
    assert ties(page)["bob"] == "2, ranks 1 to 2 are not told apart"


@pytest.mark.parametrize("agents", [{}, {"ada": (400, 20), "bob": (300, 20)}], ids=["claims", "all told apart"])
def test_without_ties_nothing_is_said_of_them(classroom, client, agents):
    fill(classroom, agents, claims=("max", "mia"))

    page = client.get(PAGE)

    assert NOTE not in page.text
    assert "≈" not in page.text


def test_a_row_that_is_looked_for_keeps_the_ranks_of_the_whole_board(classroom, client):
    fill(classroom)

    assert ties(client.get(f"{PAGE}?search=ivy")) == {"ivy": "4, ranks 3 to 4 are not told apart"}
    assert ties(client.get(f"{PAGE}?rank=4"))["ivy"] == "4, ranks 3 to 4 are not told apart"
    assert NOTE not in client.get(f"{PAGE}?search=lin").text


def test_another_evaluation_is_seen_at_once(classroom, client):
    *_, lin, _ = fill(classroom)
    client.get(PAGE)

    measure(classroom, lin, [340.0, 340.0], batch="2", interval=(325.0, 360.0))

    assert ties(client.get(PAGE))["lin"] == "5, ranks 3 to 5 are not told apart"


def test_programs_are_told_and_tables_have_it(classroom, client):
    fill(classroom)

    items = client.get(API).json()["items"]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{PAGE}.csv").text.removeprefix("\ufeff"))))

    assert [(row["tied_from"], row["tied_to"]) for row in items] == [(1, 2)] * 2 + [(3, 4)] * 2 + [(None, None)] * 2
    assert [(row["tied_from"], row["tied_to"]) for row in rows] == [("1", "2")] * 2 + [("3", "4")] * 2 + [("", "")] * 2


def test_the_intervals_of_a_board_are_read_once_until_it_changes(classroom, client, sign_in, monkeypatch):
    bob = sign_in("bob")
    fill(classroom)
    asked = []
    read_ties = tied.read_ties

    def count(connection, assignment_id):
        asked.append(assignment_id)
        return read_ties(connection, assignment_id)

    monkeypatch.setattr(tied, "read_ties", count)
    for path in (PAGE, f"{PAGE}?search=ada", f"{PAGE}?rank=3", f"{PAGE}.csv", API):
        client.get(path)
    bob.get(PAGE)
    assert asked == [ASSIGNMENT]

    submit(classroom, push("tim"))
    client.get(PAGE)
    assert asked == [ASSIGNMENT] * 2


def test_of_a_long_board_only_the_first_rows_are_grouped(classroom, monkeypatch):
    monkeypatch.setattr(tied, "MOST_ROWS", 3)
    fill(classroom, dict.fromkeys(FIVE, (400, 20)))

    assert read(classroom) == [Group(1, 3)]


def test_a_row_without_its_evaluation_keeps_its_rank_and_ends_a_tie(classroom):
    _, bob, *_ = fill(classroom, dict.fromkeys(FIVE, (400, 20)))
    with classroom.write() as connection:
        connection.execute(update(submissions).where(submissions.c.id == bob).values(evaluation_id=None))
        ranks = {row.submission_id: row.rank for row in board.read_page(connection, board.Query(ASSIGNMENT)).rows}

    tied_ranks = {rank for tie in read(classroom) for rank in range(tie.first_rank, tie.last_rank + 1)}

    assert ranks[bob] not in tied_ranks
    assert max(tied_ranks) == 5


def test_boards_do_not_mix(classroom):
    fill(classroom)

    with classroom.read() as connection:
        assert tied.read_ties(connection, "pong") == []
