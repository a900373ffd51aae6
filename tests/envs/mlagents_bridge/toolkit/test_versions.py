from importlib import metadata

import pytest

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit import versions


def pretend_installed(folder, monkeypatch, **packages):
    """Puts the metadata of distributions on the path: their names, with `_` for `-`, and versions."""
    for name, version in packages.items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(folder)


def test_without_mlagents_it_is_said_how_to_install_it(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(BridgeError, match=r"mlagents is not installed .* python -m mlagents_bridge install"):
        versions.require_known_versions()


def test_the_known_release_is_accepted(tmp_path, monkeypatch):
    pretend_installed(tmp_path, monkeypatch, mlagents="1.1.0", mlagents_envs="1.1.0")
    versions.require_known_versions()


@pytest.mark.parametrize("release", ["1.0.0", "1.2.0", "1.1.0.post1"])
def test_another_release_is_named_and_refused(tmp_path, monkeypatch, release):
    pretend_installed(tmp_path, monkeypatch, mlagents="1.1.0", mlagents_envs=release)
    with pytest.raises(BridgeError, match=rf"mlagents-envs {release} is installed .* known for 1\.1\.0 only"):
        versions.require_known_versions()


@pytest.mark.parametrize(
    ("version", "parts", "expected"),
    [
        ("2.4.6", (2, 4), True),
        ("2.3.9", (2, 4), False),
        ("10.0", (9,), True),
        ("2.13.0+cpu", (2, 13), True),
        ("2.4rc1", (2, 5), False),
        ("2", (2, 0), False),
        ("2.x", (2, 1), False),
    ],
)
def test_versions_compare_by_number(version, parts, expected):
    assert versions.is_at_least(version, *parts) is expected
