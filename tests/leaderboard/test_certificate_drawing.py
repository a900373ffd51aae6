import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from pypdfium2 import PdfDocument

from rl_leaderboard.certificates.drawing import CertificateText, draw_pdf, draw_png
from rl_leaderboard.certificates.fonts import bold_face, unprintable
from rl_leaderboard.certificates.lettering import arrange

ADDRESS = "https://classroom.example.org/certificates/RLC-7H4K-92QX"
CERTIFICATE = CertificateText(
    name="Ada Lovelace",
    course="Deep Reinforcement Learning",
    level="completion",
    issued_on=date(2026, 3, 2),
    code="RLC-7H4K-92QX",
    verify_address=ADDRESS,
    assignments=(("Space Invaders", "402.5"), ("Lunar Lander", "251.3")),
)
EVERYTHING = range(0x110000)
A4 = (841.89, 595.28)


def text_of(pdf):
    with PdfDocument(pdf) as document:
        return document[0].get_textpage().get_text_range().replace("\r\n", "\n")


def marked_box(certificate):
    """Where something is drawn that is neither white nor the frame, as shares of the width and the height."""
    picture = np.asarray(Image.open(BytesIO(draw_png(certificate))).convert("L"))
    height, width = picture.shape
    rows, columns = np.nonzero(picture[100:-100, 100:-100] < 200)
    return (
        (columns.min() + 100) / width,
        (columns.max() + 100) / width,
        (rows.min() + 100) / height,
        (rows.max() + 100) / height,
    )


def test_a_certificate_is_one_landscape_page_that_says_everything():
    pdf = draw_pdf(CERTIFICATE)

    with PdfDocument(pdf) as document:
        assert len(document) == 1
        assert document[0].get_size() == pytest.approx(A4, abs=0.1)
        assert document.get_metadata_value("Title") == "Certificate of completion: Ada Lovelace"
    text = text_of(pdf)
    for words in (
        "Certificate of completion",
        "Ada Lovelace",
        "at least 80 % of all required assignments",
        "Deep Reinforcement Learning",
        "Space Invaders",
        "402.5",
        ADDRESS,
        "RLC-7H4K-92QX",
        "2 March 2026",
    ):
        assert words in text


def test_excellence_says_that_every_assignment_is_passed():
    text = text_of(draw_pdf(replace(CERTIFICATE, level="excellence")))

    assert "Certificate of excellence" in text
    assert "every required assignment of" in text


def test_the_same_certificate_has_the_same_bytes_and_another_has_others():
    assert draw_pdf(CERTIFICATE) == draw_pdf(CERTIFICATE)
    assert draw_png(CERTIFICATE) == draw_png(CERTIFICATE)
    assert draw_pdf(CERTIFICATE) != draw_pdf(replace(CERTIFICATE, name="Grace Hopper"))


def test_the_picture_shows_the_page_at_a_resolution_for_printing():
    picture = Image.open(BytesIO(draw_png(CERTIFICATE)))

    assert picture.format == "PNG"
    assert picture.width >= A4[0] / 72 * 150
    assert picture.width / picture.height == pytest.approx(A4[0] / A4[1], rel=0.01)


def test_certificates_may_be_drawn_by_several_threads():
    expected = draw_png(CERTIFICATE)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(draw_png, [CERTIFICATE] * 4)) == {expected}


@pytest.mark.parametrize("name", ["W" * 60, "Maria-Magdalena von Habsburg-Lothringen de la Fuente González", "X"])
@pytest.mark.parametrize("count", [0, 7, 40])
def test_long_names_and_any_number_of_assignments_stay_inside_the_margins(name, count):
    rows = tuple(
        (f"Assignment {number} with a title that goes on and on and on and on", "1,234.5") for number in range(count)
    )

    left, right, top, bottom = marked_box(replace(CERTIFICATE, name=name, assignments=rows))

    assert left > 0.07
    assert right < 0.93
    assert top > 0.1
    assert bottom < 0.91


