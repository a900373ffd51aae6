"""H.264 films that every browser plays, written by the ffmpeg that imageio-ffmpeg ships.

yuv420p is the one pixel format of H.264 that all browsers decode, and `faststart` puts the index in front, so that a
web page starts to play before the file has arrived.
"""

import contextlib
import math
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from rl_units.errors import VideoError
from rl_units.files import atomic_path

_SHORTER_SIDE = 320  # pixels: smaller than this is hard to watch
_TIMEOUT = 120.0  # seconds to finish the file after its last frame


@dataclass(frozen=True)
class Film:
    """What was written.

    Attributes:
        n_frames: Frames.
        width: Pixels, even.
        height: Pixels, even.
    """

    n_frames: int
    width: int
    height: int


def write_mp4(frames: Iterator[NDArray[np.uint8]], path: Path, fps: Fraction) -> Film:
    """Writes pictures as an mp4, which takes the place of an earlier one only when it is complete and decodes.

    Small pictures are enlarged by a whole factor, each pixel a sharp square.

    Args:
        frames: At least one; `(height, width, 3)` uint8, all of one size.
        path: Where the film goes; the folder is made.
        fps: Frames a second.

    Raises:
        VideoError: If ffmpeg is missing or fails, the disk is full, or the pictures change their size.
        StorageError: If the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        film = _encode(frames, temporary, fps)
        _verify(temporary, film.n_frames)
    return film


def _encode(frames: Iterator[NDArray[np.uint8]], path: Path, fps: Fraction) -> Film:
    first = next(frames)
    n_frames = 1
    height, width = first.shape[:2]
    factor = max(1, math.ceil(_SHORTER_SIDE / min(height, width)))
    size = (width * factor + width * factor % 2, height * factor + height * factor % 2)  # yuv420p wants even sides
    filters = f"scale=iw*{factor}:ih*{factor}:flags=neighbor,pad={size[0]}:{size[1]}"
    with tempfile.TemporaryFile() as messages:
        writer = imageio_ffmpeg.write_frames(
            path,
            (width, height),
            fps=fps,
            quality=6,  # crf 20: pixel art stays sharp
            codec="libx264",
            macro_block_size=1,
            ffmpeg_log_level="error",
            ffmpeg_timeout=_TIMEOUT,
            output_params=["-vf", filters, "-movflags", "+faststart"],
        )
        try:
            with _standard_error(messages):
                _send(writer, None, messages)  # starts ffmpeg, which inherits our standard error
            _send(writer, first, messages)
            for frame in frames:
                if frame.shape != first.shape:
                    raise VideoError(f"The environment changed its picture from {first.shape} to {frame.shape}.")
                _send(writer, frame, messages)
                n_frames += 1
        finally:
            writer.close()
        if _last_lines(messages):
            raise VideoError(_failure(messages))
    return Film(n_frames, *size)


def _send(writer: Any, frame: NDArray[np.uint8] | None, messages: IO[bytes]) -> None:
    try:
        writer.send(frame)
    except (OSError, RuntimeError) as error:
        raise VideoError(_failure(messages, error)) from error


@contextlib.contextmanager
def _standard_error(file: IO[bytes]) -> Iterator[None]:
    """Sends what a process started inside writes to standard error to `file`; imageio-ffmpeg has no other way."""
    before = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def _last_lines(messages: IO[bytes]) -> str:
    messages.seek(0)
    return " ".join(messages.read().decode(errors="replace").split("\n")[-4:]).strip()


def _failure(messages: IO[bytes], error: Exception | None = None) -> str:
    said = _last_lines(messages)
    if "No space left" in said or "File too large" in said:
        return f"The disk is full, so the replay could not be written: {said}"
    if isinstance(error, FileNotFoundError) or (error is not None and "No ffmpeg exe" in str(error)):
        return f"There is no ffmpeg: {error}. Install it again: pip install --force-reinstall imageio-ffmpeg"
    return f"ffmpeg could not write the replay: {said or str(error).splitlines()[0]}"


def _verify(path: Path, n_frames: int) -> None:
    """Decodes the film: an encoder that was killed says nothing, but leaves a file that does not play."""
    try:
        found, _ = imageio_ffmpeg.count_frames_and_secs(path)
    except RuntimeError as error:
        last = str(error).splitlines()[-1]
        raise VideoError(f"The replay does not play; was ffmpeg killed, or is the disk full? {last}") from error
    if found != n_frames:
        raise VideoError(f"The replay should have {n_frames} frames but has {found}; is the disk full?")
