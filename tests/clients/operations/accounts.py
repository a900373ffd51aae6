"""Signing in, and who is who."""

import contextlib
import io
import re

from huggingface_hub import HfApi, get_token, login, logout

from clients.operations.context import Context, emit, operation, refused


@operation
def sign_in_with_a_token(api: HfApi, context: Context):
    """`login(token=...)`, then calls without a token, then `logout()`."""
    login(token=context.token)
    try:
        assert get_token() == context.token
        assert HfApi().whoami()["name"] == context.user
    finally:
        logout()


class Screen(io.StringIO):
    """Takes what the client prints, and has the code that it shows approved."""

    def write(self, text: str) -> int:
        if found := re.search(r"enter the code: (\S+)", text):
            emit(approve=found[1])
        return super().write(text)


@operation
def sign_in_with_a_code(api: HfApi, context: Context):
    """`login()` with a code that is approved in the browser."""
    with contextlib.redirect_stdout(Screen()):
        login()
    try:
        assert get_token() not in (None, context.token)
        assert HfApi().whoami()["name"] == context.user
        HfApi().create_repo(context.repository)
    finally:
        logout()


@operation
def be_told_who_one_is(api: HfApi, context: Context):
    """`whoami`: name, organisations and the token's role."""
    me = api.whoami()
    assert me["name"] == context.user
    assert [organisation["name"] for organisation in me["orgs"]] == [context.organisation]
    assert me["auth"]["accessToken"]["role"] == "write"
    assert context.api(context.reading_token).whoami()["auth"]["accessToken"]["role"] == "read"


@operation
def be_refused_with_a_wrong_token(api: HfApi, context: Context):
    """An unknown token is refused."""
    with refused(401):
        context.api("hf_nobody").create_repo(context.repository)
    try:
        context.api("hf_nobody").whoami()
    except Exception as error:  # 0.x raises one of requests, which is not here in later versions
        sentence = str(error)
    assert "Invalid user token" in sentence


@operation
def look_people_up(api: HfApi, context: Context):
    """`get_user_overview` and `list_organization_members`."""
    assert api.get_user_overview(context.other).username == context.other
    assert [user.username for user in api.list_organization_members(context.organisation)] == [context.user]
