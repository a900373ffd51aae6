"""What the first program inside a sandbox is told."""

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """What to do; all of it can be written as JSON.

    Attributes:
        module: What to run, as `python -m` does.
        arguments: Its arguments.
        search: Where modules are found, besides the standard library.
        scratch: The working folder, for temporary files.
        rlimits: Pairs of a resource and its limit.
        user: Who to become, as user and group; None to stay.
        forks: Whether the module may start processes.
        parent: End with this process; None where bwrap sees to it.
        view: Folders and files for Landlock, to read and to write; None where a mount namespace has them.
    """

    module: str
    arguments: list[str]
    search: list[str]
    scratch: str
    rlimits: list[tuple[int, int]]
    user: int | None
    forks: bool
    parent: int | None
    view: tuple[list[str], list[str]] | None

    def text(self) -> str:
        """As JSON."""
        return json.dumps(dataclasses.asdict(self))
