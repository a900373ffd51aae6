"""Which files of the host a program in a sandbox sees: the interpreter, its packages, the project's packages."""

import functools
import importlib.util
import sys
import sysconfig
from pathlib import Path

# The last two are the course's own environments.
_PACKAGES = ("rl_units", "rl_leaderboard", "rl_hub", "snowball_fight", "custom_envs")
# Roots that hold much besides an interpreter.
_SHARED_PREFIXES = (Path("/"), Path("/usr"), Path("/usr/local"))
# Libraries and their index, and what libraries ask about the processor.
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/sys/devices/system/cpu")
_STORES = (Path("/nix/store"), Path("/gnu/store"))  # where these systems keep their libraries instead

# Where a sandbox has the host's own /dev and /proc. The last is the process itself.
DEVICES = tuple(Path(name) for name in ("/dev/urandom", "/dev/random", "/dev/zero"))
WRITABLE_DEVICES = (Path("/dev/null"),)
PROCESS_FILES = tuple(Path(name) for name in ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self"))


def interpreter() -> Path:
    """The interpreter itself, of which a virtual environment has links only."""
    return Path(sys.executable).resolve()


@functools.cache
def search_path() -> tuple[Path, ...]:
    """Where modules are found besides the standard library.

    Not `sys.path`: it may hold the folder in which the service was started, with its database and its secrets.
    """
    folders = [Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")]
    return tuple(dict.fromkeys([*folders, *(package.parent for package in _packages())]))


@functools.cache
def program_files() -> tuple[Path, ...]:
    """Files, and folders with all that is in them, that a program needs to run; all exist."""
    base = Path(sys.base_prefix).resolve()
    wanted = [Path(name) for name in _SYSTEM]
    wanted += [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    wanted.append(interpreter())
    wanted += [store for store in _STORES if interpreter().is_relative_to(store)]
    wanted += [base / "lib"] if base in _SHARED_PREFIXES else [base]
    wanted += _packages()
    return tuple(sorted(path for path in set(wanted) if path.exists()))


def _packages() -> list[Path]:
    found = []
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None:
            continue
        place = next(iter(spec.submodule_search_locations or ()), spec.origin)  # of a package, or of a single module
        if place is not None:
            found.append(Path(place).resolve())
    return found
