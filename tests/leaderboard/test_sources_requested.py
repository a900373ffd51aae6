"""A student asks that a repository be read now."""

from dataclasses import replace

import pytest
from huggingface_hub import HfApi

from hub_accounts import token_for
from hub_clock import moving_clock
from hub_server import served
from leaderboard_agents import ASSIGNMENT
from leaderboard_people import add_person
from leaderboard_sources import kept, rows, upload
from rl_hub.accounts import organisations, users
from rl_hub.web.app import create_app as create_hub_app
from rl_leaderboard.boards import assignments
from rl_leaderboard.errors import BadRequest, Forbidden, NotFound, TooManyRequests
from rl_leaderboard.people import people
from rl_leaderboard.sources.requested import request
from rl_leaderboard.submissions import submissions, whereabouts
from rl_leaderboard.submissions.wanted import WantedRepository

ADA = "ada/dqn-invader"


@pytest.fixture
def address(hub):
    """A Hub whose events nobody hears."""
    with served(create_hub_app(hub)) as endpoint:
        yield endpoint


@pytest.fixture
def api(hub, address):
    return HfApi(address, token_for(hub, "ada"))


@pytest.fixture
def ada(classroom):
    return add_person(classroom, "ada")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "agent"


def limit(classroom, quota):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=quota)


def test_the_newest_commit_of_the_classes_own_hub_is_read_at_once(classroom, api, ada, folder):
    sha = upload(api, folder)

    submission = request(classroom, ada, "Ada/DQN-invader")

    assert (submission.repo_id, submission.sha, submission.state) == (ADA, sha, "queued")
    assert rows(classroom) == [("ada", ADA, 250.0)]
    assert request(classroom, ada, ADA) == submission


@pytest.mark.parametrize("name", ["tag", "whole", "short"])
def test_an_earlier_commit_is_read_by_its_name(classroom, api, ada, folder, name):
    sha = upload(api, folder, mean=900)
    api.create_tag(ADA, tag="best", revision=sha)
    upload(api, folder, mean=200)

    submission = request(classroom, ada, ADA, {"tag": "best", "whole": sha, "short": sha[:10]}[name])

    assert (submission.sha, submission.claimed_score, submission.has_replay) == (sha, 850.0, True)


def test_a_commit_over_the_quota_is_taken_in_another_day(classroom, api, ada, folder, monkeypatch):
    limit(classroom, 1)
    upload(api, folder)
    request(classroom, ada, ADA)
    upload(api, folder, mean=900)
    with pytest.raises(TooManyRequests, match="quota of 1 is used up"):
        request(classroom, ada, ADA)
    moving_clock(monkeypatch)(86_400)

    assert request(classroom, ada, ADA).state == "queued"
    assert rows(classroom) == [("ada", ADA, 850.0)]


def test_a_failed_commit_is_taken_in_again(classroom, api, ada, folder):
    upload(api, folder)
    first = request(classroom, ada, ADA)
    with classroom.write() as connection:
        submissions.fail(connection, first, "The judge had no memory left.")

    assert request(classroom, ada, ADA).state == "queued"


def test_what_was_gone_by_mistake_is_back(classroom, api, ada, folder):
    upload(api, folder)
    request(classroom, ada, ADA)
    with classroom.write() as connection:
        whereabouts.forget(connection, "hub", ADA)

    assert request(classroom, ada, ADA).gone_at is None


def test_a_repository_of_ones_organisation_counts_for_the_commits_author(hub, address, classroom, api, ada, folder):
    with hub.database.write() as connection:
        organisation = organisations.create(connection, "team")
        for name, role in (("ada", "write"), ("grace", "write"), ("eve", "read")):
            user = users.find(connection, name) or users.create(connection, name)
            organisations.add_member(connection, organisation.id, user.id, role)
    upload(api, folder, "team/agent")

    assert request(classroom, add_person(classroom, "grace"), "team/agent").student_name == "ada"
    with pytest.raises(Forbidden, match="not yours"):
        request(classroom, add_person(classroom, "eve"), "team/agent")


def test_somebody_elses_repository_is_refused(hub, classroom, api, folder):
    upload(api, folder)
    token_for(hub, "eve")

    with pytest.raises(Forbidden, match="is not yours"):
        request(classroom, add_person(classroom, "eve"), ADA)
    assert kept(classroom) == []


def test_somebody_elses_private_repository_is_not_there(hub, classroom, api, folder):
    api.create_repo(ADA, private=True)
    upload(api, folder)
    token_for(hub, "eve")

    with pytest.raises(NotFound):
        request(classroom, add_person(classroom, "eve"), ADA)


