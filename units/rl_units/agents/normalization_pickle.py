"""`vecnormalize.pkl` as data: the pickle is replayed with inert stand-ins, so nothing that it names is ever called."""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl_units.agents.archives import read_file
from rl_units.agents.excerpts import excerpt
from rl_units.agents.normalization import NormalizationStatistics
from rl_units.errors import UnsafeAgentError

MAX_BYTES = 2 * 1024**2
"""Largest file; that of a vector of 17 numbers has 2 kB."""
_MAX_MEMO = 100_000
_MAX_OPCODES = 30_000  # that of a vector has about 600, of a dictionary of vectors 300 more for each
_MAX_MEMO_READS = 6_000
_MAX_TUPLE = 1_000  # values in a tuple, those of tuples in it included, however often one is repeated
_MEMO_WRITES = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_MEMO_READS = frozenset({"GET", "BINGET", "LONG_BINGET", "DUP"})
_TUPLES = frozenset({"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"})
_REASON = "unsafe-normalization"
_NUMBER_TYPES = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})


class _Record:
    """Stands for whatever the pickle would have made: remembers arguments and state."""

    name = ""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _record(name: str) -> type[_Record]:
    return type("Record", (_Record,), {"name": name})


_VEC_NORMALIZE, _RUNNING, _ARRAY, _SCALAR, _DTYPE, _BUFFER, _OTHER = (
    _record(name) for name in ("VecNormalize", "RunningMeanStd", "array", "scalar", "dtype", "buffer", "other")
)
_GLOBALS: dict[tuple[str, str], type] = {
    ("stable_baselines3.common.vec_env.vec_normalize", "VecNormalize"): _VEC_NORMALIZE,
    ("stable_baselines3.common.running_mean_std", "RunningMeanStd"): _RUNNING,
    ("numpy", "ndarray"): _OTHER,
    ("numpy", "dtype"): _DTYPE,
    ("collections", "OrderedDict"): dict,
}
for _numpy in ("numpy.core", "numpy._core"):  # before and since numpy 2
    _GLOBALS[f"{_numpy}.multiarray", "_reconstruct"] = _ARRAY
    _GLOBALS[f"{_numpy}.multiarray", "scalar"] = _SCALAR
    _GLOBALS[f"{_numpy}.numeric", "_frombuffer"] = _BUFFER
_INERT_MODULES = ("gymnasium.spaces", "gym.spaces", "numpy.random")


