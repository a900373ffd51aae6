"""Makes tests/data/mlagents: small policies of ML-Agents itself as it exports them, and what they do when it runs them.

It needs mlagents 1.1.0 (`python -m mlagents_bridge install`), which the tests that read the files do not:

python tests/mlagents_models.py

Each `<name>.onnx` is an exported policy; `<name>.npz` holds `obs_0`, `obs_1` and so on, `masks` (1 for choices that are
allowed), and the policy's own deterministic `continuous` and `discrete` actions.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mlagents.trainers.policy.torch_policy import TorchPolicy
from mlagents.trainers.settings import NetworkSettings
from mlagents.trainers.torch_entities.model_serialization import ModelSerializer
from mlagents.trainers.torch_entities.networks import SimpleActor
from mlagents_envs.base_env import (
    ActionSpec,
    BehaviorSpec,
    DecisionSteps,
    DimensionProperty,
    ObservationSpec,
    ObservationType,
)

FOLDER = Path(__file__).with_name("data") / "mlagents"
SENSORS = ((30,), (50,), (30,), (12,), (7,))  # Snowball Fight, one against one
BRANCHES = (3, 3, 3, 2)
ROWS = 16
_PICTURE = (DimensionProperty.NONE, *[DimensionProperty.TRANSLATIONAL_EQUIVARIANCE] * 2)


@dataclass(frozen=True)
class Model:
    """A policy that nobody has trained.

    Attributes:
        shapes: Of its observations.
        n_continuous: How many continuous actions it has.
        branches: How many choices each discrete action has.
        normalize: Whether it normalises its observations.
        squash: Whether a tangent bounds its continuous actions, as in SAC; else they are clipped, as in PPO.
        memory: Whether it has an LSTM.
        hidden_units: Of its one layer.
    """

    shapes: tuple[tuple[int, ...], ...]
    n_continuous: int = 0
    branches: tuple[int, ...] = ()
    normalize: bool = False
    squash: bool = False
    memory: bool = False
    hidden_units: int = 8

    @property
    def spec(self) -> BehaviorSpec:
        """As an environment tells it."""
        observations = [_observation(shape) for shape in self.shapes]
        return BehaviorSpec(observations, ActionSpec(self.n_continuous, self.branches))

    @property
    def settings(self) -> NetworkSettings:
        """As a configuration file has them."""
        memory = NetworkSettings.MemorySettings(sequence_length=4, memory_size=8) if self.memory else None
        return NetworkSettings(self.normalize, self.hidden_units, 1, memory=memory, deterministic=True)


MODELS = {
    "discrete": Model(SENSORS, branches=BRANCHES),
    "one-observation": Model(((129,),), branches=BRANCHES),
    "normalized": Model(SENSORS, branches=BRANCHES, normalize=True),
    "continuous": Model(((5,), (3,)), n_continuous=2),
    "squashed": Model(((5,),), n_continuous=2, squash=True),
    "hybrid": Model(((5,), (3,)), n_continuous=2, branches=(3, 2)),
    "cart-pole": Model(((4,),), branches=(2,)),
    "picture": Model(((1, 20, 20), (4,)), branches=(3,)),
    "recurrent": Model(((6,),), branches=(3, 2), memory=True),
}


def _observation(shape: tuple[int, ...]) -> ObservationSpec:
    properties = _PICTURE if len(shape) == 3 else (DimensionProperty.NONE,)
    return ObservationSpec(shape, properties, ObservationType.DEFAULT, "")


def make(name: str, model: Model, folder: Path) -> None:
    """Writes both files of a model."""
    torch.manual_seed(7)
    chance = np.random.default_rng(7)
    squash = {"conditional_sigma": model.squash, "tanh_squash": model.squash}
    policy = TorchPolicy(7, model.spec, model.settings, SimpleActor, squash)
    with torch.no_grad():
        for label, weights in policy.actor.action_model.named_parameters():
            if label.endswith("weight"):  # a new network has hardly any preference
                weights.mul_(20)
    observations = [chance.uniform(-1, 1, (ROWS, *shape)).astype(np.float32) for shape in model.shapes]
    if model.normalize:
        for processor, seen in zip(policy.actor.network_body.processors, observations, strict=True):
            processor.normalizer.update(torch.as_tensor(3 + 2 * seen))
    ModelSerializer(policy).export_policy_model(str(folder / name))
    forbidden = [chance.random((ROWS, branch)) < 0.4 for branch in model.branches]
    for branch in forbidden:
        branch[branch.all(axis=1), 0] = False
    numbers = np.arange(ROWS, dtype=np.int32)
    nothing = np.zeros(ROWS, np.float32)
    steps = DecisionSteps(observations, nothing, numbers, forbidden or None, numbers, nothing)
    action = policy.get_action(steps).env_action
    masks = 1 - np.concatenate(forbidden, axis=1).astype(np.float32) if forbidden else np.zeros((ROWS, 0), np.float32)
    np.savez_compressed(
        folder / f"{name}.npz",
        masks=masks,
        continuous=action.continuous,
        discrete=action.discrete,
        **{f"obs_{index}": observation for index, observation in enumerate(observations)},
    )


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for chosen, described in MODELS.items():
        make(chosen, described, FOLDER)
