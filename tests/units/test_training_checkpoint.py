"""Saving a run and putting it back where it was."""

import json
import random

import numpy as np
import pytest
import torch as th
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from rl_units.errors import CheckpointError, StorageError
from rl_units.training import state
from rl_units.training.checkpoint import checkpoint_folder, locked_run, read_checkpoint
from rl_units.training.checkpointing import Checkpointing, Stop, can_checkpoint, keep_earlier_logs

TOTAL = 400


def make_dqn(seed=0):
    return DQN("MlpPolicy", make_vec_env("CartPole-v1", 2, seed=seed), learning_starts=20, buffer_size=150, seed=seed)


def make_ppo(seed=0):
    return PPO("MlpPolicy", make_vec_env("CartPole-v1", 2, seed=seed), n_steps=32, batch_size=32, seed=seed)


def make_a2c(seed=0):
    env = VecNormalize(make_vec_env("CartPole-v1", 2, seed=seed))
    return A2C("MlpPolicy", env, n_steps=8, seed=seed, learning_rate=lambda progress: 1e-3 * progress)


def make_sac(seed=0):
    env = VecNormalize(make_vec_env("Pendulum-v1", 1, seed=seed))
    return SAC("MlpPolicy", env, learning_starts=20, buffer_size=300, policy_kwargs={"net_arch": [8]}, seed=seed)


MODELS = [make_dqn, make_ppo, make_a2c, make_sac]


class Probe(BaseCallback):
    """Notes the model's state when training starts, and asks for a stop at a step."""

    def __init__(self, stop=None, at=None):
        super().__init__()
        self.stop, self.at, self.seen = stop, at, None

    def _on_training_start(self):
        self.seen = snapshot(self.model)

    def _on_step(self):
        if self.stop is not None and self.num_timesteps >= self.at:
            self.stop.requested = True
        return True


def snapshot(model):
    """Everything that a resumed run must find again."""
    parameters = json.dumps(model.get_parameters(), default=lambda tensor: tensor.tolist())
    buffer = getattr(model, "replay_buffer", None)
    return {
        "counters": state.counters(model),
        "random": state.random_states(model),
        "torch": th.get_rng_state().tolist(),
        "parameters": parameters,
        "normalization": {name: array.tolist() for name, array in state.normalization(model).items()},
        "replay": None if buffer is None else (buffer.pos, buffer.full, buffer.observations.tolist()),
    }


def checkpointing(folder, *, siblings=(), frequency=10**9, resume_from=None, stop=None):
    return Checkpointing(
        run_folder=folder,
        algo="any",
        env_id="any",
        arguments=["--any"],
        frequency=frequency,
        siblings=siblings,
        resume_from=resume_from,
        stop=stop or Stop(),
    )


def stopped_run(folder, make_model, at=150):
    """A run that was asked to stop; its model is left as the checkpoint describes it, one step further."""
    stop = Stop()
    make_model().learn(TOTAL, callback=[checkpointing(folder, stop=stop), Probe(stop, at)])
    return read_checkpoint(checkpoint_folder(folder))


@pytest.mark.parametrize("make_model", MODELS)
def test_a_resumed_run_starts_where_the_checkpoint_was_taken(tmp_path, make_model):
    checkpoint = stopped_run(tmp_path, make_model)
    model, probe = make_model(seed=9), Probe()

    model.learn(TOTAL, callback=[checkpointing(tmp_path, resume_from=checkpoint), probe])

    # The environments' new episode draws from their generators; everything else is as it was.
    assert probe.seen["counters"] == checkpoint.counters
    for name in ("python", "numpy", "action_space"):
        assert probe.seen["random"][name] == checkpoint.random[name]
    tensors = read_checkpoint(checkpoint_folder(tmp_path)).tensors
    saved = th.load(checkpoint_folder(tmp_path) / tensors, weights_only=True)
    assert saved["parameters"].keys() == model.get_parameters().keys()


