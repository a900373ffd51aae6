"""The classroom in a real browser: a student's way from the lesson to the certificate, and a teacher's decisions."""

import dataclasses
import hashlib
import re
from contextlib import ExitStack
from dataclasses import dataclass

import imageio_ffmpeg
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from huggingface_hub import HfApi

from classroom_scene import set_up
from hub_accounts import token_for
from hub_server import served
from leaderboard_agents import ASSIGNMENT, GAME, measure, push, submit
from leaderboard_people import add_person
from rl_hub.accounts import passwords, users
from rl_hub.web.app import create_app as create_hub_app
from rl_leaderboard.boards import board
from rl_leaderboard.certificates import issuing
from rl_leaderboard.classes import members, records
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.people import people, sessions
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.settings import Settings
from rl_leaderboard.sources import embedded
from rl_leaderboard.web.app import create_app
from rl_units.course import Course, load_course
from rl_units.model_card import card_metadata
from rl_units.yaml_files import dump_yaml

PASSWORD = "correct horse battery"
UNIT = "/units/unit3_dqn_atari"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@dataclass
class School:
    """A classroom with its Hub, both served."""

    classroom: Classroom
    endpoint: str
    hub_endpoint: str

    def add_account(self, name):
        with self.classroom.hub.database.write() as connection:
            user = users.find(connection, name) or users.create(connection, name)
            users.set_password(connection, user, passwords.hash_password(PASSWORD))

    def sign_in(self, window, name, role="student"):
        """Gives a window the session of somebody."""
        person = add_person(self.classroom, name, role)
        with self.classroom.write() as connection:
            session = sessions.create(connection, person.id)
        cookie = {"name": sessions.COOKIE, "value": session.id, "url": self.endpoint}
        window.page.context.add_cookies([cookie])
        return person


@pytest.fixture
def course():
    return load_course()


@pytest.fixture
def school(hub, tmp_path, course):
    classroom = Classroom.open(Settings(tmp_path / "classroom-data"), course, hub)
    with ExitStack() as stack:
        stack.callback(classroom.close)
        hub_app = create_hub_app(hub, subscribers=[embedded.subscriber(classroom)])
        hub_endpoint = stack.enter_context(served(hub_app))
        endpoint = stack.enter_context(served(create_app(classroom, hub_url=hub_endpoint)))
        yield School(classroom, endpoint, hub_endpoint)


@pytest.fixture
def endpoint(school):
    return school.endpoint


@pytest.fixture
def scene(school):
    return set_up(school.classroom)


@pytest.mark.parametrize("course", [Course(load_course().units[:1])], ids=["one unit"])
def test_a_student_goes_from_the_lesson_to_the_certificate(school, open_window, tmp_path):
    school.add_account("ada")
    ada = open_window()

    ada.sign_in("ada", PASSWORD)
    read_the_lesson(ada)
    take_the_quiz(ada)
    push_and_watch_the_row_appear(school, ada, tmp_path)
    (submission_id,) = [row.submission_id for row in rows(school)]
    video = replay(school, tmp_path)
    measure(school.classroom, submission_id, [400.0, 420.0, 440.0], replay=video)
    play_the_replay(ada, submission_id)
    address = earn_the_certificate(ada)

    stranger = open_window()
    stranger.page.goto(address)
    assert stranger.page.get_by_role("heading", name="This certificate is genuine").is_visible()
    assert stranger.page.get_by_text("Ada Lovelace").is_visible()


def read_the_lesson(window):
    window.open(UNIT)
    assert window.page.locator("math").first.is_visible()
    assert window.page.locator("main img").first.evaluate("image => image.complete || image.loading === 'lazy'")


def take_the_quiz(window):
    page = window.page
    page.get_by_role("link", name=re.compile("quiz", re.IGNORECASE)).first.click()
    for question in page.locator("fieldset").all():
        question.locator("input").first.check()
    page.get_by_role("button", name="Send the answers").click()
    assert re.search(r"\d+ of 10 right", page.get_by_role("status").first.inner_text())
    window.open("/me")
    assert page.get_by_text(re.compile(r"\d+ of 10 right")).first.is_visible()


