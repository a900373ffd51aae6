"""Tiny registered environments: vector, image and dictionary observations, with four kinds of actions."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rl_units.course import Protocol

VECTOR = spaces.Box(-2.0, 2.0, (5,), np.float32)
IMAGE = spaces.Box(0, 255, (36, 40, 2), np.uint8)  # 36 is the least that NatureCNN takes; channels last, as made
OBSERVATIONS = {
    "vector": VECTOR,
    "image": IMAGE,
    "dict": spaces.Dict({"picture": IMAGE, "position": VECTOR, "room": spaces.Discrete(3)}),
    "vectors": spaces.Dict({"position": VECTOR, "speed": spaces.Box(-1.0, 1.0, (2, 2), np.float32)}),
}
ACTIONS = {
    "discrete": spaces.Discrete(4),
    "box": spaces.Box(np.array([-1.0, 0.5], np.float32), np.array([3.0, 0.75], np.float32)),
    "multi-discrete": spaces.MultiDiscrete([3, 2]),
    "multi-binary": spaces.MultiBinary(3),
}


class World(gym.Env[Any, Any]):
    """Random observations, reward 1, three steps an episode."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 # Gymnasium's own spelling

    def __init__(self, observations: str, actions: str, render_mode: str | None = None) -> None:
        self.observation_space = OBSERVATIONS[observations]
        self.action_space = ACTIONS[actions]
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, _action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        return self.observation_space.sample(), 1.0, self.steps == 3, False, {}


for _observations in OBSERVATIONS:
    for _actions in ACTIONS:
        gym.register(
            id=f"Tiny-{_observations}-{_actions}-v0",
            entry_point=World,
            kwargs={"observations": _observations, "actions": _actions},
        )


def protocol_of(observations: str, actions: str) -> Protocol:
    """The protocol of a tiny environment."""
    env_id = f"Tiny-{observations}-{actions}-v0"
    return Protocol(id=env_id, version=1, env_id=env_id)


def sample(space: spaces.Space[Any], n: int, seed: int = 0) -> Any:
    """A batch of `n` observations."""
    space.seed(seed)
    drawn = [space.sample() for _ in range(n)]
    if isinstance(space, spaces.Dict):
        return {key: np.stack([one[key] for one in drawn]) for key in space.spaces}
    return np.stack(drawn)
