"""The caller, their progress, tokens and certificates, for programs."""

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from rl_leaderboard.certificates import issuing
from rl_leaderboard.certificates.issuing import Certificate
from rl_leaderboard.classes import members
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import NotFound
from rl_leaderboard.people import people, tokens
from rl_leaderboard.people.people import Person
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.progress.assessment import AssignmentProgress
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.web.api.models import ERRORS, SIGNED_IN
from rl_leaderboard.web.api.people_models import (
    AssignmentProgressAnswer,
    CertificateAnswer,
    CertificatesAnswer,
    Me,
    Privacy,
    ProgressAnswer,
    QuizProgressAnswer,
    TokenAnswer,
    TokensAnswer,
    UnitProgressAnswer,
)
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, Number, base_url

router = APIRouter(prefix="/api/v1", tags=["people"], responses=ERRORS)


@router.get("/me", dependencies=[SIGNED_IN])
def read_me(visitor: ApiVisitor) -> Me:
    """Whose token this is."""
    return _me(visitor.signed_in(), visitor)


@router.patch("/me", dependencies=[SIGNED_IN])
def change_me(classroom: ClassroomOf, visitor: ApiVisitor, body: Privacy) -> Me:
    """Changes what others see of one."""
    person = visitor.writing()
    pseudonym = person.pseudonym or "" if body.pseudonym is None else body.pseudonym
    is_public = person.is_public if body.is_public is None else body.is_public
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym=pseudonym, is_public=is_public)
        return _me(people.get(connection, person.id), visitor)


@router.get("/me/progress", dependencies=[SIGNED_IN])
def read_own_progress(classroom: ClassroomOf, visitor: ApiVisitor) -> ProgressAnswer:
    """How far one has come."""
    person = visitor.signed_in()
    with classroom.read() as connection:
        return _progress(connection, classroom, person, person.name)


@router.get("/students/{person_id}/progress")
def read_progress_of(person_id: Number, classroom: ClassroomOf, visitor: ApiVisitor) -> ProgressAnswer:
    """How far a student has come, for those who may see it."""
    with classroom.read() as connection:
        person = people.get(connection, person_id)
        classes = members.roles_of(connection, person.id)
        if not visitor.may_see(person, classes):
            # The same as for a person who is not there: nobody learns which.
            raise NotFound("There is no such person.")
        is_own = visitor.person is not None and visitor.person.id == person.id
        is_insider = is_own or any(visitor.teaches(number) for number, role in classes.items() if role == "student")
        return _progress(connection, classroom, person, person.name if is_insider else person.shown_name)


@router.get("/me/tokens", dependencies=[SIGNED_IN])
def list_tokens(classroom: ClassroomOf, visitor: ApiVisitor) -> TokensAnswer:
    """One's access tokens, without the tokens themselves.

    New ones are made on the site, by somebody who is signed in: a token makes no token that outlives it.
    """
    person = visitor.signed_in()
    with classroom.read() as connection:
        found = tokens.list_tokens(connection, person.id)
    return TokensAnswer(items=[TokenAnswer.model_validate(token) for token in found])


@router.delete("/me/tokens/{token_id}", status_code=204, response_class=Response, dependencies=[SIGNED_IN])
def delete_token(token_id: Number, classroom: ClassroomOf, visitor: ApiVisitor) -> None:
    """Deletes one of one's access tokens."""
    person = visitor.writing()
    with classroom.write() as connection:
        tokens.remove(connection, person.id, token_id)


@router.get("/me/certificates", dependencies=[SIGNED_IN])
def list_certificates(request: Request, classroom: ClassroomOf, visitor: ApiVisitor) -> CertificatesAnswer:
    """One's own certificates."""
    person = visitor.signed_in()
    with classroom.read() as connection:
        found = issuing.list_of_person(connection, person.id)
    return CertificatesAnswer(items=[_certificate(one, base_url(request)) for one in found])


@router.get("/certificates/{code}")
def verify_certificate(request: Request, code: str, classroom: ClassroomOf) -> CertificateAnswer:
    """Confirms a certificate to whoever has its code."""
    with classroom.read() as connection:
        return _certificate(issuing.find(connection, code), base_url(request))


def _me(person: Person, visitor: Visitor) -> Me:
    fields = {name: getattr(person, name) for name in Me.model_fields if hasattr(person, name)}
    return Me(**fields, may_write=visitor.may_write)


def _progress(connection: Connection, classroom: Classroom, person: Person, name: str) -> ProgressAnswer:
    found = read_progress(connection, classroom.course, person, certify_claims=classroom.settings.certify_claims)
    units = [
        UnitProgressAnswer(
            unit=unit.unit.id,
            title=unit.unit.title,
            assignments=[_assignment(assignment) for assignment in unit.assignments],
            quiz=None if unit.quiz is None else QuizProgressAnswer.model_validate(unit.quiz),
        )
        for unit in found.units
    ]
    return ProgressAnswer(
        student=name,
        units=units,
        required=found.required,
        passed=found.passed,
        waiting=found.waiting,
        level=found.level,
        next_step=found.next_step,
    )


def _assignment(found: AssignmentProgress) -> AssignmentProgressAnswer:
    return AssignmentProgressAnswer(
        assignment=found.assignment.id,
        title=found.assignment.title,
        threshold=found.assignment.threshold,
        required=found.assignment.required,
        state=found.state,
        verified=found.scores.verified,
        on_board=found.scores.on_board,
        confirmed=found.scores.confirmed,
        claimed=found.scores.claimed,
        points=found.points,
        submissions=found.scores.submissions,
        counted=found.scores.counted_id,
    )


def _certificate(certificate: Certificate, site: str) -> CertificateAnswer:
    fields = {name: getattr(certificate, name) for name in CertificateAnswer.model_fields if hasattr(certificate, name)}
    return CertificateAnswer(**fields, url=f"{site}/certificates/{certificate.code}")
