# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Unit 5: a snowball fighter
#
# Here you train agents that meet each other: first at targets, then against scripted players, then against themselves,
# with Stable-Baselines3 and with Unity's ML-Agents. The ideas behind every step are on the
# [lesson's page](../units/rl_units/content/snowball_fight/lesson.md); this notebook is for doing.
#
# 1. Set up
# 2. Look through the agent's eyes
# 3. See what it is paid for
# 4. Practise at targets
# 5. Learn from scripted opponents
# 6. Learn from itself
# 7. Score, rate and watch
# 8. Put the better one on the Hub and the leaderboard
# 9. The same game with ML-Agents
# 10. Unity's own environments
# 11. Two against two
#
# Cells that begin with `# Exercise` are yours to write. A solution is folded away below each; peeking is allowed. All
# other cells run as they are, and the whole notebook also runs with the exercises left open.

# %% [markdown]
# ## 1. Set up
#
# No GPU is needed: the networks are small, and the game runs on the processor. Two cores are good, more are better.

# %% tags=["install"]
import importlib.util
import os
import subprocess
import sys

REPOSITORY = os.environ.get("RL_CLASSROOM_REPOSITORY", "https://github.com/<owner>/rl-classroom")  # your class's copy
RELEASE = "v0.1.0"

if importlib.util.find_spec("rl_units") is None:
    # pip leaves a fitting torch as it is, so Colab keeps the one that belongs to its GPU driver.
    package = f"rl-classroom[train,envs,mlagents] @ git+{REPOSITORY}@{RELEASE}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
# %matplotlib inline
from collections.abc import Callable
from dataclasses import replace
from getpass import getpass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from IPython.display import Image, display
from PIL.Image import fromarray
from stable_baselines3 import PPO

import mlagents_bridge
from mlagents_bridge.connect import UnityVecEnv
from rl_units.agents import Agent, load_agent
from rl_units.course import load_course
from rl_units.evaluation import evaluate
from rl_units.exercises import check
from rl_units.results import load_result
from rl_units.runs import find_run
from rl_units.self_play.arenas_vec_env import ArenasVecEnv
from rl_units.self_play.matches import play_matches
from rl_units.self_play.rating import expected_score, rating_of
from rl_units.video import record_replay, show_video
from rl_units.yaml_files import dump_yaml, read_yaml
from snowball_fight import ONE_VS_ONE, Arenas
from snowball_fight.layout import FORWARD_ANGLES, SLICES, names
from snowball_fight.opponents import RATINGS, Player, choose_actions
from snowball_fight.rendering import Renderer

# `!python` below means the Python that this notebook runs on.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# %% [markdown]
# Everything that you may want to change stands in the next cell. Go through everything once with a hundredth of the
# steps: the agents will be poor, but you will have seen every step work. (ML-Agents' will have learned nothing at all
# then, as its first update comes after `buffer_size` steps, some 20,000.)

# %% tags=["parameters"]
configurations = Path(mlagents_bridge.__file__).parent / "configurations"
algo = "ppo"
env = "SnowballFight-v0"
target_env = "SnowballTarget-v0"
target_steps = 2_000_000
scripted_steps = 3_500_000
self_play_steps = 4_000_000
hyperparameters = str(load_course().hyperparameters_for(algo, env))  # the unit's ppo.yml; or a file of your own
n_eval_episodes = load_course().assignment_for(env).protocol.n_episodes
rated_games = 200  # against each fixed opponent
replay_steps = 600
folder = "logs"
hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")  # or the address of your class's Hub
leaderboard = ""  # the address of your class's leaderboard, if it has one
repo_name = f"{algo}-{env}"
mlagents_python = sys.executable  # the Python that has ML-Agents, or gets it
mlagents_configuration = str(configurations / "ppo_1v1.yaml")
mlagents_steps = 1_000_000  # a quarter of an hour or more
launcher = "./SnowballFight.x86_64"  # on a Mac: ./SnowballFight.app
unity_file = launcher  # or a real Unity executable
unity_steps = 20_000
teams_configuration = str(configurations / "poca_2v2.yaml")
teams_steps = 200_000
teams_launcher = "./SnowballFight2vs2.x86_64"  # on a Mac: ./SnowballFight2vs2.app

