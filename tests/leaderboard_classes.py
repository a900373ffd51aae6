"""Classes with people in them, for tests."""

from leaderboard_people import Someone
from rl_leaderboard.classes import invitations, members, records
from rl_leaderboard.classes.records import ClassRecord


def make_class(classroom, teacher: Someone, *students: Someone, name="Autumn") -> ClassRecord:
    """A class of this teacher, with these students."""
    with classroom.write() as connection:
        record = records.create(connection, name, teacher.person)
        for student in students:
            members.join(connection, record.id, student.person.id, "student")
    return record


def invite(classroom, record, *, role="student", days=7) -> str:
    """The code of a new invitation."""
    with classroom.write() as connection:
        return invitations.create(connection, record.id, role=role, days=days).code


def roles_in(classroom, record) -> dict[str, str]:
    """Who is in a class as what."""
    with classroom.read() as connection:
        return {member.person.name: member.role for member in members.list_of_class(connection, record.id)}
