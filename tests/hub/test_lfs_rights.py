"""Signed addresses and Xet tokens after their user has lost the right to what they are for."""

import hashlib
from urllib.parse import urlsplit

import pytest

from filled_hub import Owner, owner
from rl_hub.accounts import organisations, tokens, users
from rl_hub.accounts.identity import Identity
from rl_hub.repositories import catalog

CONTENT = b"a large file" * 1000
OID = hashlib.sha256(CONTENT).hexdigest()


class Member:
    """A member of the class with the role to write, and the class's private repository, which has a large file."""

    def __init__(self, hub, client):
        self.hub, self.client = hub, client
        self.owner = owner(hub, "bob")
        user_id = self.owner.identity.user_id
        with hub.database.write() as connection:
            self.organisation = organisations.create(connection, "class")
            organisations.add_member(connection, self.organisation.id, user_id, "write")
            self.token = tokens.create(connection, user_id, "laptop", "write")
            writer = Identity(user_id, "bob", "write", organisations={"class": "write"})
            self.repository = catalog.create(connection, writer, "model", "class", "agent", private=True)
        Owner(hub, writer).upload(self.repository, CONTENT)
        Owner(hub, writer).commit(self.repository, large={"model.zip": OID})

    def leave(self):
        with self.hub.database.write() as connection:
            organisations.remove_member(connection, self.organisation.id, self.owner.identity.user_id)

    def become_reader(self):
        with self.hub.database.write() as connection:
            organisations.add_member(connection, self.organisation.id, self.owner.identity.user_id, "read")

    def delete_account(self):
        with self.hub.database.write() as connection:
            users.remove(connection, users.get(connection, "bob"))

    def delete_repository(self):
        self.owner.delete(self.repository)

    def publish(self, private=False):
        with self.hub.database.write() as connection:
            self.repository = catalog.set_private(connection, self.repository, private=private)

    def address(self, operation, content, token=True):
        objects = [{"oid": hashlib.sha256(content).hexdigest(), "size": len(content)}]
        answer = self.client.post(
            "/class/agent.git/info/lfs/objects/batch",
            json={"operation": operation, "objects": objects},
            headers={"Authorization": f"Bearer {self.token}"} if token else {},
        )
        action = answer.json()["objects"][0]["actions"][operation]
        return urlsplit(action["href"])._replace(scheme="", netloc="").geturl()


@pytest.fixture
def bob(hub, client):
    return Member(hub, client)


LOSSES = [
    (Member.leave, 404),
    (Member.delete_account, 403),
    (Member.delete_repository, 404),
]


def sentence(answer, status):
    assert answer.status_code == status
    return answer.json()["error"]


@pytest.mark.parametrize(("lose", "status"), [*LOSSES, (Member.become_reader, 403)])
def test_an_address_to_send_ends_with_the_right_to_write(bob, lose, status):
    address = bob.address("upload", b"new")
    lose(bob)

    assert sentence(bob.client.put(address, content=b"new"), status)
    assert list(bob.hub.blobs.staging.iterdir()) == []


@pytest.mark.parametrize(("lose", "status"), LOSSES)
def test_an_address_to_fetch_ends_with_the_right_to_read(bob, lose, status):
    address = bob.address("download", CONTENT)
    assert bob.client.get(address).content == CONTENT
    lose(bob)

    assert sentence(bob.client.get(address), status)


def test_a_reader_goes_on_fetching(bob):
    address = bob.address("download", CONTENT)
    bob.become_reader()

    assert bob.client.get(address).content == CONTENT


def test_an_address_of_nobody_ends_when_the_repository_is_hidden(bob):
    bob.publish()
    address = bob.address("download", CONTENT, token=False)
    assert bob.client.get(address).content == CONTENT
    bob.publish(private=True)

    assert "may not be seen any more" in sentence(bob.client.get(address), 404)


@pytest.mark.parametrize("path", ["/v1/xorbs/default/" + "0" * 64, "/v1/shards", "/v2/shards"])
@pytest.mark.parametrize(("lose", "status"), [(Member.leave, 404), (Member.become_reader, 403)])
def test_a_xet_token_ends_with_the_right_to_write(bob, path, lose, status):
    headers = {"Authorization": f"Bearer {bob.token}"}
    given = bob.client.get("/api/models/class/agent/xet-write-token/main", headers=headers).json()
    lose(bob)

    answer = bob.client.post(
        urlsplit(given["casUrl"]).path + path, headers={"Authorization": f"Bearer {given['accessToken']}"}
    )

    assert sentence(answer, status)
