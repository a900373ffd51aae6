"""Runs all operations and prints a line of JSON for each: name, ok, error.

The only argument is a JSON object with the members of `Context`, but for `name`; `folder` is the folder in which each
operation gets one of its own. HF_HOME, HF_ENDPOINT and the rest of the environment are the caller's.
"""

import contextlib
import json
import sys
import traceback
from pathlib import Path

from clients.operations.catalogue import OPERATIONS
from clients.operations.context import Context, Operation, emit


def main() -> None:
    given = json.loads(sys.argv[1])
    parent = Path(given.pop("folder"))
    for operation in OPERATIONS:
        folder = parent / operation.name
        folder.mkdir(parents=True)
        error = failure(operation, Context(name=operation.name, folder=folder, **given))
        emit(name=operation.name, ok=not error, error=error)


def failure(operation: Operation, context: Context) -> str:
    """What went wrong, in one line; empty if nothing did."""
    try:
        # Lines on standard output are for the caller.
        with contextlib.redirect_stdout(sys.stderr):
            operation.function(context.api(context.token), context)
    except Exception as error:
        traceback.print_exc()
        place = traceback.extract_tb(error.__traceback__)[1]
        message = str(error) or place.line
        return f"{type(error).__name__} in line {place.lineno} of {Path(place.filename).name}: {message}"
    return ""


if __name__ == "__main__":
    main()
