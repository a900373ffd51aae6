"""The releases of ML-Agents that are known here, and what they were run with. Standard library only."""

import re
from importlib import metadata

from mlagents_bridge.errors import BridgeError

KNOWN_VERSION = "1.1.0"
"""The only release that the compatibility fixes are known for."""

DISTRIBUTIONS = {"mlagents": "mlagents", "mlagents_envs": "mlagents-envs"}
"""Name of each top-level package to the name of the distribution that holds it."""

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)

PROVEN_PYTHONS = ((3, 11), (3, 12), (3, 13))
"""Where training and the exported model were run; for the newest, only the wheels were seen to exist."""

DEPENDENCIES = (
    "numpy>=2.1,<3",
    "grpcio>=1.66,<2",
    "protobuf>=5,<8",
    "pyyaml>=6",
    "Pillow>=11",
    "attrs>=23.2",
    "cattrs>=24.1",
    "cloudpickle>=3",
    "filelock>=3.16",
    "h5py>=3.12",
    "six>=1.16",
    "tensorboard>=2.18,<3",
    "huggingface-hub>=2.2,<3",
    "onnx>=1.19,<2",
    "gym>=0.26,<0.27",
    "gymnasium>=1,<2",
    "pettingzoo>=1.24,<2",
)
"""What ML-Agents needs, in versions that it runs with under the fixes; torch is apart, because a build of it stays."""

TORCH = "torch>=2.10,<2.15"
"""What is installed where there is no torch. Its older ONNX exporter, which ML-Agents needs, is in these."""


NEWEST_PROVEN_TORCH = (2, 14)
"""The newest release of torch that training and the export were run with."""


def installed_version(package: str) -> str | None:
    """Version of an installed top-level package.

    Args:
        package: `"mlagents"` or `"mlagents_envs"`.

    Returns:
        The version that its metadata names, None if it has none.
    """
    try:
        return metadata.version(DISTRIBUTIONS[package])
    except metadata.PackageNotFoundError:
        return None


def unknown_version(package: str) -> str | None:
    """Why the fixes do not apply to an installed package, a sentence; None if they do."""
    version = installed_version(package)
    if version == KNOWN_VERSION:
        return None
    return (
        f"{DISTRIBUTIONS[package]} {version or 'of an unknown version'} is installed here, and the fixes for current "
        f"Pythons are known for {KNOWN_VERSION} only, so none of them is applied."
    )


def require_known_versions() -> None:
    """Checks that ML-Agents is installed, in the release that is known.

    Raises:
        BridgeError: If it is not.
    """
    remedy = "Run: python -m mlagents_bridge install"
    for package, distribution in DISTRIBUTIONS.items():
        if installed_version(package) is None:
            raise BridgeError(f"{distribution} is not installed in this environment. {remedy}")
        if reason := unknown_version(package):
            raise BridgeError(f"{reason} {remedy}")


def is_at_least(version: str, *parts: int) -> bool:
    """Whether a version such as `"2.13.0+cpu"` is that of the leading numbers `parts`, or a later one."""
    leading = (re.match(r"\d{1,9}", part) for part in version.split(".")[: len(parts)])
    return tuple(int(match.group()) if match else 0 for match in leading) >= parts
