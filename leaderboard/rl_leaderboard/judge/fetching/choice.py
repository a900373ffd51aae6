"""Which files of a repository can be an agent's, and how large they may be."""

from collections.abc import Iterable

from rl_leaderboard.judge.failures import Refused
from rl_leaderboard.judge.players.limits import PlayerLimits

# What is more than that does not go into a sandbox.
_LIMITS = PlayerLimits()
MOST_FILES = _LIMITS.most_files
MOST_FILE_BYTES = _LIMITS.most_file_bytes
MOST_BYTES = _LIMITS.most_bytes
_NAMES = frozenset({"agent.json", "agent.safetensors", "vec_normalize.json", "vec_normalize.pkl"})
_LONGEST_NAME = 200


def choose(files: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """The files at the top of a repository that an agent is loaded from.

    Args:
        files: Path and size in bytes of each file.

    Raises:
        Refused: If there is none, or they are too many or too large.
    """
    chosen = sorted((path, size) for path, size in files if _is_wanted(path))
    if not chosen:
        raise Refused(
            "missing-file",
            "The repository holds no agent: no agent.json with agent.safetensors, no agent.onnx, no zip of SB3 and no "
            ".onnx of ML-Agents at its top. Push it with `python -m rl_units push_to_hub` or ML-Agents' own command.",
        )
    if len(chosen) > MOST_FILES:
        raise Refused("too-many-files", f"The repository has more than {MOST_FILES} files that could be an agent.")
    for path, size in chosen:
        if size > MOST_FILE_BYTES:
            raise Refused("too-large", f"{path} has {size:,} bytes; {MOST_FILE_BYTES:,} are the most.")
    if sum(size for _, size in chosen) > MOST_BYTES:
        raise Refused("too-large", f"The agent's files have more than {MOST_BYTES:,} bytes together.")
    return chosen


def _is_wanted(path: str) -> bool:
    # Nothing in a folder, nothing hidden, and no name that a terminal or a file system would understand otherwise.
    if "/" in path or "\\" in path or path.startswith(".") or not path.isprintable() or len(path) > _LONGEST_NAME:
        return False
    return path in _NAMES or (path.endswith((".zip", ".onnx")) and path != "train_eval_metrics.zip")
