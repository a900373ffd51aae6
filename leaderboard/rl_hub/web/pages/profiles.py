"""The page of a user or an organisation."""

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.accounts import organisations, users
from rl_hub.accounts.identity import Identity
from rl_hub.errors import NotFound
from rl_hub.repositories import search
from rl_hub.web.call import Call
from rl_hub.web.pages.rows import read_rows
from rl_hub.web.pages.site import addresses_of, show
from rl_hub.web.routing import page

_SHOWN = 20
_MAX_MEMBERS = 500


def profile(call: Call) -> Response:
    """A person's page, or an organisation's: its repositories, and who belongs to it, for those who belong as well.

    Raises:
        NotFound: If there is no account of this name.
    """
    who = call.identity
    # No name has what a database may refuse, such as a NUL in PostgreSQL.
    name = call.params["account"] if call.params["account"].isprintable() else ""
    with call.hub.database.read() as connection:
        organisation = organisations.find(connection, name)
        user = None if organisation else users.find(connection, name)
        account = organisation or user
        if account is None:
            raise NotFound("There is no user and no organisation of this name on this Hub.")
        members = []
        if organisation and _belongs(who, organisation.name):
            members = organisations.members(connection, organisation.id, limit=_MAX_MEMBERS)
        places = [
            place
            for place in (organisations.places_of(connection, user.id) if user else [])
            if _belongs(who, account.name) or _belongs(who, place.organisation.name)
        ]
        pages = {
            kind: search.find(connection, who, search.Query(kind, _SHOWN, author=account.name))
            for kind in ("model", "dataset", "space")
        }
    addresses = addresses_of(call)
    return show(
        call,
        "account.html",
        account=account,
        is_organisation=organisation is not None,
        members=members,
        places=places,
        lists={kind: read_rows(addresses, found.rows) for kind, found in pages.items()},
        more={kind: addresses.listing(kind, author=account.name) for kind, found in pages.items() if found.cursor},
        is_mine=who.user_id is not None and user is not None and user.id == who.user_id,
    )


def _belongs(identity: Identity, account_name: str) -> bool:
    """Whether this is the account itself, one of its members, or an administrator."""
    key = account_name.lower()
    return identity.is_admin or identity.name.lower() == key or key in identity.organisations


ROUTES: list[Route] = [page("/{account:part}", profile)]
