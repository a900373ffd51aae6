"""The model card of an ML-Agents model: the tags that ML-Agents writes, and the score that it leaves out."""

import textwrap
from dataclasses import dataclass
from typing import Any

import yaml

from mlagents_bridge.toolkit.evaluations import Evaluation
from mlagents_bridge.toolkit.training_runs import TrainingRun


@dataclass(frozen=True)
class Card:
    """What a card tells.

    Attributes:
        run_id: Name of the run.
        repo_id: `<namespace>/<name>` of the repository.
        run: The run.
        evaluation: Its score, None if it has not been evaluated.
        has_replay: Whether the repository has a `replay.mp4`.
    """

    run_id: str
    repo_id: str
    run: TrainingRun
    evaluation: Evaluation | None
    has_replay: bool


def card_metadata(run: TrainingRun, evaluation: Evaluation | None) -> dict[str, Any]:
    """The metadata of a card, plain data in the order in which it is written.

    Args:
        run: The trained run.
        evaluation: Its score; without one there is no `model-index`.
    """
    labels = [run.behavior, "deep-reinforcement-learning", "reinforcement-learning", f"ML-Agents-{run.behavior}"]
    metadata: dict[str, Any] = {"library_name": "ml-agents", "tags": labels}
    if evaluation is not None:
        metadata["tags"] = list(dict.fromkeys([*labels, evaluation.env_id]))
        metadata["model-index"] = [
            {
                "name": run.trainer.upper(),
                "results": [
                    {
                        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
                        "dataset": {"name": evaluation.env_id, "type": evaluation.env_id},
                        "metrics": [
                            {
                                "type": "mean_reward",
                                "value": evaluation.claim,
                                "name": "mean_reward",
                                "verified": False,
                            }
                        ],
                    }
                ],
            }
        ]
    return metadata


def render_card(card: Card) -> str:
    """The text of `README.md`."""
    front = yaml.safe_dump(card_metadata(card.run, card.evaluation), sort_keys=False, allow_unicode=True)
    score = [_score(card.evaluation)] if card.evaluation else []
    sections = [_introduction(card), *score, _use(card), _training(card)]
    return f"---\n{front}---\n\n" + "\n\n".join(sections) + "\n"


def _introduction(card: Card) -> str:
    trainer, behavior = card.run.trainer.upper(), card.run.behavior
    text = (
        f"# **{trainer}** agent playing **{behavior}**\n\n"
        f"The behavior {behavior}, trained with the {card.run.trainer} trainer of "
        "[Unity ML-Agents](https://github.com/Unity-Technologies/ml-agents). "
        f"The model is in [{behavior}.onnx](<{behavior}.onnx>)."
    )
    return text + "\n\nOne of its games is in [replay.mp4](replay.mp4)." if card.has_replay else text


def _score(evaluation: Evaluation) -> str:
    rows = {
        "Environment": f"`{evaluation.env_id}`",
        "Mean return": evaluation.claim,
        "Score (mean - standard deviation)": f"{evaluation.mean - evaluation.std:.2f}",
        "Full episodes": str(len(evaluation.returns)),
        "Protocol": f"`{evaluation.protocol}`",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"## Score\n\n| | |\n|---|---|\n{table}\n\n"
        "Measured by the author on their own machine, so it is a claim until somebody plays the same games again. "
        "The return of every episode is in `results.json`."
    )


def _use(card: Card) -> str:
    return (
        "## Use it\n\nThis downloads the whole run and runs no code from this repository:\n\n"
        f"    python -m mlagents_bridge load --repo-id {card.repo_id} --local-dir results\n\n"
        "The `.onnx` file is plain data. The `.pt` files, which going on with the training reads, are not: open them "
        "only if you trust the author."
    )


def _training(card: Card) -> str:
    settings = yaml.safe_dump({"behaviors": {card.run.behavior: card.run.hyperparameters}}, sort_keys=False)
    return (
        f"## How it was trained\n\nThe run `{_code(card.run_id)}`, with\n\n"
        "    mlagents-learn configuration.yaml --env=<the environment>\n\n"
        f"and these settings:\n\n{textwrap.indent(settings.rstrip(), '    ')}"
    )


def _code(text: str) -> str:
    """Text that can stand between two backticks of one line."""
    return " ".join(text.replace("`", "'").split())[:100] or " "
