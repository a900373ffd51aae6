"""Cards: the README.md of a repository, whose front matter says what leaderboards and search know of it.

Pure functions: text in, data out. Whatever a card holds, reading it is bounded (see `yaml_reader`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rl_hub.settings import KIB
from rl_hub.yaml_reader import YamlProblem, read_yaml

LONGEST_METADATA = 256 * KIB  # characters

_MOST_TAGS = 500
_LONGEST_TAG = 256  # characters
_MOST_ERRORS = 20  # more of them help nobody

_OPENING = re.compile(r"\s*---[ \t]*\n")
_CLOSING = re.compile(r"^---[ \t]*$", re.MULTILINE)

_NO_METADATA = (
    "README.md has no metadata: without it, leaderboards and searches do not find this repository. Begin the file with "
    "a line ---, then tags and results as YAML, then another line ---."
)

_TEXTS = ("library_name", "pipeline_tag")
_TEXTS_OR_LISTS = ("language", "license", "datasets", "base_model")
_RESULT_PARTS = (("task", ("type",)), ("dataset", ("name", "type")))

# What the Hub lets datasets be filtered by, each with its name in front (`HfApi.list_datasets`).
_DATASET_FILTERS = (
    "language",
    "license",
    "task_categories",
    "task_ids",
    "size_categories",
    "multilinguality",
    "language_creators",
    "annotations_creators",
    "benchmark",
)
# The Hub infers a model's task from its tags; this is the one of this course.
_INFERRED_TASK = "reinforcement-learning"


@dataclass(frozen=True)
class Card:
    """What a README.md says about its repository.

    Attributes:
        data: The metadata: JSON values only. Empty if there is none, or none that can be read.
        errors: Sentences for which a commit of this card is refused.
        warnings: Sentences that its author should see.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardIndex:
    """What listings and filters keep of a card.

    Attributes:
        data_json: The metadata as JSON text.
        tags: Every tag that `filter=` finds the repository by, each once, in the card's order.
        library_name: The library, if the card names one.
        pipeline_tag: The task, if the card names one or its tags tell it.
    """

    data_json: str
    tags: tuple[str, ...]
    library_name: str | None
    pipeline_tag: str | None


def front_matter(text: str) -> str | None:
    """The YAML between the two lines `---` at the beginning of a card; None if it does not begin so."""
    return _split(text)[0]


def body(text: str) -> str:
    """What follows the front matter: the page for people."""
    return _split(text)[1]


def parse_card(text: str) -> Card:
    """Reads and checks a card.

    Args:
        text: The whole README.md.
    """
    metadata = front_matter(text)
    if metadata is None or not metadata.strip():
        return Card(warnings=(_NO_METADATA,))
    if len(metadata) > LONGEST_METADATA:
        return Card(errors=(f"The metadata in README.md has more than {LONGEST_METADATA} characters. Shorten it.",))
    try:
        data = read_yaml(metadata)
    except YamlProblem as problem:
        return Card(errors=(f"The metadata in README.md is not valid YAML: {problem}.",))
    if data is None:
        return Card(warnings=(_NO_METADATA,))
    if not isinstance(data, dict):
        return Card(errors=("The metadata in README.md has to be a list of names with values (name: value).",))
    if isinstance(data.get("tags"), str):  # some versions of ML-Agents write all of them as one text
        data["tags"] = [tag.strip() for tag in data["tags"].split(",") if tag.strip()]
    errors: list[str] = []
    for error in _errors(data):
        errors.append(error)
        if len(errors) == _MOST_ERRORS:
            break
    return Card(data, tuple(errors))


def index(card: Card, kind: str = "model") -> CardIndex:
    """What is kept of a valid card for listings.

    Args:
        card: A card without errors.
        kind: The repository's: model, dataset or space.
    """
    data = card.data
    library = data.get("library_name")
    task = data.get("pipeline_tag")
    tags = [*(data.get("tags") or [])]
    if kind == "model" and task is None and _INFERRED_TASK in tags:
        task = _INFERRED_TASK
    tags += [tag for tag in (library, task) if tag]
    tags += _dataset_tags(data) if kind == "dataset" else _model_tags(data)
    fitting = [tag for tag in tags if len(tag) <= _LONGEST_TAG]
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return CardIndex(text, tuple(dict.fromkeys(fitting)), library, task)


