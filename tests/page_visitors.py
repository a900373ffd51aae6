"""People who look at a Hub's pages, without a browser."""

import re
from contextlib import ExitStack
from html import unescape

from starlette.testclient import TestClient

from filled_hub import Owner
from rl_hub.accounts import organisations, sessions, users
from rl_hub.accounts.identity import Identity
from rl_hub.repositories import catalog, commits
from rl_hub.repositories.operations import AddFile, CommitRequest, DeleteFile
from rl_hub.uploads import grants
from rl_hub.web.app import create_app

PASSWORD = "correct horse battery"


def person(hub, name="ada", password=None, **details):
    """A new user who can commit."""
    with hub.database.write() as connection:
        user = users.create(connection, name, password, **details)
    return Owner(hub, Identity(user.id, name, "write", via="token"))


def member(hub, organisation, owner, role="write"):
    """The same person as a member of an organisation, which is created if need be."""
    with hub.database.write() as connection:
        found = organisations.find(connection, organisation) or organisations.create(connection, organisation)
        organisations.add_member(connection, found.id, owner.identity.user_id, role)
        roles = organisations.roles_of(connection, owner.identity.user_id)
    return Owner(hub, Identity(owner.identity.user_id, owner.identity.name, "write", organisations=roles, via="token"))


def repository(owner, name="agent", files=None, *, kind="model", private=False, namespace=None):
    """A new repository, with a commit if there are files; text is encoded."""
    with owner.hub.database.write() as connection:
        made = catalog.create(connection, owner.identity, kind, namespace or owner.identity.name, name, private=private)
    return commit(owner, made, files) if files else made


def commit(owner, made, files=(), delete=(), *, title="A commit", description="", branch="main"):
    """Commits files by path; returns the repository as it is then."""
    with ExitStack() as staging:
        operations = [DeleteFile(path) for path in delete]
        operations += [
            AddFile(path, staging.enter_context(owner.staged(text.encode() if isinstance(text, str) else text)))
            for path, text in dict(files).items()
        ]
        request = CommitRequest(title, description, operations=tuple(operations))
        done = commits.apply(owner.hub, owner.identity, made.id, branch, request, grants.granted)
    return done.repository


def visitor(hub, owner=None):
    """Somebody with a browser that keeps cookies: signed in, if it is a known person's."""
    client = TestClient(create_app(hub), headers={"Accept": "text/html"}, follow_redirects=False)
    if owner is not None:
        with hub.database.write() as connection:
            client.cookies.set(sessions.COOKIE, sessions.create(connection, owner.identity.user_id).id)
    return client


def form_token(response):
    """The hidden token of the page's forms."""
    return unescape(re.search(r'name="form_token" value="([^"]+)"', response.text).group(1))


def send(client, path, form_at=None, headers=None, **fields):
    """Opens the page with a form, and sends the form."""
    token = form_token(client.get(form_at or path))
    return client.post(path, data={"form_token": token, **fields}, headers=headers)