# %%
os.environ["HF_ENDPOINT"] = hub
assignment, practice = load_course().assignment_for(env), load_course().assignment_for(target_env)
protocol = replace(assignment.protocol, n_episodes=n_eval_episodes)
for one in (practice, assignment):
    print(f"{one.title}: a score of {one.threshold:g} over {one.protocol.n_episodes} games passes.")

# %% [markdown]
# ## 2. Look through the agent's eyes
#
# Two scripted players fight. The cell stops at the first moment in which the blue one sees both its opponent and a
# snowball; run it with another `seed` for another moment.

# %%
arenas = Arenas(ONE_VS_ONE, autoreset=AutoresetMode.DISABLED)
actions = np.zeros((1, 2, 4), np.int64)


def play_on() -> None:
    """One decision of both players."""
    choose_actions(arenas, 0, Player.LEADER, actions)
    choose_actions(arenas, 1, Player.AIM_AND_SHOOT, actions)
    arenas.step(actions)


observation = arenas.reset(seeds=1)[0, 0]
while not (observation[SLICES["opponents"]][::3].any() and observation[SLICES["snowballs"]][::3].any()):
    play_on()
    observation = arenas.observe()[0, 0]
fromarray(Renderer(ONE_VS_ONE, show_rays=0).draw(arenas.state))

# %% [markdown]
# And this is all that the agent gets of it:

# %%
with np.printoptions(precision=2, suppress=True):
    for sensor, place in SLICES.items():
        print(f"{sensor:<13} floats {place.start:>3} to {place.stop - 1:>3}: {observation[place]}")

# %% [markdown]
# **One ray.** The sensor `opponents` writes three floats for each of its ten rays, from the leftmost to the rightmost:
# 1 if the ray meets the opponent, 1 if it meets nothing, and how far it got, as a fraction of its length. A ray is
# `ONE_VS_ONE.ray_length` metres long.


# %% tags=["exercise"]
# Exercise 1
def metres_to_opponent(observation: np.ndarray, ray: int) -> float:
    """How far away a ray of the sensor `opponents` meets the opponent; `np.inf` if it does not."""
    ### BEGIN SOLUTION
    meets, _, fraction = observation[3 * ray : 3 * ray + 3]
    return fraction * ONE_VS_ONE.ray_length if meets else np.inf
    ### END SOLUTION


# %%
named = dict(zip(names(ONE_VS_ONE), observation, strict=True))
seeing = [ray for ray in range(10) if named[f"opponents.ray{ray}.opponent"]]
for ray in seeing:
    metres = named[f"opponents.ray{ray}.fraction"] * ONE_VS_ONE.ray_length
    print(f"{metres:.1f} m away, {abs(FORWARD_ANGLES[ray]):.0f} degrees to the {'left' if ray < 5 else 'right'}")
    check(metres_to_opponent(observation, ray), metres)
check(metres_to_opponent(observation, next(ray for ray in range(10) if ray not in seeing)), np.inf)

# %% [markdown]
# ## 3. See what it is paid for
#
# The two play on until one of them has fallen.

# %%
while not arenas.state.over[0]:
    play_on()
outcome = arenas.outcome
winner = int(outcome.winner[0])
ticks = int(outcome.ticks[0]) - 1  # those before the tick of the last hit
print(f"Player {winner} won when {ticks} of {ONE_VS_ONE.max_ticks} ticks had passed.")
print(f"In the last step it was paid {outcome.rewards[0, winner]:.3f}; the last hit is in that.")
fromarray(Renderer(ONE_VS_ONE).draw(arenas.state))


# %% tags=["exercise"]
# Exercise 2
def ending_reward(won: bool, ticks: int) -> float:
    """What the end of a game pays when so many ticks have passed, without the hit that ended it."""
    ### BEGIN SOLUTION
    return 1 - ticks / ONE_VS_ONE.max_ticks if won else -1.0
    ### END SOLUTION


# %%
check(ending_reward(True, ticks), outcome.team_rewards[0, winner])
check(ending_reward(False, ticks), outcome.team_rewards[0, 1 - winner])

# %% [markdown]
# ## 4. Practise at targets
#
# The settings of both games; what each one does is in the lesson's table.

# %%
print(Path(hyperparameters).read_text())

# %%
# !python -m rl_units train --algo {algo} --env {target_env} -f {folder}/targets -c {hyperparameters} -n {target_steps}

