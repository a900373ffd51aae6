"""How a command ends: with its exit code, or with a sentence that says what to mend."""

import os
import sys
from collections.abc import Callable

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from rl_hub.errors import CommandError, HubError


def exit_code(
    program: str,
    database: str,
    run: Callable[[], int],
    refusals: tuple[type[Exception], ...] = (CommandError, HubError),
) -> int:
    """Runs a command.

    Args:
        program: Its name, before each sentence.
        database: The flag or the setting that names the database.
        run: The command.
        refusals: What it raises for whoever typed it; the message is the sentence.

    Returns:
        The command's own exit code, or 2 after a sentence.
    """
    try:
        return run()
    except refusals as error:
        sentence = str(error)
    except (ArgumentError, NoSuchModuleError):
        sentence = f"{database} takes an address such as postgresql+psycopg://hub@localhost/hub"
    except OperationalError as error:
        sentence = f"The database cannot be used: {str(error.orig).strip().splitlines()[0]}"
    except BrokenPipeError:
        # The reader, `head` perhaps, has seen enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        sentence = f"{error.filename or ''}: {error.strerror or error}"
    print(f"{program}: {sentence}", file=sys.stderr)
    return 2
