"""What may differ between databases, on SQLite and on a real PostgreSQL: order, locks, sequences, times, bytes."""

import contextlib
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from sqlalchemy import func, select

from postgresql import NoPostgreSQL, running_server
from rl_hub.accounts import devices, tokens, users
from rl_hub.database import tables
from rl_hub.errors import Conflict
from rl_hub.hub import Hub
from rl_hub.maintenance import backup, fsck, gc, restore
from rl_hub.settings import MIB, Settings

ENGINES = ["sqlite", "postgresql"]
# Sorted differently by bytes, by language, and without punctuation.
NAMES = ["Zoo", "a-1", "a.1", "a1", "a_1", "ab", "B", "b-2", "B2", "c"]
CLIENT = "a client"
# Whatever takes time to import is there before the signal.
OPEN = """
import sys
import alembic.command
from pathlib import Path
from rl_hub.hub import Hub
from rl_hub.settings import Settings

settings = Settings(Path(sys.argv[1]), database_url=sys.argv[2] or None)
print("ready", flush=True)
sys.stdin.readline()
Hub.open(settings).close()
"""


@pytest.fixture(scope="session")
def server():
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(running_server())
        except NoPostgreSQL as error:
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="session")
def template(server, tmp_path_factory):
    """The name of a database with all tables in it."""
    url = server.create_database()
    Hub.open(Settings(tmp_path_factory.mktemp("template"), database_url=url)).close()
    return url.rpartition("/")[2].partition("?")[0]


@pytest.fixture
def new_hub(tmp_path, request):
    """Opens an empty Hub on the named engine."""
    with contextlib.ExitStack() as stack:

        def open_hub(engine):
            data = tmp_path / f"hub-{len(list(tmp_path.iterdir()))}"
            url = None
            if engine == "postgresql":
                server, template = request.getfixturevalue("server"), request.getfixturevalue("template")
                url = server.create_database(template)
                stack.callback(server.drop_database, url)
            return stack.enter_context(contextlib.closing(Hub.open(Settings(data, database_url=url))))

        yield open_hub


@pytest.fixture(params=ENGINES)
def hub(request, new_hub):
    """Takes the place of the Hub that `live_hub` serves."""
    return new_hub(request.param)


