"""Git LFS over HTTP: the batch request and the addresses that it gives out."""

import contextlib
import hashlib
import os
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from filled_hub import count, owner
from hub_clock import moving_clock
from rl_hub import clock
from rl_hub.accounts import tokens
from rl_hub.database import tables
from rl_hub.errors import BadRequest, TooLarge
from rl_hub.hub import Hub
from rl_hub.repositories import catalog
from rl_hub.settings import Limits, Settings
from rl_hub.uploads import grants, lfs, signatures
from rl_hub.web.app import create_app

CONTENT = b"a large file" * 1000
OID = hashlib.sha256(CONTENT).hexdigest()
SECRET = b"s" * 32


class Person:
    """A user with a repository, and a token."""

    def __init__(self, hub, client, name):
        self.hub, self.client, self.name = hub, client, name
        self.owner = owner(hub, name)
        self.repository = self.owner.repository("agent")
        self.token = self.new_token("write")

    def new_token(self, role):
        with self.hub.database.write() as connection:
            return tokens.create(connection, self.owner.identity.user_id, os.urandom(4).hex(), role)

    def ask(self, path, json, token=None):
        headers = {"Authorization": f"Bearer {token or self.token}"} if token != "" else {}
        return self.client.post(path, json=json, headers=headers)

    def batch(self, *contents, operation="upload", repo_id=None, token=None, **more):
        objects = [{"oid": hashlib.sha256(content).hexdigest(), "size": len(content)} for content in contents]
        path = f"/{repo_id or f'{self.name}/agent'}.git/info/lfs/objects/batch"
        return self.ask(path, {"operation": operation, "objects": objects, **more}, token)

    def address(self, content=CONTENT, **arguments):
        """Where a content may be sent to or fetched from, without the host."""
        action = self.batch(content, **arguments).json()["objects"][0]["actions"]
        address = urlsplit(next(iter(action.values()))["href"])
        return f"{address.path}?{address.query}"

    def send(self, content=CONTENT, address=None, **headers):
        return self.client.put(address or self.address(content), content=content, headers=headers)

    def verify(self, content=CONTENT, size=None):
        body = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content) if size is None else size}
        return self.ask(f"/{self.name}/agent.git/info/lfs/verify", body)

    def may_name(self, content=CONTENT):
        sha256 = hashlib.sha256(content).hexdigest()
        with self.hub.database.read() as connection:
            return grants.granted(connection, self.owner.identity.user_id, self.repository.id, sha256)

    def commit(self, content=CONTENT):
        self.owner.commit(self.repository, large={"model.zip": hashlib.sha256(content).hexdigest()})


@pytest.fixture
def ada(hub, client):
    return Person(hub, client, "ada")


@pytest.fixture
def bob(hub, client):
    return Person(hub, client, "bob")


@pytest.fixture
def cramped(tmp_path):
    """Somebody on a Hub with narrow limits."""
    limits = Limits(file_bytes=40_000, repository_bytes=60_000, user_bytes=80_000)
    hub = Hub.open(Settings(tmp_path / "small", limits=limits))
    with TestClient(create_app(hub)) as client:
        yield Person(hub, client, "ada")
    hub.close()


def sentence(answer, status):
    assert answer.status_code == status
    assert answer.headers["X-Error-Message"] == answer.json()["error"]
    return answer.json()["error"]


def staged_files(hub):
    return list(hub.blobs.staging.iterdir())


# Sending


def test_a_content_that_was_sent_may_be_named_in_a_commit(ada):
    assert ada.send().status_code == 200

    assert ada.hub.blobs.read(OID, 10**6) == CONTENT
    assert ada.may_name()


def test_a_batch_answers_as_git_lfs_expects(ada):
    answer = ada.batch(CONTENT)

    body = answer.json()
    actions = body["objects"][0]["actions"]
    assert answer.headers["Content-Type"] == "application/vnd.git-lfs+json"
    assert (body["transfer"], body["objects"][0]["oid"], body["objects"][0]["size"]) == ("basic", OID, len(CONTENT))
    assert actions["verify"]["href"] == "http://testserver/ada/agent.git/info/lfs/verify"
    assert actions["upload"]["expires_at"].endswith("Z")


