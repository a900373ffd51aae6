"""The files of an agent's repository, built on disk before anything is sent."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rl_units.agents import load_agent, save_agent
from rl_units.agents.base import Agent
from rl_units.course import Protocol
from rl_units.episodes import Episode
from rl_units.errors import ConfigError, HubError, ResultError, VideoError
from rl_units.evaluation import evaluate
from rl_units.files import atomic_path, storage_errors, write_text
from rl_units.hub import metrics
from rl_units.hub.configuration import public_arguments, train_command
from rl_units.model_card import Card, render_card
from rl_units.results import FILE_NAME as RESULTS_FILE
from rl_units.results import EvaluationResult, load_result
from rl_units.runs import Run, file_name
from rl_units.video import MAX_STEPS, record_replay
from rl_units.yaml_files import dump_yaml, read_yaml

CARD_FILE = "README.md"
REPLAY_FILE = "replay.mp4"
_REPLAY_SETTINGS_FILE = ".replay.json"  # stays on this machine
AGENT_FILES = ("agent.json", "agent.safetensors")
STATISTICS_FILES = ("vec_normalize.json", "vec_normalize.pkl")

OUTDATED = ("*.zip", REPLAY_FILE, *AGENT_FILES, *STATISTICS_FILES)
"""What an earlier push may have left in a repository and another agent's push must not leave there."""


