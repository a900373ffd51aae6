"""How an environment is started and what it is told, as side channel messages."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mlagents_bridge.side_channels import (
    EngineSetting,
    Message,
    Parameter,
    Sampler,
    write_engine_setting,
    write_parameter,
)

Drawn = tuple[Sampler, Sequence[float]]
"""A sampler and its arguments: what an environment draws a parameter from in every episode."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Of a Unity environment. The defaults are `mlagents-learn`'s.

    Attributes:
        seed: Of the environment's random numbers, 0 to 2**31 - 1. Unity takes it once, when it starts.
        parameters: The environment's own, such as `{"gravity": 9.81, "size": (Sampler.UNIFORM, (0.5, 2.0))}`.
        time_scale: How much faster than real time it runs.
        no_graphics: Whether it draws nothing: faster, and needs no screen. Environments with cameras need graphics.
        timeout: For how many seconds an answer is waited for.
        port: Where the environment connects. By default any for an executable, and 5004 for the editor.
        log_file: Where the executable writes its log; a temporary file by default.
        arguments: Further ones for the executable.
        areas: How many copies of its training area it makes, if it can.
        width: Of its window, in pixels.
        height: Of its window, in pixels.
        quality: Unity's quality level, 0 to 5.
        target_frame_rate: Frames a second that it tries to draw; -1 for as many as possible.
        capture_frame_rate: Frames to a second of the game's time.

    Raises:
        ValueError: If one of them is out of its range.
    """

    seed: int = 0
    parameters: Mapping[str, float | Drawn] = field(default_factory=dict)
    time_scale: float = 20.0
    no_graphics: bool = True
    timeout: float = 60.0
    port: int | None = None
    log_file: str | os.PathLike[str] | None = None
    arguments: Sequence[str] = ()
    areas: int = 1
    width: int = 84
    height: int = 84
    quality: int = 5
    target_frame_rate: int = -1
    capture_frame_rate: int = 60

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"Unity's seeds go from 0 to 2**31 - 1, so {self.seed} is none.")
        if not (0 < self.timeout < math.inf and 0 < self.time_scale < math.inf):
            raise ValueError("The timeout and the time scale have to be positive numbers.")
        if self.port is not None and not 0 < self.port < 2**16:
            raise ValueError(f"A port is a number from 1 to 65535, not {self.port}.")
        for name, value in self.parameters.items():
            parameter_of(name, value, self.seed)

    def messages(self) -> Iterator[Message]:
        """What the environment is told before its first episode."""
        yield write_engine_setting(EngineSetting.SCREEN_RESOLUTION, self.width, self.height)
        yield write_engine_setting(EngineSetting.QUALITY_LEVEL, self.quality)
        yield write_engine_setting(EngineSetting.TIME_SCALE, self.time_scale)
        yield write_engine_setting(EngineSetting.TARGET_FRAME_RATE, self.target_frame_rate)
        yield write_engine_setting(EngineSetting.CAPTURE_FRAME_RATE, self.capture_frame_rate)
        for name, value in self.parameters.items():
            yield write_parameter(parameter_of(name, value, self.seed))


def parameter_of(name: str, value: float | Drawn, seed: int) -> Parameter:
    """An environment parameter.

    Args:
        name: Its key in the environment.
        value: A number, or a sampler and its arguments.
        seed: Of the sampler.

    Raises:
        ValueError: If it is none, or not finite.
    """
    sampler, numbers = (None, (value,)) if isinstance(value, int | float) else value
    numbers = tuple(float(number) for number in numbers)
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"The environment parameter {name!r} is not finite: {numbers}.")
    if sampler is Sampler.MULTIRANGE_UNIFORM:
        if not numbers or len(numbers) % 2:
            raise ValueError(f"The ranges of the environment parameter {name!r} are pairs of lowest and highest.")
    elif sampler is not None and len(numbers) != 2:
        raise ValueError(f"The environment parameter {name!r} is drawn with two numbers, not {len(numbers)}.")
    return Parameter(name, numbers, sampler, seed)
