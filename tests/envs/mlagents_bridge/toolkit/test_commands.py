import argparse

import pytest

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.commands import add_commands


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    return parser


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["-h"],
        ["config.yaml", "--env=./SnowballFight", "--run-id", "one", "--no-graphics", "--resume"],
        ["--resume", "config.yaml"],
        ["config.yaml", "--env-args", "--mode", "hard", "--", "--flag", "--help"],
        ["--", "config.yaml"],
    ],
)
def test_learn_hands_on_every_argument_unchanged(parser, arguments):
    assert parser.parse_args(["learn", *arguments]).arguments == arguments


def test_learn_without_mlagents_says_how_to_install_it(parser):
    arguments = parser.parse_args(["learn", "config.yaml"])
    with pytest.raises(BridgeError, match="python -m mlagents_bridge install"):
        arguments.run(arguments)


def test_push_and_load_have_the_arguments_and_defaults_of_the_originals(parser):
    pushed = parser.parse_args(["push", "--run-id=one", "--local-dir=./results/one", "--repo-id=ada/one"])
    assert (pushed.commit_message, pushed.configfile_name) == ("Push to Hub", "configuration.yaml")
    loaded = parser.parse_args(["load", "--repo-id", "ada/one", "--local-dir", "./downloads"])
    assert (loaded.repo_id, str(loaded.local_dir)) == ("ada/one", "downloads")
