"""Everything of a self-play run that is made when it begins: environments, past selves and the callback."""

from collections.abc import Callable
from pathlib import Path

from stable_baselines3.common.vec_env import VecEnv, VecNormalize, unwrap_vec_normalize

from rl_units.self_play.arenas_vec_env import ArenasVecEnv
from rl_units.self_play.callback import SelfPlaying
from rl_units.self_play.past_selves import PastSelves
from rl_units.self_play.settings import SelfPlay
from rl_units.self_play.vec_env import SelfPlayVecEnv, arenas_for
from snowball_fight.opponents import RATINGS

_FOLDER = "past_selves"
_MONITOR_FILE = "0.monitor.csv"


class SelfPlayArena:
    """Makes the parts of a run that plays against itself.

    Args:
        settings: How it plays.
        run_folder: The run.
        seed: Its seed.
        wrap: Wraps an environment as the hyperparameters say; is told whether it is for evaluation.
    """

    def __init__(self, settings: SelfPlay, run_folder: Path, seed: int, wrap: Callable[[VecEnv, bool], VecEnv]) -> None:
        self._settings = settings
        self._run_folder = run_folder
        self._seed = seed
        self._wrap = wrap
        self._past_selves = PastSelves(run_folder / _FOLDER, settings.window)
        self._env: SelfPlayVecEnv | None = None

    def make_training_env(self, n_envs: int) -> SelfPlayVecEnv:
        """`n_envs` slots for the learner, who meets itself and its past selves there."""
        mirrors, others = arenas_for(n_envs, self._settings.latest_ratio)
        arenas = ArenasVecEnv(mirrors + others, seed=self._seed)
        monitor = str(self._run_folder / _MONITOR_FILE)
        self._env = SelfPlayVecEnv(self._wrap(arenas, False), mirrors, self._past_selves, monitor)
        return self._env

    def make_match_env(self, opponent: str, n_games: int) -> VecEnv:
        """Games against a fixed opponent, half from either seat, seen through the learner's present normalisation."""
        env = self._wrap(ArenasVecEnv(n_games, opponent=opponent, seed=self._seed), True)
        learned = None if self._env is None else unwrap_vec_normalize(self._env)
        normalized = unwrap_vec_normalize(env)
        if isinstance(learned, VecNormalize) and isinstance(normalized, VecNormalize):
            normalized.obs_rms = learned.obs_rms
        return env

    def make_callback(self) -> SelfPlaying:
        """What goes on between two rollouts.

        Raises:
            AssertionError: Before `make_training_env`.
        """
        if self._env is None:
            raise AssertionError("the environment is made first")
        return SelfPlaying(
            self._settings,
            self._env,
            self._past_selves,
            RATINGS,
            self.make_match_env,
            self._run_folder,
            self._seed,
        )