def _split(text: str) -> tuple[str | None, str]:
    text = text.removeprefix("\N{BYTE ORDER MARK}").replace("\r\n", "\n").replace("\r", "\n")
    opening = _OPENING.match(text)
    closing = opening and _CLOSING.search(text, opening.end())
    if not opening or not closing:
        return None, text
    return text[opening.end() : closing.start()], text[closing.end() :].lstrip("\n")


def _model_tags(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(data.get("language"))
    for name, prefix in (("license", "license"), ("datasets", "dataset"), ("base_model", "base_model")):
        yield from (f"{prefix}:{value}" for value in _texts(data.get(name)))
    if data.get("model-index"):
        yield "model-index"


def _dataset_tags(data: Mapping[str, Any]) -> Iterator[str]:
    for name in _DATASET_FILTERS:
        yield from (f"{name}:{value}" for value in _texts(data.get(name)))


def _texts(value: Any) -> list[str]:
    """A text, or the texts of a list, that can be tags."""
    values = value[:_MOST_TAGS] if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text.isprintable() and text]


def _errors(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _tag_errors(data.get("tags"))
    for name in _TEXTS:
        if data.get(name) is not None and not _is_tag(data[name]):
            yield f'"{name}" has to be one line of text.'
    for name in _TEXTS_OR_LISTS:
        value = data.get(name)
        values = value if isinstance(value, list) else [value]
        if value is not None and not all(isinstance(text, str) for text in values):
            yield f'"{name}" has to be a text or a list of texts.'
    if data.get("model-index") is not None:
        yield from _model_index_errors(data["model-index"])


def _tag_errors(tags: Any) -> Iterator[str]:
    if tags is None:
        return
    if not isinstance(tags, list) or len(tags) > _MOST_TAGS:
        yield f'"tags" has to be a list of {_MOST_TAGS} texts at most.'
        return
    for number, tag in enumerate(tags):
        if not _is_tag(tag):
            yield f'"tags[{number}]" has to be one line of text with 1 to {_LONGEST_TAG} characters; quote numbers.'


def _is_tag(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TAG and value.isprintable()


def _model_index_errors(models: Any) -> Iterator[str]:
    """The checks of huggingface.co: what a leaderboard needs to read a result."""
    if not isinstance(models, list):
        yield '"model-index" has to be a list.'
        return
    for place, model in _numbered(models, "model-index"):
        if not isinstance(model, dict):
            yield f'"{place}" has to be a list of names with values.'
            continue
        if not isinstance(model.get("name"), str):
            yield f'"{place}.name" is required.'
        results = model.get("results")
        if not isinstance(results, list):
            yield f'"{place}.results" is required, and has to be a list.'
            continue
        for result_place, result in _numbered(results, f"{place}.results"):
            yield from _result_errors(result, result_place)


def _result_errors(result: Any, place: str) -> Iterator[str]:
    if not isinstance(result, dict):
        yield f'"{place}" has to be a list of names with values.'
        return
    for part, names in _RESULT_PARTS:
        value = result.get(part)
        for name in names:
            if not isinstance(value, dict) or not isinstance(value.get(name), str):
                yield f'"{place}.{part}.{name}" is required, and has to be a text.'
    metrics = result.get("metrics")
    if not isinstance(metrics, list):
        yield f'"{place}.metrics" is required, and has to be a list.'
        return
    for metric_place, metric in _numbered(metrics, f"{place}.metrics"):
        if not isinstance(metric, dict) or not isinstance(metric.get("type"), str):
            yield f'"{metric_place}.type" is required, and has to be a text.'
        elif metric.get("value") is None:
            yield f'"{metric_place}.value" is required.'


def _numbered(values: list[Any], name: str) -> Iterator[tuple[str, Any]]:
    return ((f"{name}[{number}]", value) for number, value in enumerate(values))
