"""Installing, with an interpreter that is a small shell script, and with the bare environments of this Python."""

import json
import os
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import mlagents_bridge
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.installation import START_UP_FILE, START_UP_LINE, install, remove

PACKAGES = Path(mlagents_bridge.__file__).parents[1]


class StandIn:
    """An interpreter that answers questions about its environment as it is told, and writes down what it installs."""

    def __init__(self, folder):
        self.path = folder / "python"
        self.site_packages = folder / "site-packages"
        self.site_packages.mkdir()
        self.version = [3, 12]
        self.answers = {
            "python_version": "3.12.1",
            "site_packages": str(self.site_packages),
            "is_writable": True,
            "has_pip": True,
            "has_bridge": True,
            "versions": {"torch": None, "mlagents": None, "mlagents-envs": None},
        }
        self.pip = "true"
        self._log = folder / "installed"

    def __enter__(self):
        script = f"""#!/bin/sh
case "$1 $2" in
  *"sys.version_info[:2]"*) echo '{json.dumps(self.version)}' ;;
  *site_packages*) echo '{json.dumps(self.answers)}' ;;
  "-m pip") shift 2; echo "$@" >> {self._log}; {self.pip} ;;
  *mlagents*) echo entry_point_groups ;;
esac
"""
        self.path.write_text(script)
        self.path.chmod(0o755)
        return self

    def __exit__(self, *exception):
        pass

    @property
    def installed(self):
        return self._log.read_text().splitlines() if self._log.exists() else []

    @property
    def start_up(self):
        return self.site_packages / START_UP_FILE


@pytest.fixture
def stand_in(tmp_path):
    return StandIn(tmp_path)


def installing(stand_in, dry_run=False):
    said = []
    with stand_in:
        install(stand_in.path, dry_run=dry_run, report=said.append)
    return "\n".join(said)


def test_the_packages_come_first_and_then_mlagents_without_its_old_requirements(stand_in):
    said = installing(stand_in)
    packages, own = stand_in.installed
    assert packages.startswith("install torch>=")
    assert "protobuf>=" in packages
    assert own == "install --no-deps --ignore-requires-python mlagents==1.1.0 mlagents-envs==1.1.0"
    assert stand_in.start_up.read_text() == START_UP_LINE
    assert "ML-Agents 1.1.0 is ready. Fixes that this environment needs: entry_point_groups." in said


def test_a_torch_that_is_there_stays(stand_in):
    stand_in.answers["versions"]["torch"] = "2.13.0+cpu"
    assert "torch 2.13.0+cpu stays." in installing(stand_in)
    assert "torch" not in stand_in.installed[0]


def test_a_torch_newer_than_any_that_was_tried_stays_and_is_named(stand_in):
    stand_in.answers["versions"]["torch"] = "3.0.0"
    assert "torch 3.0.0 stays. It is newer than" in installing(stand_in)


def test_a_python_that_was_not_tried_is_named(stand_in):
    stand_in.version, stand_in.answers["python_version"] = [3, 14], "3.14.0"
    assert "not on this one yet" in installing(stand_in)


def test_a_dry_run_says_the_commands_and_changes_nothing(stand_in):
    said = installing(stand_in, dry_run=True)
    assert f"{shlex.quote(str(stand_in.path))} -m pip install" in said
    assert str(stand_in.start_up) in said
    assert stand_in.installed == []
    assert not stand_in.start_up.exists()


def test_installing_again_changes_nothing(stand_in):
    installing(stand_in)
    installing(stand_in)
    assert stand_in.installed[:2] == stand_in.installed[2:]
    assert [path.name for path in stand_in.site_packages.iterdir()] == [START_UP_FILE]


def test_removing_takes_mlagents_and_the_fixes_away(stand_in):
    installing(stand_in)
    stand_in.answers["versions"] = {"mlagents": "1.1.0", "mlagents-envs": "1.1.0"}
    with stand_in:
        remove(stand_in.path, report=[].append)
    assert stand_in.installed[-1] == "uninstall --yes mlagents mlagents-envs"
    assert not stand_in.start_up.exists()


def test_removing_what_is_not_there_is_no_failure(stand_in):
    with stand_in:
        remove(stand_in.path, report=[].append)
    assert stand_in.installed == []


@pytest.mark.parametrize("version", [[3, 10], [2, 7], [3, 15]])
def test_a_python_too_old_or_too_new_is_refused(stand_in, version):
    stand_in.version = version
    with pytest.raises(BridgeError, match=rf"is Python {version[0]}\.{version[1]}, .* 3\.11 to 3\.14"):
        installing(stand_in)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"has_pip": False}, "has no pip .* -m ensurepip"),
        ({"has_bridge": False}, "does not have rl-classroom"),
        ({"is_writable": False}, "is read-only"),
    ],
)
def test_an_environment_that_is_not_fit_for_it_is_refused(stand_in, answer, sentence):
    stand_in.answers.update(answer)
    with pytest.raises(BridgeError, match=sentence):
        installing(stand_in)
    assert stand_in.installed == []


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("WARNING: Retrying after NewConnectionError", "cannot reach its package index"),
        ("error: externally-managed-environment", "the operating system's"),
        ("ERROR: Could not build wheels", "its message is above"),
    ],
)
def test_a_failure_of_pip_becomes_a_sentence_and_leaves_no_fixes(stand_in, capfd, said, sentence):
    stand_in.pip = f"echo {shlex.quote(said)} >&2; exit 1"
    with pytest.raises(BridgeError, match=sentence):
        installing(stand_in)
    assert said in capfd.readouterr().err
    assert not stand_in.start_up.exists()


@pytest.mark.parametrize("content", [None, "#!/bin/sh\nexit 3\n", "#!/bin/sh\necho no more >&2\nexit 1\n"])
def test_what_is_no_interpreter_is_refused(tmp_path, content):
    python = tmp_path / "python"
    if content is not None:
        python.write_text(content)
        python.chmod(0o755)
    with pytest.raises(BridgeError, match="does not run as a Python interpreter"):
        install(python, dry_run=True, report=[].append)


def test_a_folder_in_place_of_an_interpreter_is_refused(tmp_path):
    with pytest.raises(BridgeError, match="is a folder"):
        install(tmp_path, dry_run=True, report=[].append)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The interpreter of an environment without pip."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"


def test_a_real_environment_without_pip_is_refused(bare):
    with pytest.raises(BridgeError, match="has no pip"):
        install(bare, dry_run=True, report=[].append)


@pytest.mark.parametrize(("path", "expected"), [(PACKAGES, "True"), (None, "False")])
def test_every_python_of_the_environment_starts_with_the_hook_or_without_a_word(bare, path, expected):
    site_packages = next(bare.parents[1].glob("lib/python*/site-packages"))
    (site_packages / START_UP_FILE).write_text(START_UP_LINE)
    question = "import sys; print(any(type(finder).__name__ == 'FixFinder' for finder in sys.meta_path))"
    variables = {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run([bare, "-c", question], capture_output=True, text=True, env=variables)
    assert (done.stdout.strip(), done.stderr) == (expected, "")


def test_the_hook_loads_nothing_but_itself_at_start_up():
    program = """
import sys
before = set(sys.modules)
from mlagents_bridge.toolkit.fixes import install_finder
install_finder()
print(sorted(set(sys.modules) - before))
"""
    variables = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, env=variables)
    own = ["mlagents_bridge", *(f"mlagents_bridge.toolkit{name}" for name in ("", ".fixes", ".fixes.finder"))]
    assert done.stdout.strip() == str(own)