class _Replay(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        """The stand-in of a name on our list; every other name is refused."""
        if (module, name) in _GLOBALS:
            return _GLOBALS[module, name]
        if module.startswith(tuple(f"{prefix}." for prefix in _INERT_MODULES)) or module in _INERT_MODULES:
            return _OTHER
        raise UnsafeAgentError(
            _REASON, f"The normalisation file asks for {excerpt(f'{module}.{name}')}, which it must not."
        )


def read_vec_normalize_pickle(path: Path) -> NormalizationStatistics | None:
    """Reads SB3's `vecnormalize.pkl`.

    Args:
        path: The file.

    Returns:
        The statistics of the observations; None if the run normalised rewards only.

    Raises:
        UnsafeAgentError: `unsafe-normalization` if it names anything that such a file does not need,
            `bad-normalization` if it is damaged, or as `archives.read_file`.
    """
    content = read_file(path, MAX_BYTES)
    try:
        _check_opcodes(content)
        root = _Replay(io.BytesIO(content)).load()
        return _statistics(root)
    except UnsafeAgentError:
        raise
    except Exception as error:  # a crafted pickle makes the unpickler raise whatever it likes
        raise UnsafeAgentError(
            "bad-normalization", f"{path.name} is not a normalisation file of SB3: {type(error).__name__}."
        ) from error


def _check_opcodes(content: bytes) -> None:
    """Refuses what would keep the unpickler busy for hours or let it allocate gigabytes.

    These are memo numbers in the billions, lengths beyond the file's end, and tuples of tuples that the memo repeats:
    Python keeps no hash of a tuple, so that as a key one of 40 levels, in 250 bytes, is walked 2**40 times.
    """
    sizes = _Sizes()
    n_reads = 0
    for number, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        n_reads += opcode.name in _MEMO_READS
        if opcode.name in _MEMO_WRITES and int(argument or 0) > _MAX_MEMO:
            raise UnsafeAgentError(_REASON, "The normalisation file numbers its parts as no pickle of SB3 does.")
        if opcode.name == "FROZENSET" or max(number / _MAX_OPCODES, n_reads / _MAX_MEMO_READS) > 1:
            raise UnsafeAgentError(_REASON, "The normalisation file has more parts than a pickle of SB3.")
        if sizes.follow(opcode, argument) > _MAX_TUPLE:
            raise UnsafeAgentError(_REASON, "The normalisation file nests its parts as no pickle of SB3 does.")


class _Sizes:
    """Follows the unpickler's stack and memo, with sizes of tuples in place of values, and 1 for all other values."""

    def __init__(self) -> None:
        self._stack: list[int | None] = []  # None is a mark
        self._memo: dict[int, int | None] = {}

    def follow(self, opcode: pickletools.OpcodeInfo, argument: Any) -> int:
        """The size of what an opcode leaves on the stack."""
        if opcode.name == "DUP":
            self._stack.append(self._stack[-1])
        elif opcode.name in _MEMO_READS:
            self._stack.append(self._memo[int(argument)])
        elif opcode.name in _MEMO_WRITES or opcode.name == "MEMOIZE":
            self._memo[len(self._memo) if argument is None else int(argument)] = self._stack[-1]
        else:
            popped = self._pop(opcode)
            size = 1 + sum(popped) if opcode.name in _TUPLES else 1
            self._stack += [None if kind is pickletools.markobject else size for kind in opcode.stack_after]
        return (self._stack[-1] if self._stack else None) or 0

    def _pop(self, opcode: pickletools.OpcodeInfo) -> list[int]:
        popped = []
        below = list(opcode.stack_before)
        if pickletools.markobject in below:
            while (size := self._stack.pop()) is not None:
                popped.append(size)
            below = below[: below.index(pickletools.markobject)]
        return popped + [self._stack.pop() or 0 for _ in below]


def _statistics(root: Any) -> NormalizationStatistics | None:
    if type(root) is not _VEC_NORMALIZE or not isinstance(root.state, dict):
        raise TypeError("not a VecNormalize")
    if root.state["norm_obs"] is False:
        return None
    running = root.state["obs_rms"]
    table = running if isinstance(running, dict) else {"": running}
    if any(type(entry) is not _RUNNING for entry in table.values()):
        raise TypeError("not a RunningMeanStd")
    return NormalizationStatistics(
        mean={str(key): _array(entry.state["mean"]) for key, entry in table.items()},
        var={str(key): _array(entry.state["var"]) for key, entry in table.items()},
        epsilon=float(_array(root.state["epsilon"])),
        clip_obs=float(_array(root.state["clip_obs"])),
        norm_obs_keys=tuple(str(key) for key in table) if isinstance(running, dict) else None,
    )


def _array(value: Any) -> NDArray[np.float64]:
    """The numbers of a recorded numpy array or scalar, or of a plain number."""
    if isinstance(value, int | float):
        return np.array(float(value))
    if type(value) is _SCALAR:
        dtype, raw = value.arguments
        return _numbers(raw, dtype, (), is_fortran=False)
    if type(value) is _BUFFER:
        raw, dtype, shape, order = value.arguments
        return _numbers(raw, dtype, shape, is_fortran=order == "F")
    if type(value) is _ARRAY:
        _, shape, dtype, is_fortran, raw = value.state
        return _numbers(raw, dtype, shape, is_fortran=bool(is_fortran))
    raise TypeError("not a number or an array")


def _numbers(raw: Any, dtype: Any, shape: Any, *, is_fortran: bool) -> NDArray[np.float64]:
    if type(dtype) is not _DTYPE or dtype.arguments[0] not in _NUMBER_TYPES or not isinstance(raw, bytes | bytearray):
        raise TypeError("not an array of numbers")
    is_big_endian = isinstance(dtype.state, tuple) and dtype.state[1] == ">"
    flat = np.frombuffer(raw, np.dtype(dtype.arguments[0]).newbyteorder(">" if is_big_endian else "<"))
    return flat.astype(np.float64).reshape(shape, order="F" if is_fortran else "C")
