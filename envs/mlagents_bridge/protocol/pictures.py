"""Observations that come as PNG files, one after the other for more than three channels."""

import io
import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mlagents_bridge.errors import BridgeError

_PNG_HEADER: Final = b"\x89PNG\r\n\x1a\n"
_DROPPED: Final = -1


def read_pictures(content: bytes, shape: tuple[int, ...], mapping: list[int]) -> NDArray[np.float32]:
    """Pictures as channels.

    Args:
        content: PNG files, each of which gives three channels or one.
        shape: Channels, height and width that are expected.
        mapping: For each channel of the files the channel that it belongs to, or -1 for none; several that belong to
            one are averaged. Without a mapping a single channel is the average of the first picture's, and of more the
            first ones are taken.

    Returns:
        float32 `[channels, height, width]`, from 0 to 1.

    Raises:
        BridgeError: If the files are damaged, of another size, or do not match the mapping.
    """
    if len(shape) != 3:
        raise BridgeError(f"An observation of shape {list(shape)} came as a picture, which has three dimensions.")
    starts = [match.start() for match in re.finditer(re.escape(_PNG_HEADER), content)]
    if not starts or starts[0] != 0:
        raise BridgeError("An observation that is said to be a PNG file is none.")
    ends = [*starts[1:], len(content)]
    pictures = [_read(content[start:end], shape) for start, end in zip(starts, ends, strict=True)]
    channels = np.concatenate(pictures)
    if mapping:
        return _mapped(channels, mapping)
    return pictures[0].mean(axis=0, keepdims=True) if shape[0] == 1 else channels[: shape[0]]


def _read(content: bytes, shape: tuple[int, ...]) -> NDArray[np.float32]:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            # Checked before anything is unpacked: a small file can hold a huge picture.
            if image.size != (shape[2], shape[1]):
                raise BridgeError(
                    f"A picture of {image.size[0]} by {image.size[1]} pixels came where {shape[2]} by {shape[1]} were "
                    "expected."
                )
            pixels: NDArray[Any] = np.asarray(image, np.float32)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise BridgeError("An observation that is said to be a PNG file is damaged.") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    return np.moveaxis(pixels / np.float32(255), -1, 0).astype(np.float32)


def _mapped(channels: NDArray[np.float32], mapping: list[int]) -> NDArray[np.float32]:
    wanted = np.array(mapping)
    kept = np.unique(wanted[wanted != _DROPPED])
    if len(mapping) != len(channels) or not np.array_equal(kept, np.arange(len(kept))):
        raise BridgeError(f"{len(channels)} channels of a picture came with the mapping {mapping[:16]}.")
    return np.stack([channels[wanted == channel].mean(axis=0) for channel in kept])
