import pytest

from rl_units.errors import HubError
from rl_units.hub.account import Account, choose_repository, parse_account

HUB = "https://hub.example"


def account(role="write", organizations=None, scopes=()):
    return Account("alice", organizations or {}, role, frozenset(scopes))


def test_the_default_namespace_is_the_persons_own():
    assert choose_repository(account(), HUB, None, "agent") == "alice/agent"


@pytest.mark.parametrize("role", ["admin", "write", "contributor", ""])
def test_an_organisation_that_may_be_written_to_is_taken(role):
    assert choose_repository(account(organizations={"school": role}), HUB, "school", "agent") == "school/agent"


def test_the_refusal_of_somebody_elses_namespace_names_ones_own():
    with pytest.raises(HubError, match=r"as alice, and teacher is not yours.* push to: alice, school.*alice/agent"):
        choose_repository(account(organizations={"school": "write"}), HUB, "teacher", "agent")


def test_a_reader_of_an_organisation_may_not_push_there():
    with pytest.raises(HubError, match="your role in school is 'read'"):
        choose_repository(account(organizations={"school": "read"}), HUB, "school", "agent")


def test_a_read_only_token_is_refused():
    with pytest.raises(HubError, match="may only read"):
        choose_repository(account(role="read"), HUB, None, "agent")


@pytest.mark.parametrize("scope", ["alice", "alice/agent"])
def test_a_fine_grained_token_writes_to_what_it_names(scope):
    assert choose_repository(account("fineGrained", scopes=[scope]), HUB, None, "agent") == "alice/agent"


def test_a_fine_grained_token_writes_nowhere_else():
    with pytest.raises(HubError, match=r"fine-grained token .* may not write to alice"):
        choose_repository(account("fineGrained", scopes=["school"]), HUB, None, "agent")


def test_a_login_without_a_role_is_left_to_the_hub():
    assert choose_repository(parse_account({"name": "alice", "auth": {"type": "oauth"}}), HUB, None, "a") == "alice/a"


def test_only_permissions_to_write_count():
    scoped = [
        {"entity": {"name": "alice"}, "permissions": ["repo.content.read", "repo.write"]},
        {"entity": {"name": "school"}, "permissions": ["repo.content.read"]},
    ]
    token = {"role": "fineGrained", "fineGrained": {"scoped": scoped}}
    assert parse_account({"name": "alice", "auth": {"accessToken": token}}).scopes == {"alice"}
