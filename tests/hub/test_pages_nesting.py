"""HTML of strangers made well-nested."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile_cards import HOSTILE
from rl_hub.web.pages.nesting import DEEPEST, nest

VOID = {"br", "img"}
TAGS = {
    *("a", "b", "i", "p", "div", "h1", "ul", "ol", "li", "dl", "dt", "dd", "blockquote"),
    *("table", "thead", "tbody", "tr", "td", "th", "caption", *VOID),
}
PIECES = [*(f"<{tag}>" for tag in sorted(TAGS)), *(f"</{tag}>" for tag in sorted(TAGS)), "x", "<b id=1>", "<", "<!--"]


def nested(html):
    return nest(html, TAGS, {"script", "svg"})


class Nesting(HTMLParser):
    """Fails on an element that does not end inside the one it began in."""

    def __init__(self, html):
        super().__init__()
        self.open, self.deepest = [], 0
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
            self.deepest = max(self.deepest, len(self.open))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@given(st.lists(st.sampled_from([*PIECES, *HOSTILE]), max_size=60).map("".join))
def test_every_element_ends_inside_the_one_it_began_in(html):
    assert Nesting(nested(html)).deepest <= DEEPEST


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_what_is_well_nested_stays(html):
    once = nested(html)
    assert nested(once) == once


@pytest.mark.parametrize(
    ("html", "result"),
    [
        ("a < b & c > d &lt; &amp;", "a &lt; b & c > d &lt; &amp;"),
        ("<b>x", "<b>x</b>"),
        ("x</b>", "x"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<p><b>a<div>b</div></p>", "<p><b>a</b></p><div>b</div>"),
        ("<ul><li>a<li>b<ul><li>c</ul>d</ul>", "<ul><li>a</li><li>b<ul><li>c</li></ul>d</li></ul>"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>"),
        ("<a>x<a>y", "<a>x</a><a>y</a>"),
        (
            "<table><caption>a<thead><tr><th>b<tbody><tr><td>c<td>d</table>e",
            "<table><caption>a</caption><thead><tr><th>b</th></tr></thead>"
            "<tbody><tr><td>c</td><td>d</td></tr></tbody></table>e",
        ),
        ("<table><b><tr><td><b>x</table>", "<table><tr><td><b>x</b></td></tr></table>"),
        ("<td>x</td><tr>y", "xy"),
        ("<div><table><tr><td></div>x", "<div><table><tr><td>x</td></tr></table></div>"),
        ("<table><tr><td><table><td>x", "<table><tr><td><table>x</table></td></tr></table>"),
        ("<BR/>a<br />", "<br>a<br>"),
        ("<x-y>a<form>b</form>", "&lt;x-y>ab"),
        ("a<!-- <b> -->b<!DOCTYPE x><?php ?>c<!-- d", "abc"),
        ("a<script>b<b>c</SCRIPT >d</script><svg>e", "ad"),
        ('<a href=\'x"y\' title="a>b" id=c hidden>', '<a href="x&quot;y" title="a>b" id="c" hidden=""></a>'),
    ],
)
def test_it_reads_as_its_author_meant(html, result):
    assert nested(html) == result


def test_what_is_too_deep_is_text():
    html = nested("<div>" * 1000 + "x")
    assert html == "<div>" * DEEPEST + "x" + "</div>" * DEEPEST


def test_an_element_has_so_many_attributes_and_no_more():
    assert nested("<b " + "x=1 " * 1000 + ">").count("x=") < 100


def test_open_elements_do_not_come_back_in_every_paragraph():
    opened = "<p>" + "".join(f"<b id={number}>" for number in range(500))
    assert nested(opened + "</p><p>x" * 500).count("<b") <= DEEPEST
