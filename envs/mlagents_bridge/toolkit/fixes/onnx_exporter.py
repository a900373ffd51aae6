"""torch 2.9 and later export ONNX through another exporter, which cannot export ML-Agents' networks."""

import functools
import inspect
from collections.abc import Callable
from types import ModuleType

from mlagents_bridge.toolkit.fixes.substitutes import Overlay


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents.trainers.torch_entities.model_serialization"


def is_needed() -> bool:
    """Whether the new exporter is the one that torch takes if it is not told."""
    import torch

    parameter = inspect.signature(torch.onnx.export).parameters.get("dynamo")
    return parameter is not None and parameter.default is True


def execute(module: ModuleType, run: Callable[[], None]) -> None:
    """Lets the module export through the older exporter."""
    run()
    torch = vars(module)["torch"]
    export = functools.partial(torch.onnx.export, dynamo=False)
    vars(module)["torch"] = Overlay(torch, onnx=Overlay(torch.onnx, export=export))
