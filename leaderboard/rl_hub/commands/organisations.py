"""`python -m rl_hub org`: organisations, such as a class, and who is in them."""

import argparse
from typing import cast

from sqlalchemy import Connection

from rl_hub.accounts import organisations, users
from rl_hub.accounts.identity import Membership
from rl_hub.accounts.organisations import Organisation
from rl_hub.commands.opening import opened
from rl_hub.commands.subparsers import Subparsers
from rl_hub.commands.tables import show
from rl_hub.errors import CommandError
from rl_hub.settings import Settings

_MEMBER_HELP = "a user, as alice or alice:write (roles: admin, write, read; default: read)"


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `org`."""
    org = subparsers.add_parser("org", help="add, list and delete organisations; their members")
    actions = org.add_subparsers(metavar="action", required=True)

    add = actions.add_parser("add", help="add an organisation, such as a class")
    add.add_argument("name")
    add.add_argument("--full-name", default="", help="shown beside the name")
    add.add_argument("--member", action="append", default=[], dest="members", metavar="NAME[:ROLE]", help=_MEMBER_HELP)
    add.set_defaults(run=add_organisation)

    actions.add_parser("list", help="list all organisations").set_defaults(run=list_organisations)

    delete = actions.add_parser("delete", help="delete an organisation that owns no repository")
    delete.add_argument("name")
    delete.set_defaults(run=delete_organisation)

    member = actions.add_parser("member", help="add, list and remove members")
    _add_member_parsers(member.add_subparsers(metavar="action", required=True))


def _add_member_parsers(actions: Subparsers) -> None:
    add = actions.add_parser("add", help="add members, or give them another role")
    add.add_argument("name", help="the organisation")
    add.add_argument("members", nargs="+", metavar="NAME[:ROLE]", help=_MEMBER_HELP)
    add.set_defaults(run=add_members)

    listing = actions.add_parser("list", help="list the members")
    listing.add_argument("name", help="the organisation")
    listing.set_defaults(run=list_members)

    remove = actions.add_parser("remove", help="remove members; they keep their accounts")
    remove.add_argument("name", help="the organisation")
    remove.add_argument("members", nargs="+", metavar="NAME")
    remove.set_defaults(run=remove_members)


def add_organisation(settings: Settings, options: argparse.Namespace) -> int:
    """Adds an organisation."""
    with opened(settings) as hub, hub.database.write() as connection:
        organisation = organisations.create(connection, options.name, full_name=options.full_name)
        _add_members(connection, organisation, options.members)
        total = organisations.count_members(connection, organisation.id)
    print(f"Added {organisation.name}; it has {_members(total)}.")
    return 0


def list_organisations(settings: Settings, _options: argparse.Namespace) -> int:
    """Lists all organisations."""
    with opened(settings) as hub, hub.database.read() as connection:
        rows = [
            (
                organisation.name,
                organisation.full_name,
                str(organisations.count_members(connection, organisation.id)),
                f"{organisation.created_at:%Y-%m-%d}",
            )
            for organisation in organisations.list_organisations(connection)
        ]
    show(("name", "full name", "members", "since"), rows)
    return 0


def delete_organisation(settings: Settings, options: argparse.Namespace) -> int:
    """Deletes an organisation."""
    with opened(settings) as hub, hub.database.write() as connection:
        organisation = organisations.get(connection, options.name)
        organisations.remove(connection, organisation)
    print(f"Deleted {organisation.name}.")
    return 0


def add_members(settings: Settings, options: argparse.Namespace) -> int:
    """Adds members, all or none."""
    with opened(settings) as hub, hub.database.write() as connection:
        organisation = organisations.get(connection, options.name)
        _add_members(connection, organisation, options.members)
        total = organisations.count_members(connection, organisation.id)
    print(f"{organisation.name} has {_members(total)}.")
    return 0


def list_members(settings: Settings, options: argparse.Namespace) -> int:
    """Lists the members."""
    with opened(settings) as hub, hub.database.read() as connection:
        found = organisations.members(connection, organisations.get(connection, options.name).id)
    show(("name", "full name", "role"), [(member.name, member.full_name, member.role) for member in found])
    return 0


def remove_members(settings: Settings, options: argparse.Namespace) -> int:
    """Removes members, all or none.

    Raises:
        CommandError: If one of them is no member.
    """
    with opened(settings) as hub, hub.database.write() as connection:
        organisation = organisations.get(connection, options.name)
        for name in options.members:
            if not organisations.remove_member(connection, organisation.id, users.get(connection, name).id):
                raise CommandError(f"{name} is not in {organisation.name}. Nothing was changed.")
        total = organisations.count_members(connection, organisation.id)
    print(f"{organisation.name} has {_members(total)}.")
    return 0


def _add_members(connection: Connection, organisation: Organisation, members: list[str]) -> None:
    for text in members:
        name, _, role = text.partition(":")
        user = users.get(connection, name)
        organisations.add_member(connection, organisation.id, user.id, cast(Membership, role or "read"))


def _members(number: int) -> str:
    return f"{number} member{'' if number == 1 else 's'}"