def test_ones_own_private_repository_has_to_be_made_public_first(classroom, api, ada, folder):
    api.create_repo(ADA, private=True)
    upload(api, folder)

    with pytest.raises(BadRequest, match="is private, and boards are public"):
        request(classroom, ada, ADA)
    assert kept(classroom) == []


def test_a_card_without_an_assignment_is_refused(classroom, api, ada):
    api.create_repo(ADA)

    with pytest.raises(BadRequest, match="names no assignment"):
        request(classroom, ada, ADA)


@pytest.mark.parametrize("revision", ["nowhere", "f" * 40, "../main"])
def test_what_is_not_there_is_not_found(classroom, api, ada, folder, revision):
    upload(api, folder)

    with pytest.raises(NotFound):
        request(classroom, ada, ADA, revision)
    with pytest.raises(NotFound):
        request(classroom, ada, "ada/nowhere")


@pytest.mark.parametrize("repo_id", ["", "ada", "a/b/c", "ada/\0", "../x", "ada/" + "x" * 200, "ada/x y"])
def test_a_name_that_is_none_is_refused(classroom, ada, repo_id):
    with pytest.raises(BadRequest):
        request(classroom, ada, repo_id)


@pytest.mark.parametrize("revision", ["", "a\0b", "a" * 201])
def test_a_revision_that_is_none_is_refused(classroom, ada, revision):
    with pytest.raises(BadRequest):
        request(classroom, ada, ADA, revision)


class TestOtherHubs:
    @pytest.fixture
    def settings(self, settings):
        return replace(settings, sources=("https://huggingface.co",))

    @pytest.fixture
    def grace(self, classroom):
        with classroom.write() as connection:
            return people.welcome(connection, people.Arrival("https://id.example", "7", "Grace", "huggingface.co"))

    def test_a_repository_elsewhere_is_noted_for_the_poller(self, classroom, grace):
        assert request(classroom, grace, "grace/agent", "v1") is None

        wanted = classroom.wanted.first("huggingface.co")
        assert wanted == WantedRepository("huggingface.co", "grace/agent", "v1", by_student=True)

    def test_only_ones_own_is(self, classroom, grace):
        with pytest.raises(Forbidden, match="is not yours"):
            request(classroom, grace, "ada/agent")

    def test_a_hub_that_this_classroom_does_not_read_is_not_asked(self, classroom):
        with classroom.write() as connection:
            person = people.welcome(connection, people.Arrival("https://id.example", "7", "Grace", "other.example"))
        with pytest.raises(BadRequest, match="does not read that Hub"):
            request(classroom, person, "grace/agent")

    def test_without_an_account_on_a_hub_nothing_is_ones_own(self, classroom):
        with classroom.write() as connection:
            person = people.welcome(connection, people.Arrival("https://id.example", "7", "Grace", None))
        with pytest.raises(Forbidden, match="Nobody vouches"):
            request(classroom, person, "grace/agent")

    def test_too_many_wishes_are_refused(self, classroom, grace):
        for number in range(1000):
            classroom.wanted.add(WantedRepository("huggingface.co", f"student-{number}/agent", by_student=True))

        with pytest.raises(TooManyRequests):
            request(classroom, grace, "grace/agent")

    def test_one_student_takes_nobody_elses_room(self, classroom, grace):
        for number in range(5):
            request(classroom, grace, "grace/agent", f"v{number}")
        with pytest.raises(TooManyRequests, match="or 5 of yours are"):
            request(classroom, grace, "Grace/agent", "v5")

        assert request(classroom, grace, "grace/agent", "v4") is None
        assert classroom.wanted.add(WantedRepository("huggingface.co", "ada/agent", by_student=True))

    def test_what_hubs_tell_by_themselves_takes_no_room_from_students(self, classroom, grace):
        told = [WantedRepository("huggingface.co", f"eve/agent-{number}") for number in range(1001)]

        assert [classroom.wanted.add(repository) for repository in told] == [True] * 1000 + [False]
        assert request(classroom, grace, "grace/agent") is None

    def test_every_owner_has_a_turn(self, classroom):
        def wish(name):
            return WantedRepository("huggingface.co", name)

        for name in ("eve/1", "eve/2", "eve/3", "ada/1", "grace/1", "ada/2"):
            classroom.wanted.add(wish(name))
        read = []
        while (wanted := classroom.wanted.first("huggingface.co")) is not None:
            read.append(wanted.repo_id)
            classroom.wanted.done(wanted)

        assert read == ["eve/1", "ada/1", "grace/1", "eve/2", "ada/2", "eve/3"]