def test_a_dataset_has_an_address_of_its_own(hub, client, ada):
    with hub.database.write() as connection:
        catalog.create(connection, ada.owner.identity, "dataset", "ada", "episodes", private=False)
    answer = ada.batch(CONTENT, repo_id="datasets/ada/episodes").json()

    verify = urlsplit(answer["objects"][0]["actions"]["verify"]["href"]).path
    assert verify == "/datasets/ada/episodes.git/info/lfs/verify"
    assert ada.ask(verify, {"oid": OID, "size": len(CONTENT)}).status_code == 404


def test_an_empty_content_can_be_sent(ada):
    assert ada.send(b"").status_code == 200


def test_what_was_sent_is_not_sent_again(ada):
    ada.send()

    assert "actions" not in ada.batch(CONTENT).json()["objects"][0]


def test_what_the_repository_has_is_not_sent_again_by_somebody_else(hub, ada):
    ada.send()
    ada.commit()
    with hub.database.write() as connection:
        connection.execute(tables.upload_grants.delete())

    assert "actions" not in ada.batch(CONTENT).json()["objects"][0]


def test_what_somebody_else_has_is_sent_all_the_same(ada, bob):
    ada.send()
    ada.commit()

    assert "actions" in bob.batch(CONTENT).json()["objects"][0]
    assert not bob.may_name()


def test_what_is_there_in_another_size_is_sent(ada):
    ada.send()
    objects = [{"oid": OID, "size": len(CONTENT) + 1}]

    answer = ada.ask("/ada/agent.git/info/lfs/objects/batch", {"operation": "upload", "objects": objects})

    assert "actions" in answer.json()["objects"][0]


def test_the_same_address_can_be_used_again_for_the_same_content(ada):
    address = ada.address()
    ada.send(address=address)

    assert ada.send(address=address).status_code == 200


def test_a_content_that_has_arrived_is_verified(ada):
    ada.send()

    assert ada.verify().status_code == 200


@pytest.mark.parametrize("size", [None, len(CONTENT) + 1])
def test_a_content_that_has_not_arrived_is_told(ada, size):
    if size:
        ada.send()

    assert "has not arrived" in sentence(ada.verify(size=size), 404)


# Refusals


def test_a_wrong_content_is_refused_and_leaves_nothing(ada):
    address = ada.address()
    answer = ada.client.put(address, content=CONTENT[:-1] + b"X")

    assert "does not have the announced SHA-256" in sentence(answer, 400)
    assert staged_files(ada.hub) == []
    assert count(ada.hub, tables.blobs) == 0


def test_a_content_that_is_too_short_is_refused(ada):
    answer = ada.client.put(ada.address(), content=CONTENT[:-1])

    assert f"{len(CONTENT) - 1} of the announced {len(CONTENT)} bytes" in sentence(answer, 400)


def test_a_content_that_announces_itself_too_long_is_refused(ada):
    assert sentence(ada.client.put(ada.address(), content=CONTENT + b"X"), 413)


def test_a_content_without_an_announced_length_is_cut_off_where_it_should_end(ada):
    answer = ada.client.put(ada.address(), content=iter([CONTENT, b"X"]))

    assert sentence(answer, 413)
    assert staged_files(ada.hub) == []


def test_a_piece_beyond_the_announced_size_is_refused_at_once(hub):
    with hub.blobs.stage() as staged:
        incoming = lfs.IncomingFile(staged, lfs.LfsObject(OID, 5))
        incoming.write(b"1234")
        with pytest.raises(TooLarge, match="announced 5 bytes"):
            incoming.write(b"56")


def test_a_compressed_body_is_refused(ada):
    assert "as it is" in sentence(ada.send(**{"Content-Encoding": "gzip"}), 415)


def test_an_address_that_has_expired_is_refused(ada, monkeypatch):
    move = moving_clock(monkeypatch)
    address = ada.address()
    move(3601)

    assert "has expired" in sentence(ada.send(address=address), 403)


@pytest.mark.parametrize(
    "change",
    [
        lambda address: address.partition("?")[0],
        lambda address: address + "x",
        lambda address: address.replace("signature=", "signature=ä"),
        lambda address: address.replace("signature=", "signature=."),
        lambda address: address.replace(OID, "0" * 64),
        lambda address: address.replace(OID, "..%2F..%2Fsecret.key"),
    ],
)
def test_an_address_that_was_changed_is_refused(ada, change):
    assert "not valid for this file" in sentence(ada.send(address=change(ada.address())), 403)