@dataclass(frozen=True)
class Replay:
    """How the replay is recorded.

    Attributes:
        max_steps: Decisions after which it stops.
        seed: Seed of the game.
    """

    max_steps: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses what could not be recorded, before the evaluation and not after it.

        Raises:
            VideoError: If a number is out of its range.
        """
        if not 1 <= self.max_steps <= MAX_STEPS:
            raise VideoError(f"A replay has 1 to {MAX_STEPS:,} decisions, not {self.max_steps:,}.")
        if self.seed < 0:
            raise VideoError(f"The seed of a replay is a number from 0, not {self.seed}.")


@dataclass(frozen=True)
class Repository:
    """A repository built on disk.

    Attributes:
        folder: Where.
        files: Names of its files, sorted; whatever else lies in the folder is none of ours.
        result: The score.
    """

    folder: Path
    files: tuple[str, ...]
    result: EvaluationResult


def default_name(algo: str, env_id: str) -> str:
    """Name of a repository, and of the zip in it, as the Zoo spells it: `<algo>-<env>`."""
    return f"{algo}-{file_name(env_id)}"


def check_name(name: str) -> str:
    """Checks the name that a person has given to a repository.

    Raises:
        HubError: If it holds a namespace.
    """
    if "/" in name:
        namespace, _, rest = name.partition("/")
        raise HubError(f"--repo-name is the name alone. For {name} write: -orga {namespace} --repo-name {rest}")
    return name


def build_repository(
    run: Run,
    protocol: Protocol,
    repo_id: str,
    folder: Path,
    *,
    endpoint: str | None = None,
    replay: Replay | None = None,
    n_workers: int = 1,
    report: Callable[[str], None] = lambda _: None,
    on_episode: Callable[[Episode], None] | None = None,
) -> Repository:
    """Evaluates an agent, records it, and writes everything that its repository holds.

    An evaluation and a replay that lie in `folder` already are kept if they are of the same weights and protocol, and
    the replay of the same length and seed, so that a push that broke off is finished by repeating it.

    Args:
        run: The trained run and its chosen model.
        protocol: How the agent is scored.
        repo_id: `<namespace>/<name>`, for the card.
        folder: Made if it is missing.
        endpoint: Address of the Hub, for the card, if it is another than huggingface.co.
        replay: How to record; None records nothing.
        n_workers: Processes of the evaluation.
        report: Takes a line for the person at every stage.
        on_episode: See `evaluation.evaluate`.

    Raises:
        UserError: If the agent is refused, does not fit the environment, or a file cannot be written.
    """
    with storage_errors(folder):  # now, and not after an evaluation of half an hour
        folder.mkdir(parents=True, exist_ok=True)
    report(f"Loading {run.model}")
    agent = load_agent(run.model, protocol, algo=run.algo)
    result = _earlier_result(folder, agent, protocol, report) or _score(
        agent, protocol, folder, n_workers, report, on_episode
    )
    if replay is not None:
        _record(agent, protocol, folder, replay, report)
    report(f"Writing the repository to {folder}")
    card = Card(
        repo_id=repo_id,
        default_name=repo_id.endswith(f"/{default_name(run.algo, run.env_id)}"),
        endpoint=endpoint,
        protocol=protocol,
        result=result,
        train_command=train_command(run, _arguments(run)),
        # The file's budget is not what was trained; the command above says that.
        config={name: value for name, value in run.config.items() if name != "n_timesteps"},
        env_kwargs=run.env_kwargs,
        has_replay=replay is not None,
    )
    files = [*_write_agent(agent, run, folder), *_write_about(run, card, folder), RESULTS_FILE]
    return Repository(folder, tuple(sorted(files + [REPLAY_FILE] * card.has_replay)), result)


def _earlier_result(
    folder: Path, agent: Agent, protocol: Protocol, report: Callable[[str], None]
) -> EvaluationResult | None:
    try:
        result = load_result(folder)
    except ResultError:
        return None
    wanted = (agent.sha256, protocol.env_id, protocol.id, protocol.version, protocol.public_seeds)
    found = (result.agent_sha256, result.env_id, result.protocol_id, result.protocol_version, result.seeds)
    if found != wanted:
        return None
    report(
        f"These weights have been scored under {protocol.id} v{protocol.version} before; the result is taken from "
        f"{folder / RESULTS_FILE}. Delete that file to evaluate and record anew."
    )
    return result


def _score(
    agent: Agent,
    protocol: Protocol,
    folder: Path,
    n_workers: int,
    report: Callable[[str], None],
    on_episode: Callable[[Episode], None] | None,
) -> EvaluationResult:
    report(f"Evaluating {protocol.n_episodes} episodes under {protocol.id} v{protocol.version}")
    result = evaluate(agent, protocol, n_workers=n_workers, on_episode=on_episode)
    (folder / REPLAY_FILE).unlink(missing_ok=True)  # of other weights, or of an older protocol
    result.save(folder)
    return result


def _record(agent: Agent, protocol: Protocol, folder: Path, replay: Replay, report: Callable[[str], None]) -> None:
    """Records unless the film is there and was recorded in the same way."""
    settings_file, settings = folder / _REPLAY_SETTINGS_FILE, json.dumps(asdict(replay))
    is_kept = settings_file.is_file() and settings_file.read_bytes() == settings.encode()
    if is_kept and (folder / REPLAY_FILE).is_file():
        return
    report(f"Recording {REPLAY_FILE}")
    settings_file.unlink(missing_ok=True)
    record_replay(agent, protocol, folder / REPLAY_FILE, seed=replay.seed, max_steps=replay.max_steps)
    write_text(settings_file, settings)


def _write_agent(agent: Agent, run: Run, folder: Path) -> list[str]:
    """Writes the student's own zip, byte for byte, and the same weights without pickles."""
    model = f"{default_name(run.algo, run.env_id)}.zip"
    _copy(run.model, folder / model)
    for name in STATISTICS_FILES:
        (folder / name).unlink(missing_ok=True)  # an earlier agent's, if this one has none
    save_agent(agent, folder)
    statistics = run.parameters / "vecnormalize.pkl"
    if statistics.is_file():
        _copy(statistics, folder / "vec_normalize.pkl")
    return [model, *AGENT_FILES, *(name for name in STATISTICS_FILES if (folder / name).is_file())]


def _write_about(run: Run, card: Card, folder: Path) -> list[str]:
    """Writes card, learning curves and the run's configuration; the Zoo's readers ask for all three YAML files."""
    documents = {
        "config.yml": dict(run.config),
        "args.yml": public_arguments(_arguments(run)),
        "env_kwargs.yml": dict(run.env_kwargs),
    }
    for name, document in documents.items():
        write_text(folder / name, dump_yaml(document))
    metrics.pack_metrics(run.folder, folder / metrics.FILE_NAME)
    write_text(folder / CARD_FILE, render_card(card))
    return [*documents, metrics.FILE_NAME, CARD_FILE]


def _arguments(run: Run) -> dict[str, object]:
    path = run.parameters / "args.yml"
    return read_yaml(path) if path.is_file() else {}


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        try:
            shutil.copyfile(source, temporary)
        except FileNotFoundError as error:
            raise ConfigError(f"{source} has disappeared while it was being copied.") from error
