"""YAML that a stranger wrote, read into plain data within bounds.

The document is read event by event: nothing in it can name anything to run, and neither nesting nor aliases of aliases
can make more of it than is allowed. Values are those of YAML 1.2's core schema, as the Hub reads cards: `no` is a
text, not a boolean.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from rl_hub.names import shown

_DEEPEST = 32  # collections in collections; cards have about 8
# Characters and values once every alias is unfolded. A card's own text is shorter by its limit.
_HEAVIEST = 2**20
_LONGEST_NUMBER = 40  # characters; a 64-bit integer has 20

# libyaml's reader is some fifty times faster; a platform without it has the one in Python.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (_INTEGER, int),
    (_BASED, lambda text: int(text, 0)),
    (_FLOAT, float),
)
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")


class YamlProblem(ValueError):
    """Why a document is refused, as the end of a sentence."""


def read_yaml(text: str) -> Any:
    """Reads one document.

    Args:
        text: The document; the caller has bounded its length.

    Returns:
        Dictionaries with text as keys, lists, texts, finite numbers, booleans and None. Collections that the document
        repeats by an alias are the same object.

    Raises:
        YamlProblem: If it is no YAML, more than one document, or more than the bounds allow.
    """
    try:
        text.encode()
        return _Builder().build(yaml.parse(text, Loader=_LOADER))
    except UnicodeEncodeError:
        raise YamlProblem("it is not valid Unicode") from None
    except yaml.MarkedYAMLError as error:
        problem = error.problem or "it cannot be read"
        mark = error.problem_mark
        raise YamlProblem(f"{problem}{_line(mark)}") from None
    except yaml.YAMLError as error:
        # An unprintable character: the reader says which, over several lines.
        raise YamlProblem(" ".join(str(error).split())[:200]) from None


def _line(mark: Any) -> str:
    return f" (line {mark.line + 1})" if mark is not None else ""


@dataclass
class _Open:
    """A collection whose end has not come yet."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    weight: int = 1
    key: str | None = None


@dataclass
class _Builder:
    """Puts events together, without recursion."""

    stack: list[_Open] = field(default_factory=list)
    # What an anchor stands for, and what it weighs.
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    result: Any = None

    def build(self, events: Iterable[Any]) -> Any:
        """The value of the document."""
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlProblem(f"it has more than one document{_line(event.start_mark)}")
            elif isinstance(event, yaml.NodeEvent):
                self._start(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                finished = self.stack.pop()
                self._add(finished.value, finished.weight, finished.anchor, event)
        return self.result

    def _start(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise YamlProblem(f"*{event.anchor} stands for nothing that was complete before it{_at(event)}")
            value, weight = self.anchors[event.anchor]
            self._add(value, weight, None, event)
        elif isinstance(event, yaml.ScalarEvent):
            is_key = bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None
            value = event.value if is_key else _scalar(event)
            self._add(value, 1 + len(event.value), event.anchor, event)
        else:
            if event.tag is not None and event.tag != "!":
                raise YamlProblem(f"the tag {shown(event.tag)} is not allowed{_at(event)}")
            if len(self.stack) >= _DEEPEST:
                raise YamlProblem(f"it is nested more than {_DEEPEST} deep{_at(event)}")
            self.stack.append(_Open([] if isinstance(event, yaml.SequenceStartEvent) else {}, event.anchor))

    def _add(self, value: Any, weight: int, anchor: str | None, event: Any) -> None:
        """Puts a finished value where it belongs."""
        if anchor is not None:
            self.anchors[anchor] = (value, weight)
        if not self.stack:
            self.result = value
            return
        parent = self.stack[-1]
        parent.weight += weight
        if parent.weight > _HEAVIEST:
            raise YamlProblem(f"its aliases unfold to more than any card holds{_at(event)}")
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = _key(value, parent.value, event)
        else:
            parent.value[parent.key] = value
            parent.key = None


def _key(value: Any, mapping: dict[str, Any], event: Any) -> str:
    if not isinstance(value, str):
        raise YamlProblem(f"a key is not a text{_at(event)}")
    if value == "<<":
        raise YamlProblem(f"merging with << is not allowed{_at(event)}")
    if value in mapping:
        raise YamlProblem(f"the key {shown(value)} is given twice{_at(event)}")
    return value


def _scalar(event: Any) -> Any:
    """The value of a scalar by its form; quoted ones are texts."""
    if event.tag in _TEXT_TAGS or (event.tag is None and not event.implicit[0]):
        return event.value
    if event.tag is not None:
        raise YamlProblem(f"the tag {shown(event.tag)} is not allowed{_at(event)}")
    return _plain(event.value, event)


def _plain(text: str, event: Any) -> Any:
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if _NOT_FINITE.fullmatch(text):
        raise YamlProblem(f"{text} is not a number that JSON has{_at(event)}")
    for form, convert in _NUMBERS:
        if form.fullmatch(text):
            return _number(text, convert, event)
    return text


def _number(text: str, convert: Callable[[str], int | float], event: Any) -> int | float:
    if len(text) > _LONGEST_NUMBER:
        raise YamlProblem(f"a number has more than {_LONGEST_NUMBER} characters{_at(event)}")
    number: int | float = convert(text)
    if not math.isfinite(number):
        raise YamlProblem(f"{text} is too large a number{_at(event)}")
    return number


def _at(event: Any) -> str:
    return _line(event.start_mark)