@pytest.fixture(autouse=True)
def no_fault(caplog):
    """A client may try again and succeed; that the Hub failed before is in its log only."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


@pytest.fixture
def api(live_hub):
    return HfApi(endpoint=live_hub.endpoint, token=live_hub.user("ada"))


def test_a_commit_is_read_back(api):
    api.create_repo("ada/agent")
    api.upload_file(path_or_fileobj=b"old", path_in_repo="b.txt", repo_id="ada/agent")
    changes = [CommitOperationAdd("a/é.bin", bytes(range(256))), CommitOperationDelete("b.txt")]

    commit = api.create_commit("ada/agent", changes, commit_message="Ünïcode")

    newest = api.list_repo_commits("ada/agent")[0]
    assert (newest.commit_id, newest.title) == (commit.oid, "Ünïcode")
    assert api.list_repo_files("ada/agent") == ["a/é.bin"]
    assert newest.created_at.tzinfo is not None


def test_no_parallel_commit_is_lost(api):
    api.create_repo("ada/agent")

    def upload(number):
        api.upload_file(path_or_fileobj=b"text", path_in_repo=f"{number}.txt", repo_id="ada/agent")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upload, range(16)))

    assert sorted(api.list_repo_files("ada/agent")) == sorted(f"{number}.txt" for number in range(16))
    assert len(api.list_repo_commits("ada/agent")) == 17


def test_the_same_content_is_uploaded_by_many_at_once(api, hub, tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(6 * MIB))
    for number in range(6):
        api.create_repo(f"ada/agent-{number}")

    def upload(number):
        api.upload_file(path_or_fileobj=path, path_in_repo="weights.bin", repo_id=f"ada/agent-{number}")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(upload, range(6)))

    with hub.database.read() as connection:
        sizes = connection.execute(select(tables.blobs.c.size)).scalars().all()
    assert sizes.count(6 * MIB) == 1


def test_of_several_who_take_a_name_at_once_one_gets_it(api):
    def create(name):
        try:
            api.create_repo(f"ada/{name}")
        except HfHubHTTPError as error:
            return error.response.status_code
        return 200

    with ThreadPoolExecutor(6) as threads:
        codes = list(threads.map(create, ["agent", "Agent", "AGENT", "agent", "aGent", "agenT"]))

    assert sorted(codes) == [200, 409, 409, 409, 409, 409]


def test_changes_of_a_repository_wait_for_each_other(api):
    """A deletion, a move, new settings and commits at once: each is done or refused, none is a fault of the Hub."""
    answers = []

    def answer(change):
        try:
            change()
        except HfHubHTTPError as error:
            answers.append(error.response.status_code)

    for number in range(4):
        old, new = f"ada/old-{number}", f"ada/new-{number}"
        api.create_repo(old)
        changes = [
            partial(api.upload_file, path_or_fileobj=b"text", path_in_repo=f"{name}.txt", repo_id=old)
            for name in ("a", "b", "c")
        ]
        changes += [partial(api.update_repo_settings, old, private=True), partial(api.move_repo, old, new)]
        changes += [partial(api.delete_repo, old)]
        with ThreadPoolExecutor(len(changes)) as threads:
            list(threads.map(answer, changes))

    assert set(answers) <= {404}


def test_names_are_taken_without_regard_to_case(hub):
    with hub.database.write() as connection:
        users.create(connection, "Ada")

    with pytest.raises(Conflict), hub.database.write() as connection:
        users.create(connection, "aDA")


@pytest.mark.parametrize("sort", ["", "&sort=lastModified", "&sort=createdAt&direction=1"])
def test_pages_of_a_listing_hold_every_repository_once(api, live_hub, client, sort):
    for name in NAMES:
        api.create_repo(f"ada/{name}")
    found, address = [], f"/api/models?limit=3{sort}"

    while address:
        page = client.get(address)
        found += [model["id"] for model in page.json()]
        address = page.links.get("next", {}).get("url")

    assert sorted(found) == sorted(f"ada/{name}" for name in NAMES)


@pytest.mark.parametrize("engine", ENGINES)
def test_several_processes_open_a_new_hub_at_once(engine, tmp_path, request):
    url = request.getfixturevalue("server").create_database() if engine == "postgresql" else ""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(tmp_path / "hub-data"), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()

    assert [process.communicate(timeout=60)[1] for process in processes] == ["", "", ""]


def test_a_reader_sees_one_state_while_others_write(hub):
    count = select(func.count()).select_from(tables.accounts)
    with hub.database.read() as connection:
        before = connection.scalar(count)
        with hub.database.write() as writing:
            users.create(writing, "ada")

        assert connection.scalar(count) == before


def test_a_failed_transaction_leaves_nothing(hub):
    with pytest.raises(RuntimeError), hub.database.write() as connection:
        users.create(connection, "ada")
        raise RuntimeError

    with hub.database.read() as connection:
        assert users.find(connection, "ada") is None


def test_a_device_is_signed_in_once(hub):
    with hub.database.write() as connection:
        ada = users.create(connection, "ada")
        started = devices.start(connection, CLIENT)
        devices.approve(connection, started.user_code, ada.id)
    barrier, answers = threading.Barrier(4), []

    def poll():
        barrier.wait()
        answers.append(devices.poll(hub.database, started.device_code, CLIENT))

    threads = [threading.Thread(target=poll) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (token,) = [answer for answer in answers if isinstance(answer, str) and answer.startswith(tokens.PREFIX)]
    with hub.database.read() as connection:
        assert tokens.identify(connection, token).name == "ada"


def test_what_nothing_refers_to_is_collected_and_the_rest_is_sound(api, hub):
    for name in ("kept", "dropped"):
        api.create_repo(f"ada/{name}")
        api.upload_file(path_or_fileobj=name.encode(), path_in_repo="a.txt", repo_id=f"ada/{name}")
    api.delete_repo("ada/dropped")

    assert gc.collect(hub, timedelta())
    report = fsck.check(hub)

    assert report.problems == ()
    assert report.garbage == {}
    assert "a.txt" in api.list_repo_files("ada/kept")


@pytest.mark.parametrize("target", ENGINES)
def test_a_backup_is_restored_into_either_database(api, live_hub, hub, new_hub, target, tmp_path):
    api.create_repo("ada/agent", private=True)
    api.upload_file(path_or_fileobj=b"text", path_in_repo="a.txt", repo_id="ada/agent")
    backup.save(hub, tmp_path / "backup.tar")
    restored = new_hub(target)

    restore.load(restored, tmp_path / "backup.tar")

    assert fsck.check(restored).problems == ()
    with restored.database.write() as connection:
        assert tokens.identify(connection, api.token).name == "ada"
        # The counter of ids goes on behind those that were restored.
        bob = users.create(connection, "bob")
        assert bob.id > users.find(connection, "ada").id
