"""Xorbs and shards sent over HTTP, by honest clients and by others."""

import hashlib
import json
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from filled_hub import count, owner
from hub_clock import moving_clock
from rl_hub import clock
from rl_hub.accounts import tokens
from rl_hub.database import tables
from rl_hub.errors import Busy
from rl_hub.hub import Hub
from rl_hub.repositories import catalog
from rl_hub.settings import Limits, Settings
from rl_hub.uploads import arrivals, grants
from rl_hub.uploads.arrivals import Arrival
from rl_hub.web.app import create_app
from rl_hub.xet import assembly, hashes, namespaces
from rl_hub.xet.assembly import store_of
from rl_hub.xet.storage import XorbStore
from rl_hub.xet.turns import Turns
from xet_bytes import GROUPED_LZ4, LZ4, PLAIN, Run, ShardFile, file_of, packed_shard, packed_xorb, root, xorb_name

CONTENTS = [b"first " * 3000, b"second" * 3000, b"third!" * 100]
OTHER = [b"another content " * 600]


@dataclass
class Sender:
    """A client's session, as xet-write-token begins it."""

    client: TestClient
    path: str
    token: str

    @property
    def namespace(self):
        return self.path.rpartition("/")[2]

    def post(self, path, body, **headers):
        return self.client.post(
            self.path + path,
            content=body,
            headers={"Authorization": f"Bearer {self.token}".encode("latin-1"), **headers},
        )

    def xorb(self, contents, scheme=PLAIN):
        return self.post(f"/v1/xorbs/default/{xorb_name(contents)}", packed_xorb(contents, scheme))

    def shard(self, *files, version=1):
        return self.post(f"/v{version}/shards", packed_shard(*files))


@dataclass
class World:
    """Somebody with a repository."""

    hub: Hub
    client: TestClient
    owner: object
    repository: object

    def sender(self):
        answer = self.ask().json()
        return Sender(self.client, urlsplit(answer["casUrl"]).path, answer["accessToken"])

    def ask(self, token=None, path="api/models/ada/agent/xet-write-token/main"):
        return self.client.get(f"/{path}", headers={"Authorization": f"Bearer {token or self.token()}"})

    def token(self, role="write"):
        with self.hub.database.write() as connection:
            return tokens.create(connection, self.owner.identity.user_id, os.urandom(4).hex(), role)

    def may_name(self, contents):
        sha256 = hashlib.sha256(b"".join(contents)).hexdigest()
        with self.hub.database.read() as connection:
            return grants.granted(connection, self.owner.identity.user_id, self.repository.id, sha256)

    def stored(self, contents):
        return self.hub.blobs.path(hashlib.sha256(b"".join(contents)).hexdigest()).exists()


def world_of(hub, client, name="ada"):
    somebody = owner(hub, name)
    return World(hub, client, somebody, somebody.repository("agent"))


@pytest.fixture
def world(hub, client):
    return world_of(hub, client)


@pytest.fixture
def sender(world):
    return world.sender()


@pytest.fixture
def small(tmp_path):
    """A Hub with narrow limits."""
    limits = Limits(file_bytes=40_000, repository_bytes=60_000, xorb_bytes=50_000, shard_bytes=2000, commit_lines=3)
    hub = Hub.open(Settings(tmp_path / "small", limits=limits))
    with TestClient(create_app(hub)) as client:
        yield world_of(hub, client)
    hub.close()


def sentence(answer, status):
    assert answer.status_code == status
    assert answer.headers["X-Error-Message"] == answer.json()["error"]
    return answer.json()["error"]


@pytest.mark.parametrize("scheme", [PLAIN, LZ4, GROUPED_LZ4])
@pytest.mark.parametrize("version", [1, 2])
def test_a_file_is_made_from_the_chunks_that_were_sent(world, sender, scheme, version):
    assert sender.xorb(CONTENTS, scheme).json() == {"was_inserted": True}

    answer = sender.shard(file_of(CONTENTS), version=version)

    assert answer.json() == ({"result": 1} if version == 1 else {"type": "result"})
    assert world.stored(CONTENTS)
    assert world.may_name(CONTENTS)


