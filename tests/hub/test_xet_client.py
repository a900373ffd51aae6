"""The real client with hf-xet, which sends large files by Xet and remembers what it has sent."""

import os
import random
import shutil
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from filled_hub import count
from hub_server import served
from rl_hub import clock
from rl_hub.accounts import tokens, users
from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.settings import MIB, Limits, Settings
from rl_hub.web.app import create_app
from rl_hub.xet import namespaces
from rl_hub.xet.assembly import store_of
from upload_client import upload


@dataclass
class Student:
    """Somebody with a client."""

    hub: Hub
    endpoint: str
    token: str
    folder: Path

    def push(self, *contents, **environment):
        """Uploads contents under one name after the other; returns what the client said, "" if all went well."""
        paths = [self.folder / f"file{number}.bin" for number, _ in enumerate(contents)]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        done = upload(self.endpoint, self.token, self.folder / "home", "ada/agent", *paths, **environment)
        return done.stderr if done.returncode else ""

    def xorbs(self):
        """The sizes of the xorbs in the student's space."""
        with self.hub.database.read() as connection:
            (name,) = namespaces.known(connection)
        return sorted(path.stat().st_size for path in (store_of(self.hub).folder / name).iterdir())

    def stored_sizes(self):
        """The sizes of all contents but small ones."""
        with self.hub.database.read() as connection:
            return sorted(size for size in connection.scalars(select(tables.blobs.c.size)) if size > 1000)


def student_of(hub, endpoint, folder):
    with hub.database.write() as connection:
        ada = users.create(connection, "ada")
        return Student(hub, endpoint, tokens.create(connection, ada.id, "laptop", "write"), folder)


@pytest.fixture
def student(live_hub, tmp_path):
    folder = tmp_path / "laptop"
    folder.mkdir()
    return student_of(live_hub.hub, live_hub.endpoint, folder)


def noise(megabytes):
    return os.urandom(int(megabytes * MIB))


def test_contents_of_all_sorts_arrive(student):
    generator = random.Random(0)
    floats = struct.pack("<1500000f", *(generator.gauss(0, 1) for _ in range(1_500_000)))
    text = "".join(f"step {number}\n" for number in range(500_000)).encode()

    assert student.push(noise(5.5), floats, text) == ""

    assert student.stored_sizes() == sorted([int(5.5 * MIB), len(floats), len(text)])
    # Text and floats travel packed.
    assert sum(student.xorbs()) < 0.9 * sum(student.stored_sizes())


def test_a_changed_file_is_sent_in_part(student):
    first = noise(6)
    student.push(first)

    assert student.push(first[: 3 * MIB] + b"changed" + first[3 * MIB :]) == ""

    assert min(student.xorbs()) < MIB


def test_after_a_clean_up_everything_is_sent_again(student):
    first = noise(6)
    student.push(first)
    with student.hub.database.write() as connection:
        (gone,) = namespaces.drop_idle(connection, clock.now())
    store_of(student.hub).remove(gone)

    assert student.push(first + b"changed") == ""

    assert sum(student.xorbs()) > 6 * MIB


def test_xorbs_that_were_lost_make_the_client_fail_once(student):
    first = noise(6)
    student.push(first)
    shutil.rmtree(store_of(student.hub).folder)

    assert "has not been sent. Start the upload again." in student.push(first + b"changed")
    assert student.push(first + b"changed") == ""


def test_the_client_says_why_an_upload_was_refused(tmp_path):
    limits = replace(Limits(), repository_bytes=8 * MIB)
    hub = Hub.open(Settings(tmp_path / "data", limits=limits))
    with served(create_app(hub)) as endpoint:
        student = student_of(hub, endpoint, tmp_path)

        assert student.push(noise(6)) == ""
        assert "more would exceed the 8.0 MB" in student.push(noise(6))
    hub.close()


def test_a_client_of_the_older_shard_route_is_served(student):
    assert student.push(noise(6), HF_XET_CLIENT_SHARD_API_VERSION="1") == ""

    assert count(student.hub, tables.blobs, tables.blobs.c.size == 6 * MIB) == 1