# %%
shooter = find_run(Path(folder) / "targets", algo, target_env)
marksman = load_agent(shooter.model, practice.protocol, algo=algo)
shooting = evaluate(marksman, practice.protocol)
shooting.save(shooter.folder)
print(f"{shooting.mean_reward:.1f} +/- {shooting.std_reward:.1f} targets a game: a score of {shooting.score:.1f}.")
print("Passed!" if practice.passed_by(shooting.score) else f"Not yet: {practice.threshold:g} passes.")

# %%
practice_film = shooter.folder / "replay.mp4"
show_video(record_replay(marksman, practice.protocol, practice_film, max_steps=replay_steps).path)

# %% [markdown]
# ## 5. Learn from scripted opponents
#
# Now somebody throws back. If a run is interrupted, by you or by the machine, put `--resume` in the place of
# `-c {hyperparameters}` and run the cell again.

# %%
# !python -m rl_units train --algo {algo} --env {env} -f {folder}/scripted -c {hyperparameters} -n {scripted_steps}

# %% [markdown]
# The curve is of the games of training, whose opponents are drawn anew every time; the dotted line is what has to be
# reached against those of the unit.

# %%
# !python -m rl_units plot --algo {algo} --env {env} -f {folder}/scripted -o {folder}/curve.png

# %%
Image(f"{folder}/curve.png")

# %% [markdown]
# ## 6. Learn from itself
#
# **The pool.** A run has kept `n_saved` past selves, of which the newest `window` stay in the pool. A share
# `latest_ratio` of the experience is gathered against the agent as it is now; the rest is spread evenly over the pool.


# %% tags=["exercise"]
# Exercise 3
def shares(n_saved: int, window: int, latest_ratio: float) -> np.ndarray:
    """The share of the experience against each past self, the oldest first, and last against the agent as it is now."""
    ### BEGIN SOLUTION
    in_pool = min(n_saved, window)
    gone = np.zeros(n_saved - in_pool)
    return np.array([*gone, *np.full(in_pool, (1 - latest_ratio) / in_pool), latest_ratio])
    ### END SOLUTION


# %%
check(shares(n_saved=12, window=10, latest_ratio=0.5), np.repeat([0.0, 0.05, 0.5], [2, 10, 1]))
check(shares(n_saved=3, window=10, latest_ratio=0.25), [0.25, 0.25, 0.25, 0.25])

# %%
# !python -m rl_units train --algo {algo} --env {env} -f {folder}/self_play -c {hyperparameters} -n {self_play_steps} \
#     --self-play

# %% [markdown]
# Its own games say little about progress, since its opponent improves as it does. So from time to time it was measured
# against players that never change:

# %%
champion = find_run(Path(folder) / "self_play", algo, env)
measured = pd.read_csv(champion.folder / "ratings.csv")
display(measured.tail(10))
axes = measured.plot(x="steps", y="rating", marker="o", figsize=(8, 4), legend=False, ylabel="rating", xlim=(0, None))
for name, rating in RATINGS.items():
    axes.axhline(rating, color="grey", linestyle=":")
    axes.annotate(name, (0, rating), va="top" if name == "still" else "bottom", color="grey")

# %% [markdown]
# **Elo.** Two formulas are behind such numbers. From the difference of two ratings follows the share of the points that
# the one is expected to take from the other: a half if they are equal, and ten times the odds for 400 points more.


# %% tags=["exercise"]
# Exercise 4
def expected(rating: float, opponent: float) -> float:
    """The share of points that a player of `rating` is expected to take from an `opponent` of that rating."""
    ### BEGIN SOLUTION
    return 1 / (1 + 10 ** ((opponent - rating) / 400))
    ### END SOLUTION


# %%
for one, other in ((1200, 1200), (RATINGS["leader"], RATINGS["aim_and_shoot"]), (1200, 1600)):
    check(expected(one, other), expected_score(one, other))

# %% [markdown]
# And after a game both ratings move by `k` times the difference between what came and what was expected. Points are 1
# for a win, a half for a draw, 0 for a defeat.


# %% tags=["exercise"]
# Exercise 5
def updated(rating: float, opponent: float, points: float, k: float) -> float:
    """The new rating after a game against an opponent; `expected_score` is there to be used."""
    ### BEGIN SOLUTION
    return rating + k * (points - expected_score(rating, opponent))
    ### END SOLUTION


