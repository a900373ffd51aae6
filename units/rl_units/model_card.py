"""The model card: metadata that leaderboards and the Hub parse, and a page for people.

The metadata has exactly the keys, tags and number format that `rl_zoo3.push_to_hub` writes, as plain YAML. Pure
functions: text in, text out.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rl_units.course import Protocol
from rl_units.errors import ConfigError
from rl_units.results import EvaluationResult
from rl_units.yaml_files import dump_yaml, parse_yaml

CLASS_NAMES = {
    "a2c": "A2C",
    "ars": "ARS",
    "crossq": "CrossQ",
    "ddpg": "DDPG",
    "dqn": "DQN",
    "ppo": "PPO",
    "ppo_lstm": "RecurrentPPO",
    "qrdqn": "QRDQN",
    "sac": "SAC",
    "td3": "TD3",
    "tqc": "TQC",
    "trpo": "TRPO",
}
"""Algorithm as the Zoo spells it to the name of its class (`rl_zoo3.ALGOS`; a test holds the two together)."""

_FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_CLAIM_LENGTH = 60  # characters; "-123456.78 +/- 123456.78" has 24


@dataclass(frozen=True)
class Card:
    """What a card tells.

    Attributes:
        repo_id: `<namespace>/<name>` of the repository.
        default_name: Whether the name is the one that commands look for by themselves.
        endpoint: Address of the Hub if it is another than huggingface.co.
        protocol: How the agent was scored.
        result: The score.
        train_command: The command line that trains such an agent.
        config: Hyperparameters.
        env_kwargs: Arguments of the environment's constructor.
        has_replay: Whether the repository has a `replay.mp4`.
    """

    repo_id: str
    default_name: bool
    endpoint: str | None
    protocol: Protocol
    result: EvaluationResult
    train_command: str
    config: Mapping[str, Any]
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    has_replay: bool = False


def card_metadata(algo: str, env_id: str, mean_reward: float, std_reward: float) -> dict[str, Any]:
    """The metadata of a card, plain data in the order in which it is written.

    Args:
        algo: Algorithm as the Zoo spells it.
        env_id: Gymnasium id.
        mean_reward: Mean return.
        std_reward: Population standard deviation of the returns.
    """
    metric = {
        "type": "mean_reward",
        "value": f"{mean_reward:.2f} +/- {std_reward:.2f}",
        "name": "mean_reward",
        "verified": False,
    }
    return {
        "library_name": "stable-baselines3",
        "tags": [env_id, "deep-reinforcement-learning", "reinforcement-learning", "stable-baselines3"],
        "model-index": [
            {
                "name": CLASS_NAMES[algo],
                "results": [
                    {
                        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
                        "dataset": {"name": env_id, "type": env_id},
                        "metrics": [metric],
                    }
                ],
            }
        ],
    }


def render_card(card: Card) -> str:
    """The text of `README.md`."""
    result = card.result
    metadata = card_metadata(result.algo, result.env_id, result.mean_reward, result.std_reward)
    front = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True)
    sections = [
        _introduction(card),
        _score(card),
        _watching(card),
        _training(card),
        "## Versions\n\n" + fence(dump_yaml(dict(result.versions)), "yaml"),
    ]
    return f"---\n{front}---\n\n" + "\n\n".join(sections) + "\n"


def read_claim(text: str, env_id: str) -> str | None:
    """The score that a stranger's card claims.

    Args:
        text: The card.
        env_id: Gymnasium id; a result for another environment is no claim about this one.

    Returns:
        The claim as one short printable line, None if the card makes none that can be read.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        return None
    try:
        models = parse_yaml(match.group(1), "the model card").get("model-index")
        for result in (result for model in models or [] for result in model["results"]):
            for metric in result["metrics"]:
                if metric["type"] == "mean_reward" and env_id in (result["dataset"]["type"], result["dataset"]["name"]):
                    return _printable(metric["value"])
    except (ConfigError, KeyError, TypeError, ValueError):  # a stranger's card may have any shape
        return None
    return None


def _printable(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    return "".join(filter(str.isprintable, str(value)))[:_CLAIM_LENGTH]


def fence(text: str, language: str = "") -> str:
    """A code block that nothing inside it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def escape(text: str) -> str:
    """Text that Markdown shows as it is: one line, without markup, links or HTML."""
    return re.sub(r"([\\`*_\[\]<>#|~$&!])", r"\\\1", " ".join(text.split()))


def _introduction(card: Card) -> str:
    algorithm, env_id = escape(CLASS_NAMES[card.result.algo]), escape(card.result.env_id)
    lines = [
        f"# **{algorithm}** agent playing **{env_id}**",
        "",
        f"An agent that learned to play {env_id} with {algorithm}, trained with "
        "[Stable-Baselines3](https://github.com/DLR-RM/stable-baselines3) and the "
        "[RL Zoo](https://github.com/DLR-RM/rl-baselines3-zoo).",
    ]
    if card.has_replay:
        lines += ["", "One of its games is in [replay.mp4](replay.mp4)."]
    return "\n".join(lines)


def _score(card: Card) -> str:
    result, protocol = card.result, card.protocol
    mode = (
        "always the action that the agent thinks best"
        if protocol.action_mode == "deterministic"
        else f"the action that the agent thinks best, or with probability {protocol.epsilon:g} a random one"
    )
    rows = {
        "Mean return": f"{result.mean_reward:.2f} +/- {result.std_reward:.2f}",
        "Score (mean - standard deviation)": f"{result.score:.2f}",
        "Full episodes": str(result.n_episodes),
        "Protocol": f"{escape(protocol.id)}, version {protocol.version}",
        "Actions": mode,
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"## Score\n\n| | |\n|---|---|\n{table}\n\n"
        "Measured by the author on their own machine, so it is a claim until somebody plays the same games again. "
        "The return of every episode is in `results.json`."
    )


def _watching(card: Card) -> str:
    organization, name = card.repo_id.split("/", 1)
    flags = f"--algo {shlex.quote(card.result.algo)} --env {shlex.quote(card.result.env_id)}"
    source = f"{flags} -orga {shlex.quote(organization)}" + ("" if card.default_name else f" -name {shlex.quote(name)}")
    hub = f"export HF_ENDPOINT={shlex.quote(card.endpoint)}\n" if card.endpoint else ""
    ours = f"{hub}python -m rl_units load_from_hub {source} -f logs/\npython -m rl_units enjoy {flags} -f logs/"
    return (
        "## Watch it play\n\nThis downloads the weights and runs no code from this repository:\n\n"
        f"{fence(ours, 'bash')}\n\n"
        "The RL Zoo plays the same folder:\n\n"
        f"{fence(f'python -m rl_zoo3.enjoy {flags} -f logs/', 'bash')}\n\n"
        "The zip is the one that Stable-Baselines3 saved. Its own loader unpickles, so open it only if you trust the "
        "author."
    )


def _training(card: Card) -> str:
    text = f"## How it was trained\n\n{fence(card.train_command, 'bash')}\n\n### Hyperparameters\n\n"
    text += fence(dump_yaml(dict(card.config)), "yaml")
    if card.env_kwargs:
        text += f"\n\n### Environment arguments\n\n{fence(dump_yaml(dict(card.env_kwargs)), 'yaml')}"
    return text
