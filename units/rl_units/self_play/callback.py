"""Keeps past selves, draws opponents and rates the learner while it trains."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from rl_units.self_play.matches import play_matches
from rl_units.self_play.past_selves import PastSelves
from rl_units.self_play.rating import rating_of
from rl_units.self_play.settings import SelfPlay
from rl_units.self_play.vec_env import SelfPlayVecEnv

RATED_GAMES = 32
"""Games against each fixed opponent in a rating."""

RATINGS_FILE = "ratings.csv"


class SelfPlaying(BaseCallback):
    """Does between two rollouts what self-play needs.

    Args:
        settings: When to do what.
        env: Where the learner meets its past selves.
        past_selves: They.
        fixed_opponents: Rating of each fixed opponent, by name.
        make_match_env: Makes an environment of some games against a fixed opponent, as the learner's is wrapped.
        run_folder: Where the ratings are written.
        seed: Of the draws.
    """

    def __init__(
        self,
        settings: SelfPlay,
        env: SelfPlayVecEnv,
        past_selves: PastSelves,
        fixed_opponents: Mapping[str, float],
        make_match_env: Callable[[str, int], VecEnv],
        run_folder: Path,
        seed: int,
    ) -> None:
        super().__init__()
        self.rating: float | None = None
        self._settings = settings
        self._env = env
        self._past_selves = past_selves
        self._fixed_opponents = fixed_opponents
        self._make_match_env = make_match_env
        self._ratings = run_folder / RATINGS_FILE
        self._seed = seed
        self._done_at: dict[str, int] = {}

    def figures(self) -> dict[str, str]:
        """What the progress line shows of it."""
        return {"rating": "-" if self.rating is None else f"{self.rating:.0f}"}

    def _on_training_start(self) -> None:
        steps = self.model.num_timesteps
        self._past_selves.restore(self.model.policy, until=steps)
        self._forget_ratings_after(steps)
        self._done_at = {"save": max(self._past_selves.steps, default=-1), "swap": -1, "rating": steps}
        if not self._past_selves.steps:
            self._save()

    def _on_rollout_start(self) -> None:
        if self._is_due("save", self._settings.save_steps):
            self._save()
        if self._is_due("swap", self._settings.swap_steps):
            self._env.meet(np.random.default_rng([self._seed, self.model.num_timesteps]))
        if self._is_due("rating", self._settings.rating_steps):
            self._rate()

    def _on_step(self) -> bool:
        return True

    def _on_training_end(self) -> None:
        # Called a second time by the Zoo's clean-up.
        if self.model.num_timesteps > self._done_at["rating"]:
            self._done_at["rating"] = self.model.num_timesteps
            self._rate()

    def _is_due(self, what: str, every: int) -> bool:
        """Whether a multiple of `every` steps has been passed since it was last done; notes that it is done now."""
        now, before = self.model.num_timesteps, self._done_at[what]
        if before >= 0 and now // every == before // every:
            return False
        self._done_at[what] = now
        return True

    def _save(self) -> None:
        self._past_selves.add(self.model.policy, self.model.num_timesteps)

    def _rate(self) -> None:
        scores = {}
        for name in self._fixed_opponents:
            env = self._make_match_env(name, RATED_GAMES)
            scores[name] = float(play_matches(self._act, env).mean())
            env.close()
        self.rating = rating_of(scores, RATED_GAMES, self._fixed_opponents)
        row = {"steps": self.model.num_timesteps, "rating": round(self.rating, 1), **scores}
        is_new = not self._ratings.exists()
        with self._ratings.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row)
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def _act(self, observations: Any) -> Any:
        return self.model.predict(observations, deterministic=True)[0]

    def _forget_ratings_after(self, steps: int) -> None:
        """Drops what a resumed run will write again."""
        if not self._ratings.exists():
            return
        with self._ratings.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        kept = [row for row in rows if int(row["steps"]) <= steps]
        with self._ratings.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0] if rows else [])
            writer.writeheader()
            writer.writerows(kept)
        if kept:
            self.rating = float(kept[-1]["rating"])