def test_a_file_is_made_from_runs_of_several_xorbs(world, sender):
    sender.xorb(CONTENTS)
    sender.xorb(OTHER)
    whole = [CONTENTS[1], CONTENTS[2], *OTHER, CONTENTS[0]]
    runs = (
        Run(xorb_name(CONTENTS), len(CONTENTS[1] + CONTENTS[2]), 1, 3),
        Run(xorb_name(OTHER), len(OTHER[0]), 0, 1),
        Run(xorb_name(CONTENTS), len(CONTENTS[0]), 0, 1),
    )

    sender.shard(ShardFile(hashes.file_hash(root(whole)), runs))

    assert world.stored(whole)


def test_a_large_file_is_written_in_pieces(world, sender):
    large = [os.urandom(100_000) for _ in range(30)]
    sender.xorb(large)

    sender.shard(file_of(large))

    assert world.stored(large)


def test_a_xorb_with_a_footer_is_kept_without_it(world, sender):
    body = packed_xorb(CONTENTS) + b"XETBLOB\x01" + bytes(300)
    sender.post(f"/v1/xorbs/default/{xorb_name(CONTENTS)}", body)

    assert sender.shard(file_of(CONTENTS)).status_code == 200


def test_an_empty_file_needs_no_xorb(world, sender):
    sender.shard(ShardFile(bytes(32), (), hashlib.sha256(b"").hexdigest()))

    assert world.may_name([b""])


def test_a_file_that_was_made_before_is_not_made_again(world, sender):
    sender.xorb(CONTENTS)
    sender.shard(file_of(CONTENTS))
    store_of(world.hub).path(sender.namespace, xorb_name(CONTENTS)).unlink()

    assert sender.shard(file_of(CONTENTS)).status_code == 200


def test_the_same_file_twice_in_a_shard_is_made_once(world, sender):
    sender.xorb(CONTENTS)
    file = replace(file_of(CONTENTS), sha256=None)

    assert sender.shard(file, file).status_code == 200


# Who may send


def test_the_token_comes_in_the_body_and_in_the_headers_of_older_clients(world):
    answer = world.ask()

    assert answer.headers["X-Xet-Cas-Url"] == answer.json()["casUrl"]
    assert answer.headers["X-Xet-Access-Token"] == answer.json()["accessToken"]
    assert answer.headers["X-Xet-Token-Expiration"] == str(answer.json()["exp"])


def test_a_token_that_reads_only_may_not_send(world):
    assert "may read only" in sentence(world.ask(world.token("read")), 403)


def test_somebody_else_may_not_send(world):
    eve = world_of(world.hub, world.client, "eve")

    assert "may not write" in sentence(world.ask(eve.token()), 403)


def test_nobody_may_send(world):
    assert world.client.get("/api/models/ada/agent/xet-write-token/main").status_code in (401, 403)


def test_there_is_no_reading_side(world):
    assert "by HTTP" in sentence(world.ask(path="api/models/ada/agent/xet-read-token/main"), 404)


@pytest.mark.parametrize(
    "forge", [lambda _: "", lambda token: token + "x", lambda token: "." + token, lambda _: "x" * 5000, lambda _: "ä.ä"]
)
def test_a_token_that_this_hub_did_not_make_is_refused(sender, forge):
    sender.token = forge(sender.token)

    assert "not known here" in sentence(sender.xorb(CONTENTS), 401)


def test_a_token_with_other_claims_is_refused(world, sender):
    eve = world_of(world.hub, world.client, "eve")
    forged = eve.owner.identity.user_id
    claims, _, signature = sender.token.partition(".")
    sender.token = claims.replace(claims[10:14], f"{forged:04}") + "." + signature

    assert "not known here" in sentence(sender.xorb(CONTENTS), 401)


def test_a_token_of_the_hub_is_none_of_xet(world, sender):
    sender.token = world.token()

    assert "not known here" in sentence(sender.xorb(CONTENTS), 401)


def test_a_token_expires(sender, monkeypatch):
    move = moving_clock(monkeypatch)
    move(3601)

    assert "has expired" in sentence(sender.xorb(CONTENTS), 401)


@pytest.mark.parametrize("path", ["/v1/xorbs/default/" + "0" * 64, "/v1/shards", "/v2/shards"])
def test_a_token_counts_in_its_own_space_only(world, sender, path):
    eve = world_of(world.hub, world.client, "eve")
    with world.hub.database.write() as connection:
        space = namespaces.current(connection, eve.owner.identity.user_id)
    sender.path = f"/xet/{space}"

    assert "another address" in sentence(sender.post(path, b""), 403)


