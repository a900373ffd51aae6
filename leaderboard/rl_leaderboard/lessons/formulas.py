"""LaTeX as MathML, which browsers draw and read aloud without a script."""

from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
# MathML Core, as far as LaTeX leads to it. Colours and links are left out: the page has its own.
_ELEMENTS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "ms", "mstyle", "mpadded", "mphantom"),
    *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts"),
    *("mtable", "mtr", "mtd", "none", "mprescripts"),
}
_ATTRIBUTES = {
    *("xmlns", "display", "displaystyle", "scriptlevel", "mathvariant", "mathsize"),
    *("stretchy", "fence", "form", "separator", "movablelimits", "largeop", "symmetric", "accent", "accentunder"),
    *("minsize", "maxsize", "lspace", "rspace", "width", "height", "depth", "voffset", "linethickness"),
}
_CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}

_PRIMES = {"&#x02032;", "&#x02033;", "&#x02034;", "&#x02057;"}


def dollar_formulas(parser: MarkdownIt) -> None:
    """Makes `$…$` and, on lines of its own, `$$…$$` formulas; `$5 and $6` stays text."""
    parser.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, allow_blank_lines=False)
    parser.add_render_rule("math_inline", _show_inline)
    parser.add_render_rule("math_block", _show_block)


@lru_cache(maxsize=4096)
def render_formula(latex: str, *, block: bool = False) -> Markup:
    """A formula as MathML, or as code if it cannot be read.

    Args:
        latex: The formula without its dollar signs.
        block: Whether it stands on a line of its own.
    """
    root = _convert(latex, "block" if block else "inline")
    if root is None or not all(_is_sound(element) for element in root.iter()):
        return Markup('<code class="broken-formula">{}</code>').format(latex)
    for element in root.iter():
        _tidy(element)
    return Markup(tostring(root, encoding="unicode", short_empty_elements=False))  # noqa: S704  written, so escaped


def _convert(latex: str, display: str) -> Element | None:
    try:
        return convert_to_element(latex, display=display)
    except Exception:  # a dozen unrelated classes, IndexError and RecursionError among them
        return None


def _is_sound(element: Element) -> bool:
    """Whether the converter has understood this part; where it has not, it does not always say so."""
    text = element.text or ""  # symbols are still references here, so a bare & or brace is a leftover
    is_leftover = text in {"&", "{", "}"} or (element.tag == "mi" and text.startswith("\\"))
    has_parts = len(element) == _CHILDREN.get(element.tag, len(element)) and (element.tag != "mo" or text)
    return bool(element.tag in _ELEMENTS and has_parts and not is_leftover)


def _tidy(element: Element) -> None:
    """Keeps the attributes of MathML Core, and turns alignment into a class: the page allows no styles."""
    element.text = unescape(element.text or "")  # the converter writes symbols as references
    aligned = element.get("columnalign", "")
    for name in set(element.attrib) - _ATTRIBUTES:
        del element.attrib[name]
    if aligned in {"left", "right"}:
        element.set("class", f"align-{aligned}")
    if element.tag == "msup" and element[1].text in _PRIMES:
        # A prime is raised in every font already; as a superscript it becomes too small to be seen.
        element.tag, element[1].tag = "mrow", "mo"
        element[1].attrib |= {"lspace": "0", "rspace": "0"}


def _show_inline(
    _renderer: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return render_formula(tokens[index].content.strip())


def _show_block(
    _renderer: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, env: EnvType
) -> str:
    env["formulas"] = number = env.get("formulas", 0) + 1
    formula = render_formula(tokens[index].content.strip(), block=True)
    # A long formula scrolls by itself on a narrow screen, with the keyboard, too.
    return Markup('<div class="scroll formula" tabindex="0" role="group" aria-label="Formula {}">{}</div>\n').format(
        number, formula
    )
