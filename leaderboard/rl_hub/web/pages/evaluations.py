"""The results that a model card claims, out of its `model-index`, which may have any shape."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

_MAX_ROWS = 30
_MAX_LENGTH = 80  # characters of a name or a value; "-123456.78 +/- 123456.78" has 24


@dataclass(frozen=True)
class Evaluation:
    """One metric, as its author states it.

    Attributes:
        model: Name of the model.
        task: What was measured, such as "reinforcement-learning".
        dataset: On what: the environment, for an agent.
        metric: Name of the metric.
        value: As written, such as "600.50 ± 20.00".
    """

    model: str
    task: str
    dataset: str
    metric: str
    value: str


def read_evaluations(data: Mapping[str, Any]) -> list[Evaluation]:
    """The first results that can be read, in the card's order.

    Args:
        data: The card's metadata.
    """
    return list(islice(_evaluations(data), _MAX_ROWS))


def _evaluations(data: Mapping[str, Any]) -> Iterator[Evaluation]:
    for model in _members(data, "model-index"):
        for result in _members(model, "results"):
            task, dataset = _member(result, "task"), _member(result, "dataset")
            for metric in _members(result, "metrics"):
                value = _text(metric.get("value")).replace("+/-", "±")
                if value:
                    yield Evaluation(
                        model=_text(model.get("name")),
                        task=_text(task.get("name")) or _text(task.get("type")),
                        dataset=_text(dataset.get("name")) or _text(dataset.get("type")),
                        metric=_text(metric.get("name")) or _text(metric.get("type")) or "result",
                        value=value,
                    )


def _members(data: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    entries = data.get(key)
    if isinstance(entries, Sequence) and not isinstance(entries, str | bytes):
        yield from (entry for entry in entries if isinstance(entry, Mapping))


def _member(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """One short printable line; empty for what is neither text nor number."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_MAX_LENGTH else ""
    line = " ".join(value[: 4 * _MAX_LENGTH].split())
    return "".join(filter(str.isprintable, line))[:_MAX_LENGTH]
