"""Kills a classroom without warning, again and again, while students and teachers write to it.

Started by `benchmarks.leaderboard_crashes` in a process of its own. Each writer does one thing: students push to the
Hub by its API in turn and wait for nothing, one sends quiz answers as a form, one changes the name that others see; a
teacher makes classes. A write counts once the server has answered that it is done.

After each kill, while nobody serves: everything that was acknowledged is in the database, the boards are what the
submissions say, the Hub is sound, and the database is sound in itself. At the end the restarted classroom has heard of
every push that the Hub acknowledged. The exit code is 1 if any of this fails. A seed makes the same pauses again.
"""

import contextlib
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from killed_classroom import PATIENCE, board_faults, commit, excuse, new_pusher, told
from leaderboard_process import start
from postgresql import running_server
from rl_hub.accounts import passwords, users
from rl_hub.database import tables as hub_tables
from rl_hub.database import upkeep
from rl_hub.hub import Hub
from rl_hub.maintenance import fsck
from rl_hub.settings import Settings as HubSettings
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database import tables
from rl_leaderboard.settings import Settings
from rl_units.course import load_course

PASSWORD = "a-password-of-the-tests"
# They push in turn: a Hub takes a thousand commits of a person within an hour, and ten times as many are enough for it.
STUDENTS = ("ada", *(f"student{number}" for number in range(1, 10)))
CARD = """---
library_name: stable-baselines3
tags: [SpaceInvadersNoFrameskip-v4, reinforcement-learning]
model-index:
- name: DQN
  results:
  - task: {{type: reinforcement-learning, name: reinforcement-learning}}
    dataset: {{name: SpaceInvadersNoFrameskip-v4, type: SpaceInvadersNoFrameskip-v4}}
    metrics: [{{type: mean_reward, value: {number}.00 +/- 1.00, name: mean_reward, verified: false}}]
---
"""
# Seconds for which the classroom is up between two kills, and in which it starts.
SHORTEST, LONGEST, START = 0.05, 2.0, 2.0
# Each fifth start is killed too.
STARTS = 5
# Fewer than are kept of a person.
ANSWERS_OF_A_QUESTION = 90


@dataclass
class Campaign:
    """What the killer and the writers share.

    Attributes:
        data: The classroom's folder.
        database_url: Its database; None for SQLite in the folder.
        address: Where its pages are served.
        endpoint: Where its Hub is served.
        up: Set while it is being served.
        generation: How often it was killed.
        over: Set when the writers are to end.
        acknowledged: What writers were told is done, a set of values for each kind of write.
        counts: What has happened, for the report.
        faults: What must not happen.
    """

    data: Path
    database_url: str | None
    address: str = ""
    endpoint: str = ""
    up: threading.Event = field(default_factory=threading.Event)
    generation: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, set] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, text):
        self.faults.append(f"After kill {self.generation}: {text}")
        self.over.set()

    @contextlib.contextmanager
    def opened(self):
        """The classroom and its Hub, while nobody serves them."""
        settings = Settings(self.data, database_url=self.database_url)
        with contextlib.ExitStack() as stack:
            hub = stack.enter_context(contextlib.closing(Hub.open(HubSettings(settings.resolved_hub_data))))
            yield stack.enter_context(contextlib.closing(Classroom.open(settings, hub=hub)))


class Browser:
    """A browser that is signed in, and signs in again if it has to."""

    def __init__(self, campaign, name):
        self.campaign, self.name = campaign, name
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self._signed_in = False

    def send(self, page, address, form):
        """Fills in a form of a page and sends it; returns once the server has answered that it is done."""
        self._sign_in()
        self._post(page, address, form)

    def read(self, page):
        """The HTML of a page."""
        self._sign_in()
        return self._open(page).decode()

    def _sign_in(self):
        if not self._signed_in:
            self._post("/login", "/login", {"name": self.name, "password": PASSWORD, "next": "/"})
            self._signed_in = True

    def _post(self, page, address, form):
        html = self._open(page).decode()
        token = re.search(r'name="form_token" value="([0-9a-f]{64})"', html)
        if token is None:
            raise ValueError(f"{page} has no form: {html[-500:]}")
        body = urllib.parse.urlencode({"form_token": token[1], **form}, doseq=True).encode()
        self._open(address, body)

    def _open(self, address, body=None):
        with self._opener.open(self.campaign.address + address, body, timeout=PATIENCE) as answer:
            return answer.read()


