"""What everybody sees of a board, made ready and kept while the board stays as it is.

A class looks at the same rows, and every submission has everybody's browser ask for them again. Only where they stand
differs from one visitor to the next: their own row is made for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup
from sqlalchemy import Connection

from rl_leaderboard.boards import board, tied
from rl_leaderboard.boards.board import BoardPage
from rl_leaderboard.boards.choices import list_choices
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.rules.ties import Group as Tie
from rl_leaderboard.web.kept import Kept
from rl_leaderboard.web.pages.board_groups import Group, group_rows
from rl_leaderboard.web.pages.site import render
from rl_units.course import Assignment

_MOST_BYTES = 8 * 2**20
_BYTES_OF_A_ROW = 1500  # beside its text
_BYTES_OF_A_CHOICE = 100
_BYTES_OF_A_TIE = 200


@dataclass(frozen=True)
class BoardRows:
    """A page of a board, ready to be shown.

    Attributes:
        page: Its rows.
        groups: The same between the lines that stand among them.
        rendered: Each row by its submission, as everybody sees it but whose row it is.
    """

    page: BoardPage
    groups: Sequence[Group]
    rendered: Mapping[int, Markup]


class KeptBoards:
    """What visitors have looked at.

    Args:
        classroom: Whose boards.
    """

    def __init__(self, classroom: Classroom) -> None:
        self._rows = Kept[BoardRows](classroom, _MOST_BYTES)
        self._choices = Kept[tuple[list[str], list[str]]](classroom, _MOST_BYTES)
        self._ties = Kept[Sequence[Tie]](classroom, _MOST_BYTES)

    def generation(self, assignment_id: str) -> int:
        """How often a board has changed: to be asked before the transaction begins in which it is read."""
        return self._rows.generation(assignment_id)

    def read_rows(
        self, connection: Connection, assignment: Assignment, query: board.Query, generation: int
    ) -> BoardRows:
        """The rows that are looked for.

        Raises:
            BadRequest: If the query asks for what cannot be.
        """
        found = self._rows.find(query)
        if found is None:
            ties = self.read_ties(connection, assignment.id, generation)
            found = _make_rows(connection, assignment, query, ties)
            # Who is in a class changes without a trace on the board.
            if query.class_id is None:
                size = sum(_BYTES_OF_A_ROW + len(text) for text in found.rendered.values())
                self._rows.keep(query, found, size=size, depends_on=assignment.id, generation=generation)
        return found

    def read_choices(self, connection: Connection, assignment_id: str, generation: int) -> tuple[list[str], list[str]]:
        """The algorithms and the libraries on a board."""
        found = self._choices.find(assignment_id)
        if found is None:
            found = list_choices(connection, assignment_id)
            size = _BYTES_OF_A_CHOICE * sum(map(len, found))
            self._choices.keep(assignment_id, found, size=size, depends_on=assignment_id, generation=generation)
        return found

    def read_ties(self, connection: Connection, assignment_id: str, generation: int) -> Sequence[Tie]:
        """The ranks of a board that are not told apart, whatever is looked for."""
        found = self._ties.find(assignment_id)
        if found is None:
            found = tied.read_ties(connection, assignment_id)
            size = _BYTES_OF_A_TIE * (1 + len(found))
            self._ties.keep(assignment_id, found, size=size, depends_on=assignment_id, generation=generation)
        return found


def _make_rows(connection: Connection, assignment: Assignment, query: board.Query, ties: Sequence[Tie]) -> BoardRows:
    page = board.read_page(connection, query)
    page = replace(page, rows=tied.mark(page.rows, ties))
    rendered = {row.submission_id: render("board_row.html", row=row, is_me=False) for row in page.rows}
    return BoardRows(page, group_rows(page.rows, assignment.threshold), rendered)
