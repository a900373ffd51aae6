"""Proves that every extra installs from wheels alone on every Python and system that the metadata promises.

A resolver answers for each pair, without installing anything. pip's own resolver reads environment markers for the
machine that it runs on, so it cannot answer for macOS on Linux; uv's can.
"""

import itertools
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Apple's Intel machines are left out: torch has had no wheels for them since 2.3.
SYSTEMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")


def missing_wheels(python: str, system: str, extra: str) -> str:
    """The resolver's complaint, empty if there is a wheel for everything."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--only-binary", ":all:", "--no-header"),
        *("--python-version", python, "--python-platform", system, "--extra", extra, "pyproject.toml"),
    ]
    # onnxruntime's oldest macOS is 14.
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return finished.stderr.strip() if finished.returncode else ""


def main() -> int:
    """Prints a line for each combination; exit code 1 if one lacks a wheel."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    failed = False
    for system, python, extra in itertools.product(SYSTEMS, PYTHONS, extras):
        complaint = missing_wheels(python, system, extra)
        print(f"{system:24} Python {python}  [{extra}]  {'no' if complaint else 'ok'}", flush=True)
        if complaint:
            failed = True
            print(complaint)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