class Writer(threading.Thread):
    """Somebody who writes, and again when the classroom was gone.

    Args:
        kind: Under which what was acknowledged is kept.
        step: Called with a number that is new each time; writes, and returns what the database has to hold then.
    """

    def __init__(self, campaign, kind, step):
        super().__init__(daemon=True, name=kind)
        self.campaign, self.kind, self.step = campaign, kind, step
        campaign.acknowledged[kind] = set()

    def run(self):
        number = 0
        while not self.campaign.over.is_set():
            number += 1
            generation = self.campaign.generation
            if not self.campaign.up.wait(0.1):
                continue
            try:
                self.campaign.acknowledged[self.kind].add(self.step(number))
                self.campaign.counts[f"writes, {self.kind}"] += 1
            except Exception as error:
                found = excuse(error, was_killed=self.campaign.generation != generation)
                if found is None:
                    self.campaign.fault(f"{self.kind}: refused although nothing was killed: {told(error)}")
                else:
                    self.campaign.counts[found] += 1


def writers(campaign):
    """Everybody who writes; what a step returns is what `check` looks for."""
    given = new_people(campaign)
    student, quiz_taker, teacher = (Browser(campaign, name) for name in ("ada", "grace", "teacher"))

    def push(number):
        name = STUDENTS[number % len(STUDENTS)]
        files = {"README.md": CARD.format(number=number).encode()}
        return commit(campaign.endpoint, f"{name}/agent", given[name], files)

    def rename(number):
        student.send("/settings", "/settings", {"pseudonym": f"Nobody {number}"})
        return number

    def answer(number):
        page = f"/units/{load_course().units[0].id}/quiz"
        fields = questions_of(quiz_taker.read(f"{page}?again=1"))
        question = number // ANSWERS_OF_A_QUESTION
        if question >= len(fields):
            return campaign.over.wait(1)
        name, values = fields[question]
        quiz_taker.send(page, page, {name: values[number % len(values)]})
        return number

    def make_class(number):
        teacher.send("/teach", "/teach/classes", {"name": f"Class {number}"})
        return f"Class {number}"

    steps = {"pushes": push, "names": rename, "answers": answer, "classes": make_class}
    return [Writer(campaign, kind, step) for kind, step in steps.items()]


def new_people(campaign):
    """Makes the people and the repositories; returns the tokens with which students push, by name."""
    with campaign.opened() as classroom:
        with classroom.hub.database.write() as connection:
            for name in ("ada", "grace", "teacher"):
                user = users.create(connection, name)
                users.set_password(connection, user, passwords.hash_password(PASSWORD))
        return {name: new_pusher(classroom.hub, name, ["agent"]) for name in STUDENTS}


def questions_of(html):
    """The fields of a quiz, with the values that each may have."""
    fields = {}
    for attributes in re.findall(r'<input ([^>]*type="(?:radio|checkbox)"[^>]*)>', html):
        name, value = (re.search(rf'{what}="([^"]*)"', attributes)[1] for what in ("name", "value"))
        fields.setdefault(name, []).append(value)
    return list(fields.items())


