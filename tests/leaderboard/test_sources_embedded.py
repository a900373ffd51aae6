"""The embedded Hub as a source: what students push there is on the board within moments."""

from datetime import timedelta

import pytest
from huggingface_hub import HfApi

from hub_accounts import token_for
from hub_server import served
from leaderboard_agents import ASSIGNMENT, GAME, measure
from leaderboard_sources import eventually, kept, readme, rows, upload
from rl_hub.accounts import organisations, users
from rl_hub.events import feed
from rl_hub.web.app import create_app as create_hub_app
from rl_leaderboard.boards import assignments
from rl_leaderboard.sources import embedded
from rl_leaderboard.submissions import submissions

ADA = "ada/dqn-invader"


@pytest.fixture
def hub_address(hub, classroom):
    """The served Hub, whose events the classroom follows."""
    with served(create_hub_app(hub, subscribers=[embedded.subscriber(classroom)])) as address:
        yield address


@pytest.fixture
def ada(hub, hub_address):
    """Ada's client."""
    return HfApi(hub_address, token_for(hub, "ada"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "agent"


def add_organisation(hub, name, **roles):
    with hub.database.write() as connection:
        organisation = organisations.create(connection, name)
        for member, role in roles.items():
            user = users.find(connection, member) or users.create(connection, member)
            organisations.add_member(connection, organisation.id, user.id, role)


def events_of(hub):
    with hub.database.read() as connection:
        return feed.after(connection, 0, 1000)


def test_a_push_is_on_the_board_within_a_second(ada, classroom, folder):
    sha = upload(ada, folder)

    seconds = eventually(lambda: rows(classroom), [("ada", ADA, 250.0)])

    assert seconds < 1
    (row,) = kept(classroom)
    assert (row.source, row.sha, row.student_name, row.env_id) == ("hub", sha, "ada", GAME)
    assert (row.algorithm, row.library, row.has_replay, row.state) == ("DQN", "stable-baselines3", True, "queued")
    assert (row.claimed_mean, row.claimed_std) == (300.0, 50.0)
    assert row.submitted_at == ada.list_repo_commits(ADA)[0].created_at


def test_a_better_push_to_the_same_repository_takes_the_place_of_the_first(ada, classroom, folder):
    upload(ada, folder)
    upload(ada, folder, mean=400)

    eventually(lambda: rows(classroom), [("ada", ADA, 350.0)])
    assert [row.claimed_mean for row in kept(classroom)] == [300.0, 400.0]


def test_every_commit_counts_although_the_next_one_came_before_it_was_told(hub, classroom, folder):
    with served(create_hub_app(hub)) as address:
        ada = HfApi(address, token_for(hub, "ada"))
        upload(ada, folder, mean=400)
        upload(ada, folder, mean=300)
    follow = embedded.subscriber(classroom).handle
    for event in events_of(hub):
        follow(event)

    assert sorted(row.claimed_mean for row in kept(classroom)) == [300.0, 400.0]
    assert rows(classroom) == [("ada", ADA, 350.0)]


def test_events_that_are_told_again_change_nothing(hub, ada, classroom, folder):
    upload(ada, folder)
    ada.move_repo(ADA, "ada/champion")
    upload(ada, folder, "ada/champion", mean=310)
    eventually(lambda: rows(classroom), [("ada", "ada/champion", 260.0)])
    before = kept(classroom)

    follow = embedded.subscriber(classroom).handle
    for event in events_of(hub):
        follow(event)
        follow(event)

    assert kept(classroom) == before


def test_a_deleted_repository_leaves_the_board(ada, classroom, folder):
    upload(ada, folder)
    eventually(lambda: len(rows(classroom)), 1)

    ada.delete_repo(ADA)

    eventually(lambda: rows(classroom), [])
    assert kept(classroom)[0].gone_at is not None


def test_what_a_deleted_repository_held_does_not_come_back_with_another_of_its_name(ada, classroom, folder):
    upload(ada, folder, mean=900)
    eventually(lambda: len(rows(classroom)), 1)
    ada.delete_repo(ADA)
    upload(ada, folder, mean=200)
    eventually(lambda: rows(classroom), [("ada", ADA, 150.0)])

    ada.update_repo_settings(ADA, private=True)
    eventually(lambda: rows(classroom), [])
    ada.update_repo_settings(ADA, private=False)

    eventually(lambda: rows(classroom), [("ada", ADA, 150.0)])


def test_a_private_repository_is_on_no_board_until_it_is_public(ada, classroom, folder):
    ada.create_repo(ADA, private=True)
    upload(ada, folder)
    ada.create_repo("ada/told")
    ada.update_repo_settings(ADA, private=False)

    eventually(lambda: rows(classroom), [("ada", ADA, 250.0)])
    ada.update_repo_settings(ADA, private=True)
    eventually(lambda: rows(classroom), [])
    ada.update_repo_settings(ADA, private=False)
    eventually(lambda: rows(classroom), [("ada", ADA, 250.0)])


def test_a_renamed_repository_keeps_its_place_and_its_verified_score(ada, classroom, folder):
    upload(ada, folder)
    eventually(lambda: len(kept(classroom)), 1)
    measure(classroom, kept(classroom)[0].id, (100.0, 100.0))

    ada.move_repo(ADA, "ada/champion")

    eventually(lambda: rows(classroom), [("ada", "ada/champion", 100.0)])


def test_a_commit_to_an_organisation_counts_for_whoever_made_it(hub, ada, hub_address, classroom, folder):
    add_organisation(hub, "team", ada="write", grace="write")
    upload(ada, folder, "team/agent")
    eventually(lambda: rows(classroom), [("ada", "team/agent", 250.0)])

    upload(HfApi(hub_address, token_for(hub, "grace")), folder, "team/agent", mean=500)

    eventually(lambda: rows(classroom), [("grace", "team/agent", 450.0), ("ada", "team/agent", 250.0)])


def test_wherever_an_organisations_repository_is_moved_its_commits_count_for_their_authors(
    hub, ada, hub_address, classroom, folder
):
    """An administrator of the organisation can take the repository, and not the scores of the others."""
    add_organisation(hub, "team", ada="admin", grace="write")
    upload(ada, folder, "team/agent")
    upload(HfApi(hub_address, token_for(hub, "grace")), folder, "team/agent", mean=500)
    eventually(lambda: len(kept(classroom)), 2)

    ada.move_repo("team/agent", "team/renamed")
    eventually(lambda: rows(classroom), [("grace", "team/renamed", 450.0), ("ada", "team/renamed", 250.0)])
    ada.move_repo("team/renamed", "ada/mine")

    eventually(lambda: rows(classroom), [("grace", "ada/mine", 450.0), ("ada", "ada/mine", 250.0)])
    upload(ada, folder, "ada/mine", mean=600)
    eventually(lambda: rows(classroom), [("ada", "ada/mine", 550.0), ("grace", "ada/mine", 450.0)])


def test_a_card_without_a_claim_is_no_submission_and_a_broken_one_is_refused_by_the_hub(ada, classroom, folder):
    ada.create_repo(ADA)
    ada.upload_file(repo_id=ADA, path_in_repo="README.md", path_or_fileobj=b"---\ntags: [CartPole-v1]\n---\nHello.\n")
    with pytest.raises(ValueError, match="not valid YAML"):
        ada.upload_file(repo_id=ADA, path_in_repo="README.md", path_or_fileobj=b"---\ntags: [\n---\n")
    upload(ada, folder, "ada/told")

    eventually(lambda: rows(classroom), [("ada", "ada/told", 250.0)])
    assert len(kept(classroom)) == 1


def test_a_card_whose_score_no_board_can_rank_keeps_nobody_elses_push_out(hub, ada, hub_address, classroom, folder):
    eve = HfApi(hub_address, token_for(hub, "eve"))
    eve.create_repo("eve/x")
    text = readme(repo_id="eve/x").replace("300.00 +/- 50.00", "-1000000000000 +/- 1000000000000")
    eve.upload_file(repo_id="eve/x", path_in_repo="README.md", path_or_fileobj=text.encode())
    upload(ada, folder)

    eventually(lambda: rows(classroom), [("ada", ADA, 250.0), ("eve", "eve/x", None)])


def test_a_score_that_cannot_be_read_stands_on_the_board_with_the_reason(ada, classroom):
    ada.create_repo(ADA)
    text = readme().replace("300.00 +/- 50.00", "nan +/- nan")
    ada.upload_file(repo_id=ADA, path_in_repo="README.md", path_or_fileobj=text.encode())

    eventually(lambda: rows(classroom), [("ada", ADA, None)])
    assert "is not a number" in kept(classroom)[0].claim_problem


def test_commits_to_other_branches_and_data_sets_are_no_submissions(ada, classroom, folder):
    ada.create_repo(ADA)
    ada.create_branch(ADA, branch="experiment")
    ada.upload_file(repo_id=ADA, path_in_repo="README.md", path_or_fileobj=readme(900).encode(), revision="experiment")
    ada.create_repo("ada/data", repo_type="dataset")
    ada.upload_file(
        repo_id="ada/data", path_in_repo="README.md", path_or_fileobj=readme(900).encode(), repo_type="dataset"
    )
    upload(ada, folder, "ada/told")

    eventually(lambda: rows(classroom), [("ada", "ada/told", 250.0)])
    assert len(kept(classroom)) == 1


def test_what_is_over_the_days_quota_is_told_to_its_student(ada, classroom, folder):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=1)
    upload(ada, folder)
    upload(ada, folder, mean=900)

    eventually(lambda: len(kept(classroom)), 2)
    assert rows(classroom) == [("ada", ADA, 250.0)]
    with classroom.read() as connection:
        refused = submissions.get(connection, kept(classroom)[1].id)
    assert refused.over_quota
    assert "quota of 1" in refused.reason


def test_a_classroom_that_is_new_to_its_hub_reads_what_was_pushed_before_the_first_event_it_hears(
    hub, classroom, folder
):
    with served(create_hub_app(hub)) as address:
        upload(HfApi(address, token_for(hub, "ada")), folder)
        with hub.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM events")
        with served(create_hub_app(hub, subscribers=[embedded.subscriber(classroom)])):
            HfApi(address, token_for(hub, "grace", token_name="other")).create_repo("grace/empty")
            eventually(lambda: rows(classroom), [("ada", ADA, 250.0)])


def test_catching_up_finds_what_came_went_and_came_back(hub, classroom, folder):
    with served(create_hub_app(hub)) as address:
        ada = HfApi(address, token_for(hub, "ada"))
        upload(ada, folder, "ada/first")
        upload(ada, folder, "ada/second", mean=400)
        assert len(embedded.catch_up(classroom)) == 2
        ada.delete_repo("ada/first")
        ada.update_repo_settings("ada/second", private=True)
        upload(ada, folder, "ada/third", mean=100)
        assert len(embedded.catch_up(classroom)) == 1
        assert rows(classroom) == [("ada", "ada/third", 50.0)]
        ada.update_repo_settings("ada/second", private=False)

        assert embedded.catch_up(classroom) == []

    assert rows(classroom) == [("ada", "ada/second", 350.0)]
    assert kept(classroom)[0].gone_at - kept(classroom)[0].received_at < timedelta(minutes=1)
