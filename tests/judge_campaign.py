"""Kills workers, the judge and the server without warning, again and again, while hundreds of agents are measured.

Started by `benchmarks.judge_crashes` in a process of its own. Everything is real: students push agents to the served
Hub, the classroom hears of them, workers fetch, load, play and film them in sandboxes. Half of all agents come at once,
the others one by one as the first are done, so that the queue stays long. Some kills come while what was killed before
starts again. Now and then a worker is only stopped, until its lease is over, and goes on then.

At the end each agent that was pushed has exactly one verdict; boards, Hub and databases are sound; nothing that was
started still runs, and no folder is left. The exit code is 1 if any of this fails. A seed makes the same pauses again.

    python tests/judge_campaign.py JOBS KILLS SEED KIND
"""

import contextlib
import io
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gymnasium as gym
import psutil
import torch
from sqlalchemy import func, select
from stable_baselines3 import PPO

from judge_classroom import CARD, ENV_ID, short_course
from judge_leftovers import adopt_orphans, film_faults, folder_faults, process_faults
from judge_outcomes import ENDS, faults_among, faults_of, read_outcomes
from judge_services import LEASE_SECONDS, Services
from killed_classroom import PATIENCE, board_faults, commit, excuse, new_pusher, told
from postgresql import running_server
from rl_hub.database import upkeep
from rl_hub.hub import Hub
from rl_hub.maintenance import fsck
from rl_hub.settings import Settings as HubSettings
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.tables import activities, submissions
from rl_leaderboard.jobs.queue import MOST_ATTEMPTS

# Some of the agents that nobody has trained pass, so that some play a confirmation.
THRESHOLD = 9.0
# Far fewer commits of a student than a Hub takes within an hour.
AGENTS_OF_A_STUDENT = 20
# In a random order, and then again: workers are the most, and the cheapest to start.
VICTIMS = ("worker", "worker", "judge", "server")
# How often what was killed is killed again as it starts, and the seconds that a start takes.
AGAIN, START = 0.3, 6.0
# Each tenth kill comes after a worker was stopped.
STOPS = 10
# Seconds without any verdict after which nobody waits for one.
STUCK = 180


