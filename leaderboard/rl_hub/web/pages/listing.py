"""Lists of models, datasets and spaces, with search and tags."""

from starlette.responses import Response
from starlette.routing import Route

from rl_hub.errors import BadRequest
from rl_hub.repositories import search
from rl_hub.web.call import Call
from rl_hub.web.pages.rows import count_tags, read_rows
from rl_hub.web.pages.site import addresses_of, show
from rl_hub.web.routing import page

_PAGE = 30
_MAX_WORDS, _MAX_TAGS, _MAX_LENGTH = 10, 10, 200
_SUGGESTED = 12
_SORTS = {"": "Recently changed", "created": "Newest", "oldest": "Oldest"}


def list_repositories(call: Call) -> Response:
    """A page of a list.

    Raises:
        BadRequest: If something is asked for that no repository can have.
    """
    words, author, sort = _text(call, "search"), _text(call, "author"), _text(call, "sort")
    tags = tuple(dict.fromkeys(tag for tag in call.query.getlist("filter") if tag))[:_MAX_TAGS]
    if any("\0" in tag for tag in tags):
        raise BadRequest("No tag has such a character in it.")
    query = search.Query(
        call.kind,
        _PAGE,
        tags=tags,
        author=author or None,
        words=words.split()[:_MAX_WORDS],
        oldest_first=sort == "oldest",
        by_creation=sort in ("created", "oldest"),
        cursor=_text(call, "cursor") or None,
    )
    with call.hub.database.read() as connection:
        found = search.find(connection, call.identity, query)
    addresses = addresses_of(call)

    def address(filters: tuple[str, ...] = tags, cursor: str | None = None) -> str:
        return addresses.listing(call.kind, filters, search=words, author=author, sort=sort, cursor=cursor)

    return show(
        call,
        "listing.html",
        section=call.kind,
        kind=call.kind,
        rows=read_rows(addresses, found.rows),
        search=words,
        words=query.words,
        author=author,
        sort=sort,
        sorts=_SORTS,
        tags=tags,
        without={tag: address(tuple(other for other in tags if other != tag)) for tag in tags},
        suggested={tag: address((*tags, tag)) for tag in count_tags(found.rows, tags, _SUGGESTED)},
        everybody=addresses.listing(call.kind, tags, search=words, sort=sort),
        first=address() if query.cursor else None,
        next=address(cursor=found.cursor) if found.cursor else None,
    )


def _text(call: Call, name: str) -> str:
    """A parameter of the query as short text."""
    text = " ".join(call.query.get(name, "").split())
    if len(text) > _MAX_LENGTH or "\0" in text:
        raise BadRequest(f"What stands behind {name} in the address is too long, or no text.")
    return text


ROUTES: list[Route] = [page("/{kind:kind}", list_repositories)]
