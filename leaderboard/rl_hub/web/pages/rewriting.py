"""Cleaned HTML of a card made to fit the page: addresses, headings, alignment, and pictures of other servers.

Nothing here is relied on for safety: what comes out is cleaned again.
"""

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from urllib.parse import quote, unquote, urlsplit

ResolveLink = Callable[[str, bool], str | None]
"""From a relative path in the text, and whether it is shown in place (a picture) or followed (a link), to an address
on this Hub; None if it leads nowhere."""

ID_PREFIX = "card-"
ALIGNMENTS = ("left", "center", "right")

_VOID = {"br", "hr", "img", "wbr", "source", "input"}
_EXTERNAL = {"http", "https", "mailto"}
_LOADED = {"img": "image", "video": "video", "audio": "audio", "source": "video"}
# What a browser's URL parser takes out before it reads an address (WHATWG URL, section 4.4).
_IGNORED = dict.fromkeys(map(ord, "\t\n\r"))
_STRIPPED = "".join(map(chr, range(0x21)))

Attributes = dict[str, str]


def rewrite(html: str, resolve_link: ResolveLink) -> str:
    """Returns well-formed HTML with every address resolved and every heading one level lower."""
    rewriter = _Rewriter(resolve_link)
    rewriter.feed(html)
    rewriter.close()
    return "".join(rewriter.parts)


class _Rewriter(HTMLParser):
    """Copies what it reads, element by element."""

    def __init__(self, resolve_link: ResolveLink) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._resolve_link = resolve_link
        self._links: list[bool] = []  # of each open <a>: whether it has an address
        self._skipped: str | None = None  # the media element whose content is left out
        self._after_media: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if self._skipped or (tag == "input" and attributes.get("type") != "checkbox"):
            return
        if tag in _LOADED:
            self._open_media(tag, attributes)
            return
        if tag == "a":
            self._open_link(attributes)
            return
        if tag == "center":
            tag, attributes["align"] = "div", "center"
        if tag == "table":
            self.parts.append('<div class="scroll">')
        self._emit(_lower(tag), _with_alignment(attributes))

    def handle_endtag(self, tag: str) -> None:
        if self._skipped:
            self._skipped = None if tag == self._skipped else self._skipped
            return
        if tag == "a" and self._links:
            self._links.pop()
        self.parts.append(f"</{'div' if tag == 'center' else _lower(tag)}>")
        if tag == "table":
            self.parts.append("</div>")
        if tag in _LOADED:
            self.parts += self._after_media
            self._after_media.clear()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.parts.append(escape(data))

    def _emit(self, tag: str, attributes: Attributes) -> None:
        written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
        self.parts.append(f"<{tag}{written}>")

    def _open_link(self, attributes: Attributes) -> None:
        address = self._address(attributes.pop("href", ""), loaded=False)
        if address:
            attributes["href"] = address
        self._links.append(bool(address))
        self._emit("a", attributes)

    def _open_media(self, tag: str, attributes: Attributes) -> None:
        target = attributes.get("src", "")
        if not target and tag in {"video", "audio"}:  # its <source> elements follow
            self._emit(tag, attributes)
            return
        address = self._address(target, loaded=True)
        if address and address.startswith("/"):
            self._emit(tag, _with_alignment({**attributes, "src": address}))
            return
        note = self._note(tag, address, attributes.get("alt", ""))
        if tag == "source":
            self._after_media.append(note)
            return
        self.parts.append(note)
        if tag not in _VOID:
            self._skipped = tag

    def _note(self, tag: str, address: str | None, description: str) -> str:
        """Words in the place of a picture or video that is not shown: a link, unless it stands in one."""
        kind = _LOADED[tag]
        if address is None:
            return f'<span class="elsewhere">{escape(description or f"{kind} that is not here")}</span>'
        label = escape(f"{description or kind} ({kind} on {urlsplit(address).hostname})")
        if any(self._links):
            return f'<span class="elsewhere">{label}</span>'
        return f'<a class="elsewhere" href="{escape(address)}">{label}</a>'

    def _address(self, target: str, *, loaded: bool) -> str | None:
        """Where a reference leads: an address on this Hub starts with `/` or `#`, another with its scheme."""
        target = target.strip(_STRIPPED).translate(_IGNORED)
        if target.startswith("#"):
            name = target[1:]
            return "#" + (name if name.startswith(ID_PREFIX) else ID_PREFIX + name)
        target = target.replace("\\", "/")
        try:
            parts = urlsplit("https:" + target if target.startswith("//") else target)
        except ValueError:  # brackets in a host
            return None
        if parts.scheme:
            usable = parts.scheme in _EXTERNAL and (parts.hostname or not loaded)
            return parts.geturl() if usable else None
        address = self._resolve_link(unquote(parts.path), loaded) if parts.path else None
        fragment = f"#{quote(unquote(parts.fragment))}" if parts.fragment and not loaded else ""
        return address and address + fragment


def _lower(tag: str) -> str:
    """One level down, for a heading."""
    if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
        return f"h{min(int(tag[1]) + 1, 6)}"
    return tag


def _with_alignment(attributes: Attributes) -> Attributes:
    """A class instead of the attributes by which HTML and Markdown's tables align."""
    written = attributes.pop("style", "").removeprefix("text-align:").strip() or attributes.pop("align", "").lower()
    attributes.pop("align", None)
    if written in ALIGNMENTS:
        attributes["class"] = f"align-{written}"
    return attributes
