"""Accounts for tests."""

from rl_hub.accounts import tokens, users


def token_for(hub, name, role="write", is_admin=False, token_name="test"):
    with hub.database.write() as connection:
        user = users.find(connection, name) or users.create(connection, name, is_admin=is_admin)
        return tokens.create(connection, user.id, token_name, role)
