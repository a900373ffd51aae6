"""Ids of headings, and task lists: two rules for `markdown-it` whose work grows with the text and no faster."""

import re
from collections import defaultdict

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_NO_SLUG = re.compile(r"[^\w\- ]")
# https://github.github.com/gfm/#task-list-items-extension-
_BOX = re.compile(r"\[([ xX])\](?=[ \t\n])")


def add_heading_ids(parser: MarkdownIt) -> None:
    """Gives every heading an id made of its words, as GitHub does: `Its score` becomes `its-score`."""
    parser.core.ruler.push("heading_ids", _name_headings)


def add_task_lists(parser: MarkdownIt) -> None:
    """Turns items that begin with `[ ]` or `[x]` into check boxes."""
    parser.core.ruler.after("inline", "task_lists", _draw_boxes)


def _name_headings(state: StateCore) -> None:
    taken: set[str] = set()
    numbers: defaultdict[str, int] = defaultdict(int)  # the last that was tried for each slug
    for heading, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if heading.type != "heading_open":
            continue
        words = (token.content for token in inline.children or () if token.type in {"text", "code_inline"})
        slug = name = _NO_SLUG.sub("", "".join(words).lower()).replace(" ", "-")
        while name in taken:
            numbers[slug] += 1
            name = f"{slug}-{numbers[slug]}"
        taken.add(name)
        heading.attrSet("id", name)


def _draw_boxes(state: StateCore) -> None:
    lists: list[Token] = []
    before: list[str] = ["", ""]  # the types of the two tokens before
    for token in state.tokens:
        if token.type.endswith("_list_open"):
            lists.append(token)
        elif token.type.endswith("_list_close"):
            lists.pop()
        elif token.type == "inline" and before == ["list_item_open", "paragraph_open"] and _draw_box(token):
            lists[-1].attrSet("class", "contains-task-list")
        before = [before[1], token.type]


def _draw_box(item: Token) -> bool:
    """Puts a check box in the place of the brackets; False if the item does not begin with them."""
    first = item.children[0] if item.children else None
    # The line's end after the brackets is a token of its own.
    found = _BOX.match(item.content) if first and first.type == "text" and first.content.startswith("[") else None
    if not first or not found:
        return False
    first.content = first.content[found.end() :]
    checked = "" if found[1] == " " else " checked"
    box = Token("html_inline", "", 0, content=f'<input type="checkbox"{checked}>')
    item.children = [box, *(item.children or ())]
    return True
