"""Weights as plain float32 tensors: read from `policy.pth` and safetensors, checked, hashed."""

import hashlib
import io
import pickle
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.torch
import torch as th
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import nn

from rl_units.agents.archives import MAX_WEIGHT_BYTES, repack_tensors
from rl_units.agents.excerpts import excerpt
from rl_units.errors import UnsafeAgentError

Weights = dict[str, th.Tensor]

MAX_TENSORS = 1000
"""Most named tensors; SAC with images, the largest that we read, has about 100."""


def read_pth(content: bytes, what: str) -> Weights:
    """Reads the state dictionary that SB3 saved with `torch.save`.

    Args:
        content: The file `policy.pth`.
        what: Its name, for messages.

    Returns:
        Finite float32 tensors by name.

    Raises:
        UnsafeAgentError: `pickle-payload` if it asks for anything but tensors; `damaged-weights`,
            `unsupported-tensor`, `too-many-weights`, `non-finite-weights`, or as `archives.repack_tensors`.
    """
    clean = io.BytesIO(repack_tensors(content, what))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's file does not get to speak
            state = th.load(clean, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeAgentError("pickle-payload", f"{what} is refused: it asks for more than tensors.") from error
    except Exception as error:  # torch's reader raises whatever it stumbles over
        raise UnsafeAgentError("damaged-weights", f"{what} cannot be read: {type(error).__name__}.") from error
    return _checked(state, what)


def read_safetensors(content: bytes, what: str) -> Weights:
    """Reads a safetensors file.

    Raises:
        UnsafeAgentError: `damaged-weights`, `unsupported-tensor`, `too-many-weights` or `non-finite-weights`.
    """
    try:
        state = safetensors.torch.load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise UnsafeAgentError("damaged-weights", f"{what} is not a safetensors file: {excerpt(error)}.") from error
    return _checked(state, what)


def to_safetensors(weights: Weights) -> bytes:
    """The content of a safetensors file."""
    return safetensors.torch.save({name: tensor.contiguous() for name, tensor in weights.items()})


def hash_arrays(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Hexadecimal SHA-256 over name, dtype, shape and bytes of every array, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}\0{array.dtype.str}\0{arrays[name].shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _checked(state: Any, what: str) -> Weights:
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise UnsafeAgentError("unsupported-tensor", f"{what} is not a table of named tensors.")
    if len(state) > MAX_TENSORS:
        raise UnsafeAgentError(
            "too-many-weights", f"{what} names {len(state):,} tensors; the limit is {MAX_TENSORS:,}."
        )
    for name, tensor in state.items():
        if not _is_plain(tensor):
            raise UnsafeAgentError("unsupported-tensor", f"{what}: {excerpt(name)!r} is not a dense float32 tensor.")
    # Several names may share a tensor, at most an extractor three times; each is looked through.
    if 4 * sum(tensor.numel() for tensor in state.values()) > 3 * MAX_WEIGHT_BYTES:
        raise UnsafeAgentError("too-many-weights", f"{what} repeats its tensors beyond what can be looked through.")
    for name, tensor in state.items():
        if not bool(th.isfinite(tensor).all()):
            raise UnsafeAgentError("non-finite-weights", f"{what}: {excerpt(name)!r} holds NaN or infinity.")
    return {name: tensor.detach() for name, tensor in state.items()}


def _is_plain(tensor: Any) -> bool:
    return (
        type(tensor) in (th.Tensor, nn.Parameter)
        and tensor.layout is th.strided
        and tensor.device.type == "cpu"
        and tensor.dtype is th.float32
        and tensor.is_contiguous()  # a view of one number would claim any size
    )
