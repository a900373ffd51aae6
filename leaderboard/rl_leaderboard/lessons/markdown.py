"""A lesson's Markdown as HTML.

Lessons are files of the course, so they are trusted to be kind, yet HTML in them is shown as text: a lesson that needs
it would look different in the notebook and on the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from rl_hub.web.pages.markdown_rules import add_heading_ids
from rl_leaderboard.lessons.formulas import dollar_formulas
from rl_leaderboard.lessons.highlighting import highlighted_code

_WORDS = {"text", "code_inline", "math_inline"}


@dataclass(frozen=True)
class Heading:
    """A heading below the title.

    Attributes:
        level: 2 to 6.
        id: Its anchor.
        text: Its words, without formatting.
    """

    level: int
    id: str
    text: str


@dataclass(frozen=True)
class Lesson:
    """A lesson ready for its page.

    Attributes:
        title: The words of the first heading, if that is what the text begins with; otherwise empty.
        html: Everything after the title.
        headings: Headings in order, for a list of contents.
    """

    title: str
    html: Markup
    headings: tuple[Heading, ...]


def render_lesson(text: str, *, picture_address: Callable[[str], str], link_address: Callable[[str], str]) -> Lesson:
    """Renders a lesson.

    Args:
        text: CommonMark with tables, formulas between dollar signs and fenced code.
        picture_address: From a picture's path, as the lesson names it, to an address that the page may load.
        link_address: From the path of another file, as the lesson names it, to an address. Addresses of other
            sites and places in the lesson itself stay as they are.
    """
    tokens = _PARSER.parse(text)
    title = ""
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title, tokens = _words(tokens[1]), tokens[3:]
    for token in tokens:
        for child in token.children or ():
            _resolve(child, picture_address, link_address)
    headings = tuple(
        Heading(int(opening.tag[1]), str(opening.attrGet("id")), _words(inline))
        for opening, inline in pairwise(tokens)
        if opening.type == "heading_open"
    )
    _name_tables(tokens, title)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return Lesson(title, Markup(html), headings)  # noqa: S704  without HTML, the parser escapes all text


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in _WORDS)


def _resolve(token: Token, picture_address: Callable[[str], str], link_address: Callable[[str], str]) -> None:
    if token.type == "image":
        token.attrSet("src", picture_address(unquote(str(token.attrGet("src")))))
        token.attrSet("loading", "lazy")
    elif token.type == "link_open":
        parts = urlsplit(str(token.attrGet("href")))
        if parts.scheme or parts.netloc:
            token.attrSet("rel", "noopener noreferrer")
        elif parts.path:
            fragment = f"#{parts.fragment}" if parts.fragment else ""
            token.attrSet("href", link_address(unquote(parts.path)) + fragment)


def _name_tables(tokens: Sequence[Token], title: str) -> None:
    """Gives every table a name of its own, after the heading above it: it is a region that can be scrolled."""
    section, taken = title, set[str]()
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            section = _words(following)
        elif token.type == "table_open":
            label, number = f"Table: {section}" if section else "Table", 1
            name = label
            while name in taken:
                number += 1
                name = f"{label} ({number})"
            taken.add(name)
            token.meta["label"] = name


def _open_table(
    _renderer: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    label = escape(tokens[index].meta["label"])
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">\n<table>\n'


def _close_table(
    _renderer: RendererProtocol, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return "</table>\n</div>\n"


def _head_columns(parser: MarkdownIt) -> None:
    parser.core.ruler.push("head_columns", lambda state: _mark_columns(state.tokens))


def _mark_columns(tokens: Sequence[Token]) -> None:
    """Says that heads stand for columns, and aligns by classes: the page allows no styles."""
    for token in tokens:
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.type in {"th_open", "td_open"} and (style := token.attrs.pop("style", None)):
            token.attrSet("class", f"align-{str(style).removeprefix('text-align:').strip()}")


def _make_parser() -> MarkdownIt:
    parser = (
        MarkdownIt("commonmark", {"html": False})
        .enable(["table", "strikethrough"])
        .use(add_heading_ids)
        .use(dollar_formulas)
        .use(highlighted_code)
        .use(_head_columns)
    )
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    return parser


_PARSER = _make_parser()
