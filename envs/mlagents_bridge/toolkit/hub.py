"""`push` and `load`: runs of ML-Agents on a Hub."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.card import Card, render_card
from mlagents_bridge.toolkit.evaluations import FILE_NAME as RESULTS_FILE
from mlagents_bridge.toolkit.evaluations import Evaluation, read_evaluation
from mlagents_bridge.toolkit.training_runs import TrainingRun, open_run

REPLAY_FILE = "replay.mp4"
_MOST_REPLAY_BYTES = 100 * 2**20
_REPO_ID = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)
_OF_THE_MODEL = frozenset({RESULTS_FILE, REPLAY_FILE})  # of an earlier one, wrong


@dataclass(frozen=True)
class RunToPush:
    """What is pushed.

    Attributes:
        run_id: Name of the run.
        folder: Folder of the run.
        config_name: Name of the YAML configuration in it.
        results: File of an evaluation; None for the one in the run's folder, if there is one.
        replay: A video; None for the one in the run's folder, if there is one.
    """

    run_id: str
    folder: Path
    config_name: str = "configuration.yaml"
    results: Path | None = None
    replay: Path | None = None


def push(pushed: RunToPush, repo_id: str, message: str) -> str:
    """Sends a run to the Hub that `HF_ENDPOINT` names, in one commit, with a card that carries its score.

    The run's folder stays as it is.

    Args:
        pushed: The run, its evaluation and its replay.
        repo_id: `<namespace>/<name>`; made if it is missing.
        message: What the commit is called.

    Returns:
        Address of the repository.

    Raises:
        BridgeError: If a file is missing or malformed, or the Hub refuses or cannot be reached.
    """
    _check_repo_id(repo_id)
    run = open_run(pushed.folder, pushed.config_name)
    evaluation = _evaluation_of(pushed, run)
    replay = _replay_of(pushed)
    additions = _additions(Card(pushed.run_id, repo_id, run, evaluation, replay is not None), run, evaluation, replay)
    with _hub_errors(repo_id) as api:
        address = api.create_repo(repo_id, exist_ok=True)
        outdated = _OF_THE_MODEL.intersection(api.list_repo_files(repo_id)) - additions.keys()
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationAdd(path, content) for path, content in additions.items()
        ]
        operations += [CommitOperationDelete(path) for path in sorted(outdated)]
        api.create_commit(repo_id, operations, commit_message=message)
    return str(address)


def load(repo_id: str, folder: Path) -> Path:
    """Fetches a run from the Hub that `HF_ENDPOINT` names.

    Args:
        repo_id: `<namespace>/<name>`.
        folder: Where the run's folder is made, under the repository's name.

    Returns:
        The run's folder.

    Raises:
        BridgeError: If the Hub refuses or cannot be reached, or the files cannot be written.
    """
    _check_repo_id(repo_id)
    destination = folder / repo_id.partition("/")[2]
    with _hub_errors(repo_id) as api:
        api.snapshot_download(repo_id, local_dir=destination)
    return destination


def _evaluation_of(pushed: RunToPush, run: TrainingRun) -> Evaluation | None:
    at_hand = pushed.folder / RESULTS_FILE
    path = pushed.results or (at_hand if at_hand.is_file() else None)
    if path is None:
        return None
    evaluation = read_evaluation(path)
    if evaluation.model_sha256 not in ("", hashlib.sha256(run.model.read_bytes()).hexdigest()):
        raise BridgeError(
            f"{path} is about another network than {run.model}, perhaps because the run has gone on. Evaluate it "
            f"again: python -m rl_units evaluate --algo mlagents --env {evaluation.env_id} --model {run.model}"
        )
    return evaluation


def _replay_of(pushed: RunToPush) -> Path | None:
    at_hand = pushed.folder / REPLAY_FILE
    path = pushed.replay or (at_hand if at_hand.is_file() else None)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            head = file.read(12)
        size = path.stat().st_size
    except OSError as error:
        raise BridgeError(f"{path} cannot be read: {error.strerror}.") from error
    if head[4:8] != b"ftyp" or size > _MOST_REPLAY_BYTES:
        raise BridgeError(f"{path} is not an MP4 video of up to {_MOST_REPLAY_BYTES // 2**20} MiB.")
    return path


def _additions(
    card: Card, run: TrainingRun, evaluation: Evaluation | None, replay: Path | None
) -> dict[str, Path | bytes]:
    """Content of each file of the repository by its path: the run's own, and what is written for people and boards."""
    files: dict[str, Path | bytes] = dict(run.files())
    files["config.json"] = json.dumps(run.config, default=str).encode()
    files["README.md"] = render_card(card).encode()
    if evaluation is not None:
        files[RESULTS_FILE] = evaluation.text.encode()
    if replay is not None:
        files[REPLAY_FILE] = replay
    return files


def _check_repo_id(repo_id: str) -> None:
    if not _REPO_ID.fullmatch(repo_id):
        raise BridgeError(f"--repo-id is <your name>/<name of the repository>, such as ada/my-run, not {repo_id!r}.")


@contextmanager
def _hub_errors(repo_id: str) -> Iterator[HfApi]:
    """The client of the Hub; what goes wrong with it in the `with` block becomes a sentence."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"
    try:
        yield HfApi(endpoint=endpoint)
    except HfHubHTTPError as error:
        raise BridgeError(_refusal(error, endpoint, repo_id)) from error
    except OfflineModeIsEnabled as error:
        raise BridgeError("HF_HUB_OFFLINE is set, so nothing can be sent or fetched. Unset it.") from error
    except (httpx2.HTTPError, LocalEntryNotFoundError) as error:
        cause = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
        if isinstance(cause, HfHubHTTPError):
            raise BridgeError(_refusal(cause, endpoint, repo_id)) from error
        raise BridgeError(
            f"{endpoint} cannot be reached: {_line(error)} Check the network and HF_ENDPOINT; if it is a Hub of your "
            "own, check that it is running."
        ) from error
    except OSError as error:
        raise BridgeError(f"A file cannot be read or written: {_line(error)}") from error
    except (ValueError, KeyError) as error:
        raise BridgeError(f"{endpoint} refuses what was sent for {repo_id}: {_line(error)}") from error


def _refusal(error: HfHubHTTPError, endpoint: str, repo_id: str) -> str:
    sentences = {
        401: f"{endpoint} does not accept your token, or {repo_id} does not exist. Log in with a token that may write: "
        "hf auth login",
        403: f"{endpoint} does not let you write to {repo_id}: {_line(error)} Check the name in --repo-id and the role "
        "of your token.",
        404: f"{endpoint} has no repository {repo_id}, or you may not see it. Check --repo-id; for a private one "
        "log in first: hf auth login",
    }
    status = error.response.status_code
    return sentences.get(status, f"{endpoint} answers with error {status}: {_line(error)} Try again in a few minutes.")


def _line(error: BaseException) -> str:
    """What an error says, as one line that ends with a full stop."""
    text = str(getattr(error, "server_message", None) or error)
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())[:300]
    return line if line.endswith((".", "!", "?")) else f"{line}."
