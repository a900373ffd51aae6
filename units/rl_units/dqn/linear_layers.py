"""Large linear layers that are calculated by oneDNN, which torch calculates convolutions with.

For products of float32 torch asks MKL, which leaves the widest vector instructions of other makers' processors unused:
on an AMD EPYC with AVX-512 the large layer of `CnnPolicy` took 3.2 ms forward and backward in MKL and 1.4 ms in oneDNN.
"""

from typing import Any

import torch as th
from torch import nn
from torch.autograd.function import once_differentiable

_LEAST_WEIGHTS = 2**18
"""Weights from which on a layer is worth it; that of `CnnPolicy` has 1.6 million."""


class OneDnnLinear(nn.Linear):
    """`nn.Linear` with the same weights, and the same results but for rounding."""

    def forward(self, input: th.Tensor) -> th.Tensor:
        """As in torch; float32 `[n, in_features]` on the CPU by oneDNN, all else, and what is exported, by torch."""
        is_plain = input.ndim == 2 and len(input) > 0 and input.dtype == self.weight.dtype == th.float32
        if not is_plain or th.compiler.is_compiling() or input.device.type != "cpu" or th.is_autocast_enabled("cpu"):
            return super().forward(input)
        product: th.Tensor = _Product.apply(input, self.weight, self.bias)  # type: ignore[no-untyped-call] # torch leaves it untyped
        return product


class _Product(th.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: th.Tensor, weight: th.Tensor, bias: th.Tensor | None) -> th.Tensor:
        ctx.save_for_backward(rows, weight)
        ctx.has_bias = bias is not None
        return _product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: th.Tensor) -> tuple[th.Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        return (
            _product(gradient, weight.t()) if ctx.needs_input_grad[0] else None,
            _product(gradient.t(), rows.t()) if ctx.needs_input_grad[1] else None,
            gradient.sum(0) if ctx.has_bias else None,
        )


def _product(rows: th.Tensor, weight: th.Tensor, bias: th.Tensor | None = None) -> th.Tensor:
    # What torch.compile calculates linear layers with.
    product: th.Tensor = th.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return product


def use_onednn(module: nn.Module) -> None:
    """Has the large linear layers in a module calculated by oneDNN, where torch has it beside MKL.

    Args:
        module: On the CPU. Its weights and what is saved of it stay as they are.
    """
    if not _is_available():
        return
    for layer in module.modules():
        if type(layer) is nn.Linear and layer.weight.numel() >= _LEAST_WEIGHTS:
            layer.__class__ = OneDnnLinear


def _is_available() -> bool:
    if not (th.backends.mkl.is_available() and th.backends.mkldnn.is_available()):  # type: ignore[no-untyped-call] # as above
        return False
    try:
        return bool(_product(th.ones(2, 3), th.ones(4, 3)).eq(3).all())
    except (AttributeError, RuntimeError):
        return False  # a torch without it