@dataclass
class Campaign:
    """What the killer and the students share.

    Attributes:
        classroom: The campaign's own view of it.
        services: The classroom's processes.
        jobs: How many agents are pushed.
        verdicts: How many ends have been told so far.
        pushed: The commits that the Hub has acknowledged, by repository.
        over: Set when all is done, or nothing more is to be done.
        counts: What has happened, for the report.
        faults: What must not happen.
    """

    classroom: Classroom
    services: Services
    jobs: int
    verdicts: int = 0
    pushed: dict[str, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    counts: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _progress_at: float = field(default_factory=time.monotonic)

    def fault(self, text):
        self.faults.append(text)
        self.over.set()

    def wait(self, seconds):
        """Waits, and looks how far all is."""
        self.over.wait(seconds)
        with self.classroom.read() as connection:
            verdicts = connection.scalar(select(func.count()).where(activities.c.kind.in_(ENDS)))
        if verdicts != self.verdicts:
            self.verdicts, self._progress_at = verdicts, time.monotonic()
        if time.monotonic() - self._progress_at > STUCK:
            self.fault(f"There was no verdict for {STUCK} s, after {self.verdicts}.")
        for name in self.services.ended():
            self.fault(f"The {name} has ended by itself.")


def new_agents(seed: int) -> Iterator[bytes]:
    """Agents with weights drawn at random, as SB3 saves them."""
    model = PPO("MlpPolicy", gym.make(ENV_ID), policy_kwargs={"net_arch": [8]}, seed=seed, n_steps=8, batch_size=8)
    while True:
        with torch.no_grad():
            for weights in model.policy.parameters():
                weights.normal_()
        file = io.BytesIO()
        model.save(file)
        yield file.getvalue()


def push_all(campaign, tokens, seed):
    """Pushes every agent, each until the Hub says that it has it."""
    agents = new_agents(seed)
    for number, (repo_id, token) in enumerate(tokens.items()):
        files = {"README.md": CARD.encode(), "ppo.zip": next(agents)}
        while number - campaign.verdicts > campaign.jobs // 2 and not campaign.over.wait(0.1):
            pass
        while repo_id not in campaign.pushed and not campaign.over.is_set():
            try:
                campaign.pushed[repo_id] = commit(campaign.services.endpoint, repo_id, token, files)
            except Exception as error:
                found = excuse(error, was_killed=campaign.services.server_is_new)
                if found is None:
                    campaign.fault(f"A push was refused although nothing was killed: {told(error)}")
                else:
                    campaign.counts[found] += 1
                campaign.over.wait(0.1)


def kill_all(campaign, kills, chance):
    """Kills something so many times, spread over the whole queue."""
    killed, victim, waiting = 0, None, []
    while killed < kills and not campaign.over.is_set():
        if victim is not None and chance.random() < AGAIN:
            campaign.wait(chance.uniform(0, START))
            campaign.counts["kills during a start"] += 1
        else:
            waiting = waiting or chance.sample(VICTIMS, len(VICTIMS))
            victim = waiting.pop()
            campaign.wait(chance.uniform(0.1, 1.0))
            while campaign.verdicts * kills < (killed + 0.5) * campaign.jobs * 0.9 and not campaign.over.is_set():
                campaign.wait(0.1)
        if killed % STOPS == 1 and campaign.services.stop_a_worker(chance, lambda: campaign.wait(LEASE_SECONDS + 1)):
            campaign.counts["workers stopped until their lease was over"] += 1
        victim = campaign.services.kill(victim, chance)
        killed += 1
        campaign.counts[f"kills of a {victim}"] += 1


def check(campaign):
    """Looks at everything when nobody serves or judges any more; if something was wrong before, not at each end."""
    classroom, campaign_faults = campaign.classroom, campaign.faults
    (assignment,) = classroom.course.assignments
    with contextlib.closing(Hub.open(HubSettings(classroom.settings.resolved_hub_data))) as hub:
        campaign_faults += map(str, fsck.check(hub).problems)
    with classroom.read() as connection:
        campaign_faults += upkeep.self_check(connection)
        outcomes = read_outcomes(connection)
        commits = dict(map(tuple, connection.execute(select(submissions.c.repo_id, submissions.c.sha))))
    lost = {repo_id for repo_id, sha in campaign.pushed.items() if commits.get(repo_id) != sha}
    if lost or not len(outcomes) == len(campaign.pushed) == campaign.jobs:
        campaign.fault(
            f"{len(campaign.pushed)} of {campaign.jobs} agents were pushed, and there are {len(outcomes)} submissions; "
            f"lost are {sorted(lost)[:20]}."
        )
    if not campaign_faults:
        campaign_faults += [fault for outcome in outcomes for fault in faults_of(outcome, assignment)]
    campaign_faults += faults_among(outcomes)
    given_up = sum(outcome.was_given_up for outcome in outcomes)
    if given_up * MOST_ATTEMPTS > sum(campaign.counts.values()):
        campaign.fault(f"{given_up} were given up, which is more than kills can explain.")
    if (claim := classroom.queue.claim("nobody", LEASE_SECONDS)) is not None:
        campaign.fault(f"Still in the queue: {claim}")
    campaign_faults += board_faults(classroom)
    films = {published.film for outcome in outcomes for published in outcome.published}
    campaign_faults += film_faults(classroom, films - {None})
    campaign.counts["submissions that were given up"] += given_up
    campaign.counts["scores"] += sum(outcome.state == "scored" for outcome in outcomes)


def run(campaign, kills, seed, tokens):
    """The whole campaign."""
    services = campaign.services
    students = threading.Thread(target=push_all, args=(campaign, tokens, seed), daemon=True)
    with services:
        students.start()
        kill_all(campaign, kills, random.Random(seed))
        while (campaign.verdicts < campaign.jobs or students.is_alive()) and not campaign.over.is_set():
            campaign.wait(0.2)
        # Who still had a lease would publish a second time now, if anybody did.
        time.sleep(2 * LEASE_SECONDS)
        campaign.over.set()
        students.join(PATIENCE)
        campaign.faults += services.end()
    campaign.counts += services.log_counts()


def main(jobs, kills, seed, kind):
    """Runs the campaign on a new classroom and prints what has happened; returns the exit code."""
    engine, _, backend = kind.partition("-")
    adopt_orphans()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(running_server()).create_database() if backend == "postgresql" else None
        besides = {child.pid for child in psutil.Process().children()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        short_course(folder / "course", THRESHOLD)
        services = Services(folder, url, engine)
        with contextlib.closing(Hub.open(HubSettings(services.settings.resolved_hub_data))) as hub:
            tokens = tokens_of(hub, jobs)
        classroom = stack.enter_context(contextlib.closing(services.open_classroom()))
        campaign = Campaign(classroom, services, jobs)
        began = time.monotonic()
        run(campaign, kills, seed, tokens)
        seconds = time.monotonic() - began
        campaign.faults += process_faults(besides)
        campaign.faults += folder_faults(services.temporary)
        check(campaign)
        if campaign.faults:
            print(services.log_ends(), file=sys.stderr)
    done = f"{len(campaign.pushed)} agents, {kills} kills, {campaign.verdicts} verdicts in {seconds:.0f} s"
    print(f"{kind}, seed {seed}: {done}")
    for what, number in sorted(campaign.counts.items()):
        print(f"{number:8} {what}")
    for fault in campaign.faults[:40]:
        print(f"FAULT {fault}")
    print("each ended exactly once" if not campaign.faults else f"{len(campaign.faults)} faults (seed {seed})")
    return 1 if campaign.faults else 0


def tokens_of(hub, jobs):
    """Makes the students with their empty repositories; returns the token for each repository."""
    tokens = {}
    for student, first in enumerate(range(0, jobs, AGENTS_OF_A_STUDENT)):
        names = [f"agent{number}" for number in range(min(AGENTS_OF_A_STUDENT, jobs - first))]
        token = new_pusher(hub, f"student{student}", names)
        tokens |= {f"student{student}/{name}": token for name in names}
    return tokens


if __name__ == "__main__":
    jobs, kills, seed = map(int, sys.argv[1:4])
    sys.exit(main(jobs, kills, seed, sys.argv[4]))
