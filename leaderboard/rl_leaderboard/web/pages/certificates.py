"""Certificates: to earn, to download, and to verify."""

import logging
from functools import lru_cache
from pathlib import Path
from typing import Literal

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from starlette.responses import Response

from rl_leaderboard.boards import standings
from rl_leaderboard.certificates import issuing
from rl_leaderboard.certificates.drawing import CertificateText, draw_pdf, draw_png
from rl_leaderboard.certificates.issuing import Certificate
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, NotFound, Unavailable
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.web.pages.numbers import score
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor, SentForm, base_url
from rl_leaderboard.web.submission_decisions import LONGEST_REASON

Format = Literal["pdf", "png"]
_TYPES: dict[Format, str] = {"pdf": "application/pdf", "png": "image/png"}
_KEPT = 32
# Drawing keeps a processor busy: the others wait here, not in the threads that answer requests.
_DRAWING = anyio.CapacityLimiter(1)
# Names of people, for those who have been given the address.
_NO_INDEX = {"X-Robots-Tag": "noindex"}
_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)


@router.get("/me/certificate")
def my_certificate(request: Request, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """What the visitor has earned, and the form that issues it.

    Raises:
        Unauthorized: If nobody is signed in.
    """
    name = visitor.signed_in().full_name
    return _show_own(request, classroom, visitor, name)


@router.post("/me/certificate")
def issue_certificate(request: Request, classroom: ClassroomOf, form: SentForm, visitor: PageVisitor) -> Response:
    """Issues the certificate that the visitor has earned.

    Raises:
        Unauthorized: If nobody is signed in.
        Conflict: If nothing is earned yet, or a teacher has revoked one.
    """
    person, settings = visitor.writing(), classroom.settings
    typed = form.text("name", longest=1000)
    try:
        name = issuing.checked_name(typed, settings.certificate_font)
    except BadRequest as error:
        return _show_own(request, classroom, visitor, typed, problem=error.message)
    except ValueError as error:
        raise _without_font(error) from error
    with classroom.write() as connection:
        # A teacher who retracts something meanwhile is told of this certificate, or it is not issued.
        standings.hold_all(connection)
        progress = read_progress(connection, classroom.course, person, certify_claims=settings.certify_claims)
        issuing.issue(connection, person, progress, name=name, course=settings.course_name)
    return redirect("/me/certificate")


@router.get("/certificates/{code}.pdf")
async def certificate_pdf(request: Request, classroom: ClassroomOf, code: str) -> Response:
    """A certificate to print.

    Raises:
        NotFound: If there is none with this code, or it is no longer valid.
    """
    return await _download(request, classroom, code, "pdf")


@router.get("/certificates/{code}.png")
async def certificate_png(request: Request, classroom: ClassroomOf, code: str) -> Response:
    """A certificate as a picture.

    Raises:
        NotFound: If there is none with this code, or it is no longer valid.
    """
    return await _download(request, classroom, code, "png")


@router.get("/certificates/{code}")
def verification_page(request: Request, classroom: ClassroomOf, visitor: PageVisitor, code: str) -> Response:
    """Confirms a certificate to whoever has its code.

    Raises:
        NotFound: If there is none.
    """
    with classroom.read() as connection:
        certificate = issuing.find(connection, code)
    response = show(request, visitor, "verify.html", certificate=certificate, longest_reason=LONGEST_REASON)
    response.headers.update(_NO_INDEX)
    return response


def _show_own(request: Request, classroom: Classroom, visitor: Visitor, name: str, problem: str = "") -> Response:
    person, settings = visitor.signed_in(), classroom.settings
    with classroom.read() as connection:
        progress = read_progress(connection, classroom.course, person, certify_claims=settings.certify_claims)
        known = issuing.list_of_person(connection, person.id)
    valid = [certificate for certificate in known if certificate.revoked_at is None]
    if valid and not problem:
        name = valid[0].name
    return show(
        request,
        visitor,
        "certificate.html",
        status=400 if problem else 200,
        section="me",
        progress=progress,
        certificates=valid,
        revoked=next((certificate for certificate in known if certificate.revocation), None),
        name=name,
        longest=issuing.LONGEST_NAME,
        problem=problem,
    )


async def _download(request: Request, classroom: Classroom, code: str, kind: Format) -> Response:
    certificate = await run_sync(_find_valid, classroom, code)
    text = _text(certificate, f"{base_url(request)}/certificates/{certificate.code}")
    try:
        content = await run_sync(_draw, text, classroom.settings.certificate_font, kind, limiter=_DRAWING)
    except ValueError as error:
        raise _without_font(error) from error
    headers = {
        **_NO_INDEX,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="certificate-{certificate.code}.{kind}"',
    }
    return Response(content, media_type=_TYPES[kind], headers=headers)


def _find_valid(classroom: Classroom, code: str) -> Certificate:
    with classroom.read() as connection:
        certificate = issuing.find(connection, code)
    if certificate.revoked_at is not None:
        raise NotFound("This certificate is no longer valid, so there is nothing to download.")
    return certificate


def _text(certificate: Certificate, address: str) -> CertificateText:
    return CertificateText(
        name=certificate.name,
        course=certificate.course,
        level=certificate.level,
        issued_on=certificate.issued_at.date(),
        code=certificate.code,
        verify_address=address,
        assignments=tuple(
            (found.title, f"{score(found.score)}{'' if found.is_verified else ' (claimed)'}")
            for found in certificate.assignments
        ),
    )


@lru_cache(maxsize=_KEPT)
def _draw(text: CertificateText, font: Path | None, kind: Format) -> bytes:
    return draw_pdf(text, font) if kind == "pdf" else draw_png(text, font)


def _without_font(error: ValueError) -> Unavailable:
    _log.error("No certificate can be drawn: %s", error)
    return Unavailable("Certificates cannot be drawn here at the moment. Tell your teacher; the log says why.")
