"""The loop of the Unity side, against a trainer on a real port of this machine."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest

from loopback_trainer import LoopbackTrainer
from mlagents_bridge import side_channels
from mlagents_bridge.__main__ import main
from mlagents_bridge.behaviors import Actions, Instruction
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.protocol import messages, trainer_side
from mlagents_bridge.serve.offers import Offer
from mlagents_bridge.serve.player import play
from mlagents_bridge.side_channels import EngineSetting, Message, Parameter, read_statistic
from snowball_fight import ONE_VS_ONE, Arenas

TEAMS = ("SnowballFight?team=0", "SnowballFight?team=1")
SECONDS = 60


class Playing:
    """A player in a thread of this process, with the trainer that it plays to."""

    def __init__(self, trainer, offer):
        self.failure = None
        self._thread = threading.Thread(target=self._play, args=(trainer.port, offer), daemon=True)
        self._thread.start()

    def _play(self, port, offer):
        try:
            play(offer.make, "Snow", port, 10)
        except Exception as error:
            self.failure = error

    def end(self):
        """Waits for its end; returns what it raised, if anything."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        return self.failure


@pytest.fixture
def trainer():
    with LoopbackTrainer() as trainer:
        yield trainer


def actions_of(chosen):
    return Actions(np.zeros((len(chosen), 0), np.float32), chosen.astype(np.int32))


def test_a_game_over_the_wire_is_the_native_game(trainer):
    player = Playing(trainer, Offer("snowball_fight_1v1", arenas=2))
    assert trainer.welcome(seed=5, n_areas=2).name == "Snow"
    arenas = Arenas(ONE_VS_ONE, 4)
    observations = arenas.reset(20)
    rows = trainer.tell(reset=True).rows
    for chosen in np.random.default_rng(0).integers(0, [3, 3, 3, 2], (30, 4, 2, 4)):
        for team, name in enumerate(TEAMS):
            assert np.array_equal(np.concatenate(rows[name].observations, axis=1), observations[:, team])
        rows = trainer.tell(actions={name: actions_of(chosen[:, team]) for team, name in enumerate(TEAMS)}).rows
        observations = arenas.step(chosen).observations
    trainer.answer(trainer_side.stop())
    assert player.end() is None


def test_a_trainer_that_steps_before_it_resets_gets_the_first_episode(trainer):
    Playing(trainer, Offer("snowball_target", arenas=1))
    trainer.welcome()
    assert not trainer.tell().rows["SnowballTarget?team=0"].done.any()


def test_parameters_come_before_the_reset_and_engine_settings_are_no_matter(trainer):
    Playing(trainer, Offer("snowball_fight_1v1", arenas=1))
    trainer.welcome()
    told = [
        side_channels.write_parameter(Parameter("max_ticks", (10.0,))),
        side_channels.write_engine_setting(EngineSetting.TIME_SCALE, 20.0),
        Message(side_channels.ANALYTICS, b"whatever"),
    ]
    trainer.tell(reset=True, side_channel=side_channels.pack(told))
    idle = actions_of(np.zeros((1, 4)))
    assert not trainer.tell(actions=dict.fromkeys(TEAMS, idle)).side_channel
    exchange = trainer.tell(actions=dict.fromkeys(TEAMS, idle))
    assert exchange.rows[TEAMS[0]].interrupted.tolist() == [True, False]
    statistics = [read_statistic(message.content)[:2] for message in side_channels.unpack(exchange.side_channel)]
    assert ("Game/Decisions", 2.0) in statistics


@pytest.mark.parametrize("when", ["welcome", "first"])
def test_stop_ends_the_player_at_any_time(trainer, when):
    player = Playing(trainer, Offer("snowball_target", arenas=1))
    if when == "first":
        trainer.welcome()
    trainer.answer(trainer_side.stop())
    assert player.end() is None


def test_a_broken_connection_ends_the_player(caplog):
    caplog.set_level(logging.INFO)
    with LoopbackTrainer() as trainer:
        player = Playing(trainer, Offer("snowball_target", arenas=1))
        trainer.welcome()
    assert player.end() is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xff", "is no Envelope of the ML-Agents protocol"),
        (trainer_side.Reader().write(Instruction()), "speaks version unknown"),
    ],
    ids=["bytes", "nothing"],
)
def test_a_foreign_welcome_is_told(trainer, content, told):
    player = Playing(trainer, Offer("snowball_target"))
    trainer.answer(content)
    assert re.search(told, str(player.end()))


def test_another_protocol_is_told(trainer):
    envelope = messages.parse("Envelope", trainer_side.welcome(seed=0))
    envelope.unity_input.rl_initialization_input.communication_version = "2.0.0"
    player = Playing(trainer, Offer("snowball_target"))
    trainer.answer(envelope.SerializeToString())
    assert "speaks version 2.0.0 of the ML-Agents protocol" in str(player.end())


