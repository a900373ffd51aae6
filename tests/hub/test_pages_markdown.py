"""Cards of strangers: what looks right, and what must not get through."""

import re
import sys
from html.parser import HTMLParser
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_cards import HOSTILE
from rl_hub.web.pages.addresses import Addresses
from rl_hub.web.pages.markdown import render

AT = Addresses().repository("model", "ada/agent")

# Nothing of these may be an element or an attribute of a page.
_ELEMENTS = {
    *(
        "script",
        "style",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "form",
        "meta",
        "base",
        "link",
        "button",
        "select",
    ),
    *("textarea", "template", "noscript", "title", "frame", "frameset", "applet", "marquee", "html", "body", "head"),
}
_ATTRIBUTES = {"style", "srcset", "srcdoc", "action", "formaction", "autoplay", "poster", "target", "ping", "name"}


def shown(text):
    return str(render(text, lambda path, loaded: AT.resolve_link("main", path, loaded=loaded)))


class Elements(HTMLParser):
    """What a page consists of."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def dangers(html):
    """What a browser would run, load from elsewhere, or send."""
    for tag, attributes in Elements(html).found:
        if tag in _ELEMENTS:
            yield tag
        for name, value in attributes.items():
            if name in _ATTRIBUTES or name.startswith("on"):
                yield f"{tag} {name}"
            if name == "src" and not re.match(r"/ada/agent/resolve/main/[^/\\]", value):
                yield f"{tag} {name}={value}"
            if name == "href" and not re.match(r"(https?://|mailto:|#card-|/ada/agent(/|$))", value):
                yield f"{tag} {name}={value}"
            if name == "id" and not value.startswith("card-"):
                yield f"{tag} {name}={value}"
        if tag == "input" and (attributes["type"], "disabled" in attributes) != ("checkbox", True):
            yield "input"


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_survives(text):
    assert list(dangers(shown(text))) == []


@given(st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=5).map("".join))
def test_nothing_hostile_survives_in_each_others_company(text):
    assert list(dangers(shown(text))) == []


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_renders(text):
    assert list(dangers(shown(text))) == []


@given(st.text(alphabet="<>&\"'/=!-[]()#*_`\\ \n\tabhrefsocjvitp:xm1", max_size=400))
def test_any_markup_renders(text):
    assert list(dangers(shown(text))) == []


def test_hundreds_of_open_elements_are_no_burden():
    assert list(dangers(shown("<b><i><div>" * 2000))) == []


def test_a_centred_picture_with_a_heading_keeps_its_looks():
    html = shown('<div align="center"><img src="plot.png" width="300"><h1>Agent</h1></div>')
    assert '<div class="align-center"><img src="/ada/agent/resolve/main/plot.png" width="300"' in html
    assert "<h2>Agent</h2>" in html


def test_the_old_element_for_centring_is_understood():
    assert shown("<center>x</center>") == '<div class="align-center">x</div>'


def test_a_table_keeps_its_alignment_and_can_be_scrolled():
    html = shown("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert html.startswith('<div class="scroll"><table>')
    assert '<th class="align-center">a</th>' in html
    assert '<td class="align-right">2</td>' in html


def test_headings_are_a_level_below_the_pages_own():
    assert re.findall(r"<(h\d)", shown("# a\n\n## b\n\n###### c")) == ["h2", "h3", "h6"]


def test_a_link_to_a_heading_arrives():
    html = shown("# The score\n\n[there](#the-score)")
    assert 'id="card-the-score"' in html
    assert 'href="#card-the-score"' in html


def test_a_link_that_names_the_heading_by_its_full_id_arrives():
    assert 'href="#card-x"' in shown("[there](#card-x)")


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("train.py", "/ada/agent/blob/main/train.py"),
        ("./docs/a.md#part-2", "/ada/agent/blob/main/docs/a.md#part-2"),
        ("docs/", "/ada/agent/tree/main/docs"),
        ("/docs/a.md", "/ada/agent/blob/main/docs/a.md"),
        ("a%20b.md", "/ada/agent/blob/main/a%20b.md"),
        ("a%3Fb%23c", "/ada/agent/blob/main/a%3Fb%23c"),
        (".", "/ada/agent"),
        ("https://example.org/?a=1#b", "https://example.org/?a=1#b"),
        ("mailto:ada@example.org", "mailto:ada@example.org"),
        ("//example.org/x", "https://example.org/x"),
    ],
)
def test_links_lead_where_their_author_meant(target, address):
    (_, attributes), *_ = [each for each in Elements(shown(f"[x]({target})")).found if each[0] == "a"]
    assert attributes["href"] == address


@pytest.mark.parametrize("target", ["../../x", "?only=query", "ftp://example.org/x"])
def test_links_that_lead_nowhere_are_text(target):
    html = shown(f'<a href="{target}">x</a>')
    assert "href" not in html
    assert ">x</a>" in html


def test_links_elsewhere_tell_nothing_about_this_hub():
    assert 'rel="noopener noreferrer nofollow"' in shown("<https://example.org>")


def test_a_picture_of_another_server_is_a_link_and_not_loaded():
    html = shown("![my curve](https://img.example.org/a.png)")
    assert '<a class="elsewhere" href="https://img.example.org/a.png"' in html
    assert "my curve (image on img.example.org)" in html


def test_a_badge_inside_a_link_becomes_the_links_text():
    html = shown("[![Open in Colab](https://img.example.org/b.svg)](https://example.org)")
    assert html.count("<a ") == 1
    assert "Open in Colab (image on img.example.org)" in html


def test_a_badge_inside_an_anchor_without_an_address_is_still_a_link():
    assert '<a class="elsewhere"' in shown('<a id="x"><img src="https://example.org/b.svg"></a>')


def test_a_picture_that_is_not_there_leaves_its_description():
    assert '<span class="elsewhere">a plot</span>' in shown("![a plot](../../plot.png)")


def test_a_video_of_the_repository_gets_controls():
    html = shown('<video src="replay.mp4" autoplay loop></video>')
    attributes = dict(Elements(html).found)["video"]
    assert attributes == {"src": "/ada/agent/resolve/main/replay.mp4", "controls": "", "preload": "metadata"}


def test_a_video_with_its_sources_inside_keeps_those_of_the_repository():
    html = shown('<video><source src="a.mp4"><source src="https://example.org/b.mp4"></video> after')
    assert '<source src="/ada/agent/resolve/main/a.mp4">' in html
    assert '</video><a class="elsewhere" href="https://example.org/b.mp4"' in html


def test_a_video_of_another_server_is_one_link():
    html = shown('<video src="https://example.org/b.mp4">no <b>video</b></video> after')
    assert "<video" not in html
    assert "no " not in html
    assert "after" in html


def test_task_lists_show_what_is_done():
    boxes = [attributes for tag, attributes in Elements(shown("- [x] done\n- [ ] not yet")).found if tag == "input"]
    assert ["checked" in box for box in boxes] == [True, False]


def test_a_list_in_a_list_has_its_own_boxes():
    html = shown("- a\n  - [ ] b\n- c")
    assert html.count("contains-task-list") == 1
    assert html.startswith("<ul>\n<li>a")
    assert re.search(r"<input[^>]*> b</li>", html)


@pytest.mark.parametrize("text", ["[ ] no list", "- [y] no box", "- [x](train.py) a link", "- a [ ] b", "- [ ]"])
def test_what_only_looks_like_a_task_stays(text):
    assert "<input" not in shown(text)


def test_headings_with_the_same_words_have_ids_of_their_own():
    html = shown("# a\n\n# a-1\n\n# a\n\n## a\n\n# Über `x` **y**!")
    assert re.findall(r'id="card-([^"]*)"', html) == ["a", "a-1", "a-2", "a-3", "über-x-y"]


# Each of these once took work that grew with the square of the text, or more.
SLOW = [
    *("a\n=\n", "# a\n", "- [ ] a\n", "<ol><li>", "<table><tr><td>", "<p><b id={}>x</p>", "<b id={}>\n\nx\n\n", "<a>"),
    *("<div><!--", "<div></script ", "<div '", "<table>x<b id={}><tr>x", "<h3><b><div><h1><h2>", "- [x] a\n  "),
]


def lines_run(text):
    """How many lines of Python are run to show a text."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    def show():
        sys.settrace(trace)
        shown(text)

    # In a thread of its own: tracing belongs to a thread, and that of the tests may be traced already.
    thread = Thread(target=show)
    thread.start()
    thread.join()
    return count


@pytest.mark.parametrize("piece", SLOW)
def test_four_times_the_text_is_four_times_the_work(piece):
    few, many = ("".join(piece.format(number) for number in range(count)) for count in (200, 800))
    assert lines_run(many) < 5 * lines_run(few)


@pytest.mark.parametrize("piece", SLOW)
def test_no_text_becomes_much_longer_when_it_is_shown(piece):
    text = "".join(piece.format(number) for number in range(1000))
    assert len(shown(text)) < 100 * len(text)


def test_inputs_of_other_kinds_are_dropped():
    assert "<input" not in shown('<input type="text" value="x">')


def test_footnotes_lead_there_and_back():
    html = shown("x[^1]\n\n[^1]: note")
    assert 'href="#card-fn1"' in html
    assert 'id="card-fn1"' in html


def test_odd_sizes_of_pictures_are_dropped():
    assert "width" not in shown('<img src="a.png" width="99999999">')
