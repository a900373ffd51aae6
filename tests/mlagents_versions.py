"""Builds an environment with ML-Agents for every Python that is at hand, trains in it, and prints what worked.

    python tests/mlagents_versions.py [--cache FOLDER]

An environment that a former call has built is used again. pip's own settings say where packages come from, and so
whether torch is for the processor alone.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from mlagents_bridge.toolkit.versions import DEPENDENCIES, TORCH
from mlagents_environment import ROOT, free_port

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PACKAGES = ("torch", "numpy", "protobuf", "grpcio", "onnx")
STEPS = ("installs", "imports", "trains", "model plays")
_SECONDS = 3600

_IMPORT = """
import json, platform
from importlib import metadata
import mlagents.trainers.learn, mlagents_envs.envs.unity_gym_env, mlagents_envs.envs.unity_parallel_env
from mlagents_bridge.toolkit.fixes.loading import applied
versions = {name: metadata.version(name) for name in NAMES}
print(json.dumps({"python": platform.python_version(), "versions": versions, "fixes": sorted(applied)}))
"""
_PLAY = """
import sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
sizes = {entry.name: [3, *entry.shape[1:]] for entry in session.get_inputs()}
values = session.run(None, {name: np.ones(size, np.float32) for name, size in sizes.items()})
actions = dict(zip([entry.name for entry in session.get_outputs()], values))["deterministic_discrete_actions"]
assert actions.shape[0] == 3 and np.isfinite(actions).all(), actions
"""
_CONFIG = {
    "behaviors": {
        "SnowballFight": {
            "trainer_type": "ppo",
            "hyperparameters": {"batch_size": 64, "buffer_size": 512},
            "network_settings": {"hidden_units": 32, "num_layers": 1},
            "max_steps": 2000,
            "time_horizon": 32,
            "summary_freq": 1000,
            "self_play": {"save_steps": 500, "swap_steps": 200, "team_change": 1000},
        }
    }
}


class StepError(Exception):
    """A step that did not work; the message is its last line."""


@dataclass
class Row:
    """What one Python came to.

    Attributes:
        python: Its version.
        versions: Version of each package.
        fixes: Names of the fixes that were applied.
        worked: Name of each step that was tried to "yes", or to what went wrong.
    """

    python: str
    versions: dict[str, str] = field(default_factory=dict)
    fixes: list[str] = field(default_factory=list)
    worked: dict[str, str] = field(default_factory=dict)

    def attempt(self, step: str, action: Callable[[], None]) -> None:
        """Takes a step, if those before it worked."""
        if any(outcome != "yes" for outcome in self.worked.values()):
            return
        print(f"Python {self.python}: {step} ...", file=sys.stderr, flush=True)
        try:
            action()
        except StepError as error:
            self.worked[step] = str(error).replace("|", "/")[:120]
        else:
            self.worked[step] = "yes"


def interpreter(version: str) -> Path | None:
    """A Python of this version: on the PATH, or of pyenv; None if there is none that runs."""
    named = shutil.which(f"python{version}")
    candidates = [Path(named)] if named else []
    candidates += sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
    question = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    for candidate in candidates:
        answer = subprocess.run([candidate, "-c", question], capture_output=True, text=True)
        if answer.stdout.strip() == version:
            return candidate
    return None


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a command; returns what it prints.

    Raises:
        StepError: If it fails.
    """
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise StepError(f"no end within {_SECONDS} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise StepError(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout


def try_python(version: str, python: Path, cache: Path) -> Row:
    """Installs, imports, trains and plays with one Python."""
    row = Row(version)
    folder = cache / version
    own = folder / "bin" / "python"
    work = cache / f"{version}-work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)

    def install() -> None:
        if not own.exists():
            run(python, "-m", "venv", folder, cwd=cache)
        run(own, "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[envs]", "onnxruntime>=1.23", cwd=cache)
        run(own, "-m", "mlagents_bridge", "install", cwd=cache)

    def import_all() -> None:
        found = json.loads(run(own, "-c", _IMPORT.replace("NAMES", repr(PACKAGES)), cwd=work).splitlines()[-1])
        row.python, row.versions, row.fixes = found["python"], found["versions"], found["fixes"]

    def train() -> None:
        (work / "config.yaml").write_text(yaml.safe_dump(_CONFIG))
        offer = ("--env=snowball_fight_1v1", "--arenas=4")
        run(own, "-m", "mlagents_bridge", "make-launcher", "Snow.x86_64", *offer, cwd=work)
        # The original command: it is the environment's start-up file that brings the fixes.
        options = ("--env=./Snow", "--run-id=one", "--no-graphics", f"--base-port={free_port()}")
        run(own.parent / "mlagents-learn", "config.yaml", *options, cwd=work)

    def play() -> None:
        run(own, "-c", _PLAY, work / "results" / "one" / "SnowballFight.onnx", cwd=work)

    for step, action in zip(STEPS, (install, import_all, train, play), strict=True):
        row.attempt(step, action)
    return row


def try_wheels(version: str) -> Row:
    """For a Python that is not at hand: whether all packages have wheels for it."""
    row = Row(version)
    # gym is published as source only; it is Python alone.
    requirements = "\n".join([TORCH, *(name for name in DEPENDENCIES if not name.startswith("gym>"))])
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--only-binary", ":all:", "--no-header"]
    command += ["--python-version", version, "--python-platform", "x86_64-manylinux_2_28", "-"]
    done = subprocess.run(command, input=requirements, capture_output=True, text=True)
    pinned = dict(line.split("==") for line in done.stdout.splitlines() if "==" in line and not line.startswith(" "))
    row.versions = {name: pinned[name] for name in PACKAGES if name in pinned}
    answer = "there are" if done.returncode == 0 else "there are not"
    row.worked["installs"] = f"not tried: no interpreter here; {answer} wheels"
    return row


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""
    head = ("Python", *PACKAGES, *STEPS, "fixes")
    lines = [head, ("---",) * len(head)]
    for row in rows:
        versions = (row.versions.get(name, "") for name in PACKAGES)
        steps = (row.worked.get(step, "") for step in STEPS)
        lines.append((row.python, *versions, *steps, ", ".join(row.fixes)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Prints the table; exit code 1 if something that was tried did not work."""
    parser = argparse.ArgumentParser(description="Tries ML-Agents on every Python that is at hand.")
    parser.add_argument("--cache", type=Path, default=ROOT / ".mlagents", help="where the environments are kept")
    cache = parser.parse_args().cache.absolute()
    cache.mkdir(parents=True, exist_ok=True)
    found = {version: interpreter(version) for version in PYTHONS}
    tried = [try_python(version, python, cache) for version, python in found.items() if python]
    print(table(tried + [try_wheels(version) for version, python in found.items() if python is None]))
    return int(any(outcome != "yes" for row in tried for outcome in row.worked.values()))


if __name__ == "__main__":
    raise SystemExit(main())