def test_nothing_is_sent_to_a_space_that_has_been_given_up(world, sender):
    with world.hub.database.write() as connection:
        namespaces.drop(connection, sender.namespace)

    assert "cleaned up meanwhile" in sentence(sender.xorb(CONTENTS), 401)


def test_a_space_that_is_removed_while_a_xorb_arrives_takes_it_no_more(world, sender):
    store_of(world.hub).remove(sender.namespace)

    assert "cleaned up meanwhile" in sentence(sender.xorb(CONTENTS), 401)


def test_nothing_is_sent_for_a_repository_that_has_been_deleted(world, sender):
    world.owner.delete(world.repository)

    assert "has been deleted" in sentence(sender.xorb(CONTENTS), 404)


# Hostile xorbs


def staged_files(hub):
    return list(hub.blobs.staging.iterdir())


@pytest.mark.parametrize("name", ["0" * 63, "0" * 65, "F" * 64, "..%2F" * 12 + "abcd", "%2e%2e", "x"])
def test_a_xorb_is_named_by_a_hash(sender, name):
    assert "64 lower-case hexadecimal digits" in sentence(sender.post(f"/v1/xorbs/default/{name}", b""), 400)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (packed_xorb(OTHER), "does not have the hash"),
        (packed_xorb(CONTENTS)[:-1], "cut off"),
        (b"", "cut off"),
        (b"PK\3\4" + bytes(100), "no xorb"),
        (packed_xorb(CONTENTS, LZ4)[:-3] + b"abc", "not valid LZ4|does not unpack"),
    ],
)
def test_a_xorb_that_is_not_what_it_should_be_is_refused_and_leaves_nothing(world, sender, body, words):
    answer = sender.post(f"/v1/xorbs/default/{xorb_name(CONTENTS)}", body)

    assert any(word in sentence(answer, 400) for word in words.split("|"))
    assert staged_files(world.hub) == []
    assert not store_of(world.hub).path(sender.namespace, xorb_name(CONTENTS)).exists()


def test_a_xorb_that_is_sent_too_long_is_refused(small):
    body = packed_xorb([os.urandom(60_000)])

    assert "50000 bytes at most" in sentence(small.sender().post("/v1/xorbs/default/" + "0" * 64, body), 413)


def test_a_xorb_that_unpacks_to_too_much_is_refused(small):
    answer = small.sender().xorb([bytes(30_000)] * 2, LZ4)

    assert "50000 unpacked bytes at most" in sentence(answer, 400)


def test_a_compressed_body_is_refused(sender):
    answer = sender.post("/v1/xorbs/default/" + "0" * 64, b"\x1f\x8b", **{"Content-Encoding": "gzip"})

    assert "as it is" in sentence(answer, 415)


def test_a_full_space_takes_no_more(small):
    sender = small.sender()
    for _ in range(4):
        sender.xorb([os.urandom(30_000)])

    assert "too large to be sent at once" in sentence(sender.xorb([b"one more"]), 413)


def test_xorbs_on_their_way_take_room(small):
    sender = small.sender()
    with store_of(small.hub).arriving(sender.namespace, 120_000):
        assert "too large to be sent at once" in sentence(sender.xorb([b"one more"]), 413)
    with store_of(small.hub).arriving(sender.namespace, 119_999):
        assert sender.xorb([b"one more"]).status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_a_xorb_takes_room_from_its_beginning(small, monkeypatch, announced):
    sender = small.sender()
    body = packed_xorb(OTHER)
    seen = []

    def note(store, namespace, *rest):
        with store.arriving(namespace, 0) as others:
            seen.append(others)

    monkeypatch.setattr(XorbStore, "check_room", note)
    sender.post(f"/v1/xorbs/default/{xorb_name(OTHER)}", body if announced else iter([body]))

    assert seen == [len(body) if announced else 50_000]


def test_the_next_upload_after_a_full_space_begins_with_an_empty_one(small):
    sender = small.sender()
    for _ in range(2):
        sender.xorb([os.urandom(30_000)])

    assert small.sender().namespace != sender.namespace
    assert store_of(small.hub).names() == {small.sender().namespace}


