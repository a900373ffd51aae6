"""Code with its colours, as classes that `code.css` knows."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

_FORMATTER = HtmlFormatter(nowrap=True)


def highlighted_code(parser: MarkdownIt) -> None:
    """Shows fenced and indented code with colours."""
    parser.add_render_rule("fence", _show)
    parser.add_render_rule("code_block", _show)


def render_code(code: str, language: str) -> Markup:
    """Code as HTML.

    Args:
        code: The code.
        language: A name that Pygments knows, such as `python`; anything else is shown without colours.
    """
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    coloured = Markup(highlight(code, lexer, _FORMATTER))  # noqa: S704  Pygments escapes what it reads
    return Markup('<pre class="highlight" tabindex="0"><code>{}</code></pre>\n').format(coloured)


def _show(
    _renderer: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    token = tokens[index]
    language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    return render_code(token.content, language)
