"""What an operation is given, and what it says things with."""

import contextlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

MIB = 2**20
# The real standard output: operations may redirect what the client prints.
_output = sys.stdout


@dataclass(frozen=True)
class Context:
    """Where an operation works.

    Attributes:
        name: The operation's own.
        endpoint: The Hub's address.
        user: Whose repositories are made; `token` is one of theirs that may write, `reading_token` may not.
        other: Somebody else, who is in no organisation; `other_token` may write.
        organisation: One in which `user` may write.
        crowd: Somebody with `crowd_size` model repositories, more than a page of a listing holds.
        folder: An empty folder for the operation alone.
    """

    name: str
    endpoint: str
    user: str
    token: str
    reading_token: str
    other: str
    other_token: str
    organisation: str
    crowd: str
    crowd_size: int
    folder: Path

    @property
    def repository(self) -> str:
        """The id of the repository that is the operation's own."""
        return f"{self.user}/{self.name}"

    def api(self, token: str | bool) -> HfApi:
        """The client with another token; False is nobody's."""
        return HfApi(endpoint=self.endpoint, token=token)

    def file(self, name: str, content: bytes | str) -> Path:
        """Writes a file into the operation's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@dataclass(frozen=True)
class Operation:
    """A function of an `HfApi` and a `Context` that raises if the client does not get what a person expects."""

    function: Callable[[HfApi, Context], None]

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return str(self.function.__doc__).strip().splitlines()[0].removesuffix(".")


REGISTERED: list[Operation] = []


def operation(function):
    """Registers an operation."""
    REGISTERED.append(Operation(function))
    return function


def emit(**message) -> None:
    """Tells whoever runs the operations something: a line of JSON."""
    print(json.dumps(message), file=_output, flush=True)


@contextlib.contextmanager
def refused(status: int, *words: str) -> Iterator[None]:
    """The Hub has to refuse, and the words have to be in what the client shows to a person."""
    try:
        yield
    except HfHubHTTPError as error:
        refusal = error
    else:
        raise AssertionError("the Hub did not refuse")
    assert refusal.response.status_code == status, f"refused with {refusal.response.status_code}: {refusal}"
    for word in words:
        assert word in str(refusal), f"{word!r} is not in: {refusal}"


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that cannot be compressed, the same at every call."""
    return random.Random(seed).randbytes(size)