# %%
check(updated(1200, 1200, points=1, k=1), 1200.5)  # ML-Agents' own k is 1
check(updated(1600, 1200, points=0, k=32), 1600 - 32 * 10 / 11)  # a favourite that loses pays dearly
check(updated(1200, 1600, points=1, k=32), 1200 + 32 * 10 / 11)  # and the other one gets what it pays

# %% [markdown]
# ## 7. Score, rate and watch
#
# Full games under the unit's protocol: its opponents in turn, both games of a pair on one seed with the seats swapped.

# %%
# !python -m rl_units evaluate --algo {algo} --env {env} -f {folder}/scripted --n-eval-episodes {n_eval_episodes}

# %%
runs = {"scripted": find_run(Path(folder) / "scripted", algo, env), "self_play": champion}
agents = {name: load_agent(run.model, protocol, algo=algo) for name, run in runs.items()}
results = {"scripted": load_result(runs["scripted"].folder), "self_play": evaluate(agents["self_play"], protocol)}
against = [protocol.reset_options(index)["opponent"] for index in range(n_eval_episodes)]
for name, result in results.items():
    means = pd.Series(result.returns).groupby(against).mean().round(2).to_dict()
    print(f"{name:<10} score {result.score:5.2f}, mean return by opponent {means}")
best = max(results, key=lambda name: results[name].score)
print(f"The better one: {best}.", "Passed!" if assignment.passed_by(results[best].score) else "Not passed yet.")
if n_eval_episodes < assignment.protocol.n_episodes:
    print(f"That is a first look: a score that counts takes {assignment.protocol.n_episodes} games.")

# %% [markdown]
# The scale of ratings has more players on it than the protocol. How do both do against all of them, and against each
# other?


# %%
def points(agent: Agent, opponent: str | Callable) -> float:
    """The agent's share of the points in games against an opponent, half of them from either seat."""
    arenas = ArenasVecEnv(rated_games, opponent=opponent, seed=1)
    return float(play_matches(agent.act, arenas).mean())


for name, agent in agents.items():
    taken = {opponent: points(agent, opponent) for opponent in RATINGS}
    rating = rating_of(taken, rated_games, RATINGS)
    print(f"{name:<10} rating {rating:4.0f}:", ", ".join(f"{share:.0%} of {them}" for them, share in taken.items()))
duel = points(agents["self_play"], agents["scripted"].act)
print(f"self_play takes {duel:.0%} of the points from scripted.")

# %% [markdown]
# Numbers are one thing, watching is another. Who hides, who aims ahead, who wastes its snowballs? `seed` chooses the
# game.

# %%
replay = record_replay(agents[best], protocol, Path(folder) / "replay.mp4", seed=3, max_steps=replay_steps)
show_video(replay.path)

# %% [markdown]
# ## 8. Share it
#
# You need an account on the Hub and an access token with the right to write. A token that is already stored, or in
# Colab's secrets as `HF_TOKEN`, is found by itself.

# %%
# Imported here, because the library reads the Hub's address when it is imported.
from huggingface_hub import HfApi, get_token

if get_token() is None:
    os.environ["HF_TOKEN"] = getpass("Access token: ")
username = HfApi().whoami()["name"]
print(f"Logged in to {hub} as {username}.")

# %%
# !python -m rl_units push_to_hub --algo {algo} --env {env} -f {folder}/{best} --repo-name {repo_name} \
#     -n {replay_steps} --n-eval-episodes {n_eval_episodes}

# %%
print(f"Your agent: {hub}/{username}/{repo_name}")
if leaderboard:
    print(f"Its verified score, as soon as it is there: {leaderboard}")

# %% [markdown]
# The targets are an assignment of their own: `push_to_hub` with `--env {target_env}` and `-f {folder}/targets` hands
# that agent in.
#
# ## 9. The same game with ML-Agents
#
# ML-Agents brings its own trainers, and expects a Unity executable to train in. The bridge gives it one.
#
# First ML-Agents itself, a few minutes once; what is installed already stays. It can also live in an environment of its
# own: then set `mlagents_python` to the Python there.

# %% tags=["mlagents-install"]
# !{mlagents_python} -m mlagents_bridge install

# %% [markdown]
# The launcher is what stands for the executable: starting it starts many arenas at once.

# %%
# !{mlagents_python} -m mlagents_bridge make-launcher {launcher} --env snowball_fight_1v1 --arenas 32

