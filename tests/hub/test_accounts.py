"""Users, organisations, passwords, throttling and what an identity may do."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from hub_clock import moving_clock
from rl_hub import clock
from rl_hub.accounts import organisations, passwords, permissions, throttle, tokens, users
from rl_hub.accounts.identity import ANONYMOUS, Identity
from rl_hub.accounts.sign_in import sign_in
from rl_hub.database.tables import accounts, repositories, throttles
from rl_hub.errors import BadRequest, Conflict, NotFound, TooManyRequests, Unauthorized
from rl_hub.settings import Limits, Settings

# The real hash takes tens of milliseconds on purpose; most tests need only one.
HASH = passwords.hash_password("correct horse")


@dataclass(frozen=True)
class Repository:
    owner_name: str
    private: bool


@pytest.fixture
def connection(hub):
    with hub.database.write() as connection:
        yield connection


@pytest.fixture
def sleep(monkeypatch):
    return moving_clock(monkeypatch)


@pytest.fixture
def alice(hub):
    with hub.database.write() as connection:
        user = users.create(connection, "alice", full_name="Alice Liddell", email="alice@example.org")
        users.set_password(connection, user, HASH)
    return user


def own(connection, owner, name="model", kind="model", private=False):
    now = clock.now()
    row = {
        "kind": kind,
        "owner_id": owner.id,
        "owner_name": owner.name,
        "name": name,
        "key": f"{owner.name}/{name}".lower(),
        "private": private,
        "created_at": now,
        "last_modified": now,
        "sha": "0" * 40,
    }
    connection.execute(insert(repositories).values(row))


# Passwords


def test_a_password_is_verified_and_another_is_not():
    assert passwords.verify(HASH, "correct horse")
    assert not passwords.verify(HASH, "correct Horse")


def test_the_hash_is_argon2id_with_19_mib_and_a_salt_of_its_own():
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.hash_password("correct horse") != HASH


def test_nobody_has_a_password():
    assert not passwords.verify(None, "correct horse")


def test_a_damaged_hash_is_nobodys_password():
    assert not passwords.verify("not a hash", "correct horse")


def test_a_password_is_the_same_however_the_keyboard_composes_its_accents():
    assert passwords.verify(passwords.hash_password("caf\u00e9 cr\u00e8me"), "cafe\u0301 cre\u0300me")


def test_a_password_may_hold_what_is_not_valid_unicode():
    assert passwords.verify(passwords.hash_password("\udc80 surrogate"), "\udc80 surrogate")


@pytest.mark.parametrize(("password", "word"), [("7 chars", "short"), ("x" * 257, "long")])
def test_a_password_of_a_wrong_length_is_refused_with_the_limit(password, word):
    with pytest.raises(BadRequest, match=word):
        passwords.hash_password(password)


def test_an_endless_password_costs_no_hash():
    assert not passwords.verify(HASH, "x" * 1_000_000)


def test_made_passwords_differ_and_can_be_used():
    made = {passwords.generate() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 14 and not set(password) & set("ilo01") for password in made)


def test_an_unknown_user_takes_as_long_as_a_wrong_password():
    def seconds(password_hash):
        start = time.perf_counter()
        passwords.verify(password_hash, "wrong horse")
        return time.perf_counter() - start

    known, unknown = zip(*((seconds(HASH), seconds(None)) for _ in range(7)), strict=True)
    assert 1 / 3 < statistics.median(known) / statistics.median(unknown) < 3


# Users


def test_a_user_is_found_whatever_the_case_of_the_name(hub, alice):
    with hub.database.read() as connection:
        assert users.find(connection, "ALICE") == users.get(connection, "alice")
        assert users.get(connection, "alice").full_name == "Alice Liddell"


def test_a_name_is_given_once_whatever_its_case(connection):
    organisations.create(connection, "Alice")
    with pytest.raises(Conflict, match='"alice" is taken'):
        users.create(connection, "alice")


def test_a_taken_name_leaves_the_transaction_usable(connection):
    users.create(connection, "alice")
    with pytest.raises(Conflict):
        users.create(connection, "alice")
    assert users.create(connection, "bob").name == "bob"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "../etc"},
        {"name": "settings"},
        {"name": "alice", "full_name": "x" * 129},
        {"name": "alice", "full_name": "Alice\x1b[2J"},
        {"name": "alice", "full_name": "ecilA\u202e"},
        {"name": "alice", "email": "nowhere"},
        {"name": "alice", "email": "a@b\u202ec"},
        {"name": "alice", "password": "short"},
    ],
)
def test_what_a_page_could_not_show_is_refused(connection, fields):
    with pytest.raises(BadRequest):
        users.create(connection, **fields)


def test_a_user_without_a_password_cannot_sign_in_with_one(connection):
    assert not users.create(connection, "robot").has_password
    assert users.create(connection, "alice", "correct horse").has_password


def test_asking_for_nobody_says_so(connection):
    with pytest.raises(NotFound, match='no user "nobody"'):
        users.get(connection, "nobody")


def test_an_organisation_is_no_user(connection):
    organisations.create(connection, "class")
    assert users.find(connection, "class") is None
    assert users.list_users(connection) == []


def test_a_user_with_repositories_is_not_removed(connection):
    alice = users.create(connection, "alice")
    own(connection, alice)
    with pytest.raises(Conflict, match="still has 1 repository"):
        users.remove(connection, alice)


def test_a_removed_user_leaves_no_token_behind(connection):
    alice = users.create(connection, "alice")
    token = tokens.create(connection, alice.id, "laptop", "write")
    users.remove(connection, alice)
    assert tokens.identify(connection, token) is None
    assert users.find(connection, "alice") is None


def test_the_last_administrator_stays(connection):
    first, second = (users.create(connection, name, is_admin=True) for name in ("first", "second"))
    users.remove(connection, first)
    with pytest.raises(Conflict, match="only administrator"):
        users.remove(connection, second)


def test_the_first_start_makes_an_administrator_who_can_sign_in(hub):
    with hub.database.write() as connection:
        administrator = users.ensure_administrator(connection)
        assert tokens.identify(connection, administrator.token).is_admin
    assert sign_in(hub.database, administrator.name, administrator.password, "::1").is_admin


def test_the_second_start_makes_none(connection):
    users.ensure_administrator(connection)
    assert users.ensure_administrator(connection) is None


def test_users_who_were_added_before_the_first_start_do_not_keep_the_administrator_away(connection):
    users.create(connection, "alice")
    assert users.ensure_administrator(connection) is not None


def test_a_start_that_another_process_was_faster_with_makes_none(connection):
    row = {"name": "admin", "key": "admin", "kind": "user", "is_admin": False, "created_at": clock.now()}
    connection.execute(insert(accounts).values(row))
    assert users.ensure_administrator(connection) is None


# Organisations


def test_members_are_listed_by_name_with_their_roles(connection):
    class_ = organisations.create(connection, "class", full_name="RL 2026")
    for name, role in [("Bob", "write"), ("alice", "admin")]:
        organisations.add_member(connection, class_.id, users.create(connection, name).id, role)
    members = organisations.members(connection, class_.id)
    assert [(member.name, member.role) for member in members] == [("alice", "admin"), ("Bob", "write")]
    assert organisations.members(connection, class_.id, after="Alice", limit=5) == members[1:]
    assert organisations.count_members(connection, class_.id) == 2


def test_adding_a_member_again_changes_the_role(connection):
    class_, alice = organisations.create(connection, "class"), users.create(connection, "alice")
    organisations.add_member(connection, class_.id, alice.id, "read")
    organisations.add_member(connection, class_.id, alice.id, "write")
    assert organisations.roles_of(connection, alice.id) == {"class": "write"}


def test_an_unknown_role_is_refused_with_those_that_there_are(connection):
    class_, alice = organisations.create(connection, "class"), users.create(connection, "alice")
    with pytest.raises(BadRequest, match="admin, write, read"):
        organisations.add_member(connection, class_.id, alice.id, "owner")


def test_a_removed_member_is_no_member(connection):
    class_, alice = organisations.create(connection, "class"), users.create(connection, "alice")
    organisations.add_member(connection, class_.id, alice.id, "read")
    assert organisations.remove_member(connection, class_.id, alice.id)
    assert not organisations.remove_member(connection, class_.id, alice.id)
    assert organisations.places_of(connection, alice.id) == []


def test_members_keep_their_accounts_when_the_organisation_goes(connection):
    class_, alice = organisations.create(connection, "class"), users.create(connection, "alice")
    organisations.add_member(connection, class_.id, alice.id, "read")
    organisations.remove(connection, class_)
    assert organisations.find(connection, "class") is None
    assert organisations.roles_of(connection, alice.id) == {}
    assert users.get(connection, "alice") == alice


def test_an_organisation_with_repositories_is_not_removed(connection):
    class_ = organisations.create(connection, "class")
    own(connection, class_, "one")
    own(connection, class_, "two")
    with pytest.raises(Conflict, match="still has 2 repositories"):
        organisations.remove(connection, class_)


def test_asking_for_no_organisation_says_so(connection):
    with pytest.raises(NotFound, match='no organisation "nowhere"'):
        organisations.get(connection, "nowhere")


# Permissions

ALICE = Identity(1, "Alice", "write", organisations={"class": "write", "school": "admin", "guests": "read"})


@pytest.mark.parametrize(
    ("owner", "reads", "writes", "manages"),
    [
        ("alice", True, True, True),
        ("Class", True, True, False),
        ("School", True, True, True),
        ("guests", True, False, False),
        ("bob", False, False, False),
    ],
)
def test_what_a_person_may_do_follows_from_the_role(owner, reads, writes, manages):
    assert permissions.may_read(ALICE, Repository(owner, private=True)) is reads
    assert permissions.may_write(ALICE, owner) is writes
    assert permissions.may_manage(ALICE, owner) is manages


def test_everybody_reads_what_is_public():
    assert permissions.may_read(ANONYMOUS, Repository("bob", private=False))


@given(owner=st.text(), private=st.just(True))
def test_nobody_reads_what_is_private_and_writes_nothing(owner, private):
    assert not permissions.may_read(ANONYMOUS, Repository(owner, private))
    assert not permissions.may_write(ANONYMOUS, owner)


def test_a_read_token_reads_what_is_private_and_writes_nothing():
    reader = Identity(1, "alice", "read", is_admin=True)
    assert permissions.may_read(reader, Repository("bob", private=True))
    assert not permissions.may_write(reader, "alice")
    assert not permissions.may_manage(reader, "alice")


def test_an_administrator_manages_everything():
    assert permissions.may_manage(Identity(1, "root", "write", is_admin=True), "bob")


# Throttling

RULES = [throttle.GUESSER, throttle.ACCOUNT, throttle.ADDRESS, throttle.DEVICE]


@given(failures=st.integers(0, 10**6), rule=st.sampled_from(RULES))
def test_blocks_never_shrink_and_have_an_end(failures, rule):
    assert rule.block(failures) <= rule.block(failures + 1) <= timedelta(seconds=rule.longest)
    assert (rule.block(failures) == timedelta()) == (failures <= rule.free)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("testclient", "testclient", True),
    ],
)
def test_one_customers_addresses_count_as_one(one, other, same):
    assert (throttle.address(one) == throttle.address(other)) is same


def test_signing_in_tells_who_it_is(hub, alice):
    assert sign_in(hub.database, "Alice", "correct horse", "192.0.2.1") == users.User(
        alice.id, "alice", "Alice Liddell", "alice@example.org", False, True, alice.created_at
    )


@pytest.mark.parametrize("name", ["alice", "nobody", "class", "\udc80", "\0", "x" * 100_000])
def test_a_wrong_password_and_an_unknown_name_read_the_same(hub, alice, name):
    with pytest.raises(Unauthorized, match=r"^The name or the password is wrong\.$"):
        sign_in(hub.database, name, "wrong horse", "192.0.2.1")


def fail(hub, name, address="192.0.2.1"):
    with pytest.raises(Unauthorized):
        sign_in(hub.database, name, "x" * 1000, address)


def test_after_some_failures_even_the_right_password_has_to_wait(hub, alice, sleep):
    for _ in range(throttle.GUESSER.free + 1):
        fail(hub, "alice")
    with pytest.raises(TooManyRequests, match="wait 1 second,") as refusal:
        sign_in(hub.database, "alice", "correct horse", "192.0.2.1")
    assert refusal.value.headers == {"Retry-After": "1"}
    sleep(1)
    assert sign_in(hub.database, "alice", "correct horse", "192.0.2.1").name == "alice"


def test_somebody_elses_guesses_keep_nobody_out(hub, alice, sleep):
    for _ in range(throttle.GUESSER.free + 1):
        fail(hub, "alice")
    assert sign_in(hub.database, "alice", "correct horse", "198.51.100.9").name == "alice"


def test_guesses_from_many_addresses_block_the_account_for_a_short_while(hub, alice, sleep, monkeypatch):
    monkeypatch.setattr(throttle, "ACCOUNT", throttle.Rule(free=3, longest=throttle.ACCOUNT.longest))
    for number in range(4):
        fail(hub, "alice", f"192.0.2.{number}")
    with pytest.raises(TooManyRequests, match="wait 1 second,"):
        sign_in(hub.database, "alice", "correct horse", "198.51.100.9")
    sleep(1)
    assert sign_in(hub.database, "alice", "correct horse", "198.51.100.9").name == "alice"


def test_each_failure_above_that_blocks_for_twice_as_long(hub, alice, sleep):
    for _ in range(throttle.GUESSER.free):
        fail(hub, "alice")
    for seconds in (1, 2, 4, 8):
        fail(hub, "alice")
        with pytest.raises(TooManyRequests) as refusal:
            sign_in(hub.database, "alice", "correct horse", "192.0.2.1")
        assert refusal.value.headers == {"Retry-After": str(seconds)}
        sleep(seconds)


def test_a_long_block_is_told_in_minutes(hub, sleep):
    for _ in range(throttle.GUESSER.free + 6):
        fail(hub, "nobody")
        sleep(32)
    with hub.database.write() as connection:
        connection.execute(throttles.update().values(blocked_until=clock.now() + timedelta(seconds=61)))
    with pytest.raises(TooManyRequests, match="wait 2 minutes,"):
        sign_in(hub.database, "nobody", "wrong horse", "192.0.2.1")


def test_success_forgets_ones_own_failures_but_not_those_of_the_address(hub, alice):
    for _ in range(throttle.GUESSER.free):
        fail(hub, "alice")
    sign_in(hub.database, "alice", "correct horse", "192.0.2.1")
    with hub.database.read() as connection:
        counts = dict(connection.execute(select(throttles.c.key, throttles.c.failures)).all())
    assert counts == dict.fromkeys([throttle.account("alice").key, "address:192.0.2.1"], throttle.GUESSER.free)


def test_an_address_that_tries_many_names_is_blocked(hub, sleep):
    for number in range(throttle.ADDRESS.free + 1):
        fail(hub, f"user{number}")
    with pytest.raises(TooManyRequests):
        sign_in(hub.database, "somebody-else", "wrong horse", "192.0.2.1")
    fail(hub, "somebody-else", "192.0.2.2")


def test_a_class_behind_one_address_signs_in_at_once(hub):
    with hub.database.write() as connection:
        for number in range(20):
            users.set_password(connection, users.create(connection, f"student{number}"), HASH)
    with ThreadPoolExecutor(20) as people:
        signed_in = people.map(
            lambda number: sign_in(hub.database, f"student{number}", "correct horse", "192.0.2.1").name, range(20)
        )
        assert len(set(signed_in)) == 20


def test_guesses_at_the_same_time_are_no_way_around_the_count(hub, alice, sleep):
    def guess(_):
        try:
            sign_in(hub.database, "alice", "x" * 1000, "192.0.2.1")
        except (Unauthorized, TooManyRequests) as refusal:
            return type(refusal)

    with ThreadPoolExecutor(20) as people:
        outcomes = list(people.map(guess, range(20)))
    assert outcomes.count(Unauthorized) == throttle.GUESSER.free + 1


def test_failures_are_forgotten_after_a_while(hub, sleep):
    for _ in range(throttle.GUESSER.free + 1):
        fail(hub, "alice")
    sleep(3600 + 2)
    fail(hub, "bob")
    with hub.database.read() as connection:
        assert connection.execute(select(throttles.c.failures)).scalars().all() == [1, 1, 1]


def test_a_new_password_ends_the_block(hub, alice):
    for _ in range(throttle.GUESSER.free + 1):
        fail(hub, "alice")
    with hub.database.write() as connection:
        users.set_password(connection, alice, HASH)
        kept = connection.execute(select(throttles.c.key)).scalars().all()
    assert kept == ["address:192.0.2.1"]
    assert sign_in(hub.database, "alice", "correct horse", "192.0.2.1").name == "alice"


# What the client asks


@pytest.fixture
def course(live_hub):
    """A class with two members, and one person outside; their clients by name."""
    clients = {name: HfApi(live_hub.endpoint, token=live_hub.user(name)) for name in ("alice", "bob", "eve")}
    with live_hub.hub.database.write() as connection:
        class_ = organisations.create(connection, "rl-2026", full_name="RL in 2026")
        for name, role in (("alice", "admin"), ("bob", "read")):
            organisations.add_member(connection, class_.id, users.get(connection, name).id, role)
        own(connection, class_, "shared")
        own(connection, class_, "exam", kind="dataset", private=True)
    clients["nobody"] = HfApi(live_hub.endpoint, token=False)
    return clients


def test_whoami_names_the_organisations_and_the_role_in_each(course):
    me = course["bob"].whoami()
    assert (me["type"], me["name"], me["fullname"]) == ("user", "bob", "bob")
    assert [(org["type"], org["name"], org["fullname"], org["roleInOrg"]) for org in me["orgs"]] == [
        ("org", "rl-2026", "RL in 2026", "read")
    ]


def test_the_client_lists_the_members_of_a_class(course):
    assert [member.username for member in course["bob"].list_organization_members("RL-2026")] == ["alice", "bob"]


@pytest.mark.parametrize("outsider", ["eve", "nobody"])
def test_only_members_see_a_class_list(course, outsider):
    with pytest.raises(HfHubHTTPError, match="Only members of rl-2026"):
        list(course[outsider].list_organization_members("rl-2026"))


def test_a_long_list_of_members_comes_in_pages(hub, client):
    small = Settings(hub.settings.data, limits=Limits(page_size=2))
    object.__setattr__(hub, "settings", small)
    with hub.database.write() as connection:
        class_ = organisations.create(connection, "class")
        people = [users.create(connection, f"student{number}", is_admin=True) for number in range(5)]
        for person in people:
            organisations.add_member(connection, class_.id, person.id, "read")
        headers = {"Authorization": f"Bearer {tokens.create(connection, people[0].id, 'test', 'read')}"}
    address, names, pages = "/api/organizations/class/members", [], 0
    while address:
        answer = client.get(address, headers=headers)
        names += [member["user"] for member in answer.json()]
        address = answer.links.get("next", {}).get("url")
        pages += 1
    assert names == [person.name for person in people]
    assert pages == 3


def test_the_client_shows_an_organisation_with_what_the_asker_may_see(course):
    inside, outside = (course[name].get_organization_overview("rl-2026") for name in ("bob", "eve"))
    assert (inside.fullname, inside.num_users, inside.num_models, inside.num_datasets) == ("RL in 2026", 2, 1, 1)
    assert (outside.num_users, outside.num_models, outside.num_datasets) == (2, 1, 0)


def test_the_client_shows_a_person_with_the_organisations_that_both_are_in(course):
    classmates, strangers = (course[name].get_user_overview("alice") for name in ("bob", "nobody"))
    assert (classmates.username, classmates.fullname, classmates.num_models) == ("alice", "alice", 0)
    assert [org.name for org in classmates.orgs] == ["rl-2026"]
    assert strangers.orgs == []


@pytest.mark.parametrize("ask", [HfApi.get_user_overview, HfApi.get_organization_overview])
def test_who_is_not_there_is_a_404(course, ask):
    with pytest.raises(HfHubHTTPError) as refusal:
        ask(course["alice"], "nobody-at-all")
    assert refusal.value.response.status_code == 404


def test_an_email_address_is_shown_to_its_owner_alone(hub, client, alice):
    with hub.database.write() as connection:
        token = tokens.create(connection, alice.id, "laptop", "read")
    mine = client.get("/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})
    assert mine.json()["email"] == "alice@example.org"
    assert "example.org" not in client.get("/api/users/alice/overview").text