@pytest.mark.parametrize("make_model", MODELS)
def test_saving_what_was_restored_gives_the_same_checkpoint(tmp_path, make_model):
    before = stopped_run(tmp_path, make_model)
    tensors = th.load(checkpoint_folder(tmp_path) / before.tensors, weights_only=True)

    class Restored(BaseCallback):
        def _on_training_start(self):
            after = state.tensors(self.model)
            left, right = ({"parameters": t["parameters"], "variables": t["variables"]} for t in (tensors, after))
            as_json = [json.dumps(t, default=lambda tensor: tensor.tolist()) for t in (left, right)]
            assert as_json[0] == as_json[1]
            assert th.equal(tensors["random"]["cpu"], after["random"]["cpu"])

        def _on_step(self):
            return False

    make_model(seed=5).learn(TOTAL, callback=[checkpointing(tmp_path, resume_from=before), Restored()])


@pytest.mark.parametrize("make_model", MODELS)
def test_two_runs_resumed_from_one_checkpoint_end_alike(tmp_path, make_model):
    checkpoint = stopped_run(tmp_path, make_model)
    ends = []
    for seed in (1, 2):
        model = make_model(seed=seed)
        # A copy of the folder each, because a run goes on writing into its own.
        folder = tmp_path / f"copy{seed}"
        checkpoint_folder(folder).mkdir(parents=True)
        for file in checkpoint_folder(tmp_path).iterdir():
            (checkpoint_folder(folder) / file.name).write_bytes(file.read_bytes())
        model.learn(TOTAL, callback=[checkpointing(folder, resume_from=checkpoint)])
        ends.append(snapshot(model)["parameters"])

    assert ends[0] == ends[1]


def test_exploration_goes_on_along_its_schedule(tmp_path):
    checkpoint = stopped_run(tmp_path, make_dqn, at=30)
    rates = {}

    class Rates(BaseCallback):
        def _on_step(self):
            rates[self.num_timesteps] = self.model.exploration_rate
            return True

    model = make_dqn()
    model.learn(TOTAL, callback=[checkpointing(tmp_path, resume_from=checkpoint), Rates()])
    schedule = model.exploration_schedule

    assert min(rates) == checkpoint.num_timesteps + 2
    assert max(rates) == model.num_timesteps == TOTAL
    # SB3 updates the rate after its callbacks, so each step sees the rate of the step before.
    assert all(rate == schedule(1 - (step - 2) / TOTAL) for step, rate in rates.items())


def test_a_longer_budget_stretches_the_run(tmp_path):
    checkpoint = stopped_run(tmp_path, make_dqn)
    model = make_dqn()

    model.learn(2 * TOTAL, callback=[checkpointing(tmp_path, resume_from=checkpoint)])

    assert model.num_timesteps == 2 * TOTAL


def test_a_worse_model_does_not_replace_the_best_after_resuming(tmp_path):
    def evaluation():
        return EvalCallback(make_vec_env("CartPole-v1", 1, seed=0), n_eval_episodes=1, eval_freq=20, verbose=0)

    stop, first = Stop(), evaluation()
    make_dqn().learn(TOTAL, callback=[checkpointing(tmp_path, siblings=[first], stop=stop), first, Probe(stop, 150)])
    second, seen = evaluation(), []

    class Look(BaseCallback):
        def _on_training_start(self):
            seen.append((second.best_mean_reward, second.n_calls, list(second.evaluations_timesteps)))

        def _on_step(self):
            return False

    checkpoint = read_checkpoint(checkpoint_folder(tmp_path))
    make_dqn().learn(
        TOTAL, callback=[checkpointing(tmp_path, siblings=[second], resume_from=checkpoint), second, Look()]
    )

    (best, calls, steps) = seen[0]
    assert best == first.best_mean_reward
    assert calls == checkpoint.env_steps
    assert steps == [step for step in first.evaluations_timesteps if step <= checkpoint.num_timesteps]


