"""`learn`: ML-Agents' own trainer in this process, with the fixes."""

import importlib
import signal
import sys
from collections.abc import Sequence

from mlagents_bridge.errors import BridgeError
from mlagents_bridge.toolkit.fixes import install_finder
from mlagents_bridge.toolkit.versions import require_known_versions

_FAILED = 1
_INTERRUPTED = 130


def learn(arguments: Sequence[str]) -> int:
    """Trains as `mlagents-learn` does.

    Args:
        arguments: Those of `mlagents-learn`, which reads them itself.

    Returns:
        Its exit code: 1 after a failure, of which ML-Agents' sentence is printed.

    Raises:
        BridgeError: If ML-Agents is missing, or another release.
        SystemExit: As from its own command line: after `--help`, or for arguments that it does not know.
    """
    require_known_versions()
    install_finder()
    sys.argv = ["mlagents-learn", *arguments]  # its parser takes its name and its arguments from there
    try:
        trainer = importlib.import_module("mlagents.trainers.learn")
    except ImportError as error:
        raise BridgeError(f"ML-Agents cannot be imported: {error}. Run: python -m mlagents_bridge install") from error
    envs, trainers = (importlib.import_module(f"{name}.exception") for name in ("mlagents_envs", "mlagents.trainers"))
    # A polite end from outside saves the model and ends the environments, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        trainer.main()
    except (envs.UnityException, trainers.TrainerError, trainers.TrainerConfigError) as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before the training began.\n")
        return _INTERRUPTED
    return 0
