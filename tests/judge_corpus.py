"""The corpus of hostile submissions: each case judged in a sandbox, and the host looked at afterwards.

A case is a folder of `tests/judge/corpus`: `case.toml` says what it tries and which verdicts are right (see `Case`);
beside it lie the submission's files in `files`, or a `make.py` with `make(folder)` that writes them, or an `attack.py`
with `attack(judge, aims)`, which stands in for the submission's process in the sandbox (see `judge_corpus_stand_in`)
because a format without code leads no attack so far. `python -m judge_corpus` judges all of them and prints a table.

A case whose attack a kind of sandbox does not promise to stop (see `sandbox.tiers.PROMISES`) names those that do:
`tiers = ["A", "B"]`. For root, who becomes `nobody` inside, the weakest kind is tried only with a Python and packages
that every user can read. Where Python lies below /root, copy its folder (`sys.base_prefix`) to such a place, make an
environment with the copy, and run this with it.
"""

import contextlib
import dataclasses
import os
import runpy
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from judge_corpus_agents import prepare
from judge_corpus_host import Host, Sandboxes
from judge_sandbox import examined
from rl_leaderboard.judge.failures import JudgeError
from rl_leaderboard.judge.fetching.choice import choose
from rl_leaderboard.judge.players import AgentFailed, PlayerLimits, PlayerPool
from rl_leaderboard.judge.sandbox import Limits, Tier
from rl_leaderboard.judge.sandbox.watch import tree
from rl_units.course import Protocol
from rl_units.errors import EvaluationError
from rl_units.evaluation import evaluate

FOLDER = Path(__file__).with_name("judge") / "corpus"
SCORED = "scored"
LONGEST_SENTENCE = 600
_STAND_IN = Path(__file__).with_name("judge_corpus_stand_in.py")
_MIB = 2**20
_AGENT_LIMITS = Limits(memory_bytes=1536 * _MIB, cpu_seconds=60, scratch_bytes=128 * _MIB)
_ATTACK_LIMITS = Limits(
    memory_bytes=256 * _MIB, cpu_seconds=2, file_bytes=4 * _MIB, processes=16, scratch_bytes=16 * _MIB, scratch_files=99
)
_PATIENCE = PlayerLimits(load_seconds=30, batch_seconds=6, end_seconds=5)
_IMPATIENCE = PlayerLimits(load_seconds=20, batch_seconds=20, end_seconds=1)


@dataclass(frozen=True)
class Case:
    """A hostile submission.

    Attributes:
        name: Of its folder.
        title: What it is, in a line.
        tries: What whoever made it would like to happen.
        expected: Verdicts that are right: `scored`, or the code of a reason.
        env_id: What it is handed in for.
        when: For an attack: `play`, or `convert` for one that takes over the reader of the student's own files.
        seconds: For an attack that is late: how long one batch may take.
        tiers: The kinds of sandboxes in which it is run, by their letters.
    """

    name: str
    title: str
    tries: str
    expected: tuple[str, ...]
    env_id: str = "CartPole-v1"
    when: str = "play"
    seconds: float = 20.0
    tiers: tuple[str, ...] = ("A", "B", "C")

    @classmethod
    def read(cls, folder: Path) -> "Case":
        """The case in a folder."""
        table = tomllib.loads((folder / "case.toml").read_text())
        expected = table.pop("expected")
        table["tiers"] = tuple(table.get("tiers", cls.tiers))
        return cls(folder.name, expected=(expected,) if isinstance(expected, str) else tuple(expected), **table)

    def runs_in(self, tier: Tier) -> bool:
        """Whether it is run in this kind of sandbox."""
        return tier.value[0] in self.tiers

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return FOLDER / self.name

    @property
    def attack(self) -> Path:
        """Its program, if it has one."""
        return self.folder / "attack.py"

    def write(self, folder: Path) -> None:
        """Puts the submission's files into a folder."""
        if (self.folder / "files").is_dir():
            shutil.copytree(self.folder / "files", folder, dirs_exist_ok=True)
        elif self.attack.is_file():
            (folder / "agent.json").write_text("{}")
            (folder / "agent.safetensors").write_bytes(b"weights")
        if (self.folder / "make.py").is_file():
            runpy.run_path(str(self.folder / "make.py"))["make"](folder)


@dataclass
class Verdict:
    """How a case ended.

    Attributes:
        name: `scored`, or the code of a reason.
        sentence: For the student; empty with a score.
        complaints: What is not as it should be on the host afterwards, or in the sentence.
        seconds: How long it took.
    """

    name: str
    sentence: str = ""
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0


def cases() -> list[Case]:
    """All cases in order of their names; the attacks first, because they need no torch, which is imported meanwhile."""
    found = [Case.read(path.parent) for path in sorted(FOLDER.glob("*/case.toml"))]
    return sorted(found, key=lambda case: not case.attack.is_file())


