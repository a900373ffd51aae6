"""Drives the Zoo: its own parser, its own experiment, with ours hooked in where it makes callbacks and models."""

import os
import secrets
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import rl_zoo3.train
import torch as th
from rl_zoo3.exp_manager import ExperimentManager
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from rl_units.dqn.settings import N_ENVS, with_our_preprocessing
from rl_units.errors import ConfigError, UserError
from rl_units.files import storage_errors, write_text
from rl_units.runs import file_name
from rl_units.self_play.arena import SelfPlayArena
from rl_units.self_play.settings import save_settings
from rl_units.training.checkpoint import checkpoint_folder
from rl_units.training.checkpointing import Checkpointing, Stop, Stopping, can_checkpoint, keep_earlier_logs
from rl_units.training.hooks import atomic_model_files, our_dqn, replaced, stopping_on_signals
from rl_units.training.plan import Outcome, Plan
from rl_units.training.progress import Progress
from rl_units.training.room import check_room
from rl_units.training.threads import ThreadWatch, choose_threads


class Experiment(ExperimentManager):
    """The Zoo's experiment with checkpoints, progress and a timed number of threads."""

    def __init__(self, *args: Any, plan: Plan, stop: Stop, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        self.stop = stop
        self.model: BaseAlgorithm | None = None
        self.checkpointing: Checkpointing | None = None
        self._arena: SelfPlayArena | None = None
        self._environments: list[VecEnv] = []
        self._made_folder = False
        if plan.run_folder is not None:
            self.save_path = str(plan.run_folder)
            self.params_path = str(plan.run_folder / file_name(self.env_name))

    def setup_experiment(self) -> tuple[BaseAlgorithm, dict[str, Any]] | None:
        """Makes environments and model as the Zoo does, then chooses the threads.

        Raises:
            ConfigError: If the hyperparameters do not fit the algorithm or the environment.
        """
        if self.plan.run_folder is not None and self.plan.checkpoint is not None:
            keep_earlier_logs(self.plan.run_folder, self.plan.checkpoint)
        try:
            results: tuple[BaseAlgorithm, dict[str, Any]] | None = super().setup_experiment()
        except Exception as error:
            for environment in self._environments:
                environment.close()
            if self._made_folder:
                shutil.rmtree(self.save_path, ignore_errors=True)
            if isinstance(error, UserError):
                raise
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
                raise  # a disk's refusal, which `train` turns into a sentence
            # The Zoo evaluates settings, imports by name and asserts: whatever it stumbles over is in the settings.
            raise ConfigError(
                f"These hyperparameters do not fit {self.algo} on {self.env_name}: {_reason(error)}."
            ) from error
        if results is not None:
            self.model = results[0]
            self._prepare(results[0])
        return results

    def read_hyperparameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Reads the file as the Zoo does; our DQN takes several environments unless the file says how many.

        Or unless it says that updates are made after episodes, which SB3 does for a single environment only.
        """
        hyperparameters, saved = super().read_hyperparameters()
        if self.plan.fast_dqn and "episode" not in str(hyperparameters.get("train_freq")):
            for settings in (hyperparameters, saved):
                settings.setdefault("n_envs", N_ENVS)
        return hyperparameters, saved

    @property
    def _frames_folder(self) -> Path | None:
        """Where our DQN keeps its frames; None in memory, as for the trials of the Zoo's search, which are not kept."""
        is_kept = self.plan.fast_dqn and not self.optimize_hyperparameters
        return checkpoint_folder(Path(self.save_path)) if is_kept else None

    def _preprocess_hyperparams(self, hyperparams: dict[str, Any]) -> tuple[dict[str, Any], Any, Any, Any]:
        if self.plan.fast_dqn and "env_wrapper" in hyperparams:
            hyperparams["env_wrapper"] = with_our_preprocessing(hyperparams["env_wrapper"])
        settings, env_wrapper, callbacks, vec_env_wrapper = super()._preprocess_hyperparams(hyperparams)
        if self._frames_folder is not None:
            settings["frames_folder"] = self._frames_folder
            settings["frames_prefix"] = f"replay-{secrets.token_hex(4)}"
        return settings, env_wrapper, callbacks, vec_env_wrapper

    def _preprocess_action_noise(
        self, hyperparams: dict[str, Any], saved_hyperparams: dict[str, Any], env: VecEnv
    ) -> dict[str, Any]:
        # The Zoo's last step before it makes the model, which takes the memory.
        check_room(self.algo, env, hyperparams, self._frames_folder, self.plan.checkpoint_frequency)
        settings: dict[str, Any] = super()._preprocess_action_noise(hyperparams, saved_hyperparams, env)
        return settings

    def create_envs(self, *args: Any, **kwargs: Any) -> VecEnv:
        """Makes environments as the Zoo does; they are closed if the rest of the set-up fails.

        Environments in processes of their own inherit that Ctrl-C is ignored; they end when training does.
        """
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            environment: VecEnv = self._create_envs(*args, **kwargs)
        finally:
            signal.signal(signal.SIGINT, handler)
        self._environments.append(environment)
        return environment

    def _create_envs(self, n_envs: int, eval_env: bool = False, no_log: bool = False) -> VecEnv:
        settings = self.plan.self_play
        if settings is None or eval_env:
            return super().create_envs(n_envs, eval_env, no_log)
        if self.env_wrapper is not None:
            raise ConfigError("Self-play steps all arenas at once, so the hyperparameters cannot have an env_wrapper.")
        self._arena = SelfPlayArena(settings, Path(self.save_path), self.seed, self._wrap)
        return self._arena.make_training_env(n_envs)

    def _wrap(self, env: VecEnv, is_for_evaluation: bool) -> VecEnv:
        """Wraps an environment as the hyperparameters say, which the Zoo does for its own environments."""
        wrapped: VecEnv = self._maybe_normalize(env, is_for_evaluation)
        return wrapped if self.frame_stack is None else VecFrameStack(wrapped, self.frame_stack)

    def create_log_folder(self) -> None:
        """Makes the run folder; remembers whether it was there."""
        self._made_folder = not Path(self.save_path).exists()
        super().create_log_folder()  # type: ignore[no-untyped-call] # the Zoo leaves it untyped

    def _prepare(self, model: BaseAlgorithm) -> None:
        if self.plan.times_threads:
            threads = self._choose_threads(model)
            print(f"Training on {model.device} with {threads} CPU thread(s).")  # noqa: T201 # for the student
        if can_checkpoint(model):
            # In front, so that the others start from the restored state.
            self.checkpointing = self._checkpointing()
            self.callbacks.insert(0, self.checkpointing)
        else:
            print("This algorithm or its replay buffer keeps state of its own, so the run cannot be resumed.")  # noqa: T201 # as above
            self.callbacks.append(Stopping(self.stop))
        if self.plan.times_threads and model.device.type == "cpu":
            # Before the checkpoint, which keeps the number that the run goes on with.
            self.callbacks.insert(0, ThreadWatch())
        figures = []
        if self._arena is not None:
            playing = self._arena.make_callback()
            self.callbacks.append(playing)
            figures.append(playing.figures)
        if self.plan.shows_progress:
            self.callbacks.append(Progress(figures))

    def _choose_threads(self, model: BaseAlgorithm) -> int:
        """The fastest number by timing; that of the checkpoint in a resumed run, because rounding depends on it."""
        kept = self.plan.checkpoint.threads if self.plan.checkpoint is not None else None
        if kept is None or kept > (os.cpu_count() or 1):
            return choose_threads(model)
        th.set_num_threads(kept)
        return kept

    def _checkpointing(self) -> Checkpointing:
        return Checkpointing(
            run_folder=Path(self.save_path),
            algo=self.algo,
            env_id=self.env_name.gym_id,
            # Environments that begin only after the checkpoint are seeded as they would have been.
            arguments=(*self.plan.arguments, "--seed", str(self.seed)),
            frequency=self.plan.checkpoint_frequency,
            siblings=self.callbacks,
            resume_from=self.plan.checkpoint,
            stop=self.stop,
        )

    def save_trained_model(self, model: BaseAlgorithm) -> None:
        """Saves the model as the Zoo does; not one that was stopped before it was put back where it had been."""
        was_put_back = self.checkpointing is None or self.checkpointing.saved_at >= 0
        if self.plan.checkpoint is None or was_put_back:
            super().save_trained_model(model)

    def _save_config(self, saved_hyperparams: dict[str, Any]) -> None:
        # A resumed run keeps the record of how it was begun.
        if self.plan.checkpoint is None:
            super()._save_config(saved_hyperparams)
            if self.plan.self_play is not None:
                save_settings(self.plan.self_play, Path(self.save_path))
            if self.config.endswith((".yml", ".yaml")):
                # What it was given may be edited or moved before the run is resumed.
                write_text(
                    kept_configuration(Path(self.save_path), self.env_name), Path(self.config).read_text("utf-8")
                )


def kept_configuration(run_folder: Path, env_id: str) -> Path:
    """The run's own copy of the hyperparameter file that it was begun with."""
    return run_folder / file_name(env_id) / "hyperparameters.yml"


def train(plan: Plan) -> Outcome:
    """Trains as `python -m rl_zoo3.train` does, with checkpoints.

    Ctrl-C or SIGTERM stops between two rollouts, with a checkpoint and a saved model; a second one at once.

    Args:
        plan: What to do.

    Returns:
        How it ended.

    Raises:
        ConfigError: If the hyperparameters do not fit.
        CheckpointError: If the checkpoint does not.
        StorageError: If the disk is full.
        SystemExit: From the Zoo's parser, for flags it does not know.
    """
    stop = Stop()
    experiments: list[Experiment] = []

    def make_experiment(*args: Any, **kwargs: Any) -> Experiment:
        experiments.append(Experiment(*args, plan=plan, stop=stop, **kwargs))
        return experiments[-1]

    with (
        replaced(rl_zoo3.train, "ExperimentManager", make_experiment),
        replaced(sys, "argv", ["python -m rl_units train", *plan.arguments]),
        our_dqn(plan.fast_dqn),
        atomic_model_files(),
        stopping_on_signals(stop),
        storage_errors(plan.log_folder),
    ):
        try:
            rl_zoo3.train.train()
        except (UserError, OSError):
            raise
        except Exception as error:
            if experiments:
                raise
            # Its parser evaluates -params and --env-kwargs, and asserts that files exist.
            raise ConfigError(
                f"These flags cannot be read: {_reason(error)}. "
                "Hyperparameters are written name:value, for example -params learning_rate:0.0001"
            ) from error
    return _outcome(experiments[0], stop)


def _outcome(experiment: Experiment, stop: Stop) -> Outcome:
    folder, model = Path(experiment.save_path), experiment.model
    if model is None:  # the Zoo's own hyperparameter search
        return Outcome(folder, 0, stopped=stop.requested)
    resumable_at = _resumable_at(experiment)
    steps = max(model.num_timesteps, resumable_at or 0)  # a run may be stopped before it is put back
    return Outcome(folder, steps, stop.requested and steps < model._total_timesteps, resumable_at)


def _resumable_at(experiment: Experiment) -> int | None:
    if experiment.checkpointing is not None and experiment.checkpointing.saved_at >= 0:
        return experiment.checkpointing.saved_at
    before = experiment.plan.checkpoint
    return before.num_timesteps if before is not None else None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
