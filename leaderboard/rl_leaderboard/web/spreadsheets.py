"""Tables as CSV, for spreadsheets.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and a formula can send the sheet's other
cells elsewhere. Names are their owners' choice, so every text that could be one is marked as a text.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

import anyio
from anyio.to_thread import run_sync
from starlette.responses import Response, StreamingResponse

Value = str | int | float | bool | None

# At the start, and behind what some spreadsheets take for the end of a cell. The last four are wide =, + - and @.
_FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")
_BLOCK_ROWS = 200
# Making long tables keeps a processor busy: they wait for each other here, not in the threads that answer requests.
_MAKING = anyio.CapacityLimiter(2)


def csv_cell(value: Value) -> str:
    """A value as the text of a cell; a text that a spreadsheet would calculate gets an apostrophe in front.

    Args:
        value: Numbers are written as they are, also negative ones; None is an empty cell, a truth yes or no.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return repr(value)
    return _FORMULA.sub("'", value.replace("\0", ""))


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Response:
    """A CSV file to download, sent while it is made.

    Args:
        name: Of the file: ASCII letters, digits, dots, dashes and underscores; other characters become dashes.
        header: The names of the columns.
        rows: Read once, after the route has returned: they must not need a transaction that is over by then.
    """
    safe = "".join(
        character if character.isascii() and (character.isalnum() or character in "._-") else "-" for character in name
    )
    headers = {
        "Content-Disposition": f'attachment; filename="{safe}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie, Authorization",
    }
    return StreamingResponse(_made(_blocks(header, rows)), media_type="text/csv; charset=utf-8", headers=headers)


async def _made(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while block := await run_sync(next, blocks, b"", limiter=_MAKING):
        yield block


def _blocks(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    # The mark lets Excel read UTF-8 as what it is.
    buffer = io.StringIO("\N{ZERO WIDTH NO-BREAK SPACE}")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow([csv_cell(value) for value in header])
    for number, row in enumerate(rows, start=1):
        writer.writerow([csv_cell(value) for value in row])
        if number % _BLOCK_ROWS == 0:
            yield _take(buffer)
    yield _take(buffer)


def _take(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode(errors="replace")
