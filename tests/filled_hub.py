"""Repositories with real commits, made without HTTP."""

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from postgresql import NoPostgreSQL, running_server
from rl_hub.accounts import users
from rl_hub.accounts.identity import Identity
from rl_hub.hub import Hub
from rl_hub.repositories import catalog, commits
from rl_hub.repositories.operations import AddFile, AddLargeFile, CommitRequest
from rl_hub.settings import Settings
from rl_hub.uploads import grants

CARD = b"---\ntags:\n- reinforcement-learning\nlibrary_name: stable-baselines3\n---\n# An agent\n"


@dataclass(frozen=True)
class Owner:
    """A user of a Hub, who commits."""

    hub: Hub
    identity: Identity

    def repository(self, name="agent", **files):
        """A new repository; with files, committed."""
        with self.hub.database.write() as connection:
            made = catalog.create(connection, self.identity, "model", self.identity.name, name, private=False)
        return self.commit(made, files) if files else made

    def commit(self, repository, files=None, large=()):
        """Commits regular files by path, and large ones, uploaded before, by path too; returns the repository."""
        with ExitStack() as staging:
            operations = [
                AddFile(path, staging.enter_context(self.staged(text))) for path, text in (files or {}).items()
            ]
            operations += [AddLargeFile(path, sha256, None) for path, sha256 in dict(large).items()]
            request = CommitRequest("A commit", operations=tuple(operations))
            done = commits.apply(self.hub, self.identity, repository.id, "main", request, grants.granted)
        return done.repository

    def upload(self, repository, content):
        """Uploads a large file's content; returns its SHA-256."""
        with self.staged(content) as staged, self.hub.database.write() as connection:
            sha256 = self.hub.blobs.publish(connection, staged)
            grants.grant(connection, self.identity.user_id, repository.id, sha256)
        return sha256

    def delete(self, repository):
        """Deletes a repository."""
        with self.hub.database.write() as connection:
            catalog.remove(connection, repository)

    def staged(self, content):
        """A content on its way."""
        staged = self.hub.blobs.stage(len(content))
        staged.write(content)
        staged.close()
        return staged


def owner(hub, name="ada"):
    """A new user."""
    with hub.database.write() as connection:
        user = users.create(connection, name)
    return Owner(hub, Identity(user.id, name, "write", via="token"))


@contextmanager
def hub_on(engine, data):
    """A new Hub on "sqlite", or on a "postgresql" server of its own; the test is skipped where there is none."""
    with ExitStack() as stack:
        url = None
        if engine == "postgresql":
            try:
                url = stack.enter_context(running_server()).create_database()
            except NoPostgreSQL as error:
                pytest.skip(str(error))
        yield stack.enter_context(closing(Hub.open(Settings(data, database_url=url))))


def count(hub, table, *conditions):
    """How many rows a table has."""
    with hub.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*conditions))
