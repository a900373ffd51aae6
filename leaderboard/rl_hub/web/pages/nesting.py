"""A stranger's HTML made well-nested, before an HTML5 parser sees it.

The parser repairs wrong nesting as browsers do, and some repairs take time or room that grows with the square of the
text: elements in elements without end, and `<b>`s left open that come back in every paragraph. Here every element ends
inside the one it began in, and none is deeper than `DEEPEST`, so that nothing is left to repair. What comes out is not
safe yet: it is cleaned afterwards.
"""

import re
from collections.abc import Collection
from itertools import islice

DEEPEST = 64
"""Elements inside one another; tags below are left out, their text stays."""

_MOST_ATTRIBUTES = 20
_VOID = {"br", "hr", "img", "wbr", "source", "input"}
# A comment (an open one swallows the rest, as in a browser), a declaration, or a tag. No part of the pattern looks
# beyond the next `<`, so that all of them together read the text once.
_TOKEN = re.compile(
    r"<!--(?:.*?-->|.*)|<[!?][^<>]*+>"
    r"|<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*+)(?P<attributes>(?:[\s/](?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s\"'=/]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=]+)))?")

_CELLS = {"td", "th", "caption"}
_ROWS = {"thead", "tbody", "tfoot"}
_TABLE_ONLY = {"table", "tr", *_ROWS}  # these hold parts of a table and nothing else
_PARENTS = {
    **{name: {"table"} for name in (*_ROWS, "caption")},
    "tr": {"table", *_ROWS},
    "td": {"tr"},
    "th": {"tr"},
}
_BLOCKS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "table", "figure", "figcaption", "blockquote", "pre", "hr"),
    *("details", "summary", "section", "center", "ul", "ol", "li", "dl", "dt", "dd"),
}
# Elements that a start tag ends, and how far up they are looked for (WHATWG HTML, section 13.2.6.4.7).
_ENDED = {
    "li": ({"li"}, {"ul", "ol", "table"}),
    "dt": ({"dt", "dd"}, {"dl", "table"}),
    "dd": ({"dt", "dd"}, {"dl", "table"}),
    "a": ({"a"}, _CELLS),
}


def nest(html: str, tags: Collection[str], dropped: Collection[str]) -> str:
    """Makes HTML well-nested.

    Args:
        html: Anything.
        tags: Elements that may stay; of others only the content stays.
        dropped: Elements that go with their content.
    """
    nesting = _Nesting(tags)
    position = 0
    while token := _TOKEN.search(html, position):
        nesting.add_text(html[position : token.start()])
        position = token.end()
        name = (token["name"] or "").lower()
        if name in dropped:
            position = position if token["end"] else _after(html, position, name)
        elif token["end"]:
            nesting.end(name)
        elif name:
            nesting.begin(name, token["attributes"])
    nesting.add_text(html[position:])
    nesting.end_all(0)
    return "".join(nesting.parts)


def _after(html: str, position: int, name: str) -> int:
    """Where an element ends that goes with its content: at its end tag, or never."""
    end = re.compile(rf"</{name}(?:\s[^<>]*+)?>", re.IGNORECASE).search(html, position)
    return end.end() if end else len(html)


class _Nesting:
    """Writes elements and remembers which are open."""

    def __init__(self, tags: Collection[str]) -> None:
        self.parts: list[str] = []
        self._tags = tags
        self._open: list[str] = []

    def add_text(self, text: str) -> None:
        """Text, with character references as they are."""
        self.parts.append(text.replace("<", "&lt;"))

    def begin(self, name: str, attributes: str) -> None:
        """A start tag, if an element may begin here."""
        if name not in self._tags or not self._make_place(name):
            return
        if name not in _VOID:
            if len(self._open) >= DEEPEST:
                return
            self._open.append(name)
        self.parts.append(f"<{name}{_written(attributes)}>")

    def end(self, name: str) -> None:
        """An end tag, if the element is open."""
        bounds = {"table"} if name in _PARENTS else set() if name == "table" else _CELLS
        index = self._find({name}, bounds)
        if index is not None:
            self.end_all(index)

    def end_all(self, index: int) -> None:
        """Ends what is open, down to the element of this index."""
        while len(self._open) > index:
            self.parts.append(f"</{self._open.pop()}>")

    def _make_place(self, name: str) -> bool:
        """Ends what a start tag ends; False if there is no place for it."""
        if name in _PARENTS:
            parent = self._find(_PARENTS[name], {"table"} - _PARENTS[name])
            if parent is None:
                return False
            self.end_all(parent + 1)
            return True
        if self._open and self._open[-1] in _TABLE_ONLY:
            return False
        if name in _BLOCKS:
            self._end_nearest({"p"}, _CELLS)
        if name in _ENDED:
            self._end_nearest(*_ENDED[name])
        return True

    def _end_nearest(self, names: Collection[str], bounds: Collection[str]) -> None:
        index = self._find(names, bounds)
        if index is not None:
            self.end_all(index)

    def _find(self, names: Collection[str], bounds: Collection[str]) -> int | None:
        """The innermost open element of these names, unless a bound is further in."""
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index] in names:
                return index
            if self._open[index] in bounds:
                return None
        return None


def _written(attributes: str) -> str:
    found = islice(_ATTRIBUTE.finditer(attributes), _MOST_ATTRIBUTES)
    values = ((match[1], match[2] or match[3] or match[4] or "") for match in found)
    return "".join(f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in values)
