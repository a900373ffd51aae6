"""The agent as it was: copies of its policy, kept in the run's folder."""

import contextlib
from pathlib import Path

import numpy as np
import safetensors
import torch as th
from safetensors.torch import load_file, save
from stable_baselines3.common.policies import BasePolicy

from rl_units.errors import CheckpointError
from rl_units.files import atomic_path, storage_errors


class PastSelves:
    """The newest copies of a policy, each named by the steps after which it was made.

    They lie in a folder of their own, one safetensors file a copy, so that a resumed run meets the same past selves.

    Args:
        folder: Is made when the first copy is.
        window: How many are kept.
    """

    def __init__(self, folder: Path, window: int) -> None:
        self._folder = folder
        self._window = window
        self._policies: dict[int, BasePolicy] = {}

    @property
    def steps(self) -> list[int]:
        """Names of the copies, oldest first."""
        return sorted(self._policies)

    def add(self, policy: BasePolicy, steps: int) -> None:
        """Keeps a copy of the policy as it is, and lets go of the oldest one that is too many.

        Raises:
            StorageError: If it cannot be written.
        """
        with storage_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(self._file(steps)) as temporary:
                temporary.write_bytes(save({name: value.contiguous() for name, value in policy.state_dict().items()}))
        self._policies[steps] = _frozen_copy(policy)
        for old in self.steps[: -self._window]:
            self._forget(old)

    def restore(self, policy: BasePolicy, until: int) -> None:
        """Reads the copies again; those after `until`, which a resumed run has not reached yet, are deleted.

        Args:
            policy: One of the same architecture.
            until: Steps of the checkpoint that is resumed from.

        Raises:
            CheckpointError: If a copy is damaged or of another architecture.
        """
        self._policies = {}
        for path in self._folder.glob("*.safetensors"):
            if not path.stem.isdecimal():
                continue
            steps = int(path.stem)
            if steps > until:
                self._forget(steps)
                continue
            try:
                restored = _frozen_copy(policy)
                restored.load_state_dict(load_file(path))
            except (OSError, RuntimeError, safetensors.SafetensorError) as error:
                raise CheckpointError(
                    f"The past self {path} is damaged: {error}. Delete it to go on without."
                ) from error
            self._policies[steps] = restored

    def draw(self, count: int, rng: np.random.Generator) -> list[BasePolicy]:
        """`count` copies, each drawn from all of them with the same chance.

        Who is drawn can be played on with when it is no longer kept.
        """
        return [self._policies[int(steps)] for steps in rng.choice(self.steps, size=count)]

    def _file(self, steps: int) -> Path:
        return self._folder / f"{steps}.safetensors"

    def _forget(self, steps: int) -> None:
        self._policies.pop(steps, None)
        with contextlib.suppress(OSError):  # what cannot be removed only takes room
            self._file(steps).unlink(missing_ok=True)


def _frozen_copy(policy: BasePolicy) -> BasePolicy:
    # Not `deepcopy`: a policy that has just learned holds tensors that torch refuses to copy.
    with th.random.fork_rng(devices=[]):  # new weights are drawn, and replaced
        made = type(policy)(**policy._get_constructor_parameters())
    made.load_state_dict(policy.state_dict())
    made.set_training_mode(False)
    return made.requires_grad_(False)