class Court:
    """Judges cases in one kind of sandbox."""

    def __init__(self, host: Host, pool: PlayerPool, sandboxes: Sandboxes) -> None:
        self.host, self._pool, self._sandboxes = host, pool, sandboxes

    @classmethod
    @contextlib.contextmanager
    def at(cls, tier: Tier) -> Iterator["Court"]:
        """A court whose sandboxes are of one kind."""
        prepare()
        with Host(tier) as host:
            sandboxes = host.sandboxes(_AGENT_LIMITS)
            with PlayerPool(sandboxes, 2, _PATIENCE) as pool:
                yield cls(host, pool, sandboxes)

    def judge(self, case: Case) -> Verdict:
        """Judges a case, and looks at the host afterwards."""
        began = time.monotonic()
        is_attack = case.attack.is_file()
        sandboxes = self._attackers(case) if is_attack else self._sandboxes
        limits = dataclasses.replace(_IMPATIENCE, load_seconds=case.seconds, batch_seconds=case.seconds)
        with self.host.watched(sandboxes) as complaints, tempfile.TemporaryDirectory() as temporary:
            repository, folder = Path(temporary, "repository"), Path(temporary, "judge")
            repository.mkdir()
            folder.mkdir()
            case.write(repository)
            with PlayerPool(sandboxes, 1, limits) if is_attack else contextlib.nullcontext(self._pool) as pool:
                verdict = _verdict(case, pool, repository, folder)
                remains = _remains(pool)
        complaints += [*remains, *complaints_about(verdict)]
        verdict.complaints = complaints
        verdict.seconds = time.monotonic() - began
        return verdict

    def _attackers(self, case: Case) -> Sandboxes:
        parts = [f"AIMS = {self.host.targets()!r}\nWHEN = {case.when!r}", _STAND_IN.read_text()]
        code = "\n".join([*parts, case.attack.read_text(), "serve()"])
        return self.host.sandboxes(_ATTACK_LIMITS, code)


def _verdict(case: Case, pool: PlayerPool, repository: Path, folder: Path) -> Verdict:
    """What `judge.pipeline.measure` would say, without a Hub, a database and a film."""
    protocol = Protocol("corpus", 1, case.env_id, n_episodes=3, max_episode_steps=30)
    try:
        for name, _ in choose((path.name, path.lstat().st_size) for path in repository.iterdir()):
            os.rename(repository / name, folder / name)  # noqa: PTH104  a link stays one
        with pool.load(folder, protocol) as agent:
            result = evaluate(agent, protocol, seeds=[1, 2, 3])
    except AgentFailed as error:
        return Verdict(error.refusal or error.reason, error.sentence)
    except JudgeError as error:
        return Verdict(error.reason, error.sentence)
    except EvaluationError as error:
        return Verdict("bad-action", f"{error}")
    found = all(0 < length <= 30 for length in result.lengths)
    return Verdict(SCORED, complaints=[] if found else ["its games have odd lengths"])


def _remains(pool: PlayerPool) -> list[str]:
    """What a submission has left in the scratch folder of a process that waits for the next one, or as its child."""
    complaints = []
    for process in [waiting._process for waiting in pool._waiting if waiting.served]:
        complaints += [
            f"it has left {path} to the next" for path in (process.scratch and process.scratch.iterdir()) or ()
        ]
        if len(tree(process.pid)) > (3 if process.tier is Tier.NAMESPACES else 1):  # bwrap has two
            complaints.append("it has left a process to the next")
    return complaints


def complaints_about(verdict: Verdict) -> list[str]:
    """What is wrong with a sentence for a student."""
    sentence = verdict.sentence
    if verdict.name == SCORED:
        return verdict.complaints
    private = [str(Path(place).resolve()) for place in (tempfile.gettempdir(), sys.prefix, Path.home(), FOLDER)]
    checks = {
        "its sentence does not end": sentence.endswith("."),
        "its sentence is no single line of plain text": sentence.isprintable(),
        "its sentence is too long": 10 < len(sentence) <= LONGEST_SENTENCE,
        "its sentence has a traceback": "Traceback" not in sentence and 'File "' not in sentence,
        "its sentence has a path of the host": not any(place in sentence for place in private if place != "/"),
    }
    return [*verdict.complaints, *(complaint for complaint, is_right in checks.items() if not is_right)]


def available() -> list[Tier]:
    """The kinds of sandboxes that work here."""
    return [tier for tier in Tier if not isinstance(examined(tier), str)]


def main(names: list[str]) -> int:
    """Judges all cases, or those named, in every kind of sandbox that works here, and prints a table."""
    wanted = [case for case in cases() if not names or case.name in names]
    width = max(len(case.name) for case in wanted)
    wrong = 0
    print(f"{'case':{width}}  {'tier':13}  {'expected':34}  {'verdict':24}  {'s':>5}  ok")
    for tier in available():
        with Court.at(tier) as court:
            for case in [case for case in wanted if case.runs_in(tier)]:
                verdict = court.judge(case)
                is_right = verdict.name in case.expected and not verdict.complaints
                wrong += not is_right
                expected = " | ".join(case.expected)
                row = f"{case.name:{width}}  {tier.value:13}  {expected:34}  {verdict.name:24}  {verdict.seconds:5.1f}"
                print(f"{row}  {'yes' if is_right else 'NO'}", flush=True)
                if not is_right or names:
                    print("\n".join(f"    {line}" for line in [verdict.sentence, *verdict.complaints]))
    for tier in Tier:
        if isinstance(reason := examined(tier), str):
            print(f"Not tried in {tier.value}: {reason}")
    print(f"{len(wanted)} cases, {wrong} not as expected.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