def test_an_address_to_fetch_is_none_to_send(ada):
    ada.send()
    ada.commit()
    address = ada.address(operation="download")

    assert "not valid for this file" in sentence(ada.send(address=address), 403)


def test_an_address_gives_its_holder_nothing(ada, bob):
    address = ada.address()
    bob.client.put(address, content=CONTENT, headers={"Authorization": f"Bearer {bob.token}"})

    assert not bob.may_name()


def test_an_address_of_another_hub_is_refused(ada):
    upload = lfs.Upload(ada.owner.identity.user_id, ada.repository.id, lfs.LfsObject(OID, len(CONTENT)))
    signature = lfs.sign_upload(SECRET, upload, clock.now().replace(year=2999))

    assert sentence(ada.send(address=f"/api/lfs/objects/{OID}?signature={signature}"), 403)


def test_a_repository_that_is_deleted_meanwhile_takes_nothing(ada):
    address = ada.address()
    ada.owner.delete(ada.repository)

    assert "has been deleted" in sentence(ada.send(address=address), 404)


def test_a_token_that_reads_only_may_not_send(ada):
    assert "may read only" in sentence(ada.batch(CONTENT, token=ada.new_token("read")), 403)


def test_somebody_else_may_not_send(ada, bob):
    answer = bob.batch(CONTENT, repo_id="ada/agent")

    assert "may not write" in sentence(answer, 403)
    assert answer.json()["message"] == answer.json()["error"]