def push_and_watch_the_row_appear(school, window, tmp_path):
    window.open(f"/boards/{ASSIGNMENT}")
    assert window.page.get_by_text("Nobody is on this board yet").is_visible()
    folder = tmp_path / "agent"
    folder.mkdir()
    metadata = dump_yaml(card_metadata("dqn", GAME, 430.0, 20.0))
    (folder / "README.md").write_text(f"---\n{metadata}---\n# An agent\n")
    api = HfApi(school.hub_endpoint, token_for(school.classroom.hub, "ada", "write", False, "push"))
    api.create_repo("ada/dqn-invader")

    api.upload_folder(repo_id="ada/dqn-invader", folder_path=folder)

    # Nobody reloads the page.
    row = window.page.get_by_role("row").filter(has_text="dqn-invader")
    row.wait_for(timeout=20_000)
    assert "410.00" in row.inner_text()
    assert "Claimed" in row.inner_text()


def replay(school, tmp_path):
    """A short film among the files of the judge; returns its SHA-256."""
    path = tmp_path / "replay.mp4"
    writer = imageio_ffmpeg.write_frames(str(path), (160, 208), fps=30)
    writer.send(None)
    for shade in range(60):
        writer.send(np.full((208, 160, 3), 4 * shade, np.uint8))
    writer.close()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    school.classroom.files.mkdir(exist_ok=True)
    path.rename(school.classroom.video(digest))
    return digest


def play_the_replay(window, submission_id):
    window.open(f"/agents/{submission_id}")
    assert window.page.get_by_text("Verified").first.is_visible()
    video = window.page.locator("video")
    video.evaluate("video => { video.muted = true; return video.play(); }")
    # Resolves when the film has been played to its end.
    video.evaluate("video => video.ended || new Promise(resolve => video.addEventListener('ended', resolve))")
    assert video.evaluate("video => video.currentTime") > 1


