# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Unit 3: a Space Invaders player
#
# Here you train a deep Q-network on nothing but the screen, score it, film it and share it. The ideas behind every step
# are on the [lesson's page](../units/rl_units/content/unit3_dqn_atari/lesson.md); this notebook is for doing.
#
# 1. Set up
# 2. Look through the agent's eyes
# 3. Write the exploration schedule and the update yourself
# 4. Train, and read the curve
# 5. Score it, and watch it play
# 6. Put it on the Hub and the leaderboard
# 7. Bring somebody else's agent here
# 8. Search for better settings, and go on to other games
#
# Cells that begin with `# Exercise` are yours to write. A solution is folded away below each; peeking is allowed. All
# other cells run as they are, and the whole notebook also runs with the exercises left open.

# %% [markdown]
# ## 1. Set up
#
# On Colab, first choose a GPU: *Runtime → Change runtime type*. On your own machine a GPU is welcome and not required.

# %% tags=["install"]
import importlib.util
import os
import subprocess
import sys

REPOSITORY = os.environ.get("RL_CLASSROOM_REPOSITORY", "https://github.com/<owner>/rl-classroom")  # your class's copy
RELEASE = "v0.1.0"

if importlib.util.find_spec("rl_units") is None:
    # pip leaves a fitting torch as it is, so Colab keeps the one that belongs to its GPU driver.
    package = f"rl-classroom[train] @ git+{REPOSITORY}@{RELEASE}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
# %matplotlib inline
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch as th
from IPython.display import Image
from stable_baselines3 import DQN
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch.nn import functional as F

from rl_units.agents import load_agent
from rl_units.atari_frames import draw_decision, draw_stack, most_flicker, play_decisions
from rl_units.course import load_course
from rl_units.environments import make_environment
from rl_units.evaluation import evaluate
from rl_units.exercises import check
from rl_units.results import load_result
from rl_units.runs import find_run
from rl_units.video import record_replay, show_video

# `!python` below means the Python that this notebook runs on.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# %% [markdown]
# Everything that you may want to change stands in the next cell. A million steps take about two hours on two CPU cores
# and may already reach the threshold; ten million are on the safe side. Go through everything once with 5,000 first:
# the agent will still play at random, but you will have seen every step work.

# %% tags=["parameters"]
algo = "dqn"
env = "SpaceInvadersNoFrameskip-v4"
total_timesteps = 1_000_000
hyperparameters = str(load_course().hyperparameters_for(algo, env))  # the unit's dqn.yml; or a file of your own
n_eval_episodes = load_course().assignment_for(env).protocol.n_episodes
replay_steps = 1_000
folder = "logs"
hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")  # or the address of your class's Hub
leaderboard = ""  # the address of your class's leaderboard, if it has one
repo_name = f"{algo}-{env}"
friend = ""  # whose agent to load; empty: your own
tuning_env = "CartPole-v1"
tuning_timesteps = 10_000
n_trials = 20

# %%
os.environ["HF_ENDPOINT"] = hub
assignment = load_course().assignment_for(env)
protocol = assignment.protocol
goal = "any score" if assignment.threshold is None else f"a score of {assignment.threshold:g}"
print(f"{assignment.title}: {goal} over {protocol.n_episodes} games passes.")

# %% [markdown]
# ## 2. Look through the agent's eyes
#
# A minute of random play, with every frame kept on its way from the emulator to the network. The cell picks a moment in
# which something flickers; the circles mark it. Run it with another `seed` to see another moment.

# %%
decisions = play_decisions(protocol, 240, seed=0)
chosen = protocol.frame_stack + most_flicker(decisions[protocol.frame_stack :])
draw_decision(decisions[chosen])

# %% [markdown]
# Which of the circled things would the agent never see without the fifth picture?
#
# Next, the complete observation: what the network gets for one decision.

# %%
stack = np.stack([decision.observation for decision in decisions[chosen + 1 - protocol.frame_stack : chosen + 1]])
print(f"shape {stack.shape}, {stack.dtype}, values {stack.min()} to {stack.max()}")
draw_stack(stack)

# %% [markdown]
# ## 3. Exploration and update, by hand
#
# A small DQN for the workbench: a short memory, hardly trained, on the CPU. Its first steps are random play to put
# something into the replay buffer, then come a few updates, so that its two networks differ.

# %%
game = make_environment(protocol)
model = DQN("CnnPolicy", game, buffer_size=1_000, learning_starts=600, exploration_fraction=0.1, seed=0, device="cpu")
model.learn(total_timesteps=660)
print(model.policy.q_net)

