"""Choosing actions by a graph of ML-Agents, for observations as ML-Agents hands them over: an array a sensor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rl_units.agents.base import Observations, batch_size, rows
from rl_units.agents.choices import best_choices, check_finite, choose
from rl_units.agents.excerpts import excerpt
from rl_units.agents.mlagents_graph import MASKS, REMEDY, MlagentsGraph
from rl_units.agents.onnx_agent import open_session
from rl_units.errors import EvaluationError

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class MlagentsPolicy:
    """What a graph chooses.

    Attributes:
        graph: Checked.
        deterministic: Whether the likeliest actions are chosen. Sampled ones are drawn inside the graph, from a
            generator of onnxruntime's own that no seed of ours reaches: two runs of the same games differ.
    """

    graph: MlagentsGraph
    deterministic: bool = True

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the session, which each process opens for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "session"}

    @cached_property
    def session(self) -> Any:
        """See `onnx_agent.open_session`."""
        return open_session(self.graph.content)

    def act(
        self, observations: Sequence[NDArray[Any]], action_masks: NDArray[Any] | None = None
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Chooses actions; a deterministic one depends on its own observation and mask alone, whatever the batch.

        Args:
            observations: `(n, *shape)` for each of `graph.observations`.
            action_masks: `(n, sum(graph.branches))`, true or 1 for choices that are allowed; None allows all.

        Returns:
            Continuous actions, float32 `(n, graph.continuous_size)`, and discrete ones, int64
            `(n, len(graph.branches))`. The continuous ones are cut off at -1 and 1: ML-Agents leaves the tangent out of
            SAC's deterministic ones.

        Raises:
            EvaluationError: If the arrays do not fit, the graph fails, or it puts out something that is not finite, of
                another shape, or no action.
        """
        inputs = self._inputs(observations, action_masks)
        if not self.deterministic:
            return self._sample(inputs)
        n, branches = batch_size(inputs), self.graph.branches
        continuous, chosen = np.zeros((n, 0), np.float32), np.zeros((n, 0), np.int64)
        if branches:
            chosen = choose(inputs, self._scores, lambda one: best_choices(self._scores(one), branches), branches)
        if self.graph.continuous_size:  # one by one, because a larger batch may be rounded otherwise
            alone = [self._run(rows(inputs, slice(i, i + 1)))[0] for i in range(n)]
            continuous = np.clip(np.concatenate(alone), -1, 1)
        return continuous, chosen

    def _inputs(self, observations: Sequence[NDArray[Any]], action_masks: NDArray[Any] | None) -> dict[str, Floats]:
        n, n_choices = len(observations[0]), sum(self.graph.branches)
        masks = np.ones((n, n_choices), np.float32) if action_masks is None else action_masks
        arrays = {f"obs_{index}": array for index, array in enumerate(observations)} | {MASKS: masks}
        shapes: Mapping[str, tuple[int, ...]] = {
            **{f"obs_{index}": shape for index, shape in enumerate(self.graph.observations)},
            MASKS: (n_choices,),
        }
        if {name: array.shape for name, array in arrays.items()} != {name: (n, *shapes[name]) for name in shapes}:
            wanted = ", ".join(f"{name} (n, {', '.join(map(str, shape))})" for name, shape in shapes.items())
            raise EvaluationError(f"This agent of ML-Agents takes other arrays than it was given. Give it: {wanted}.")
        return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}

    def _sample(self, inputs: dict[str, Floats]) -> tuple[Floats, NDArray[np.int64]]:
        outputs = self._run(inputs)
        n, branches = batch_size(inputs), np.array(self.graph.branches, np.int64)
        continuous = outputs.pop(0) if self.graph.continuous_size else np.zeros((n, 0), np.float32)
        chosen = outputs.pop() if outputs else np.zeros((n, 0), np.int64)
        if not ((chosen >= 0) & (chosen < branches)).all():
            raise EvaluationError(f"The agent's ONNX graph chose an action that there is not. {REMEDY}")
        return np.clip(continuous, -1, 1), chosen

    def _scores(self, inputs: Observations) -> Floats:
        """`(n, sum(graph.branches))`, branch after branch."""
        outputs = self._run(inputs)
        return np.concatenate(outputs[-len(self.graph.branches) :], axis=1)

    def _run(self, inputs: Observations) -> list[NDArray[Any]]:
        """What the graph puts out, in the order of its outputs."""
        graph = self.graph
        try:
            taken = {entry.name: inputs[entry.name] for entry in self.session.get_inputs()}
            outputs: list[NDArray[Any]] = self.session.run(None, taken)
        except Exception as error:  # onnxruntime's errors have no common base
            raise EvaluationError(f"The agent's ONNX graph failed: {excerpt(error)}. {REMEDY}") from error
        widths = [graph.continuous_size] if graph.continuous_size else []
        widths += graph.branches if self.deterministic else [len(graph.branches)] * len(graph.discrete)
        shapes = [output.shape for output in outputs]
        if shapes != [(batch_size(inputs), width) for width in widths]:
            raise EvaluationError(f"The agent's ONNX graph put out the shapes {excerpt(shapes)}. {REMEDY}")
        return [check_finite(output) for output in outputs]
