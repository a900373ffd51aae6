"""A certificate as a sheet of paper: PDF, and the same as a picture.

reportlab and pypdfium2 are imported where they are used, so that a web process which draws no certificate does not
pay for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal

from rl_leaderboard.certificates.fonts import Face, bold_face, regular_face
from rl_leaderboard.certificates.mark import draw_mark
from rl_leaderboard.rules.certification import COMPLETION_PERCENT

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

# Landscape A4. All lengths are points, all heights are counted from the lower edge.
_WIDTH, _HEIGHT = 841.89, 595.28
_MARGIN = 64.0
_INNER = _WIDTH - 2 * _MARGIN
_QR = 82.0
_FOOT = 58.0
_COLUMN_GAP = 36.0
_ROW = 19.0
_MARK = 130.0
_ROWS_IN_COLUMN = 6
# Characters; the QR code of a longer address has cells too small for a camera, and takes long to draw.
_LONGEST_ADDRESS = 512

# The colours of the pages.
_INK, _SOFT, _LINE, _ACCENT, _ACCENT_INK = "#1b1f23", "#5a626c", "#e2e2dc", "#0f766e", "#0b655e"
_FIELD, _WAY, _GOLD = "#f2f2ee", "#d3e9e5", "#c9971c"

_PIXELS_PER_POINT = 200 / 72
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_PDFIUM = Lock()  # PDFium must not be called from two threads at once


@dataclass(frozen=True)
class CertificateText:
    """What stands on a certificate.

    Attributes:
        name: Of the student, as they write it; see `fonts.unprintable`.
        course: The course's title.
        level: What was earned.
        issued_on: When.
        code: Names this certificate, for people to type.
        verify_address: The page that confirms it.
        assignments: Title and score of every passed assignment; more than twelve are counted, not listed.
    """

    name: str
    course: str
    level: Literal["completion", "excellence"]
    issued_on: date
    code: str
    verify_address: str
    assignments: tuple[tuple[str, str], ...] = ()


def draw_pdf(certificate: CertificateText, font: Path | None = None) -> bytes:
    """The certificate as PDF, one landscape page of A4; the same text gives the same bytes.

    Args:
        certificate: What stands on it.
        font: The operator's TrueType font, or None for DejaVu Sans.

    Raises:
        ValueError: If the font cannot be read, or the address is too long for a QR code.
    """
    from reportlab.pdfgen.canvas import Canvas

    if len(certificate.verify_address) > _LONGEST_ADDRESS:
        raise ValueError(f"The address on a certificate has {_LONGEST_ADDRESS} characters at most.")
    written = BytesIO()
    canvas = Canvas(written, pagesize=(_WIDTH, _HEIGHT), invariant=1, lang="en", pageCompression=1)
    canvas.setTitle(f"{_title(certificate)}: {certificate.name}")
    canvas.setSubject(certificate.course)
    canvas.setAuthor("RL Classroom")
    canvas.setCreator("RL Classroom")
    sheet = _Sheet(canvas, regular_face(font), bold_face())
    _draw_ground(sheet, certificate)
    _draw_award(sheet, certificate)
    _draw_proof(sheet, certificate)
    canvas.save()
    return written.getvalue()


def draw_png(certificate: CertificateText, font: Path | None = None) -> bytes:
    """The certificate as a picture of 200 dots an inch.

    Args:
        certificate: What stands on it.
        font: The operator's TrueType font, or None for DejaVu Sans.

    Raises:
        ValueError: If the font cannot be read, or the address is too long for a QR code.
    """
    from pypdfium2 import PdfDocument  # type: ignore[import-untyped]  # publishes no types

    pdf = draw_pdf(certificate, font)
    with _PDFIUM, PdfDocument(pdf) as document:
        picture = document[0].render(scale=_PIXELS_PER_POINT).to_pil()
    written = BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


@dataclass(frozen=True)
class _Sheet:
    """The page, and how text gets onto it."""

    canvas: "Canvas"
    regular: Face
    bold: Face

    def write(
        self, text: str, x: float, y: float, size: float, colour: str, face: Face | None = None, width: float = _INNER
    ) -> float:
        """Writes a line from its left end, smaller if it is long; returns its width."""
        face = face or self.regular
        drawn, size = face.fit(face.arrange(text), width, size, min(size, 8))
        self.canvas.setFillColor(colour)
        self.canvas.setFont(face.name, size)
        self.canvas.drawString(x, y, drawn)
        return face.width(drawn, size)

    def write_left_of(self, text: str, x: float, y: float, size: float, colour: str, face: Face | None = None) -> None:
        """Writes a line that ends at x."""
        face = face or self.regular
        self.write(text, x - face.width(face.arrange(text), size), y, size, colour, face)

    def rule(self, x: float, y: float, width: float) -> None:
        """Draws a hairline."""
        self.canvas.setStrokeColor(_LINE)
        self.canvas.setLineWidth(0.75)
        self.canvas.line(x, y, x + width, y)


def _draw_ground(sheet: _Sheet, certificate: CertificateText) -> None:
    """The frame, the large mark and the name of the place."""
    canvas = sheet.canvas
    canvas.setStrokeColor(_LINE)
    canvas.setLineWidth(1)
    canvas.roundRect(24, 24, _WIDTH - 48, _HEIGHT - 48, 12)
    goal = _GOLD if certificate.level == "excellence" else _ACCENT
    draw_mark(canvas, _WIDTH - _MARGIN - _MARK, _HEIGHT - _MARGIN - _MARK, _MARK, field=_FIELD, way=_WAY, goal=goal)
    top = _HEIGHT - _MARGIN - 22
    draw_mark(canvas, _MARGIN, top, 22, field="#c9ccce", way=_ACCENT, goal=_ACCENT)
    sheet.write("RL Classroom", _MARGIN + 32, top + 6, 13, _INK, sheet.bold)


def _draw_award(sheet: _Sheet, certificate: CertificateText) -> None:
    """Who has earned what, and for which assignments."""
    columns = _columns(certificate.assignments)
    rows = max((len(column) for column in columns), default=0)
    y = 441 - (_ROWS_IN_COLUMN - rows) * _ROW * 0.35  # few rows: the text moves towards the middle
    sheet.write(_title(certificate), _MARGIN, y, 29, _INK, sheet.bold, _INNER - _MARK - 24)
    sheet.write("awarded to", _MARGIN, y - 29, 12, _SOFT)
    sheet.write(certificate.name, _MARGIN, y - 76, 38, _ACCENT_INK)
    share = "every" if certificate.level == "excellence" else f"at least {COMPLETION_PERCENT} % of all"
    plural = "" if certificate.level == "excellence" else "s"
    sheet.write(f"who has passed {share} required assignment{plural} of the course", _MARGIN, y - 108, 12, _SOFT)
    sheet.write(certificate.course, _MARGIN, y - 131, 16, _INK, sheet.bold)
    width = (_INNER - _COLUMN_GAP) / 2
    for number, column in enumerate(columns):
        _draw_rows(sheet, column, _MARGIN + number * (width + _COLUMN_GAP), y - 160, width)


def _draw_rows(sheet: _Sheet, rows: Sequence[tuple[str, str]], x: float, top: float, width: float) -> None:
    sheet.write("Assignment", x, top, 8.5, _SOFT)
    sheet.write_left_of("Score", x + width, top, 8.5, _SOFT)
    sheet.rule(x, top - 6, width)
    for number, (title, score) in enumerate(rows, start=1):
        y = top - number * _ROW - 1
        sheet.write_left_of(score, x + width, y, 10.5, _INK)
        room = width - sheet.regular.width(sheet.regular.arrange(score), 10.5) - 16
        sheet.write(title, x, y, 10.5, _INK, width=room)
        sheet.rule(x, y - 6, width)


def _draw_proof(sheet: _Sheet, certificate: CertificateText) -> None:
    """How anybody can check it, and when it was issued."""
    from reportlab.graphics import renderPDF
    from reportlab.graphics.barcode.qr import QrCodeWidget
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib.colors import HexColor

    code = QrCodeWidget(
        certificate.verify_address, barWidth=_QR, barHeight=_QR, barBorder=0, barLevel="M", barFillColor=HexColor(_INK)
    )
    renderPDF.draw(Drawing(_QR, _QR, code), sheet.canvas, _MARGIN, _FOOT)
    x, top = _MARGIN + _QR + 18, _FOOT + _QR - 9
    date_width = 130.0
    width = _INNER - _QR - 18 - date_width
    sheet.write("Check this certificate at", x, top, 9.5, _SOFT)
    y = _draw_address(sheet, certificate.verify_address, x, top - 17, width)
    after = x + sheet.write("Code ", x, y - 21, 9.5, _SOFT)
    sheet.write(certificate.code, after + 4, y - 21, 11, _INK, sheet.bold, width - 60)
    sheet.write_left_of("Issued on", _WIDTH - _MARGIN, _FOOT + 17, 9.5, _SOFT)
    sheet.write_left_of(_day(certificate.issued_on), _WIDTH - _MARGIN, _FOOT, 12, _INK, sheet.bold)


def _draw_address(sheet: _Sheet, address: str, x: float, y: float, width: float) -> float:
    """Writes an address in full, on several lines if need be; returns the height of the last."""
    size = max(8.0, min(11.0, 11.0 * width / sheet.regular.width(address, 11.0)))
    lines = [""]
    for character in address:
        if sheet.regular.width(lines[-1] + character, size) > width + 0.01:
            lines.append("")
        lines[-1] += character
    for number, line in enumerate(lines):
        line_y = y - number * size * 1.3
        drawn = sheet.write(line, x, line_y, size, _ACCENT_INK, width=width + 1)
        sheet.canvas.linkURL(address, (x, line_y - 3, x + drawn, line_y + size), thickness=0)
    return y - (len(lines) - 1) * size * 1.3


def _columns(assignments: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
    """The rows of each column."""
    room = 2 * _ROWS_IN_COLUMN
    if len(assignments) > room:
        rest = len(assignments) - room + 1
        assignments = [*assignments[: room - 1], (f"and {rest} more", "")]
    height = _ROWS_IN_COLUMN if len(assignments) > _ROWS_IN_COLUMN else len(assignments)
    return [assignments[start : start + height] for start in range(0, len(assignments), max(height, 1))]


def _title(certificate: CertificateText) -> str:
    return f"Certificate of {certificate.level}"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"  # strftime would follow the server's language
