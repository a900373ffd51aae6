"""The file that ML-Agents takes for a Unity executable."""

import os
import subprocess
import sys

import pytest

from loopback_trainer import LoopbackTrainer
from mlagents_bridge.__main__ import main
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import trainer_side
from mlagents_bridge.serve.launcher import write_launcher

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no launcher")


@pytest.fixture(autouse=True)
def on_linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.parametrize("name", ["Snow.x86_64", 'it\'s $HOME; `ls`\n"quoted" \\ ü', "-nographics"])
def test_a_launcher_starts_the_player_whatever_its_name(name, tmp_path):
    script = write_launcher(tmp_path / name, ["--env=snowball_target", "--arenas=1"])
    with LoopbackTrainer() as trainer:
        process = subprocess.Popen([script, "-nographics", "--mlagents-port", str(trainer.port)])
        assert trainer.welcome().name == "snowball_target"
        trainer.answer(trainer_side.stop())
        assert process.wait(60) == 0


def test_arguments_of_any_kind_come_through_the_shell(tmp_path, monkeypatch):
    strange = ["--env=it's", "$HOME `ls`", "two\nlines", '"', "\\", ""]
    monkeypatch.setattr(sys, "executable", "/usr/bin/printf")
    script = write_launcher(tmp_path / "echo", strange)
    script.write_text(script.read_text().replace("-m mlagents_bridge play", "'%s\\0'"))
    heard = subprocess.run([script, "last one"], capture_output=True, text=True, check=True).stdout
    assert heard.split("\0")[:-1] == [*strange, "last one"]


def test_make_launcher_says_what_there_is_to_train(tmp_path, capsys):
    path = tmp_path / "Snow.x86_64"
    assert main(["make-launcher", str(path), "--env", "snowball_fight_2v2", "--arenas", "3"]) == 0
    said = capsys.readouterr().out
    assert "3 x snowball_fight_2v2" in said
    assert "SnowballFight2vs2?team=1: observes opponents 30" in said
    assert f"--env={path}" in said
    assert os.access(path, os.X_OK)
    assert "--arenas=3 --threads=1" in path.read_text()


def test_an_offer_that_fails_leaves_no_launcher(tmp_path, capsys):
    assert main(["make-launcher", str(tmp_path / "x"), "--env", "chess"]) == 2
    assert "There is no environment 'chess'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_launcher_replaces_a_launcher_but_nothing_else(tmp_path):
    path = tmp_path / "Snow"
    write_launcher(path, ["--arenas=1"])
    write_launcher(path, ["--arenas=2"])
    assert "--arenas=2" in path.read_text()
    path.write_text("#!/bin/sh\nmine\n")
    with pytest.raises(BridgeError, match="is there already, and is no launcher"):
        write_launcher(path, [])
    assert path.read_text() == "#!/bin/sh\nmine\n"
    write_launcher(path, [], force=True)
    assert "mlagents_bridge" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_places_where_nothing_can_be_written_are_told(tmp_path):
    with pytest.raises(BridgeError, match="does not exist: make it first"):
        write_launcher(tmp_path / "no" / "Snow", [])
    with pytest.raises(BridgeError, match="is a folder: name a file"):
        write_launcher(tmp_path, [])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(BridgeError, match="cannot be written: Permission denied"):
        write_launcher(tmp_path / "Snow", [])


def test_macos_has_a_folder_and_windows_has_no_launcher(tmp_path, monkeypatch):
    script = write_launcher(tmp_path / "Snow.app", [])
    assert script == tmp_path / "Snow.app" / "Contents" / "MacOS" / "Snow"
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(BridgeError, match=r"take .*Snow\.app"):
        write_launcher(tmp_path / "Snow", [])
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(BridgeError, match="work in WSL"):
        write_launcher(tmp_path / "Snow", [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--threads", "0"], "at least one thread"),
        (["--arenas", "0"], "There can be 1 to 65,536 arenas, not 0."),
        (["--arenas", "10000000"], "not 10,000,000."),
        (["--teams", "red,blue"], "NAME=STEM,STEM"),
        (["--teams", "Fighter=red"], "NAME=STEM,STEM"),
    ],
)
def test_options_that_make_no_sense_are_told(arguments, told, tmp_path, capsys):
    assert main(["make-launcher", str(tmp_path / "x"), "--env", "fight_1vs1", *arguments]) == 2
    assert told in capsys.readouterr().err