@pytest.mark.parametrize(
    "side_channel",
    [b"abc", side_channels.pack([Message(side_channels.PARAMETERS, b"\x09\0\0\0x")])],
    ids=["cut", "text"],
)
def test_malformed_side_messages_are_told(trainer, side_channel):
    player = Playing(trainer, Offer("snowball_target"))
    trainer.welcome()
    trainer.answer(trainer.instruction(reset=True, side_channel=side_channel))
    assert re.search("side channel", str(player.end()))


def test_nobody_on_the_port_is_told_after_the_stated_time():
    with LoopbackTrainer() as trainer:
        port = trainer.port
    with pytest.raises(BridgeError, match=rf"No trainer listens on port {port} .* waited 0.3 seconds"):
        play(Offer("snowball_target").make, "Snow", port, 0.3)


def test_another_service_on_the_port_is_told():
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with pytest.raises(BridgeError, match="Another program than an ML-Agents trainer"):
            play(Offer("snowball_target").make, "Snow", port, 10)
    finally:
        server.stop(None)


def test_messages_that_the_trainer_finds_too_large_are_told():
    trainer = LoopbackTrainer(most_bytes=1000)
    with trainer:
        player = Playing(trainer, Offer("snowball_target", arenas=32))
        trainer.welcome()
        trainer.answer(trainer.instruction(reset=True))
        assert "refuses messages as large as" in str(player.end())


def play_command(trainer, env="snowball_target"):
    command = [sys.executable, "-m", "mlagents_bridge", "play", f"--env={env}", "--arenas=1"]
    return [*command, "-nographics", "-batchmode", "--mlagents-port", str(trainer.port)]


def started(trainer, *arguments, env="snowball_target", **options):
    return subprocess.Popen([*play_command(trainer, env), *map(str, arguments)], **options)


def test_sigterm_ends_the_process_and_tells_the_trainer(trainer):
    process = started(trainer)
    trainer.welcome()
    process.send_signal(signal.SIGTERM)
    assert trainer.read(trainer.hear()) is None
    assert process.wait(SECONDS) == 0


PARENT = """
import os, subprocess, sys, time
process = subprocess.Popen(sys.argv[1:])
print(os.getpid(), process.pid, flush=True)
time.sleep(600)
"""
LEARNER = """
import multiprocessing, os, subprocess, sys, time
def work():
    process = subprocess.Popen(sys.argv[1:])
    print(os.getpid(), process.pid, flush=True)
    time.sleep(600)
multiprocessing.get_context("fork").Process(target=work).start()
time.sleep(600)
"""


def is_running(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("program", [PARENT, LEARNER], ids=["parent", "learner"])
def test_a_killed_trainer_leaves_no_player_behind(program, trainer):
    command = [sys.executable, "-c", program, *play_command(trainer)]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    parent, player = (int(number) for number in killed.stdout.readline().split())
    try:
        trainer.welcome()  # and stays silent, its port open
        assert is_running(player)
        killed.kill()
        killed.wait()
        deadline = time.monotonic() + SECONDS
        while is_running(player) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not is_running(player)
    finally:
        killed.stdout.close()
        if parent != killed.pid:
            os.kill(parent, signal.SIGKILL)  # a worker outlives its learner


FAILING = """
from pettingzoo import ParallelEnv
from gymnasium import spaces


class Failing(ParallelEnv):
    possible_agents = ["a_0"]

    def observation_space(self, agent):
        return spaces.Discrete(2)

    action_space = observation_space

    def reset(self, seed=None, options=None):
        print("said by the game")
        return {"a_0": 0}, {"a_0": {}}

    def step(self, actions):
        raise ZeroDivisionError("the ball is flat")
"""


def test_a_world_that_fails_is_told_in_the_log_and_by_the_exit_code(trainer, tmp_path):
    (tmp_path / "failing_game.py").write_text(FAILING)
    log = tmp_path / "logs" / "Player-0.log"
    process = started(
        trainer, "-logFile", log, "-screen-width", "640", "-headless", env="failing_game:Failing", cwd=tmp_path
    )
    trainer.welcome()
    trainer.tell(reset=True)
    trainer.answer(trainer.instruction(actions={"a?team=0": actions_of(np.zeros((1, 1)))}))
    assert process.wait(SECONDS) == 1
    text = log.read_text()
    assert "said by the game" in text
    assert "The environment failing_game:Failing has failed" in text
    assert "ZeroDivisionError: the ball is flat" in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "make-launcher --help"),
        (["--mlagents-port", "5005", "--arena", "3"], "knows no option --arena"),
    ],
    ids=["port", "unknown"],
)
def test_a_player_without_a_trainer_says_what_it_is_for(arguments, told, capsys):
    assert main(["play", "--env=snowball_target", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_log_that_cannot_be_written_is_told(trainer, tmp_path):
    (tmp_path / "file").touch()
    process = started(trainer, "-logFile", tmp_path / "file" / "log", stderr=subprocess.PIPE, text=True)
    trainer.welcome()
    trainer.answer(trainer_side.stop())
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "cannot be written" in said
