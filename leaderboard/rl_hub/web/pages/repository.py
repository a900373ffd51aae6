"""The page of a repository: its card, its results, its replay, and how to get it."""

from collections.abc import Sequence

from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from rl_hub import cards
from rl_hub.repositories import history, trees
from rl_hub.repositories.trees import Entry
from rl_hub.settings import MIB
from rl_hub.web.call import Call
from rl_hub.web.pages.contents import read_text
from rl_hub.web.pages.evaluations import read_evaluations
from rl_hub.web.pages.headings import Heading, open_heading, show_in
from rl_hub.web.pages.kept_cards import KeptCards
from rl_hub.web.pages.snippets import Subject, choose_snippets
from rl_hub.web.routing import each_kind, page

_CARD = "README.md"
_REPLAY = "replay.mp4"
# Of README.md with its metadata; what is rendered of it has a bound of its own.
_LARGEST_CARD = MIB
_cards = KeptCards()


def show_repository(call: Call) -> Response:
    """The card's page."""
    with call.hub.database.read() as connection:
        heading = open_heading(connection, call)
        repository = heading.repository
        head = history.get(connection, repository.id, repository.sha)
        top = trees.listing(connection, repository, repository.sha)
    files = {entry.path: entry for entry in top if entry.type == "file"}
    return show_in(
        call,
        heading,
        "card.html",
        tab="card",
        text=_render(call, heading, files.get(_CARD)),
        has_card=_CARD in files,
        has_files=bool(top),
        replay=heading.at.content(repository.sha, _REPLAY) if _REPLAY in files else None,
        evaluations=read_evaluations(heading.card),
        snippets=choose_snippets(_subject(call, heading, tuple(files))),
        head_commit=head,
        facts=_facts(heading),
    )


def _render(call: Call, heading: Heading, card: Entry | None) -> Markup | None:
    """The card's text; None if there is none, or none that can be rendered."""
    # Takes a while to import: not before somebody reads.
    from rl_hub.web.pages import markdown

    text = read_text(call.hub.blobs, card, _LARGEST_CARD) if card else None
    if card is None or text is None:
        return None
    body = cards.body(text)
    if len(body) > markdown.MAX_CHARACTERS:
        return None

    def resolve(path: str, loaded: bool) -> str | None:
        return heading.at.resolve_link("main", path, loaded=loaded)

    return _cards.get((card.sha256, heading.at.home), lambda: markdown.render(body, resolve))


def _subject(call: Call, heading: Heading, files: Sequence[str]) -> Subject:
    repository = heading.repository
    return Subject(
        kind=repository.kind,
        owner=repository.owner_name,
        name=repository.name,
        tags=tuple(heading.tags),
        files=tuple(files),
        git_address=call.base_url + heading.at.path,
        endpoint=call.base_url,
    )


def _facts(heading: Heading) -> dict[str, str]:
    """A few plain entries of the card's metadata."""
    wanted = {"library_name": "Library", "license": "Licence", "pipeline_tag": "Task"}
    values = {label: heading.card.get(name) for name, label in wanted.items()}
    return {label: value for label, value in values.items() if isinstance(value, str)}


ROUTES: list[Route] = each_kind("", page, show_repository)