# %% [markdown]
# The settings are a file, as everywhere in ML-Agents. `self_play` is the part that this unit is about; you know its
# entries by now.

# %%
settings = read_yaml(Path(mlagents_configuration))
settings["behaviors"]["SnowballFight"]["max_steps"] = mlagents_steps
Path(f"{folder}/fight.yaml").write_text(dump_yaml(settings))
print(Path(mlagents_configuration).read_text())

# %% [markdown]
# This is `mlagents-learn` with its own options, only started through the bridge. Watch `ELO` in its lines. An
# interrupted run goes on with `--resume` in the place of `--force`.

# %% tags=["mlagents"]
# !{mlagents_python} -m mlagents_bridge learn {folder}/fight.yaml --env={launcher} --run-id=fight --no-graphics \
#     --results-dir={folder}/mlagents --force

# %% [markdown]
# At its end it has written a network as an ONNX file, which plays here like any other agent.

# %% tags=["mlagents"]
mlagents_run = Path(folder) / "mlagents" / "fight"
rival = load_agent(mlagents_run / "SnowballFight.onnx", protocol)
rated = evaluate(rival, protocol)
rated.save(mlagents_run)
print(f"A score of {rated.score:.2f}, by {rated.mean_reward:.2f} +/- {rated.std_reward:.2f}.")
print(f"It takes {points(rival, agents[best].act):.0%} of the points from {best}.")
show_video(record_replay(rival, protocol, mlagents_run / "replay.mp4", max_steps=replay_steps).path)

# %% [markdown]
# ML-Agents' own upload leaves out the score. The bridge's puts the result and the film of the last cell beside the
# network.

# %% tags=["mlagents"]
# !python -m mlagents_bridge push --run-id fight --local-dir {mlagents_run} \
#     --repo-id {username}/{repo_name}-mlagents

# %% [markdown]
# ## 10. Unity's own environments
#
# The other way round, whatever speaks ML-Agents' protocol is an environment of Stable-Baselines3, Gymnasium or
# PettingZoo. `unity_file` is still our launcher; put the path of a real Unity executable there, or `None` for an editor
# in which you press *Play*.

# %%
unity = UnityVecEnv(unity_file, seed=1)
print(f"{unity.num_envs} agents of {unity.behavior.name}, who observe {unity.observation_space}")
policy = "MultiInputPolicy" if isinstance(unity.observation_space, spaces.Dict) else "MlpPolicy"
torch.set_num_threads(1)  # for a small network more are slower, above all on busy cores
student = PPO(policy, unity, n_steps=64, batch_size=256)
student.learn(unity_steps)
unity.close()
returns = [episode["r"] for episode in student.ep_info_buffer]
print(f"{student.num_timesteps:,} steps.", end=" ")
print(f"Mean return of the latest games: {np.mean(returns):.2f}" if returns else "No game has ended yet.")

# %% [markdown]
# All agents of the environment learn here, so this is self-play without a pool. Look at the mean return of the latest
# games: why does it say nothing about how good the student has become?
#
# ## 11. Two against two
#
# A challenge. MA-POCA gives a whole team one reward, and lets a critic that sees everybody find out whose doing it was,
# even of those who had fallen before. The budget here is a beginning; expect to need many millions of steps.

# %% tags=["mlagents"]
teams = read_yaml(Path(teams_configuration))
teams["behaviors"]["SnowballFight2vs2"]["max_steps"] = teams_steps
Path(f"{folder}/teams.yaml").write_text(dump_yaml(teams))
# !{mlagents_python} -m mlagents_bridge make-launcher {teams_launcher} --env snowball_fight_2v2 --arenas 16
# !{mlagents_python} -m mlagents_bridge learn {folder}/teams.yaml --env={teams_launcher} --run-id=teams \
#     --no-graphics --results-dir={folder}/mlagents --force

# %% [markdown]
# Ideas beyond that:
#
# - Start from the marksman of section 4: `--trained-agent` of `train` goes on with a saved model.
# - Train with `opponent: aim_and_shoot` alone in a copy of the settings, and watch what becomes of it.
# - `--window 1 --latest-ratio 1` takes the past away from self-play. Do the ratings notice?
# - In ML-Agents' file, `environment_parameters` change the arena: give `snowball_speed` a lesson after the other.
