"""What a person types to get a repository: an agent by the course's command, anything by the client or by git.

The words in a snippet come from a stranger's repository and end up in somebody's shell, so only names of harmless
characters are taken, and the shell quotes them all the same.
"""

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

# rl_zoo3.ALGOS
_ALGORITHMS = {"a2c", "ars", "crossq", "ddpg", "dqn", "ppo", "ppo_lstm", "qrdqn", "sac", "td3", "tqc", "trpo"}
_ENVIRONMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,100}")
_ZIP_OF_METRICS = "train_eval_metrics.zip"


@dataclass(frozen=True)
class Snippet:
    """Something to copy.

    Attributes:
        title: What it does.
        language: "bash" or "python".
        code: The lines.
    """

    title: str
    language: str
    code: str


@dataclass(frozen=True)
class Subject:
    """The repository that snippets are about.

    Attributes:
        kind: "model", "dataset" or "space".
        owner: Whose it is.
        name: Its name.
        tags: Of its card.
        files: Names of the files at its top.
        git_address: What `git clone` takes.
        endpoint: Address of this Hub.
    """

    kind: str
    owner: str
    name: str
    tags: tuple[str, ...]
    files: tuple[str, ...]
    git_address: str
    endpoint: str


def choose_snippets(subject: Subject) -> list[Snippet]:
    """The snippets for a repository, the one that serves best first."""
    agent = find_agent(subject)
    snippets = [_load_agent(subject, *agent)] if agent else []
    return [*snippets, _download(subject), _clone(subject)]


def find_agent(subject: Subject) -> tuple[str, str] | None:
    """The algorithm and the environment of the agent in a repository.

    They are what the Zoo's names `<algo>-<env>` of the zip, or of the repository around an `agent.json`, say, if the
    environment is among the card's tags: a name alone does not tell `ALE/Pong-v5` from `ALE-Pong-v5`.

    Returns:
        The algorithm as the Zoo spells it, and the Gymnasium id; None if there is no agent for the course's command.
    """
    if subject.kind != "model":
        return None
    names = [file[:-4] for file in subject.files if file.endswith(".zip") and file != _ZIP_OF_METRICS]
    names += [subject.name] if "agent.json" in subject.files else []
    for name in names:
        algo, _, environment = name.partition("-")
        for tag in subject.tags:
            if algo in _ALGORITHMS and _ENVIRONMENT.fullmatch(tag) and _in_file_names(tag) == environment:
                return algo, tag
    return None


def _in_file_names(environment: str) -> str:
    """An environment's id as the Zoo writes it in names of files (`rl_zoo3.utils.EnvironmentName`)."""
    return environment.rsplit(":", 1)[-1].replace("/", "-")


def _load_agent(subject: Subject, algo: str, environment: str) -> Snippet:
    flags = f"--algo {algo} --env {shlex.quote(environment)}"
    default_name = f"{algo}-{_in_file_names(environment)}"
    name = "" if subject.name == default_name else f" -name {shlex.quote(subject.name)}"
    source = f"-orga {shlex.quote(subject.owner)}{name}"
    lines = [
        f"export HF_ENDPOINT={shlex.quote(subject.endpoint)}",
        f"python -m rl_units load_from_hub {flags} {source} -f logs/",
        f"python -m rl_units enjoy {flags} -f logs/",
    ]
    return Snippet("Load the agent and watch it play", "bash", _lines(lines))


def _download(subject: Subject) -> Snippet:
    kind = "" if subject.kind == "model" else f', repo_type="{subject.kind}"'
    repo_id = f"{subject.owner}/{subject.name}"
    lines = [
        "import os",
        f'os.environ["HF_ENDPOINT"] = {json.dumps(subject.endpoint)}',
        "",
        "from huggingface_hub import snapshot_download",
        f"folder = snapshot_download({json.dumps(repo_id)}{kind})",
    ]
    return Snippet("Download all files in Python", "python", _lines(lines))


def _clone(subject: Subject) -> Snippet:
    return Snippet("Clone it with git", "bash", _lines([f"git clone {shlex.quote(subject.git_address)}"]))


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
