"""The bar that a student watches for hours."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import safe_mean
from tqdm import tqdm

_REFRESH_SECONDS = 1.0


class Progress(BaseCallback):
    """Shows steps, steps/s, time left, the mean return of the last episodes and the exploration rate.

    Args:
        figures: Give further figures to show, by their names.
    """

    def __init__(self, figures: Sequence[Callable[[], dict[str, str]]] = ()) -> None:
        super().__init__()
        self._further = figures
        self._bar: tqdm[Any] | None = None
        self._shown_at = 0.0

    def _on_training_start(self) -> None:
        self._shown_at = time.monotonic()  # SB3's exploration rate is set at the end of the first step
        self._bar = tqdm(
            total=self.model._total_timesteps,
            initial=self.model.num_timesteps,
            unit="step",
            unit_scale=True,
            dynamic_ncols=True,
            smoothing=0.05,
        )

    def _on_step(self) -> bool:
        if self._bar is None:
            raise AssertionError("training has not started")
        self._bar.update(self.training_env.num_envs)
        now = time.monotonic()
        if now - self._shown_at > _REFRESH_SECONDS:
            self._shown_at = now
            self._bar.set_postfix(self._figures(), refresh=False)
        return True

    def _on_training_end(self) -> None:
        # Called a second time by the Zoo's clean-up.
        if self._bar is not None:
            self._bar.set_postfix(self._figures())
            self._bar.close()
            self._bar = None

    def _figures(self) -> dict[str, str]:
        episodes = self.model.ep_info_buffer
        figures = {"reward": f"{safe_mean([info['r'] for info in episodes]):.1f}" if episodes else "-"}
        if hasattr(self.model, "exploration_rate"):
            figures["epsilon"] = f"{self.model.exploration_rate:.2f}"
        for further in self._further:
            figures |= further()
        return figures