def test_a_space_that_is_not_full_stays(small):
    assert small.sender().namespace == small.sender().namespace


# Hostile shards

HASH = file_of(CONTENTS).file_hash
WHOLE = file_of(CONTENTS).runs[0]
NOBODY = xorb_name([b"never sent"])


def forged(*runs, file_hash=HASH, sha256=None):
    return ShardFile(file_hash, runs, sha256)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (forged(replace(WHOLE, xorb=NOBODY)), f"xorb {NOBODY}, which has not been sent"),
        (forged(replace(WHOLE, end=4)), "refers to chunk 3 of xorb"),
        (forged(replace(WHOLE, start=3, end=4)), "refers to chunk 3 of xorb"),
        (forged(replace(WHOLE, start=2, end=1)), "begins at chunk 2 and ends before chunk 1"),
        (forged(replace(WHOLE, end=2**32 - 1)), "which are too many"),
        (forged(replace(WHOLE, size=2**32 - 1, end=5000)), "refers to chunk 4999 of xorb"),
        (forged(replace(WHOLE, size=WHOLE.size - 1)), "does not have the size"),
        (forged(replace(WHOLE, size=WHOLE.size + 1)), "does not have the size"),
        (forged(replace(WHOLE, end=2)), "does not have the size"),
        (forged(WHOLE, file_hash=bytes(31) + b"1"), "does not have the hash"),
        (forged(WHOLE, WHOLE), "does not have the hash"),
        (forged(), "does not have the hash"),
        (forged(WHOLE, sha256="0" * 64), "does not have the SHA-256"),
        (replace(file_of(CONTENTS), n_runs=5), "cut off"),
        (replace(file_of(CONTENTS), n_runs=2**32 - 1), "cut off"),
    ],
)
def test_a_forged_shard_is_refused_and_leaves_nothing(world, sender, file, words):
    sender.xorb(CONTENTS)

    assert words in sentence(sender.shard(file), 400)
    assert not world.stored(CONTENTS)
    assert count(world.hub, tables.upload_grants) == 0
    assert staged_files(world.hub) == []


def test_the_newer_route_tells_the_client_why(sender):
    answer = sender.shard(forged(replace(WHOLE, xorb=NOBODY)), version=2)

    event = json.loads(answer.text)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert (event["type"], event["retryable"]) == ("error", False)
    assert "has not been sent" in event["message"]


def test_the_newer_route_lets_the_client_try_again_when_the_hub_is_busy(sender, monkeypatch):
    def be_busy(*_):
        raise Busy

    monkeypatch.setattr(assembly, "assemble", be_busy)

    assert json.loads(sender.shard(file_of(CONTENTS), version=2).text)["retryable"] is True


@pytest.mark.parametrize("version", [1, 2])
def test_a_shard_too_many_is_refused(world, sender, version):
    with ExitStack() as stack:
        for _ in range(arrivals.MOST_TRANSFERS):
            stack.enter_context(arrivals.transfer(world.hub, world.owner.identity.user_id))

        assert "are being sent by this user already" in sentence(sender.shard(version=version), 429)


def test_the_files_of_a_shard_are_made_when_it_is_the_users_turn(sender, monkeypatch):
    users = []

    async def run(_turns, user_id, _make):
        users.append(user_id)

    monkeypatch.setattr(Turns, "run", run)
    sender.shard(file_of(CONTENTS))

    assert len(users) == 1


@pytest.mark.parametrize("body", [b"", b"no shard at all" * 10, packed_shard(file_of(CONTENTS))[:100]])
def test_what_is_no_shard_is_refused(sender, body):
    assert sentence(sender.post("/v1/shards", body), 400)


def test_somebody_elses_xorb_has_not_been_sent(world, sender):
    sender.xorb(CONTENTS)
    bob = owner(world.hub, "bob")
    bobs = World(world.hub, world.client, bob, bob.repository("agent"))
    answer = bobs.ask(path="api/models/bob/agent/xet-write-token/main").json()
    of_bob = Sender(world.client, urlsplit(answer["casUrl"]).path, answer["accessToken"])

    assert "has not been sent" in sentence(of_bob.shard(file_of(CONTENTS)), 400)
    assert not bobs.may_name(CONTENTS)