def earn_the_certificate(window):
    page = window.page
    window.open("/me")
    page.get_by_role("link", name="certificate").first.click()
    page.get_by_label("Name on the certificate").fill("Ada Lovelace")
    page.get_by_role("button", name="Issue my certificate").click()
    for name, start in (("Download as PDF", b"%PDF"), ("Download as picture", b"\x89PNG")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.path().read_bytes().startswith(start)
    page.get_by_role("link", name="Page to show others").click()
    return page.url


def rows(school):
    with school.classroom.read() as connection:
        return board.read_page(connection, board.Query(ASSIGNMENT)).rows


def test_a_teacher_asks_for_another_judgement_and_takes_the_table_home(school, scene, open_window):
    grace = open_window()
    school.sign_in(grace, "grace", "teacher")

    grace.open(f"/agents/{scene.agent_id}")
    grace.page.get_by_role("button", name="Judge it again").click()
    grace.page.get_by_text("waits for the judge").wait_for()
    grace.open(f"/classes/{scene.class_id}")
    with grace.page.expect_download() as download:
        grace.page.get_by_role("link", name="Download as CSV").click()

    table = download.value.path().read_text("utf-8-sig")
    assert "space-invaders" in table.splitlines()[0]
    assert len(table.splitlines()) == 1 + 14


def addresses(scene):
    return {
        "home": "/",
        "units": "/units",
        "lesson": UNIT,
        "quiz": f"{UNIT}/quiz",
        "boards": "/boards",
        "board": f"/boards/{ASSIGNMENT}",
        "agent": f"/agents/{scene.agent_id}",
        "progress": "/me",
        "certificate": "/me/certificate",
        "settings": "/settings",
        "teach": "/teach",
        "board's settings": f"/teach/boards/{ASSIGNMENT}",
        "roster": f"/classes/{scene.class_id}",
        "people of a class": f"/classes/{scene.class_id}/people",
        "settings of a class": f"/classes/{scene.class_id}/settings",
        "log of a class": f"/classes/{scene.class_id}/log",
        "member of a class": f"/classes/{scene.class_id}/members/{scene.teacher.id}",
        "log of teachers": "/teach/log",
        "people": "/admin/people",
        "audit log": "/admin/audit",
    }


@pytest.mark.parametrize("kind", ["desktop", "dark", "phone"])
def test_axe_finds_nothing_to_object_to_on_any_page(school, scene, open_window, kind):
    window = open_window(kind)
    found = {"sign in": violations(window, "/login")}
    school.sign_in(window, "grace", "admin")

    found |= {name: violations(window, path) for name, path in addresses(scene).items()}

    assert {name: problems for name, problems in found.items() if problems} == {}


def violations(window, path):
    window.open(path)
    return [
        (violation["id"], violation["nodes"][0]["html"][:200])
        for violation in Axe().run(window.page).response["violations"]
    ]


@pytest.mark.parametrize("kind", ["dark", "phone"])
def test_a_teacher_revokes_what_is_earned_no_longer_and_a_student_leaves_an_archived_class(school, open_window, kind):
    window, classroom = open_window(kind), school.classroom
    page, found = window.page, {}
    ada, grace = school.sign_in(window, "ada"), school.sign_in(window, "grace", "teacher")
    submission_id = certify(classroom, ada)
    with classroom.write() as connection:
        record = records.create(connection, "Autumn", grace)
        members.join(connection, record.id, ada.id, "student")

    found["student"] = violations(window, f"/students/{ada.id}")
    window.open(f"/agents/{submission_id}")
    page.get_by_label("Reason, which the student reads").fill("Copied.")
    page.get_by_role("button", name="Take it off the board").click()
    found["offer"] = violations(window, f"/teach/submissions/{submission_id}/certificates")
    page.get_by_role("button", name="Revoke it").click()
    window.open(f"/students/{ada.id}")
    page.get_by_role("link", name="Certificate of excellence").click()
    found["verification"] = violations(window, page.url.removeprefix(school.endpoint))
    assert page.get_by_role("button", name="Allow another certificate").is_visible()

    with classroom.write() as connection:
        records.archive(connection, record.id)
    school.sign_in(window, "ada")
    found["certificate"] = violations(window, "/me/certificate")
    assert page.get_by_text("Copied.").is_visible()
    found["classes"] = violations(window, "/classes")
    page.get_by_role("button", name="Leave Autumn").click()
    window.open("/classes")
    assert page.get_by_text("You are in no class").is_visible()
    assert not any(found.values()), found


def certify(classroom, person):
    """Passes everything that is required and has it certified; returns the last submission."""
    for number, assignment in enumerate(one for one in classroom.course.assignments if one.required):
        (submission_id,) = submit(classroom, push(person.name, env_id=assignment.env_id, sha=f"{number:040x}"))
        measure(classroom, submission_id, [assignment.threshold + 100.0] * 2)
    with classroom.write() as connection:
        progress = read_progress(connection, classroom.course, person, certify_claims=False)
        issuing.issue(connection, person, progress, name="Ada Lovelace", course="RL Classroom")
    return submission_id


def test_no_page_is_wider_than_a_phone(school, scene, open_window):
    window = open_window("phone")
    school.sign_in(window, "grace", "admin")

    wide = {}
    for name, path in addresses(scene).items():
        window.open(path)
        wide[name] = window.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    assert [name for name, is_wide in wide.items() if is_wide] == []


def test_every_page_can_be_read_without_scripts(school, scene, open_window):
    window = open_window("desktop without scripts")
    school.sign_in(window, "grace", "admin")

    for path in addresses(scene).values():
        assert window.open(path).status == 200
        assert window.page.get_by_role("heading", level=1).is_visible()


def test_signing_in_searching_and_the_quiz_need_no_scripts(school, scene, open_window):
    school.add_account("ada")
    window = open_window("desktop without scripts")
    page = window.page

    window.sign_in("ada", PASSWORD)
    window.open(f"/boards/{ASSIGNMENT}")
    page.get_by_label(re.compile("Words in the student")).fill("frances")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    assert page.get_by_role("row").filter(has_text="frances").is_visible()
    assert page.get_by_role("row").filter(has_text="barbara").count() == 0
    window.open(UNIT)
    take_the_quiz(window)


def test_nothing_that_a_student_writes_runs(school, open_window):
    classroom = school.classroom
    hostile = push("mallory", name="x<svg onload=alert(3)>")
    (number,) = submit(classroom, dataclasses.replace(hostile, algorithm=HOSTILE[:32], library=HOSTILE))
    measure(classroom, number, [1.0, 2.0], log=HOSTILE, isolation=HOSTILE[:60])
    mallory = add_person(classroom, "mallory")
    with classroom.write() as connection:
        people.change_privacy(connection, mallory, pseudonym=HOSTILE[:60], is_public=True)
    grace = open_window()
    school.sign_in(grace, "grace", "admin")

    for path in (
        "/",
        f"/boards/{ASSIGNMENT}",
        f"/agents/{number}",
        f"/students/{mallory.id}",
        "/admin/people",
        f"/boards/{ASSIGNMENT}?search={HOSTILE}",
    ):
        grace.open(path)
        assert grace.page.locator("main img[src=x], main svg[onload], main script").count() == 0
    # What went wrong in the windows, a dialog or a refusal of the content security policy, is looked at in the end.
