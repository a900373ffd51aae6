"""What a model card says of an agent: the scores it claims, its algorithm, its library.

Pure functions over what a Hub tells about a model. All of it was written by a stranger: it may have any shape and any
size, and reading it never fails and never takes long.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from rl_hub.cards import parse_card
from rl_leaderboard.rules.algorithms import algorithm_called, algorithm_in
from rl_leaderboard.rules.claims import LONGEST_ENV_ID, Claim, read_claim, without_score

_MOST = 100  # models, results, metrics and tags that are looked at; a card has a handful
_LONGEST_LIBRARY = 64  # characters

_SCORE = "mean_reward"
_EPISODES = ("n_eval_episodes", "n_episodes")
_BEHAVIOR = "ML-Agents-"  # how ML-Agents begins the tag of a behaviour, its word for an environment
_LIBRARIES = frozenset({"cleanrl", "ml-agents", "sample-factory", "sb3-contrib", "stable-baselines3"})


@dataclass(frozen=True)
class Described:
    """What a card says.

    Attributes:
        claims: At most one an environment: those with a result first, in the card's order, then those only named.
        algorithm: As boards show it, such as "DQN"; empty if the card does not tell.
        library: Such as "stable-baselines3"; empty if the card does not tell.
        problem: Why the card's metadata is not as it should be, as a sentence for its author; empty if it is.
    """

    claims: tuple[Claim, ...]
    algorithm: str
    library: str
    problem: str = ""


def describe(card_data: object, tags: object, env_ids: Collection[str]) -> Described:
    """Reads what a Hub tells about a model.

    Args:
        card_data: The card's metadata (`cardData`): any JSON value.
        tags: The model's tags (`tags`): any JSON value.
        env_ids: The course's environments and their aliases; claims about others are left out.
    """
    card = card_data if isinstance(card_data, dict) else {}
    labels = tuple(dict.fromkeys([*_labels(card.get("tags")), *_labels(tags)]))
    models = tuple(_entries(card.get("model-index"), "results"))
    claims: dict[str, Claim] = {}
    for claim in _result_claims(models, env_ids):
        known = claims.get(claim.env_id)
        if known is None or (known.mean is None and claim.mean is not None):
            claims[claim.env_id] = claim
    for label in labels:
        env_id = _environment(label, env_ids) or _environment(label.removeprefix(_BEHAVIOR), env_ids)
        if env_id and env_id not in claims:
            claims[env_id] = without_score(env_id, _only_named(env_id, has_results=bool(card.get("model-index"))))
    return Described(tuple(claims.values()), _algorithm(models, labels), _library(card.get("library_name"), labels))


def parse_readme(text: str, env_ids: Collection[str]) -> Described:
    """Reads a README.md as it lies in a repository.

    Args:
        text: The whole file.
        env_ids: See `describe`.
    """
    card = parse_card(text)
    described = describe(card.data, None, env_ids)
    return replace(described, problem=card.errors[0]) if card.errors else described


def _only_named(env_id: str, *, has_results: bool) -> str:
    sentence = f"The model card names {env_id} but claims no score"
    return f"{sentence}: its model-index has no result whose dataset is {env_id}." if has_results else f"{sentence}."


def _result_claims(models: Collection[Mapping[str, Any]], env_ids: Collection[str]) -> Iterator[Claim]:
    results = (result for model in models for result in _entries(model.get("results"), "dataset", "metrics"))
    # All models together: repeated results of repeated models would multiply.
    for result in islice(results, _MOST):
        dataset = _member(result, "dataset")
        env_id = _environment(dataset.get("type"), env_ids) or _environment(dataset.get("name"), env_ids)
        if not env_id:
            continue
        scored = False
        for metric in _entries(result.get("metrics"), "type", "value"):
            if _is_score(metric):
                scored = True
                yield read_claim(env_id, metric.get("value"), _episodes(metric, dataset))
        if not scored:
            yield without_score(env_id, f"The model card has a result for {env_id}, but no metric of type {_SCORE}.")


def _entries(value: object, *own: str) -> Iterator[dict[str, Any]]:
    """The objects in a list; also in an object, by number or name, or that object itself if it has a name of `own`."""
    if isinstance(value, dict):
        members = [value] if any(name in value for name in own) else list(islice(value.values(), _MOST))
    else:
        members = value[:_MOST] if isinstance(value, list) else []
    return (member for member in members if isinstance(member, dict))


def _member(of: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _is_score(metric: Mapping[str, Any]) -> bool:
    names = (metric.get("type"), metric.get("name"))
    # Measured first, so that a text of a megabyte is not copied.
    return any(isinstance(name, str) and len(name) <= 2 * len(_SCORE) and _plain(name) == _SCORE for name in names)


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _episodes(metric: Mapping[str, Any], dataset: Mapping[str, Any]) -> object:
    """How many episodes the score is of, where a card may say it; None if it does not."""
    for place in (metric, _member(metric, "args"), _member(dataset, "args")):
        for name in _EPISODES:
            if place.get(name) is not None:
                return place[name]
    return None


def _environment(name: object, env_ids: Collection[str]) -> str | None:
    """The environment of the course that is called so; None if none is."""
    if not isinstance(name, str):
        return None
    name = name.strip()
    return name if 0 < len(name) <= LONGEST_ENV_ID and name.isprintable() and name in env_ids else None


def _labels(tags: object) -> Iterator[str]:
    """Each tag by itself: ML-Agents has written all of them as one text, and YAML makes a list of one of `a, b`."""
    texts = tags[:_MOST] if isinstance(tags, list) else [tags]
    parts = (part for text in texts if isinstance(text, str) for part in text.split(",", _MOST))
    return (part.strip() for part in islice(parts, _MOST))


def _algorithm(models: Collection[Mapping[str, Any]], labels: Collection[str]) -> str:
    """By the name of a model, which is the algorithm's or the repository's, or else by a tag."""
    names = [model["name"] for model in models if isinstance(model.get("name"), str)]
    found = next(filter(None, map(algorithm_called, names)), "") or next(filter(None, map(algorithm_in, names)), "")
    return found or next(filter(None, map(algorithm_called, labels)), "")


def _library(name: object, labels: Collection[str]) -> str:
    if isinstance(name, str) and 0 < len(name.strip()) <= _LONGEST_LIBRARY and name.strip().isprintable():
        return name.strip()
    return next((label for label in labels if label in _LIBRARIES), "")