def test_a_long_name_is_whole():
    name = "Maria-Magdalena von Habsburg-Lothringen de la Fuente González"

    assert name in text_of(draw_pdf(replace(CERTIFICATE, name=name)))


def test_more_assignments_than_have_room_are_counted():
    text = text_of(draw_pdf(replace(CERTIFICATE, assignments=tuple((f"Task {number}", "1") for number in range(20)))))

    assert "Task 10" in text
    assert "Task 11" not in text
    assert "and 9 more" in text


def test_without_assignments_there_is_no_empty_table():
    assert "Score" not in text_of(draw_pdf(replace(CERTIFICATE, assignments=())))


def test_a_long_address_is_printed_in_full():
    address = "https://leaderboard." + "aVeryLongName." * 10 + "example.org/certificates/RLC"

    assert address in text_of(draw_pdf(replace(CERTIFICATE, verify_address=address))).replace("\n", "")


def test_an_address_that_no_camera_could_read_is_refused_before_it_is_drawn():
    with pytest.raises(ValueError, match="512 characters"):
        draw_pdf(replace(CERTIFICATE, verify_address="https://classroom.example/" + "x" * 4000))


def test_a_camera_reads_the_address_from_the_picture():
    picture = np.asarray(Image.open(BytesIO(draw_png(CERTIFICATE))).convert("L"))

    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == ADDRESS


@pytest.mark.parametrize("name", ["Zoë Łukasz Ñandú", "Ελένη", "Юлія", "דוד לוי", "محمد علی", "Nguyễn", "O'Neil-Ó"])
def test_names_of_many_alphabets_can_be_printed(name):
    assert unprintable(name, None) == ""


def test_what_the_font_lacks_is_named_once_and_in_order():
    assert unprintable("王 Ada 🦊 王小", None) == "王🦊小"
    assert unprintable("a\u0000b\ud800", None) == "\u0000\ud800"


def test_an_operators_font_is_used_for_names():
    bold = Path(bold_face().name)

    assert draw_pdf(CERTIFICATE, bold) != draw_pdf(CERTIFICATE)
    assert unprintable("王", bold) == "王"


def test_a_font_that_is_none_is_refused_with_its_name(tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")

    with pytest.raises(ValueError, match=r"broken\.ttf cannot be read"):
        unprintable("Ada", broken)
    with pytest.raises(ValueError, match=r"missing\.ttf cannot be read"):
        draw_pdf(CERTIFICATE, tmp_path / "missing.ttf")


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("שלום", "םולש"),
        ("דוד (David) לוי", "יול (David) דוד"),
        ("דוד (ב) 12", "12 (ב) דוד"),
        ("Ada שלום B", "Ada םולש B"),
        ("بيت", "\ufe96\ufef4\ufe91"),
        ("لا", "\ufefb"),
        ("دار", "\ufead\ufe8d\ufea9"),
        ("ب\u200cب", "\ufe8f\ufe8f"),
        ("بَب", "\ufe90\ufe91\u064e"),
    ],
    ids=ascii,
)
def test_letters_from_right_to_left_are_joined_and_put_in_drawing_order(written, drawn):
    assert arrange(written, EVERYTHING) == drawn


def test_a_shape_that_the_font_lacks_stays_a_plain_letter():
    assert arrange("بيت", range(0x700)) == "تيب"


@pytest.mark.parametrize("name", ["\u202eevil", "a\u200bb", "\u200f", "\u2066Ada\u2069"])
def test_marks_of_direction_and_invisible_characters_are_left_out(name):
    assert arrange(name, EVERYTHING).isascii()


def test_a_process_that_draws_nothing_loads_no_drawing_library():
    code = "import sys, json, rl_leaderboard.certificates.drawing; print(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"reportlab", "pypdfium2", "PIL"} & set(json.loads(finished.stdout))