# %% [markdown]
# **Exploration.** `epsilon` is the chance of a random action after `step` of `total` steps: 1 at the start, then down a
# straight line that ends at `final` when `fraction` of all steps are done.


# %% tags=["exercise"]
# Exercise 1
def epsilon(step: int, total: int, fraction: float, final: float) -> float:
    """The chance of a random action."""
    ### BEGIN SOLUTION
    progress = min(step / (fraction * total), 1.0)
    return 1.0 + progress * (final - 1.0)
    ### END SOLUTION


# %%
for step in (0, 10, 50, 100, 500):
    # The library's schedule is a function of the share of training that is still to come.
    expected = model.exploration_schedule(1 - step / 1_000)
    check(epsilon(step, 1_000, model.exploration_fraction, model.exploration_final_eps), expected)


# %% [markdown]
# **The update.** Eight transitions from the buffer, chosen so that at least one has a reward and one ends an episode.
# `dones` is 1 where the episode ended.


# %%
def draw_batch(seed: int, size: int = 8) -> ReplayBufferSamples:
    """The same transitions for the same seed."""
    np.random.seed(seed)  # noqa: NPY002 # the library's buffer draws from numpy's global generator
    return model.replay_buffer.sample(size)


batch_seed = next(seed for seed in range(10_000) if draw_batch(seed).dones.any() and draw_batch(seed).rewards.any())
batch = draw_batch(batch_seed)
with th.no_grad():
    next_values = model.q_net_target(batch.next_observations).max(dim=1, keepdim=True).values
print("actions", batch.actions.flatten().tolist())
print("rewards", batch.rewards.flatten().tolist())
print("dones  ", batch.dones.flatten().tolist())
print("best next values", [round(value, 3) for value in next_values.flatten().tolist()])


# %% tags=["exercise"]
# Exercise 2
def td_targets(rewards: th.Tensor, dones: th.Tensor, next_values: th.Tensor, gamma: float) -> th.Tensor:
    """The temporal-difference target of each transition; all tensors have the shape (8, 1)."""
    ### BEGIN SOLUTION
    return rewards + gamma * (1 - dones) * next_values
    ### END SOLUTION


# %% [markdown]
# To check it, we let Stable-Baselines3 make one update on the same eight transitions and listen in on its loss
# function.

# %%
targets = td_targets(batch.rewards, batch.dones, next_values, model.gamma)
np.random.seed(batch_seed)  # noqa: NPY002 # see above
with patch("torch.nn.functional.smooth_l1_loss", wraps=F.smooth_l1_loss) as loss:
    model.train(gradient_steps=1, batch_size=8)
values, expected_targets = loss.call_args.args
check(targets, expected_targets)
print(f"The loss of this batch was {F.smooth_l1_loss(values, expected_targets).item():.4f}.")
game.close()

# %% [markdown]
# ## 4. Train
#
# These are the settings; what each one does is in the lesson's table.

# %%
print(Path(hyperparameters).read_text())

# %% [markdown]
# The next cell is the long one. If it is interrupted, by you or by the machine, put `--resume` in the place of
# `-c {hyperparameters}` and run it again: it goes on from the last checkpoint, with its memory and its exploration as
# they were. With a larger `total_timesteps`, `--resume` also trains a finished agent further.

# %%
# !python -m rl_units train --algo {algo} --env {env} -f {folder} -c {hyperparameters} -n {total_timesteps}

# %% [markdown]
# And the curve: the mean of the latest games, with a band of one standard deviation. The dotted line is what passes;
# the lower edge of the band, not the line, has to come above it.

# %%
# !python -m rl_units plot --algo {algo} --env {env} -f {folder} -o {folder}/curve.png

# %%
Image(f"{folder}/curve.png")

# %% [markdown]
# ## 5. Score it
#
# Full games under the unit's protocol, with seeds that everybody knows. Run it twice and you get the same result twice.

# %%
# !python -m rl_units evaluate --algo {algo} --env {env} -f {folder} --n-eval-episodes {n_eval_episodes}

# %%
run = find_run(Path(folder), algo, env)
result = load_result(run.folder)
print("points in each game:", [int(points) for points in result.returns])


# %% tags=["exercise"]
# Exercise 3
def score(returns: tuple[float, ...]) -> float:
    """The score, from the points of each game."""
    ### BEGIN SOLUTION
    return float(np.mean(returns) - np.std(returns))
    ### END SOLUTION


