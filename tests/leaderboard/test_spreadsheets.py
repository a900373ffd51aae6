"""CSV: text stays text, numbers stay numbers, whatever a spreadsheet would make of them."""

import csv
import io
import time

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.web.spreadsheets import csv_cell, csv_response


def read(response):
    """The rows of a streamed file."""

    async def collect():
        return b"".join([piece async for piece in response.body_iterator])

    return list(csv.reader(io.StringIO(anyio.run(collect).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  =", "\uff1d", "\uff20", "\u00a0="])
def test_a_text_that_may_be_a_formula_is_marked_as_text(start):
    assert csv_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["a;=1+1", "a\t=1+1", "a\n@x", "a\r\n-1"])
def test_nor_is_one_hidden_behind_what_separates_cells_elsewhere(text):
    place = max(text.find(sign) for sign in "=@-")

    assert csv_cell(text).endswith("'" + text[place:])


@pytest.mark.parametrize("text", ["ada", "ada/dqn-space-invaders", "a-b", "1+1", "2026-11-28", "", "Ada, Countess"])
def test_other_texts_stay_as_they_are(text):
    assert csv_cell(text) == text


@pytest.mark.parametrize(
    ("value", "text"), [(-5.5, "-5.5"), (-3, "-3"), (0.1, "0.1"), (1e12, "1000000000000.0"), (None, ""), (True, "yes")]
)
def test_numbers_stay_numbers(value, text):
    assert csv_cell(value) == text


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2), max_size=5))
def test_whatever_is_written_keeps_its_cells(rows):
    found = read(csv_response("names.csv", ("one", "two"), rows))

    assert found == [["one", "two"], *([csv_cell(cell) for cell in row] for row in rows)]


def test_a_long_table_is_sent_in_pieces_and_whole():
    rows = [(number, f"name {number}") for number in range(1001)]

    found = read(csv_response("board.csv", ("rank", "name"), iter(rows)))

    assert len(found) == 1002
    assert found[-1] == ["1000", "name 1000"]


def test_long_tables_wait_for_each_other():
    working, most = set(), []

    def rows(number):
        for row in range(400):
            working.add(number)
            most.append(len(working))
            if row % 200 == 199:
                time.sleep(0.01)
                working.discard(number)
            yield (row,)

    async def download(number):
        async for _ in csv_response("board.csv", ("rank",), rows(number)).body_iterator:
            await anyio.sleep(0)

    async def run():
        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(download, number)

    anyio.run(run)

    assert max(most) <= 2


def test_a_files_name_cannot_end_its_header():
    response = csv_response('a"\r\nSet-Cookie: x=1.csv', ("one",), [])

    assert response.headers["content-disposition"] == 'attachment; filename="a---Set-Cookie--x-1.csv"'