def test_git_is_asked_for_a_name_and_a_password(ada):
    with ada.hub.database.write() as connection:
        catalog.set_private(connection, ada.repository, private=True)

    answer = ada.batch(CONTENT, operation="download", token="")

    assert answer.status_code == 401
    assert answer.headers["LFS-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"operation": "delete"}, "upload or download"),
        ({}, "upload or download"),
        ({"operation": "upload"}, "list `objects`"),
        ({"operation": "upload", "objects": "x"}, "list `objects`"),
        ({"operation": "upload", "objects": [{"oid": OID, "size": 1}] * 1001}, "1000 at most"),
        ({"operation": "upload", "objects": [], "hash_algo": "md5"}, "SHA-256 only"),
        ({"operation": "upload", "objects": [], "transfers": ["multipart"]}, "basic transfer only"),
        ({"operation": "upload", "objects": [], "transfers": 1}, "basic transfer only"),
        ({"operation": "upload", "objects": [7]}, "64 lower-case"),
        ({"operation": "upload", "objects": [{"oid": "../../../etc/passwd", "size": 1}]}, "64 lower-case"),
        ({"operation": "download", "objects": [{"oid": OID.upper(), "size": 1}]}, "64 lower-case"),
        ({"operation": "upload", "objects": [{"oid": OID, "size": -1}]}, "`size` in bytes"),
        ({"operation": "upload", "objects": [{"oid": OID, "size": 2**63}]}, "`size` in bytes"),
        ({"operation": "upload", "objects": [{"oid": OID, "size": True}]}, "`size` in bytes"),
        ({"operation": "upload", "objects": [{"oid": OID, "size": 1.5}]}, "`size` in bytes"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(ada, body, words):
    answer = ada.ask("/ada/agent.git/info/lfs/objects/batch", body)

    assert words in sentence(answer, 400)
    assert answer.json()["message"] == answer.json()["error"]


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_any_request_is_read_or_refused(request):
    with contextlib.suppress(BadRequest):
        lfs.read_objects(request)


# Quotas


def test_a_file_above_the_limit_is_refused_by_itself(cramped):
    answer = cramped.batch(bytes(40_001), bytes(10)).json()["objects"]

    assert answer[0]["error"] == {"code": 413, "message": "A file may have 39.1 kB at most; this one has 39.1 kB."}
    assert "actions" in answer[1]


def test_more_than_the_repository_holds_is_refused_before_it_is_sent(cramped):
    answer = cramped.batch(bytes(30_000), bytes(30_001))

    assert "may hold" in sentence(answer, 413)


def test_what_waits_for_its_commit_counts(cramped):
    cramped.send(os.urandom(40_000))

    assert "may hold" in sentence(cramped.batch(os.urandom(30_000)), 413)


def test_what_waits_in_the_owners_other_repositories_counts(cramped):
    cramped.owner.repository("second")
    content = os.urandom(40_000)
    cramped.send(content, cramped.address(content, repo_id="ada/second"))

    assert "may hold" in sentence(cramped.batch(os.urandom(30_000)), 413)


def test_what_is_committed_counts_once(cramped):
    content = os.urandom(25_000)
    cramped.send(content)
    cramped.commit(content)

    assert cramped.batch(os.urandom(34_000)).status_code == 200


def test_what_is_there_already_needs_no_room(cramped):
    content = os.urandom(40_000)
    cramped.send(content)

    assert cramped.batch(content).status_code == 200


def test_a_right_to_name_a_content_ends_after_a_day(ada, monkeypatch):
    move = moving_clock(monkeypatch)
    ada.send()
    move(24 * 3600 + 1)

    assert not ada.may_name()


# Fetching


def test_a_public_file_is_fetched_without_a_token(ada):
    ada.send()
    ada.commit()
    address = ada.address(operation="download", token="")

    answer = ada.client.get(address)

    assert answer.content == CONTENT
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_part_of_a_file_is_fetched(ada):
    ada.send()
    ada.commit()

    answer = ada.client.get(ada.address(operation="download"), headers={"Range": "bytes=5-9"})

    assert (answer.status_code, answer.content) == (206, CONTENT[5:10])


def test_what_waits_for_its_commit_is_not_fetched(ada):
    ada.send()

    assert ada.batch(CONTENT, operation="download").json()["objects"][0]["error"]["code"] == 404


def test_somebody_elses_content_is_not_fetched_through_another_repository(ada, bob):
    ada.send()
    ada.commit()

    assert bob.batch(CONTENT, operation="download").json()["objects"][0]["error"]["code"] == 404


def test_a_private_repository_gives_nothing_to_others(ada, bob):
    ada.send()
    ada.commit()
    with ada.hub.database.write() as connection:
        catalog.set_private(connection, ada.repository, private=True)

    assert "may not see it" in sentence(bob.batch(CONTENT, operation="download", repo_id="ada/agent"), 404)


@pytest.mark.parametrize("change", [lambda address: address + "x", lambda address: address.replace(OID, "0" * 64)])
def test_an_address_to_fetch_that_was_changed_is_refused(ada, change):
    ada.send()
    ada.commit()

    assert "not valid for this file" in sentence(ada.client.get(change(ada.address(operation="download"))), 403)


def test_an_address_to_send_is_none_to_fetch(ada):
    address = ada.address()
    ada.send()

    assert sentence(ada.client.get(address), 403)


def test_a_content_that_is_gone_is_told(ada):
    ada.send()
    ada.commit()
    address = ada.address(operation="download")
    ada.hub.blobs.path(OID).unlink()

    assert "has been removed" in sentence(ada.client.get(address), 404)


# Signatures

claims = st.dictionaries(
    st.text(max_size=20).filter(lambda name: name != "exp"), st.integers() | st.text(max_size=20), max_size=5
)


@given(claims)
def test_a_permission_says_what_was_signed(stated):
    signed = signatures.sign(SECRET, "one", stated, clock.now().replace(year=2999))

    verified = signatures.verify(SECRET, "one", signed)
    assert {**stated, "exp": verified["exp"]} == verified


@pytest.mark.parametrize(("secret", "purpose"), [(b"t" * 32, "one"), (SECRET, "two"), (SECRET, "")])
def test_a_permission_counts_for_one_hub_and_one_purpose(secret, purpose):
    signed = signatures.sign(SECRET, "one", {"user": 1}, clock.now().replace(year=2999))

    assert signatures.verify(secret, purpose, signed) is None


@given(st.text() | st.from_regex(r"[\w-]+\.[\w-]+", fullmatch=True))
def test_other_text_is_no_permission(text):
    assert signatures.verify(SECRET, "one", text) is None


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_permission_that_was_changed_counts_for_nothing(place, character):
    signed = signatures.sign(SECRET, "one", {"user": 1, "repository": 2}, clock.now().replace(year=2999))
    place %= len(signed)
    changed = signed[:place] + character + signed[place + 1 :]

    allowed = signatures.verify(SECRET, "one", changed)
    assert allowed is None or allowed == signatures.verify(SECRET, "one", signed)
