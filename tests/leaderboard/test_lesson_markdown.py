import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rl_leaderboard
from rl_leaderboard.lessons.formulas import render_formula
from rl_leaderboard.lessons.markdown import Heading, render_lesson
from rl_leaderboard.lessons.quiz_text import render_inline
from rl_units import lessons
from rl_units.course import load_course

UNITS = [unit for unit in load_course().units if (unit.folder / "lesson.md").exists()]
CODE_CSS = Path(rl_leaderboard.__file__).parent / "web/pages/static/code.css"


class Elements(HTMLParser):
    """All start tags of a page, and whether every element is closed."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in {"img", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in {"img", "br", "hr"}:
            assert self.open.pop() == tag

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def rendered(text):
    return render_lesson(
        text, picture_address=lambda path: f"/pictures/{path}", link_address=lambda path: f"/to/{path}"
    )


def test_the_first_heading_is_the_title_and_the_others_are_listed():
    lesson = rendered("# Deep *Q* `x`\n\nWords.\n\n## What $Q$ is\n\n### Twice\n\n## Twice\n")

    assert lesson.title == "Deep Q x"
    assert lesson.headings == (
        Heading(2, "what--is", "What Q is"),
        Heading(3, "twice", "Twice"),
        Heading(2, "twice-1", "Twice"),
    )
    assert "<h1" not in lesson.html
    assert '<h2 id="twice-1">Twice</h2>' in lesson.html


def test_a_lesson_that_does_not_begin_with_a_heading_has_no_title():
    assert rendered("Words.\n\n# Later").title == ""


def test_html_is_shown_as_text():
    lesson = rendered("<script>alert(1)</script>\n\n<b>a</b> <img src=x onerror=alert(1)> [a](javascript:alert(1))")

    assert not Elements(lesson.html).of("script")
    assert not Elements(lesson.html).of("img")
    assert not Elements(lesson.html).of("a")
    assert "&lt;script&gt;" in lesson.html


def test_formulas_become_mathml_without_a_script():
    html = rendered("Keep $Q(s, a)$:\n\n$$y = r + \\gamma \\max_{a'} Q(s', a')$$\n").html

    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mi>Q</mi>' in html
    assert 'role="group" aria-label="Formula 1"><math' in html
    assert "<mi>\N{GREEK SMALL LETTER GAMMA}</mi>" in html


def test_prices_are_no_formulas():
    assert rendered("From $5 to $6.").html == "<p>From $5 to $6.</p>\n"


@pytest.mark.parametrize(
    "latex",
    [
        r"\left(",
        "a_",
        r"\frac{1",
        r"\nosuch{x}",
        r"\begin{cases}",
        "}",
        "{" * 3000,
        r"\begin{aligned}a&=b\end{aligned}",
    ],
    ids=lambda latex: latex[:12],
)
def test_a_broken_formula_is_shown_as_code(latex):
    shown = render_formula(latex)

    assert shown.startswith('<code class="broken-formula">')
    assert shown.striptags() == latex


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{color:red}{x}",
        r"\class{chart}{x}",
        r"\colorbox{red}{x}",
        r'\text{" onload="x}',
    ],
)
def test_a_formula_brings_no_html_style_or_link(latex):
    elements = Elements(render_formula(latex))

    assert not elements.open
    assert {tag for tag, _ in elements.found} <= {"math", "mrow", "mi", "mo", "mtext", "mpadded", "code"}
    assert not {name for _, attributes in elements.found for name in attributes} & {
        "style",
        "href",
        "onload",
        "mathbackground",
    }


@given(st.text(st.characters(codec="utf-8"), max_size=60) | st.text(r"\{}[]()^_&$'<>abfrac left12", max_size=60))
def test_any_formula_is_well_formed(latex):
    assert not Elements(render_formula(latex)).open


def test_columns_of_cases_are_aligned_by_a_class():
    formula = render_formula(r"\begin{cases} 1 & x < 1 \\ 2 & \text{otherwise} \end{cases}", block=True)

    assert Elements(formula).of("mtd") == [{"class": "align-left"}] * 4


def test_code_is_coloured_by_classes():
    html = rendered('```python\ndef f():\n    return "<b>"  # why\n```\n').html

    assert html.startswith('<pre class="highlight" tabindex="0"><code><span class="k">def</span>')
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


@pytest.mark.parametrize("info", ["", "nosuchlanguage", "python title=x"])
def test_code_of_any_language_keeps_its_text(info):
    html = rendered(f"```{info}\n\n  a < b\n```\n").html

    assert re.sub("<[^>]+>", "", html) == "\n  a &lt; b\n\n"


def test_tables_can_be_scrolled_with_the_keyboard_and_have_names_of_their_own():
    table = "| a | b |\n|:--|--:|\n| 1 | 2 |\n\n"
    elements = Elements(rendered(f"# T\n\n{table}## Set & met\n\n{table}{table}").html)

    assert elements.of("div") == [
        {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": f"Table: {name}"}
        for name in ("T", "Set & met", "Set & met (2)")
    ]
    assert elements.of("th")[:2] == [{"scope": "col", "class": "align-left"}, {"scope": "col", "class": "align-right"}]


def test_pictures_get_their_address_and_are_loaded_when_they_come_into_view():
    elements = Elements(rendered("![Two **bombs**](pictures/a%20b.png)").html)

    assert elements.of("img") == [{"src": "/pictures/pictures/a b.png", "alt": "Two bombs", "loading": "lazy"}]


def test_links_to_files_get_an_address_and_others_stay():
    elements = Elements(rendered("[a](../unit1/lesson.md#end) [b](#here) [c](https://example.org/x) [d](dqn.yml)").html)

    assert [link["href"] for link in elements.of("a")] == [
        "/to/../unit1/lesson.md#end",
        "#here",
        "https://example.org/x",
        "/to/dqn.yml",
    ]
    assert [link.get("rel") for link in elements.of("a")] == [None, None, "noopener noreferrer", None]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.id)
def test_every_lesson_of_the_course_comes_out_whole(unit):
    text = lessons.render_lesson(unit)
    lesson = rendered(text)
    elements = Elements(lesson.html)

    assert lesson.title
    assert not elements.open
    assert "broken-formula" not in lesson.html
    assert "$" not in lesson.html
    assert not any("style" in attributes for _, attributes in elements.found)
    assert len(elements.of("math")) >= text.count("$$") // 2
    assert [picture["src"] for picture in elements.of("img")] == [
        f"/pictures/{path}" for path in re.findall(r"\]\((pictures/.+?)\)", text)
    ]
    assert all(picture["alt"] for picture in elements.of("img"))
    identifiers = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert identifiers == [heading.id for heading in lesson.headings]
    assert len(set(identifiers)) == len(identifiers)
    labels = [attributes["aria-label"] for _, attributes in elements.found if "aria-label" in attributes]
    assert len(set(labels)) == len(labels)
    assert all(later.level <= earlier.level + 1 for earlier, later in pairwise(lesson.headings))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.id)
def test_every_quiz_of_the_course_comes_out_whole(unit):
    texts = [
        text
        for question in lessons.load_quiz(unit).questions
        for text in (question.text, *(t for choice in question.choices for t in (choice.text, choice.explanation)))
    ]

    for text in texts:
        html = render_inline(text)
        assert not Elements(html).open
        assert "broken-formula" not in html
        assert "$" not in html


def test_texts_of_a_quiz_may_hold_code_emphasis_and_formulas_and_nothing_else():
    html = render_inline("*Set* `a < b`\nto $(1 - d)$ <b>x</b> [a](https://example.org) ![p](p.png)\n# no")

    assert html.startswith("<em>Set</em> <code>a &lt; b</code> to <math")
    assert html.endswith("&lt;b&gt;x&lt;/b&gt; [a](https://example.org) ![p](p.png) # no")


def luminance(colour):
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_code_can_be_read_in_both_colour_schemes():
    schemes = [
        dict(re.findall(r"--code-(\w+): (#\w{6});", scheme)) for scheme in CODE_CSS.read_text("utf-8").split("@media")
    ]

    assert len(schemes) == 2
    for scheme in schemes:
        ground = luminance(scheme.pop("ground"))
        contrasts = {
            name: (max(ground, luminance(colour)) + 0.05) / (min(ground, luminance(colour)) + 0.05)
            for name, colour in scheme.items()
        }
        assert len(contrasts) == 9
        assert min(contrasts.values()) >= 4.5, contrasts
