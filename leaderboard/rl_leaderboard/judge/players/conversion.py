"""From whatever a student has pushed to the files that are kept and played.

An agent is loaded twice, in two processes that never meet. The first opens the student's own files, with the readers
of zip, pickle-like tensors and pickled statistics, and gives back `agent.json` with `agent.safetensors` (and
`vec_normalize.json`), or the ONNX file. The second is given those, checks them as if they came from a stranger, and
plays. One process could do both, but what it said afterwards would be worth less: whoever takes over the first process
through a fault in a reader can only send back another set of weights, which the student might as well have pushed. In
the second he would choose the actions with a program instead of the network whose hash is published, and could name any
hash, for example a new one for every push of the same agent. A second process costs a fork, some 20 ms.

Nothing in a converted file is trusted here: names come from our own list, sizes are bounded, contents are not read.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl_leaderboard.judge.players import failures
from rl_leaderboard.judge.players.failures import AgentFailed
from rl_leaderboard.judge.players.limits import PlayerLimits
from rl_leaderboard.judge.players.messages import Kind
from rl_leaderboard.judge.players.service import Service, Task

CONVERTED_FILES = ("agent.json", "agent.safetensors", "agent.onnx", "vec_normalize.json")
_SUFFIXES = (".json", ".safetensors", ".onnx", ".zip", ".pkl")


@dataclass(frozen=True)
class AgentFile:
    """A file of a submission, opened once: what is sent is what was measured.

    Attributes:
        name: Relative to the submission's folder.
        content: Its bytes.
    """

    name: str
    content: bytes


def read_files(folder: Path, limits: PlayerLimits) -> list[AgentFile]:
    """The files of a folder that can be part of an agent; those of its own folders too, for `<env>/vecnormalize.pkl`.

    Links are followed nowhere.

    Raises:
        AgentFailed: `refused` if they are too many or too large, or one is not a plain file.
    """
    paths = sorted(
        path for path in [*folder.glob("*"), *folder.glob("*/*")] if path.suffix in _SUFFIXES and not path.is_dir()
    )
    paths = [path for path in paths if path.parent == folder or not path.parent.is_symlink()]
    if len(paths) > limits.most_files:
        raise AgentFailed(
            "refused",
            f"The submission has {len(paths)} files that could be part of an agent; at most {limits.most_files} are "
            "looked at. Push the agent alone.",
            "too-many-files",
        )
    files: list[AgentFile] = []
    left = limits.most_bytes
    for path in paths:
        files.append(AgentFile(str(path.relative_to(folder)), _read(path, min(left, limits.most_file_bytes))))
        left -= len(files[-1].content)
    return files


def _read(path: Path, largest: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise AgentFailed(
            "refused", f"{path.name} cannot be opened as a plain file. Push it again.", "symlink"
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise AgentFailed("refused", f"{path.name} is not a plain file. Push it again.", "unreadable-file")
        content = file.read(largest + 1)
    if len(content) > largest:
        raise AgentFailed(
            "refused",
            f"{path.name} makes the submission too large for the judge: it has more than {largest:,} bytes. Push the "
            "agent with `python -m rl_units push_to_hub`, which leaves out the replay buffer.",
            "file-too-large",
        )
    return content


def receive_converted(service: Service, loaded: Mapping[str, Any], task: Task) -> list[AgentFile]:
    """Reads the files of a converted agent.

    Args:
        service: Of the submission, which has said `LOADED`.
        loaded: What it said.
        task: With its deadline.

    Raises:
        AgentFailed: `bad-answer` if they are not files of a converted agent, or as `Service.receive`.
    """
    announced = _announced(loaded.get("files"), service.limits.most_file_bytes)
    files = []
    for name, size in announced:
        content = service.receive(Kind.CONVERTED, size, task)
        if len(content) != size:
            raise failures.bad_answer("was converted to a file of another size than announced")
        files.append(AgentFile(name, bytes(content)))
    return files


def _announced(files: Any, largest: int) -> Sequence[tuple[str, int]]:
    if not isinstance(files, list) or not all(isinstance(entry, list) and len(entry) == 2 for entry in files):
        raise failures.bad_answer("was converted to something that is no agent")
    names = [name for name, _ in files]
    if not names or len(set(map(str, names))) < len(names) or not all(name in CONVERTED_FILES for name in names):
        raise failures.bad_answer("was converted to something that is no agent")
    for _, size in files:
        if not isinstance(size, int) or size < 0:
            raise failures.bad_answer("was converted to something that is no agent")
        if size > largest:
            raise AgentFailed(
                "refused",
                f"The agent's network has more than {largest // 1024**2} MiB, the most that is judged. Train a smaller "
                "one and push it.",
                "too-many-parameters",
            )
    return [(name, size) for name, size in files]


def write_files(files: Sequence[AgentFile], folder: Path) -> None:
    """Writes a converted agent into a folder, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.content)
