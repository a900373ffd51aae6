"""A stranger's Markdown as HTML that looks right and does nothing.

Real cards are full of HTML (centred pictures, tables, videos), so HTML is let through and cleaned, twice: first so that
`rewriting` sees well-formed HTML without scripts, and once more at the end, so that nothing which happens in between
has to be trusted. What stays has no style, script, frame or form, and loads nothing from elsewhere.
"""

import re

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.footnote import footnote_plugin

from rl_hub.web.pages.markdown_rules import add_heading_ids, add_task_lists
from rl_hub.web.pages.nesting import nest
from rl_hub.web.pages.rewriting import ALIGNMENTS, ID_PREFIX, ResolveLink, rewrite

MAX_CHARACTERS = 64 * 1024
"""Longer texts are not rendered: the worst that fits into this many characters takes two seconds."""

_LENGTH = re.compile(r"[1-9][0-9]{0,3}%?")
_SCHEMES = {"http", "https", "mailto"}

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_ALIGNED = _HEADINGS | {"p", "div", "img", "td", "th", "tr", "table", "figure"}
_TAGS = {
    *_ALIGNED,
    *("blockquote", "pre", "hr", "br", "figcaption", "details", "summary", "section", "center"),
    *("ul", "ol", "li", "dl", "dt", "dd", "caption", "thead", "tbody", "tfoot"),
    *("a", "abbr", "b", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "samp", "small"),
    *("span", "strike", "strong", "sub", "sup", "u", "var", "wbr"),
    *("video", "audio", "source", "input"),
}
_DROPPED_WITH_CONTENT = {
    *("script", "style", "svg", "math", "iframe", "object", "embed", "noscript", "template", "title", "textarea"),
    *("select", "button"),
}
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "video": {"src", "width", "height"},
    "audio": {"src"},
    "source": {"src"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "details": {"open"},
    "input": {"type", "checked"},
}
_CLASSES = {
    **{tag: {f"align-{side}" for side in ALIGNMENTS} for tag in _ALIGNED},
    "ul": {"contains-task-list"},
    "section": {"footnotes"},
    "a": {"elsewhere", "footnote-backref"},
    "span": {"elsewhere"},
}

_PARSER = (
    MarkdownIt("commonmark", {"html": True})
    .enable(["table", "strikethrough"])
    .use(add_heading_ids)
    .use(footnote_plugin)
    .use(add_task_lists)
)
# Well-formed, no script; still with the attributes that become classes.
_FIRST = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes=_ATTRIBUTES | {tag: {"align", "style", *_ATTRIBUTES.get(tag, ())} for tag in _ALIGNED},
    filter_style_properties={"text-align"},
    allowed_classes=_CLASSES,
    url_schemes=_SCHEMES,
    link_rel=None,
)


def _check_attribute(_tag: str, name: str, value: str) -> str | None:
    if name in {"width", "height", "colspan", "rowspan"}:
        return value if _LENGTH.fullmatch(value) else None
    if name == "src":
        return value if value.startswith("/") and not value.startswith(("//", "/\\")) else None
    return value


_LAST = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED_WITH_CONTENT,
    attributes=_ATTRIBUTES | {"input": {"checked"}},
    attribute_filter=_check_attribute,
    allowed_classes={**_CLASSES, "div": {*_CLASSES["div"], "scroll"}},
    # The check boxes of a task list, which cannot be changed.
    set_tag_attribute_values={
        "input": {"type": "checkbox", "disabled": ""},
        "img": {"loading": "lazy"},
        "video": {"controls": "", "preload": "metadata"},
        "audio": {"controls": "", "preload": "none"},
    },
    url_schemes=_SCHEMES,
    link_rel="noopener noreferrer nofollow",
    id_prefix=ID_PREFIX,
)


def render(text: str, resolve_link: ResolveLink) -> Markup:
    """Renders Markdown, with the HTML in it that is harmless.

    Args:
        text: CommonMark with tables, strikethrough, footnotes and task lists; at most `MAX_CHARACTERS`.
        resolve_link: Says where a relative address leads.

    Returns:
        HTML. Headings are one level lower than written, because the page has a title of its own; ids start with
        `card-`; pictures and videos from other servers are links.
    """
    html = _FIRST.clean(nest(_PARSER.render(text), _TAGS, _DROPPED_WITH_CONTENT))
    return Markup(_LAST.clean(rewrite(html, resolve_link)))  # noqa: S704  cleaned
