"""`python -m rl_hub user`: people, their passwords and their tokens; adds `org` as well.

Secrets go to stdout, once; the Hub keeps hashes only.
"""

import argparse
import getpass
from datetime import timedelta
from pathlib import Path

from rl_hub import clock
from rl_hub.accounts import organisations, passwords, rosters, tokens, users
from rl_hub.commands import hand_outs
from rl_hub.commands import organisations as organisation_commands
from rl_hub.commands.opening import opened
from rl_hub.commands.subparsers import Subparsers
from rl_hub.commands.tables import show
from rl_hub.errors import CommandError
from rl_hub.settings import MIB, Settings

_ROSTER_BYTES = MIB
_MOST_DAYS = 36_500


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `user` and `org`."""
    user = subparsers.add_parser("user", help="add, list and delete people; passwords and tokens")
    actions = user.add_subparsers(metavar="action", required=True)
    _add_people_parsers(actions)
    _add_token_parsers(actions)
    organisation_commands.add_parsers(subparsers)


def _add_people_parsers(actions: Subparsers) -> None:
    add = actions.add_parser("add", help="add a person; the password is shown once")
    add.add_argument("name")
    add.add_argument("--full-name", default="", help="shown beside the name")
    add.add_argument("--email", help="shown to the person alone")
    add.add_argument("--admin", action="store_true", help="an administrator of the Hub: may see and change everything")
    add.add_argument("--ask", action="store_true", help="type the password instead of having one made")
    add.set_defaults(run=add_user)

    actions.add_parser("list", help="list all people").set_defaults(run=list_users)

    delete = actions.add_parser("delete", help="delete a person who owns no repository")
    delete.add_argument("name")
    delete.set_defaults(run=delete_user)

    password = actions.add_parser("password", help="give a person a new password; it is shown once")
    password.add_argument("name")
    password.add_argument("--ask", action="store_true", help="type the password instead of having one made")
    password.set_defaults(run=change_password)

    several = actions.add_parser("import", help="add a class list; may be repeated with the same or a longer list")
    several.add_argument("file", type=Path, help="CSV with a column name, and perhaps full_name and email")
    several.add_argument("--org", metavar="NAME", help="make everybody a member of this organisation")
    several.add_argument("--role", choices=organisations.ROLES, default="read", help="as what (default: %(default)s)")
    several.add_argument(
        "--passwords", type=Path, metavar="FILE", help="where to write the new passwords (default: beside the list)"
    )
    several.set_defaults(run=import_roster)


def _add_token_parsers(actions: Subparsers) -> None:
    token = actions.add_parser("token", help="add, list and delete a person's access tokens")
    token_actions = token.add_subparsers(metavar="action", required=True)

    add = token_actions.add_parser("add", help="make a token; it is shown once")
    add.add_argument("name", help="whose")
    add.add_argument("--name", dest="token_name", default="Command line", help="what it is for (default: %(default)s)")
    add.add_argument("--role", choices=tokens.ROLES, default="write", help="what it allows (default: %(default)s)")
    add.add_argument("--days", type=int, help="how long it is good for (default: until it is deleted)")
    add.set_defaults(run=add_token)

    listing = token_actions.add_parser("list", help="list a person's tokens")
    listing.add_argument("name", help="whose")
    listing.set_defaults(run=list_tokens)

    delete = token_actions.add_parser("delete", help="delete a token")
    delete.add_argument("name", help="whose")
    delete.add_argument("id", type=int, help="its number in the list")
    delete.set_defaults(run=delete_token)


def add_user(settings: Settings, options: argparse.Namespace) -> int:
    """Adds a person."""
    password = _new_password(options.ask)
    password_hash = passwords.hash_password(password)
    with opened(settings) as hub, hub.database.write() as connection:
        user = users.create(
            connection, options.name, is_admin=options.admin, full_name=options.full_name, email=options.email
        )
        users.set_password(connection, user, password_hash)
    _tell_password(f"Added {user.name}.", password, options.ask)
    return 0


def list_users(settings: Settings, _options: argparse.Namespace) -> int:
    """Lists all people."""
    with opened(settings) as hub, hub.database.read() as connection:
        found = users.list_users(connection)
    show(
        ("name", "full name", "administrator", "password", "since"),
        [
            (
                user.name,
                user.full_name,
                "yes" if user.is_admin else "no",
                "yes" if user.has_password else "no",
                f"{user.created_at:%Y-%m-%d}",
            )
            for user in found
        ],
    )
    return 0


def delete_user(settings: Settings, options: argparse.Namespace) -> int:
    """Deletes a person."""
    with opened(settings) as hub, hub.database.write() as connection:
        user = users.get(connection, options.name)
        users.remove(connection, user)
    print(f"Deleted {user.name}.")
    return 0


def change_password(settings: Settings, options: argparse.Namespace) -> int:
    """Gives a person a new password."""
    password = _new_password(options.ask)
    password_hash = passwords.hash_password(password)
    with opened(settings) as hub, hub.database.write() as connection:
        user = users.get(connection, options.name)
        users.set_password(connection, user, password_hash)
    _tell_password(f"{user.name} has a new password and is signed out everywhere.", password, options.ask)
    return 0


def import_roster(settings: Settings, options: argparse.Namespace) -> int:
    """Adds a class list."""
    people = rosters.parse_roster(hand_outs.read_text(options.file, _ROSTER_BYTES))
    target = options.passwords or options.file.with_name(f"{options.file.stem}-passwords.csv")
    with opened(settings) as hub:
        number = rosters.enrol(
            hub.database, people, options.org, options.role, lambda new: hand_outs.add_passwords(target, new)
        )
    print(f"{number} of {len(people)} people are new.")
    if number:
        print(f"Their passwords are in {target}: hand them out, then delete the file.")
    return 0


def add_token(settings: Settings, options: argparse.Namespace) -> int:
    """Makes a token.

    Raises:
        CommandError: If it would be good for no time, or for longer than anybody lives.
    """
    if options.days is not None and not 1 <= options.days <= _MOST_DAYS:
        raise CommandError(f"--days takes a number from 1 to {_MOST_DAYS}.")
    expires_at = None if options.days is None else clock.now() + timedelta(days=options.days)
    with opened(settings) as hub, hub.database.write() as connection:
        user = users.get(connection, options.name)
        print(tokens.create(connection, user.id, options.token_name, options.role, expires_at))
    return 0


def list_tokens(settings: Settings, options: argparse.Namespace) -> int:
    """Lists a person's tokens."""
    with opened(settings) as hub, hub.database.read() as connection:
        found = tokens.list_tokens(connection, users.get(connection, options.name).id)
    show(
        ("id", "name", "role", "since", "until"),
        [
            (
                str(token.id),
                token.name,
                token.role,
                f"{token.created_at:%Y-%m-%d}",
                f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "",
            )
            for token in found
        ],
    )
    return 0


def delete_token(settings: Settings, options: argparse.Namespace) -> int:
    """Deletes a token."""
    with opened(settings) as hub, hub.database.write() as connection:
        tokens.remove(connection, users.get(connection, options.name).id, options.id)
    print("Deleted: clients that use it are refused from now on.")
    return 0


def _new_password(ask: bool) -> str:
    """A password that was made, or that the person at the keyboard typed twice.

    Raises:
        CommandError: If the two differ.
    """
    if not ask:
        return passwords.generate()
    password = getpass.getpass("New password: ")
    if getpass.getpass("The same again: ") != password:
        raise CommandError("The two passwords differ. Nothing was changed; try again.")
    return password


def _tell_password(news: str, password: str, asked: bool) -> None:
    print(news)
    if not asked:
        print(f"Password, shown this once: {password}")