# %%
check(score(result.returns), result.score)
print(f"{result.mean_reward:.1f} +/- {result.std_reward:.1f} makes a score of {result.score:.1f}.")
if result.n_episodes < protocol.n_episodes:
    print(f"That is a first look: a score that counts takes {protocol.n_episodes} games.")
elif assignment.passed_by(result.score):
    print("Passed!")
else:
    print(f"Not yet: {goal} passes. Train on with more steps.")

# %% [markdown]
# Numbers are one thing, watching is another. Does it hide behind the shields? Does it shoot at the saucer?

# %%
agent = load_agent(run.model, protocol, algo=algo)
replay = record_replay(agent, protocol, Path(folder) / "replay.mp4", max_steps=replay_steps)
show_video(replay.path)

# %% [markdown]
# ## 6. Share it
#
# You need an account on the Hub and an access token with the right to write: on huggingface.co under *Settings →
# Access Tokens*; if your class has its own Hub, your teacher has told you its address (set `hub` above) and handed
# out tokens. A token that is already stored, or in Colab's secrets as `HF_TOKEN`, is found by itself.

# %%
# Imported here, because the library reads the Hub's address when it is imported.
from huggingface_hub import HfApi, get_token

if get_token() is None:
    os.environ["HF_TOKEN"] = getpass("Access token: ")
username = HfApi().whoami()["name"]
print(f"Logged in to {hub} as {username}.")

# %% [markdown]
# One command evaluates the agent, films it, writes its model card and uploads everything in one commit. If the
# connection breaks, run the same cell again: what is finished is not done twice. Without any Hub, add `--to-folder
# my-agent` and look at what would be uploaded.

# %%
# !python -m rl_units push_to_hub --algo {algo} --env {env} -f {folder} --repo-name {repo_name} \
#     -n {replay_steps} --n-eval-episodes {n_eval_episodes}

# %% [markdown]
# **The leaderboard.** The score on your card is your claim. A classroom's leaderboard plays your agent again, with
# seeds of its own, and ranks by what it finds; that takes some minutes.

# %%
print(f"Your agent: {hub}/{username}/{repo_name}")
print(f"Your claim: {result.score:.1f}")
if leaderboard:
    print(f"Its verified score, as soon as it is there: {leaderboard}")

# %% [markdown]
# ## 7. Somebody else's agent
#
# Put the name of a friend into `friend` above, or leave it empty to fetch your own agent back. Only the weights are
# read; nothing that the other person may have hidden in the files is run.

# %%
owner = friend or username
downloads = f"{folder}/downloads"
# !python -m rl_units load_from_hub --algo {algo} --env {env} -orga {owner} --repo-name {repo_name} \
#     -f {downloads} --force

# %%
theirs = find_run(Path(downloads), algo, env)
their_agent = load_agent(theirs.model, protocol, algo=algo)
their_result = evaluate(their_agent, replace(protocol, n_episodes=n_eval_episodes))
print(f"Score of {owner}'s agent: {their_result.score:.1f}; of yours: {result.score:.1f}")
print("The very same weights." if their_agent.sha256 == agent.sha256 else "Different weights.")

# %% [markdown]
# ## 8. Further
#
# **Tuning.** Each trial is a training run of its own, so a search on Atari takes days. Try it on a small problem
# first; for Atari, set `tuning_env = env` and give it a machine for a weekend. The search can be stopped and goes
# on with the same command.

# %%
# !python -m rl_units tune --algo {algo} --env {tuning_env} -n {tuning_timesteps} --n-trials {n_trials} \
#     -f {folder} -o {folder}/best.yml

# %% [markdown]
# What it found is an ordinary settings file, ready for `train -c`:

# %%
print(Path(f"{folder}/best.yml").read_text())

# %% [markdown]
# **Challenges.** The same settings learn other games. Pick one, put its id into `env` above, and start again at the
# cell below it. These are open: any score counts.

# %%
unit = next(unit for unit in load_course().units if assignment in unit.assignments)
for challenge in unit.assignments:
    if not challenge.required:
        print(f"{challenge.title:<14} {challenge.env_id}")

# %% [markdown]
# Ideas beyond that:
#
# - Train the same settings with three seeds (`--seed 1`, `--seed 2`, …) and plot all of them with `plot --exp-id all`.
# - Double the buffer, or halve it. Which one can you see in the curve?
# - `--algo qrdqn` learns a whole distribution of returns instead of its mean. The Zoo brings settings for it.
