"""Sizes, times and names as a person reads them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from markupsafe import Markup, escape

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_STEPS = (
    (timedelta(minutes=1), timedelta(seconds=1), "second"),
    (timedelta(hours=1), timedelta(minutes=1), "minute"),
    (timedelta(days=1), timedelta(hours=1), "hour"),
    (timedelta(days=30), timedelta(days=1), "day"),
)
# Not by `strftime`: it is slow, pages have dozens of times, and a server's locale has other words.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_COLOURS = 8


def file_size(size: int) -> str:
    """Bytes in decimal units with three digits, as the Hub's client counts them: 27.1 MB."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.{0 if value >= 99.95 else 1}f} {_UNITS[unit]}"


def date(moment: datetime) -> str:
    """22 Nov 2026."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def age(moment: datetime, now: datetime) -> str:
    """How long ago something happened: "5 minutes ago", after a month the date."""
    passed = now - moment
    if passed < timedelta(seconds=10):
        return "just now"
    for limit, unit, name in _STEPS:
        if passed < limit:
            count = passed // unit
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return date(moment)


def time_element(moment: datetime, now: datetime) -> Markup:
    """A `<time>`: the age to read, the moment itself for machines and on hovering."""
    utc = moment.astimezone(UTC)
    title = f"{date(utc)}, {utc.hour:02}:{utc.minute:02} UTC"
    text = f'<time datetime="{utc.isoformat(timespec="seconds")}" title="{title}">{age(moment, now)}</time>'
    return Markup(text)  # noqa: S704  made of numbers


def visible(text: str) -> str:
    """Text with nothing hidden in it: control, direction and other invisible characters as escapes, tabs as they are.

    A name like `exe.pm4` with a right-to-left mark in it reads as another one, and so does source code
    (CVE-2021-42574).
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\t" else character.encode("unicode_escape").decode()
        for character in text
    )


@lru_cache(maxsize=4096)
def avatar(name: str) -> Markup:
    """A picture for a name: a little grid world, the same for the same name in any case."""
    digest = sha256(name.lower().encode(errors="replace")).digest()
    squares = "".join(
        f"M{column} {row}h1v1h-1z"
        for row in range(5)
        for column in range(5)
        if digest[row] >> min(column, 4 - column) & 1  # mirrored, so that it looks like somebody
    )
    return Markup(
        '<svg class="avatar colour-{}" viewBox="-1 -1 7 7" shape-rendering="crispEdges" aria-hidden="true">'
        '<path d="{}"/></svg>'
    ).format(digest[5] % _COLOURS, squares)


def highlighted(text: str, words: Sequence[str]) -> Markup:
    """Text in which searched words are marked, in any case."""
    found = "|".join(re.escape(word) for word in words if word)
    if not found:
        return escape(text)
    parts = re.split(f"({found})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )
