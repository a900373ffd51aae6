"""A classroom whose only game is short, agents for it, and a judge in the test's own process."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
from stable_baselines3 import PPO

from filled_hub import Owner
from page_visitors import commit, person, repository
from rl_hub.accounts import users
from rl_hub.accounts.identity import Identity
from rl_hub.repositories import catalog
from rl_leaderboard.judge import workers
from rl_leaderboard.judge.pipeline import Bench
from rl_leaderboard.sources import embedded
from rl_leaderboard.submissions import reception, submissions
from rl_units.course import CONTENT, load_course

ENV_ID = "CartPole-v1"
ASSIGNMENT = "cart-pole"
EPISODES = 6
_MANIFEST = f"""
number = 1
title = "Balance"
notebook = "unit3_dqn_space_invaders"

[hyperparameters]
dqn = "dqn.yml"

[protocols.bare]
version = 1
n_episodes = {EPISODES}
max_episode_steps = 500

[[assignments]]
id = "{ASSIGNMENT}"
title = "Cart pole"
env_id = "{ENV_ID}"
threshold = {{threshold}}
required = true
protocol = "bare"
"""
CARD = f"""---
library_name: stable-baselines3
tags: [{ENV_ID}, deep-reinforcement-learning]
model-index:
- name: PPO
  results:
  - task: {{type: reinforcement-learning, name: reinforcement-learning}}
    dataset: {{name: {ENV_ID}, type: {ENV_ID}}}
    metrics:
    - {{type: mean_reward, value: 500.00 +/- 0.00, name: mean_reward, verified: false}}
---
"""


def short_course(folder: Path, threshold: float = 5.0):
    """A course with one assignment, in which six short games are played."""
    unit = folder / "unit1_balance"
    shutil.copytree(CONTENT / "unit3_dqn_atari", unit)
    unit.joinpath("unit.toml").write_text(_MANIFEST.format(threshold=threshold))
    return load_course(folder)


def agent_zip(folder: Path, *, seed: int = 0, net_arch=(8,)) -> bytes:
    """An untrained agent as SB3 saves it."""
    model = PPO(
        "MlpPolicy", gym.make(ENV_ID), policy_kwargs={"net_arch": list(net_arch)}, seed=seed, n_steps=8, batch_size=8
    )
    path = folder / f"agent-{seed}.zip"
    model.save(path)
    return path.read_bytes()


def with_payload(content: bytes, folder: Path, payload: str) -> bytes:
    """The same agent with a pickle in its data, as somebody who wants code run would write it."""
    changed = folder / "payload.zip"
    source = folder / "source.zip"
    source.write_bytes(content)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "data":
                document = json.loads(data)
                document["lr_schedule"] = {":type:": "<class 'function'>", ":serialized:": payload}
                data = json.dumps(document).encode()
            new.writestr(name, data)
    return changed.read_bytes()


def push(classroom, name: str, files: dict[str, bytes | str], env_id: str = ENV_ID) -> int:
    """A commit to somebody's repository `agent`, of which the classroom has heard; returns its submission."""
    with classroom.hub.database.read() as connection:
        known = users.find(connection, name)
    if known is None:
        made = repository(person(classroom.hub, name), "agent", {"README.md": CARD.replace(ENV_ID, env_id), **files})
    else:
        owner = Owner(classroom.hub, Identity(known.id, name, "write", via="token"))
        with classroom.hub.database.read() as connection:
            made = catalog.find(connection, owner.identity, "model", f"{name}/agent")
        made = commit(owner, made, files)
    embedded.catch_up(classroom)
    with classroom.read() as connection:
        (submission,) = reception.of_commit(connection, "hub", made.repo_id, made.sha)
    return submission.id


def look(classroom, number: int):
    """A submission as it is now."""
    with classroom.read() as connection:
        return submissions.get(connection, number)


@dataclass
class Judge:
    """A worker that does one job at a time, when it is told to."""

    bench: Bench

    def do(self, name: str = "a judge") -> bool:
        """Does the next job; whether there was one."""
        queue = self.bench.classroom.queue
        claim = queue.claim(name, workers.LEASE_SECONDS)
        if claim is None:
            return False
        workers._do(self.bench, queue, claim)
        return True


def evaluated_at_home(path: Path, seeds, course: Path) -> list[float]:
    """The returns that a process of its own finds for the same seeds, without any sandbox."""
    code = """
import json, sys
from pathlib import Path
from rl_units.agents import load_agent
from rl_units.course import load_course
from rl_units.evaluation import evaluate
protocol = next(load_course(Path(sys.argv[2])).assignments).protocol
result = evaluate(load_agent(Path(sys.argv[1]), protocol), protocol, seeds=json.loads(sys.argv[3]))
print(json.dumps(list(result.returns)))
"""
    command = [sys.executable, "-c", code, str(path), str(course), json.dumps(list(seeds))]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