def test_checkpoints_are_written_at_the_start_every_interval_and_at_the_end(tmp_path):
    steps = []

    class Look(BaseCallback):
        def _on_step(self):
            steps.append(read_checkpoint(checkpoint_folder(tmp_path)).num_timesteps)
            return True

    make_dqn().learn(TOTAL, callback=[checkpointing(tmp_path, frequency=100), Look()])

    assert sorted(set(steps)) == [0, 104, 208, 312]  # rollouts of four steps in two environments
    assert read_checkpoint(checkpoint_folder(tmp_path)).num_timesteps == TOTAL


def test_a_checkpoint_keeps_no_file_that_it_does_not_need(tmp_path):
    make_dqn().learn(TOTAL, callback=[checkpointing(tmp_path, frequency=40)])
    checkpoint = read_checkpoint(checkpoint_folder(tmp_path))

    files = {file.name for file in checkpoint_folder(tmp_path).iterdir()}
    assert files == {"checkpoint.json", "lock", *checkpoint.hashes}
    assert checkpoint.segments[0].stop > checkpoint.env_steps - 75  # 150 transitions of two environments


def damage_by(change):
    def apply(folder):
        path = folder / "checkpoint.json"
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return apply


DAMAGES = {
    "no manifest": lambda folder: (folder / "checkpoint.json").unlink(),
    "truncated manifest": lambda folder: (folder / "checkpoint.json").write_text('{"format": 1, '),
    "another format": damage_by(lambda document: document.update(format=99)),
    "a field less": damage_by(lambda document: document.pop("counters")),
    "a field more": damage_by(lambda document: document.update(more=1)),
    "a path outside": damage_by(lambda document: document["hashes"].update({"../x": ""})),
    "a log outside": damage_by(lambda document: document["logs"].update({"/etc/x.monitor.csv": 1})),
    "a file without a hash": damage_by(lambda document: document["hashes"].popitem()),
    "hashes that are none": damage_by(lambda document: document.update(hashes=[1])),
    "no step count": damage_by(lambda document: document["counters"].pop("num_timesteps")),
    "truncated tensors": lambda folder: next(folder.glob("*.pt")).write_bytes(b"PK"),
    "edited replay": lambda folder: next(folder.glob("replay-*")).write_bytes(b"PK"),
    "missing replay": lambda folder: next(folder.glob("replay-*")).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    stopped_run(tmp_path, make_dqn)
    damage(checkpoint_folder(tmp_path))

    with pytest.raises(CheckpointError):
        read_checkpoint(checkpoint_folder(tmp_path))


@pytest.mark.parametrize("make_other", [make_ppo, make_sac])
def test_a_checkpoint_of_another_algorithm_or_environment_is_refused(tmp_path, make_other):
    checkpoint = stopped_run(tmp_path, make_dqn)

    with pytest.raises(CheckpointError):
        make_other().learn(TOTAL, callback=[checkpointing(tmp_path, resume_from=checkpoint)])


def test_code_in_the_tensors_is_never_run(tmp_path):
    class Payload:
        def __reduce__(self):
            return (tmp_path.joinpath("marker").touch, ())

    checkpoint = stopped_run(tmp_path, make_dqn)
    th.save({"parameters": Payload()}, checkpoint_folder(tmp_path) / checkpoint.tensors)

    with pytest.raises(CheckpointError, match="damaged"):
        make_dqn().learn(TOTAL, callback=[checkpointing(tmp_path, resume_from=checkpoint)])
    assert not (tmp_path / "marker").exists()


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    stopped_run(tmp_path, make_dqn)
    before = read_checkpoint(checkpoint_folder(tmp_path))
    import errno

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rl_units.training.replay.np.lib.format.write_array", full)
    with pytest.raises(StorageError, match="disk is full"):
        make_dqn().learn(2 * TOTAL, callback=[checkpointing(tmp_path, resume_from=before, frequency=20)])

    assert read_checkpoint(checkpoint_folder(tmp_path)).num_timesteps == before.num_timesteps


class Killed(BaseException):
    """What a test raises where a process would be killed."""


def test_a_process_killed_in_the_first_save_after_resuming_loses_nothing(tmp_path, monkeypatch):
    checkpoint = stopped_run(tmp_path, make_a2c)

    def kill(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("rl_units.training.checkpointing.write_checkpoint", kill)
        with pytest.raises(Killed):
            make_a2c().learn(TOTAL, callback=[checkpointing(tmp_path, resume_from=checkpoint)])

    assert read_checkpoint(checkpoint_folder(tmp_path)) == checkpoint


def test_one_process_at_a_time_trains_a_run(tmp_path):
    with locked_run(tmp_path), pytest.raises(CheckpointError, match="another process"):
        make_dqn().learn(TOTAL, callback=[checkpointing(tmp_path)])


def test_what_others_leave_in_the_folder_ends_no_training(tmp_path):
    stranger = checkpoint_folder(tmp_path) / ".ipynb_checkpoints"
    stranger.mkdir(parents=True)

    make_dqn().learn(TOTAL, callback=[checkpointing(tmp_path)])

    assert stranger.is_dir()
    assert read_checkpoint(checkpoint_folder(tmp_path)).num_timesteps == TOTAL


def test_a_return_that_is_no_number_ends_no_training(tmp_path):
    model = make_dqn()

    class BreakReturns(BaseCallback):
        def _on_step(self):
            self.model.ep_info_buffer.append({"r": float("nan"), "l": 1, "t": 0.0})
            return True

    model.learn(TOTAL, callback=[checkpointing(tmp_path, frequency=100), BreakReturns()])

    assert read_checkpoint(checkpoint_folder(tmp_path)).num_timesteps == TOTAL


def test_a_best_model_newer_than_the_checkpoint_is_kept(tmp_path):
    callback = EvalCallback(make_vec_env("CartPole-v1", 1), log_path=str(tmp_path), verbose=0)
    np.savez(tmp_path / "evaluations.npz", results=[[5.0, 7.0], [1.0, 1.0]])
    (saved,) = state.callback_states([callback])

    state.restore_callbacks([callback], [saved | {"best": 2.0}])

    assert callback.best_mean_reward == 6.0


def test_logs_are_kept_as_they_were_at_the_checkpoint(tmp_path):
    env = make_vec_env("CartPole-v1", 2, seed=0, monitor_dir=str(tmp_path))
    stop = Stop()
    model = DQN("MlpPolicy", env, seed=0)
    model.learn(TOTAL, callback=[checkpointing(tmp_path, stop=stop), Probe(stop, 150)])
    checkpoint = read_checkpoint(checkpoint_folder(tmp_path))
    at_checkpoint = (tmp_path / "0.monitor.csv").read_bytes()[: checkpoint.logs["0.monitor.csv"]]
    with (tmp_path / "0.monitor.csv").open("ab") as file:
        file.write(b"1,2,3\n")  # an episode that ended after the checkpoint

    env.close()
    keep_earlier_logs(tmp_path, checkpoint)
    (tmp_path / "0.monitor.csv").write_text("begun anew")
    keep_earlier_logs(tmp_path, checkpoint)

    kept = tmp_path / f"0.until-{checkpoint.num_timesteps}.monitor.csv"
    assert kept.read_bytes() == at_checkpoint


def test_every_generator_is_part_of_the_state():
    model = make_dqn()
    model.learn(10)
    saved, torch_state = state.random_states(model), th.get_rng_state()

    def draw():
        environments = [env.unwrapped.np_random.random() for env in model.env.envs]
        numbers = random.random(), np.random.rand(), int(model.action_space.sample())  # noqa: NPY002 # SB3's
        return *numbers, float(th.rand(1)), *environments

    first = draw()
    state.restore_random_states(model, json.loads(json.dumps(saved)))
    th.set_rng_state(torch_state)

    assert draw() == first


def test_runs_that_cannot_be_resumed_are_known():
    assert can_checkpoint(make_ppo())
    assert not can_checkpoint(type("ARS", (), {"replay_buffer": None})())
