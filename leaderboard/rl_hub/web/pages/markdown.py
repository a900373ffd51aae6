"""A stranger's Markdown as HTML that looks right and does nothing.

Real cards are full of HTML (centred pictures, tables, videos), so HTML is let through and cleaned, twice: first so that
what follows sees well-formed HTML and no script, and once more at the end, so that nothing which happens in between
has to be trusted. What stays has no style, no script, no frame and no form, and loads nothing from elsewhere.
"""

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

MAX_CHARACTERS = 128 * 1024
"""Longer texts are not rendered: the worst that can be written in this many characters takes seconds already."""

ResolveLink = Callable[[str, bool], str | None]
"""From a relative address in the text, and whether it is loaded (a picture) or followed (a link), to an address on
this Hub; None if it leads nowhere."""

_ID_PREFIX = "card-"
_EXTERNAL = {"http", "https", "mailto"}
_ALIGNMENTS = {"left", "center", "right"}
_LENGTH = re.compile(r"[1-9][0-9]{0,3}%?")
_HEADING = re.compile(r"h[1-6]")

_BLOCKS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "blockquote", "pre", "hr", "br", "figure", "figcaption"),
    *("ul", "ol", "li", "dl", "dt", "dd", "details", "summary", "section", "center"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "colgroup", "col"),
}
_INLINES = {
    *("a", "abbr", "b", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "samp", "small"),
    *("span", "strike", "strong", "sub", "sup", "u", "var", "wbr"),
}
_MEDIA = {"img", "video", "audio", "source"}
_TAGS = _BLOCKS | _INLINES | _MEDIA | {"input"}
_VOID = {"br", "hr", "img", "wbr", "col", "source", "input"}
_DROPPED_WITH_CONTENT = {
    *("script", "style", "svg", "math", "iframe", "object", "embed", "noscript", "template", "title", "textarea"),
    *("select", "button"),
}
_COMMON = {
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
    "input": {"checked"},
}
_ALIGNED = {"p", "div", "img", "td", "th", "tr", "table", "figure", "h1", "h2", "h3", "h4", "h5", "h6"}
_CLASSES = {
    **dict.fromkeys(_ALIGNED, {"align-left", "align-center", "align-right"}),
    "ul": {"contains-task-list"},
    "section": {"footnotes"},
    "span": {"missing"},
}


def _checkbox(cleaner_classes: dict[str, set[str]]) -> dict[str, object]:
    return {
        "tags": _TAGS,
        "clean_content_tags": _DROPPED_WITH_CONTENT,
        "url_schemes": _EXTERNAL,
        # A check box of a task list: whatever else somebody calls an input becomes one, and none can be changed.
        "set_tag_attribute_values": {"input": {"type": "checkbox", "disabled": ""}},
        "allowed_classes": cleaner_classes,
    }


def _first_attributes() -> dict[str, set[str]]:
    names = {tag: set(attributes) for tag, attributes in _COMMON.items()}
    for tag in _ALIGNED:
        names.setdefault(tag, set()).update({"align", "style"})
    return names
