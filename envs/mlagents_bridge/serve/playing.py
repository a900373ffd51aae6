"""A player's life as a process: its log, its signals, its exit code."""

import argparse
import faulthandler
import logging
import os
import signal
import sys
from pathlib import Path

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.serve.offers import offer_of
from mlagents_bridge.serve.player import play
from mlagents_bridge.serve.processes import end_with_trainer

_log = logging.getLogger("mlagents_bridge")


def run(options: argparse.Namespace) -> int:
    """Plays as the command line says, until the trainer has had enough.

    Args:
        options: Of `play`.

    Returns:
        The exit code: 0, or 1 after a failure, which the log tells.
    """
    _write_log(options.log_file)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    end_with_trainer()
    try:
        offer = offer_of(options)
        play(offer.make, offer.env, options.mlagents_port, options.wait_seconds)
    except BridgeError as error:
        _log.error("%s", error)
        return 1
    except Exception:
        _log.exception("The environment %s has failed, and with it the game: its own error stands below.", options.env)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _write_log(path: str | None) -> None:
    """Everything that this process says goes into the log file, at its end: a trainer may start a player again."""
    fault = None
    if path and path != "-":
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with Path(path).open("ab") as file:
                for stream in (1, 2):
                    os.dup2(file.fileno(), stream)
        except OSError as error:
            fault = error
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    if fault:
        _log.warning("The log file %s cannot be written (%s), so this goes to standard error.", path, fault.strerror)
