"""Making renames last."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Makes what was renamed into a folder survive a power cut, where the system lets folders be synced."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
