"""The short texts of a quiz: code, emphasis and formulas, in one line."""

from markdown_it import MarkdownIt
from markupsafe import Markup

from rl_leaderboard.lessons.formulas import dollar_formulas

_PARSER = MarkdownIt("zero").enable(["backticks", "emphasis", "escape", "entity"]).use(dollar_formulas)


def render_inline(text: str) -> Markup:
    """A question, choice or explanation as HTML without blocks, links and pictures.

    Args:
        text: Markdown; line breaks in it are spaces.
    """
    return Markup(_PARSER.renderInline(" ".join(text.split())))  # noqa: S704  without HTML, the parser escapes all text
