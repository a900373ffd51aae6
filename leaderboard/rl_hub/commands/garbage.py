"""When Python looks for garbage."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Looks for none while a program is imported: nothing of it goes away, and looking takes a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """Says that what is there now stays: nobody looks through it again while requests wait."""
    gc.collect()
    gc.freeze()
