"""What the API answers of the course's units and quizzes, and how a quiz is answered."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from rl_leaderboard.web.api.board_models import AssignmentAnswer
from rl_leaderboard.web.api.models import Answer
from rl_leaderboard.web.pages.quiz_sheets import Outcome

_Name = Annotated[str, Field(max_length=100)]
_Text = Annotated[str, Field(max_length=4096)]
_Choices = Annotated[list[_Text], Field(min_length=1, max_length=50)]


class UnitAnswer(Answer):
    """A unit of the course."""

    id: str
    number: int
    title: str
    assignments: list[AssignmentAnswer]
    url: str


class ChoiceAnswer(Answer):
    """An answer that a question offers."""

    text: str = Field(description="Markdown on one line; what an answer to the quiz names it by.")
    is_picked: bool = Field(description="Whether you chose it last time.")
    is_correct: bool | None = Field(description="Whether it is to be chosen; null as long as that is not told.")
    explanation: str | None = Field(description="Why it is right or wrong; null as long as that is not told.")


class QuestionAnswer(Answer):
    """A question, and how you have answered it last."""

    id: str
    text: str = Field(description="Markdown on one line.")
    has_several: bool = Field(description="Whether more than one choice is right.")
    choices: list[ChoiceAnswer]
    outcome: Outcome = Field(description="partly: everything that was chosen is right, but something is missing.")
    attempts: int
    is_closed: bool = Field(description="Whether it takes no more answers on its page.")


class QuizAnswer(Answer):
    """A quiz."""

    questions: list[QuestionAnswer]


class QuizRequest(BaseModel):
    """Answers to a quiz."""

    model_config = ConfigDict(extra="forbid")
    answers: dict[_Name, _Choices] = Field(
        min_length=1, max_length=100, description="By question, the texts of what is chosen."
    )


class UnitPageAnswer(UnitAnswer):
    """A unit with its lesson and its quiz."""

    lesson: str = Field(description="Markdown; pictures are relative to the unit's folder. Empty if there is none yet.")
    notebook_url: str | None = Field(description="The notebook, to download.")
    colab_url: str | None = Field(description="The notebook, to open in Colab.")
    quiz: QuizAnswer | None


class UnitsAnswer(Answer):
    """All units."""

    items: list[UnitAnswer]
    next: None = None