def check(campaign):
    """Looks at everything while nobody serves it."""
    with campaign.opened() as classroom:
        for problem in fsck.check(classroom.hub).problems:
            campaign.fault(str(problem))
        acknowledged = {kind: set(values) for kind, values in campaign.acknowledged.items()}
        with classroom.hub.database.read() as connection:
            commits = set(connection.scalars(select(hub_tables.commits.c.sha)))
        with classroom.read() as connection:
            for problem in upkeep.self_check(connection):
                campaign.fault(problem)
            answers = len(connection.execute(select(tables.quiz_answers.c.id)).all())
            names = connection.scalars(select(tables.people.c.pseudonym).where(tables.people.c.name == "ada"))
            name = next((int(found.split()[1]) for found in names if found), 0)
            classes = set(connection.scalars(select(tables.classes.c.name)))
        lost = {
            "pushes": acknowledged["pushes"] - commits,
            "names": {number for number in acknowledged["names"] if number > name},
            "answers": len([number for number in acknowledged["answers"] if number is not False]) > answers,
            "classes": acknowledged["classes"] - classes,
        }
        for kind, what in lost.items():
            if what:
                campaign.fault(f"Lost of the {kind}: {what}")
        for problem in board_faults(classroom):
            campaign.fault(problem)
    campaign.counts["acknowledged writes looked at"] += sum(map(len, acknowledged.values()))


def check_arrivals(campaign):
    """Waits until the served classroom has heard of every push that the Hub has acknowledged."""
    deadline = time.monotonic() + PATIENCE
    with contextlib.closing(Classroom.open(Settings(campaign.data, database_url=campaign.database_url))) as classroom:
        while True:
            with classroom.read() as connection:
                missing = campaign.acknowledged["pushes"] - set(connection.scalars(select(tables.submissions.c.sha)))
            if not missing:
                return
            if time.monotonic() > deadline:
                campaign.fault(f"Never on the board: {missing}")
                return
            time.sleep(0.2)


def serve(campaign, ports=(0, 0)):
    more = {"DATABASE": campaign.database_url} if campaign.database_url else {}
    return start(campaign.data, port=ports[0], hub_port=ports[1], TEACHERS="teacher", **more)


def kill_a_start(campaign, ports, chance):
    """Starts a classroom and kills it before, or as soon as, it is there."""
    command = [sys.executable, "-m", "rl_leaderboard", "serve", "--port", str(ports[0]), "--hub-port", str(ports[1])]
    environment = {**os.environ, "RL_LEADERBOARD_DATA": str(campaign.data)}
    if campaign.database_url:
        environment["RL_LEADERBOARD_DATABASE"] = campaign.database_url
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, **output) as process:
        time.sleep(chance.uniform(0, START))
        process.kill()
    campaign.counts["kills during a start"] += 1


def run(campaign, kills, chance):
    """The whole campaign."""
    kill_a_start(campaign, (0, 0), chance)
    everybody = writers(campaign)
    with contextlib.ExitStack() as stack:
        server = serve(campaign)
        stack.callback(lambda: server.kill())
        campaign.address, campaign.endpoint = server.address, server.endpoint
        ports = [int(address.rpartition(":")[2]) for address in (server.address, server.endpoint)]
        for writer in everybody:
            writer.start()
        campaign.up.set()
        # Everybody is signed in before the first kill.
        while not all(campaign.acknowledged.values()) and not campaign.over.wait(0.1):
            pass
        while campaign.generation < kills and not campaign.over.is_set():
            campaign.up.set()
            campaign.over.wait(chance.uniform(SHORTEST, LONGEST))
            campaign.up.clear()
            campaign.generation += 1
            server.kill()
            check(campaign)
            if campaign.generation % STARTS == 0:
                kill_a_start(campaign, ports, chance)
            server = serve(campaign, ports)
        campaign.over.set()
        for writer in everybody:
            writer.join(PATIENCE)
            if writer.is_alive():
                campaign.fault(f"{writer.kind}: a writer hangs.")
        check_arrivals(campaign)
    check(campaign)


def main(kills, seed, engine):
    """Runs the campaign and prints what has happened; returns the exit code."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(running_server()).create_database() if engine == "postgresql" else None
        campaign = Campaign(folder / "classroom-data", url)
        run(campaign, kills, random.Random(seed))
    print(f"{engine}, seed {seed}: {campaign.generation} kills in {time.monotonic() - began:.0f} s")
    for what, number in sorted(campaign.counts.items()):
        print(f"{number:8} {what}")
    for fault in campaign.faults[:20]:
        print(f"FAULT {fault}")
    print("nothing was lost" if not campaign.faults else f"{len(campaign.faults)} faults")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