def test_a_shard_that_cannot_be_right_lets_the_next_upload_begin_anew(world, sender):
    sender.xorb(CONTENTS)
    sender.shard(forged(replace(WHOLE, xorb=NOBODY)))

    assert store_of(world.hub).names() == set()
    assert world.sender().namespace != sender.namespace


@pytest.mark.parametrize("damage", [b"", b"\0", bytes(30_000), bytes(1000) + b"\3\0\0\0"])
def test_a_xorb_that_a_crash_has_damaged_is_refused(world, sender, damage):
    sender.xorb(CONTENTS)
    store_of(world.hub).path(sender.namespace, xorb_name(CONTENTS)).write_bytes(damage)

    assert sentence(sender.shard(file_of(CONTENTS)), 400)
    assert not world.stored(CONTENTS)


def test_a_file_above_the_limit_is_refused(small):
    sender = small.sender()
    sender.xorb([bytes(22_000)] * 2)

    assert "A file may have 39.1 kB at most; this one has 43.0 kB" in sentence(
        sender.shard(file_of([bytes(22_000)] * 2)), 413
    )


def test_more_than_a_repository_holds_is_refused_even_if_it_is_the_same_again(small):
    sender = small.sender()
    content = [os.urandom(35_000)]
    sender.xorb(content)
    again = replace(file_of(content), file_hash=bytes(32))

    assert "no repository holds as much" in sentence(sender.shard(file_of(content), again), 413)


def test_what_does_not_fit_into_the_repository_is_refused(small):
    first, second = [os.urandom(35_000)], [os.urandom(30_000)]
    sender = small.sender()
    sender.xorb(first)
    sender.shard(file_of(first))
    sender.xorb(second)

    answer = sender.shard(file_of(second), version=2)

    assert "more would exceed the 58.6 kB" in json.loads(answer.text)["message"]


def test_more_files_than_a_commit_takes_are_refused(small):
    sender = small.sender()
    contents = [[os.urandom(100)] for _ in range(4)]
    for content in contents:
        sender.xorb(content)

    answer = sender.shard(*map(file_of, contents))

    assert "More than 3 files" in sentence(answer, 413)


def test_a_shard_that_is_sent_too_long_is_refused(small):
    assert "2000 bytes at most" in sentence(small.sender().post("/v1/shards", bytes(2001)), 413)


def test_a_shard_for_a_repository_that_is_deleted_meanwhile_is_refused(world, sender, monkeypatch):
    sender.xorb(CONTENTS)
    kept = Arrival.keep

    def delete_first(arrival, connection, staged):
        catalog.remove(connection, world.repository)
        kept(arrival, connection, staged)

    monkeypatch.setattr(Arrival, "keep", delete_first)

    assert "has been deleted" in sentence(sender.shard(file_of(CONTENTS)), 404)


# What the client asks for and does not need


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/chunks/default/" + "0" * 64),
        ("POST", "/v1/xorb-grants/default/" + "0" * 64),
        ("GET", "/v1/reconstructions/" + "0" * 64),
        ("POST", "/v3/shards"),
    ],
)
def test_the_rest_of_the_protocol_is_not_there(sender, method, path):
    assert sender.client.request(method, sender.path + path).status_code == 404


def test_what_the_client_counts_is_taken_and_not_kept(client):
    assert client.post("/v1/telemetry", json={"transfers": 1}, headers={"Authorization": "Bearer x"}).status_code == 204


# Spaces


def test_a_space_is_dropped_when_it_was_not_used_for_long(hub, monkeypatch):
    ada, bob = owner(hub, "ada").identity.user_id, owner(hub, "bob").identity.user_id
    move = moving_clock(monkeypatch)
    with hub.database.write() as connection:
        old = namespaces.current(connection, ada)
        move(100)
        new = namespaces.current(connection, bob)
        before = clock.now()
        move(1)
        namespaces.touch(connection, bob)

        assert namespaces.drop_idle(connection, before) == [old]
        assert namespaces.known(connection) == {new}
        assert namespaces.current(connection, ada) != old


def test_an_upload_notes_that_its_space_is_in_use(world, sender, monkeypatch):
    move = moving_clock(monkeypatch)
    move(1000)
    sender.xorb(CONTENTS)
    sender.shard(file_of(CONTENTS))
    with world.hub.database.read() as connection:
        used = connection.scalar(select(tables.xet_namespaces.c.last_used_at))
    assert used == clock.now()
