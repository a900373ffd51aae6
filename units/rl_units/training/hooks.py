"""What is changed in the Zoo, in SB3 and in the process while a run trains, and put back afterwards."""

import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from rl_zoo3.utils import ALGOS
from stable_baselines3.common import base_class

from rl_units.dqn.algorithm import FastDQN
from rl_units.files import atomic_path
from rl_units.training.checkpointing import Stop


@contextmanager
def replaced(owner: ModuleType, name: str, value: Any) -> Iterator[None]:
    """Another value for a module's name."""
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def our_dqn(is_wanted: bool) -> Iterator[None]:
    """Our DQN in the place of SB3's in the Zoo's table of algorithms, if it is wanted."""
    original = ALGOS["dqn"]
    if is_wanted:
        ALGOS["dqn"] = FastDQN
    try:
        yield
    finally:
        ALGOS["dqn"] = original


@contextmanager
def atomic_model_files() -> Iterator[None]:
    """SB3 writes a model's zip in place; a process killed then would leave half of the best model."""
    write: Callable[..., None] = getattr(base_class, "save_to_zip_file")  # noqa: B009 # imported there, not exported

    def save_to_zip_file(path: Any, *args: Any, **kwargs: Any) -> None:
        if not isinstance(path, str | Path):
            write(path, *args, **kwargs)
            return
        final = Path(path)
        buffer = io.BytesIO()  # torch's own writer hides why a disk refuses; see checkpoint.write_tensors
        write(buffer, *args, **kwargs)
        with atomic_path(final if final.suffix == ".zip" else final.with_name(f"{final.name}.zip")) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    with replaced(base_class, "save_to_zip_file", save_to_zip_file):
        yield


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """The first signal asks for a stop, the second is the ordinary one."""
    signals = (signal.SIGINT, signal.SIGTERM)
    earlier = {number: signal.getsignal(number) for number in signals}

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True
        # Not print: the signal may have come in the middle of the bar's own output.
        os.write(2, b"\nStopping after this rollout, with a checkpoint; once more to stop at once.\n")

    for number in signals:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
