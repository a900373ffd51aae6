"""What a training machine needs, checked one by one, each problem with its fix in a line."""

import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Literal

from rl_units.course import load_course
from rl_units.display import has_screen
from rl_units.errors import UserError

Status = Literal["ok", "warn", "fail"]

_DISTRIBUTION = "rl-classroom"
_GIGABYTE = 10**9
_RUN_SIZE = 2 * _GIGABYTE  # a checkpoint with a full replay buffer of 100,000 Atari frames, twice while it is replaced
_LEAST_FREE = _GIGABYTE // 5  # below this not even a short run and its film fit
_HUB_TIMEOUT = 5.0  # seconds
# Distributions of the same module; which of them is there does not matter.
_SAME_MODULE = {"opencv-python-headless": ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        status: `"ok"`; `"warn"`, a part of the course will not work or be slow; `"fail"`, training will not work.
        found: What is there.
        fix: What to do about it, a line; empty if ok.
    """

    name: str
    status: Status
    found: str
    fix: str = ""


def examine(folder: Path) -> list[Check]:
    """Runs every check; a check that breaks is itself a finding, so that the page is always complete.

    Args:
        folder: Where runs will be logged; it need not exist.
    """
    checks: list[Callable[[], list[Check]]] = [
        check_python,
        check_packages,
        check_torch,
        check_games,
        check_ffmpeg,
        check_display,
        lambda: check_folder(folder),
        check_hub,
    ]
    return [found for check in checks for found in _guarded(check)]


def report(checks: list[Check]) -> str:
    """The page: a line for each check, and under a problem its fix."""
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        lines.append(f"{check.status:4}  {check.name:{width}}  {check.found}")
        if check.fix:
            lines.append(f"{'':4}  {'':{width}}  -> {check.fix}")
    return "\n".join(lines)


def check_python() -> list[Check]:
    """Python's version and the platform."""
    from packaging.specifiers import SpecifierSet

    version, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    supported = metadata.metadata(_DISTRIBUTION)["Requires-Python"]
    if SpecifierSet(supported).contains(version, prereleases=True):
        return [Check("Python", "ok", f"{version} on {system}")]
    return [Check("Python", "fail", f"{version} on {system}", f"Install a Python {supported} and start afresh.")]


def check_packages() -> list[Check]:
    """Every package of the `train` extra, against the range that the distribution names."""
    from packaging.requirements import Requirement

    wrong: list[Check] = []
    versions: list[str] = []
    for requirement in map(Requirement, metadata.requires(_DISTRIBUTION) or []):
        if requirement.marker is None or not requirement.marker.evaluate({"extra": "train"}):
            continue
        fix = f'pip install "{requirement.name}{requirement.specifier}"'
        version = _installed_version(requirement.name)
        if version is None:
            wrong.append(Check(requirement.name, "fail", "not installed", fix))
            continue
        versions.append(f"{requirement.name} {version}")
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(Check(requirement.name, "fail", f"{version}, supported: {requirement.specifier}", fix))
    return wrong or [Check("packages", "ok", f"{len(versions)} in their supported ranges: {', '.join(versions[:4])}")]


def _installed_version(name: str) -> str | None:
    for distribution in (name, *_SAME_MODULE.get(name, ())):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def check_torch() -> list[Check]:
    """Whether torch has a GPU to train on, and its threads."""
    import torch

    threads = f"torch {torch.__version__}, {torch.get_num_threads()} threads on {os.cpu_count()} cores"
    if torch.cuda.is_available():
        return [Check("GPU", "ok", f"{torch.cuda.get_device_name(0)}; {threads}")]
    if torch.backends.mps.is_available():
        return [Check("GPU", "ok", f"Apple GPU (mps); {threads}")]
    if shutil.which("nvidia-smi"):
        fix = "There is an NVIDIA driver, but this torch is built without CUDA: see https://pytorch.org/get-started"
        return [Check("GPU", "warn", f"not used by torch; {threads}", fix)]
    fix = "Training works, but slowly. On Colab: Runtime > Change runtime type > GPU."
    return [Check("GPU", "warn", f"none; {threads}", fix)]


def check_games() -> list[Check]:
    """Whether the environment of every assignment starts, Atari's ROM included."""
    from rl_units.environments import make_environment

    started: list[str] = []
    broken: list[Check] = []
    for assignment in load_course().assignments:
        try:
            env = make_environment(assignment.protocol)
            env.reset(seed=0)
            env.close()
            started.append(assignment.title)
        except (UserError, OSError, RuntimeError) as error:
            fix = 'pip install --force-reinstall --no-deps "ale-py>=0.12.1"'
            broken.append(Check(assignment.env_id, "fail" if assignment.required else "warn", str(error), fix))
    return broken or [Check("environments", "ok", f"all start: {', '.join(started)}")]


def check_ffmpeg() -> list[Check]:
    """Whether the ffmpeg of imageio-ffmpeg writes a film that decodes."""
    import imageio_ffmpeg
    import numpy as np

    from rl_units.mp4 import write_mp4

    try:
        with tempfile.TemporaryDirectory() as folder:
            frames = iter([np.zeros((320, 320, 3), np.uint8)] * 2)
            write_mp4(frames, Path(folder) / "test.mp4", Fraction(10))
    except UserError as error:
        return [Check("ffmpeg", "fail", str(error), "pip install --force-reinstall imageio-ffmpeg")]
    return [Check("ffmpeg", "ok", f"{imageio_ffmpeg.get_ffmpeg_version()} writes H.264")]


def check_display() -> list[Check]:
    """Whether a window can open, on a screen or on Xvfb."""
    if has_screen():
        return [Check("display", "ok", "a screen")]
    if shutil.which("Xvfb"):
        return [Check("display", "ok", "no screen; Xvfb stands in for one")]
    fix = "Only `enjoy` with a window needs one: sudo apt install xvfb, or enjoy --no-render."
    return [Check("display", "warn", "no screen and no Xvfb", fix)]


def check_folder(folder: Path) -> list[Check]:
    """Room on the disk for a run, and the right to write there.

    Args:
        folder: The log folder; if it does not exist, its nearest parent that does is looked at.
    """
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    status: Status = "ok" if free >= _RUN_SIZE else "warn" if free >= _LEAST_FREE else "fail"
    fix = "" if status == "ok" else "A full run needs about 2 GB. Free some space, or log elsewhere: train -f FOLDER."
    checks = [Check("disk", status, f"{free / _GIGABYTE:.1f} GB free in {there}", fix)]
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        return [*checks, Check("log folder", "ok", f"{there} can be written")]
    except OSError as error:
        fix = "Mend its permissions, or log elsewhere: train -f FOLDER."
        return [*checks, Check("log folder", "fail", f"{there} cannot be written: {error.strerror}", fix)]


def check_hub() -> list[Check]:
    """Which Hub is used, whether it answers, and whose token is there with which role; never the token itself."""
    from huggingface_hub import HfApi, constants, get_session, get_token

    endpoint = constants.ENDPOINT
    if constants.HF_HUB_OFFLINE:
        return [Check("Hub", "warn", f"{endpoint}, switched off by HF_HUB_OFFLINE", "unset HF_HUB_OFFLINE")]
    try:
        # Without a token every Hub refuses this request, but it answers.
        get_session().get(f"{endpoint}/api/whoami-v2", timeout=_HUB_TIMEOUT)
    except Exception as error:  # the client's HTTP library is its own affair, and has changed before
        fix = "Check the network, the proxy and HF_ENDPOINT. Training works without a Hub; push later."
        return [Check("Hub", "warn", f"{endpoint} does not answer ({type(error).__name__})", fix)]
    reachable = Check("Hub", "ok", f"{endpoint} answers")
    if get_token() is None:
        return [reachable, Check("Hub token", "warn", "none", "To push an agent: hf auth login")]
    try:
        person = HfApi(endpoint=endpoint).whoami()
    except Exception as error:  # as above
        fix = f"Make a new one at {endpoint}/settings/tokens, then: hf auth login"
        return [reachable, Check("Hub token", "warn", f"refused ({type(error).__name__})", fix)]
    return [reachable, _check_role(person, endpoint)]


def _check_role(person: dict[str, object], endpoint: str) -> Check:
    auth = person.get("auth")
    token = auth.get("accessToken") if isinstance(auth, dict) else None
    role = token.get("role") if isinstance(token, dict) else None
    found = f"of {person.get('name')}, role {role}"
    if role == "read":
        fix = f"A push needs to write: make a token of role write at {endpoint}/settings/tokens"
        return Check("Hub token", "warn", found, fix)
    return Check("Hub token", "ok", found)


def _guarded(check: Callable[[], list[Check]]) -> list[Check]:
    try:
        return check()
    except Exception as error:  # a missing or broken package must not hide the checks that follow
        name = getattr(check, "__name__", "check").removeprefix("check_")
        fix = "Install again: pip install --force-reinstall 'rl-classroom[train]'"
        return [Check(name, "fail", f"{type(error).__name__}: {error}", fix)]
