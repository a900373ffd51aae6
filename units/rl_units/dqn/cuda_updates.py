"""DQN's updates on a GPU, several at a time in one CUDA graph.

Small networks let a GPU wait for Python to launch the next kernel. A graph holds all kernels of some updates, from the
upload of what was drawn to the optimizer's last step, and one launch starts them. The numbers are those of SB3's
`DQN.train`; its loss is known a call later, so that nobody waits for the GPU.

Between updates the optimizer is an ordinary one: what a graph needs of it, a learning rate that stands in the GPU's
memory above all, is taken back at once. So it is saved as SB3 saves it.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch.nn.functional import smooth_l1_loss

from rl_units.dqn.device_batches import Batches, FrameSource, choose_frames, host_tensor
from rl_units.dqn.frame_replay import FrameReplayBuffer

_MOST_UPDATES = 8
_WARM_UPS = 3

Losses = NDArray[np.float32]
Precision = Literal["float32", "tf32", "bf16"]
"""How exactly is calculated.

`float32` is what SB3 has, which leaves torch's settings alone: matrix products have factors of float32, and those of
convolutions may be rounded to TF32 (10 bits), as torch lets cuDNN do. `tf32` allows it for matrix products as well, and
`bf16` has both networks calculate with bfloat16 (7 bits). Weights, targets, loss and optimizer are float32 always.
"""


def gradient_step(model: DQN, batch: ReplayBufferSamples, precision: Precision = "float32") -> th.Tensor:
    """An update of the network as in SB3's `DQN.train`.

    Args:
        model: What learns.
        batch: On the model's device.
        precision: Of the networks' forward and backward passes.

    Returns:
        The loss, on the device.
    """
    # Casts that are kept would outlive the step that changes their weights, if somebody else's autocast is around.
    with th.autocast(model.device.type, th.bfloat16, enabled=precision == "bf16", cache_enabled=False):
        with th.no_grad():
            following = model.q_net_target(batch.next_observations).max(dim=1).values.reshape(-1, 1)
        current = model.q_net(batch.observations).gather(1, batch.actions)
    target = batch.rewards + (1 - batch.dones) * model.gamma * following.float()
    loss = smooth_l1_loss(current.float(), target)
    model.policy.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
    th.nn.utils.clip_grad_norm_(model.policy.parameters(), model.max_grad_norm)
    model.policy.optimizer.step()
    return loss.detach()


class CudaGraph:
    """Work on a GPU that is recorded once and done often; recording it does it a few times.

    Args:
        work: Never waits for the GPU, and reads and writes what it has not made itself in place.
        device: The GPU.
    """

    def __init__(self, work: Callable[[], None], device: th.device) -> None:
        self._device, self._graph = device, th.cuda.CUDAGraph()
        self._done = th.cuda.Event()  # type: ignore[no-untyped-call] # torch leaves it untyped
        stream = th.cuda.Stream(device)  # type: ignore[no-untyped-call] # as above
        current = th.cuda.current_stream(device)
        stream.wait_stream(current)
        with th.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                work()
        current.wait_stream(stream)
        # Environments may use a GPU in their thread at the same time.
        with th.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
            work()

    def replay(self) -> None:
        """Has the work done, without waiting for it."""
        self._graph.replay()
        self._done.record(th.cuda.current_stream(self._device))

    def wait(self) -> None:
        """Waits until it is done."""
        self._done.synchronize()


class Updates:
    """Some updates at a time, kernel by kernel.

    Args:
        model: What learns, with Adam.
        buffer: The model's.
        n_updates: As many at a time.
        batch_size: Transitions for an update.
        precision: See `gradient_step`.
        frames: Where frames come from; None chooses.
    """

    def __init__(
        self,
        model: DQN,
        buffer: FrameReplayBuffer,
        n_updates: int,
        batch_size: int,
        precision: Precision = "float32",
        frames: FrameSource | None = None,
    ) -> None:
        self._made_for = (buffer, n_updates, batch_size)
        self._model, self._precision = model, precision
        self._weights = _weights(model)
        frames = frames or choose_frames(buffer, n_updates * batch_size, model.device)
        self._batches = Batches(buffer, frames, n_updates, batch_size, model.device)
        self._losses = host_tensor((n_updates,), th.float32, model.device)

    def fit(self, buffer: FrameReplayBuffer, n_updates: int, batch_size: int) -> bool:
        """Whether they are those of a buffer, as many, and with batches of that size."""
        return self._made_for == (buffer, n_updates, batch_size)

    def run(self) -> Losses | None:
        """Makes the updates.

        Returns:
            Losses of the newest updates that are known, `[n_updates]`; None if there are none.
        """
        _fuse(self._model.policy.optimizer)
        self._draw()
        self._work()
        if self._model.device.type == "cuda":
            th.cuda.current_stream(self._model.device).synchronize()
        return self._losses.numpy().copy()

    def _draw(self) -> None:
        self._batches.draw(self._model.policy.optimizer.param_groups[0]["lr"])

    def _work(self) -> None:
        """What the device does."""
        batches, optimizer = self._batches.upload(), self._model.policy.optimizer
        with _matrix_products(self._precision), _learning_rate_in_memory(optimizer, self._batches.learning_rate):
            losses = [gradient_step(self._model, batch, self._precision) for batch in batches]
        self._losses.copy_(th.stack(losses), non_blocking=True)


class GraphedUpdates(Updates):
    """Some updates at a time, in a graph; see `Updates`, with whose arguments it is made.

    The graph is recorded anew when a weight or a number of the optimizer stands in another place of the memory, as when
    parameters were loaded.
    """

    record: type[CudaGraph] = CudaGraph
    _graph: CudaGraph | None = None
    _recorded: tuple[Any, ...] = ()

    def run(self) -> Losses | None:
        """Starts the updates; see `Updates`."""
        losses = None
        if self._graph is not None:
            self._graph.wait()
            losses = self._losses.numpy().copy()
        self._draw()
        if self._graph is None or self._recorded != self._inputs():
            self._graph = None
            _fuse(self._model.policy.optimizer)
            with _undone(self._model):
                self._graph = self.record(self._work, self._model.device)
            self._check(self._graph)
            self._recorded = self._inputs()
        self._graph.replay()
        return losses

    def _check(self, graph: CudaGraph) -> None:
        """Compares what a graph does with what its work does, because a wrong one would teach wrong things silently.

        Raises:
            RuntimeError: If the weights change otherwise.
        """
        before = [weight.detach().clone() for weight in self._weights]
        after = []
        for work in (self._work, graph.replay):
            with _undone(self._model):
                work()
                after.append([weight.detach().clone() for weight in self._weights])
        change, error = (
            sum(float((new - old).abs().sum()) for new, old in zip(left, right, strict=True))
            for left, right in ((after[0], before), (after[0], after[1]))
        )
        # Adam moves a weight whose gradient is nearly nothing as far as the others, and in either direction.
        if not error <= 0.1 * change:
            raise RuntimeError("a CUDA graph of the updates does not do what the updates do")

    def _inputs(self) -> tuple[Any, ...]:
        """What a graph has taken over as it was when it was recorded."""
        moments = _moments(self._model.policy.optimizer)
        return (self._model.gamma, self._model.max_grad_norm, *(t.data_ptr() for t in [*self._weights, *moments]))


def graphed_buffer(model: DQN) -> FrameReplayBuffer | None:
    """The replay buffer of a model whose updates a graph can hold: one that learns from frames on a GPU, with Adam."""
    buffer = model.replay_buffer
    is_plain = model._vec_normalize_env is None and isinstance(model.policy.optimizer, th.optim.Adam)
    return buffer if is_plain and model.device.type == "cuda" and isinstance(buffer, FrameReplayBuffer) else None


def updates_per_graph(n_updates: int) -> int:
    """How many updates a graph had better hold so that some replays of it make all of them."""
    return max(n for n in range(1, _MOST_UPDATES + 1) if n_updates % n == 0)


def _weights(model: DQN) -> list[th.Tensor]:
    return [*model.policy.parameters(), *model.policy.buffers()]


def _moments(optimizer: th.optim.Optimizer) -> list[th.Tensor]:
    return [moment for state in optimizer.state.values() for moment in state.values()]


def _fuse(optimizer: th.optim.Optimizer) -> None:
    """Has an Adam, whoever has saved it, work in a single kernel, which counts its steps on the device."""
    for group in optimizer.param_groups:
        group["fused"], group["foreach"] = True, False
    for parameter, state in optimizer.state.items():
        state["step"] = state["step"].to(parameter.device, th.float32)


@contextlib.contextmanager
def _learning_rate_in_memory(optimizer: th.optim.Optimizer, learning_rate: th.Tensor) -> Iterator[None]:
    kept = [(group["lr"], group["capturable"]) for group in optimizer.param_groups]
    is_recorded = learning_rate.is_cuda and th.cuda.is_current_stream_capturing()
    for group in optimizer.param_groups:
        # A fused Adam is always fit to be recorded, but torch wants to be told, and warns whoever tells it for nothing.
        group["lr"], group["capturable"] = learning_rate, is_recorded
    try:
        yield
    finally:
        for group, (rate, capturable) in zip(optimizer.param_groups, kept, strict=True):
            group["lr"], group["capturable"] = rate, capturable


@contextlib.contextmanager
def _matrix_products(precision: Precision) -> Iterator[None]:
    if precision != "tf32":
        yield
        return
    settings = th.backends.cuda.matmul
    kept, settings.fp32_precision = settings.fp32_precision, "tf32"
    try:
        yield
    finally:
        settings.fp32_precision = kept


@contextlib.contextmanager
def _undone(model: DQN) -> Iterator[None]:
    """Takes back at the end what updates have changed; moments that are new become those of a new Adam."""
    optimizer = model.policy.optimizer
    kept = {id(tensor): tensor.detach().clone() for tensor in [*_weights(model), *_moments(optimizer)]}
    with th.random.fork_rng([model.device] if model.device.type == "cuda" else []):
        yield
    with th.no_grad():
        for tensor in [*_weights(model), *_moments(optimizer)]:
            tensor.copy_(kept[id(tensor)]) if id(tensor) in kept else tensor.zero_()
