"""Files as they are downloaded."""

import hashlib
import os
from urllib.parse import quote

import pytest
from sqlalchemy import select

import kept_hub
from hub_requests import large_file_line, person, refusal
from rl_hub.database import tables
from rl_hub.uploads import grants

CONTENT = bytes(range(256)) * 8
GIT_OID = hashlib.sha1(b"blob 2048\0" + CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()

kept_client, hub, client = kept_hub.fixtures()


@pytest.fixture
def alice(client, hub):
    alice = person(client, hub, "alice")
    alice.create("alice/m")
    return alice


@pytest.fixture
def file(alice):
    """A model with one regular file."""
    alice.push("alice/m", {"a b/ü.bin": CONTENT})
    return "/alice/m/resolve/main/a%20b/%C3%BC.bin"


@pytest.fixture
def large(alice, hub):
    """A model with one large file."""
    with hub.database.write() as connection, hub.blobs.stage(len(CONTENT)) as staged:
        staged.write(CONTENT)
        staged.close()
        hub.blobs.publish(connection, staged)
        user_id = connection.scalar(select(tables.accounts.c.id))
        repository_id = connection.scalar(select(tables.repositories.c.id))
        grants.grant(connection, user_id, repository_id, SHA256)
    alice.commit("alice/m", large_file_line("w.zip", SHA256))
    return "/alice/m/resolve/main/w.zip"


def test_a_head_request_tells_all_that_the_client_caches_by(alice, file):
    answer = alice.ask("HEAD", file, headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"] == f'"{GIT_OID}"'
    assert answer.headers["Content-Length"] == "2048"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Repo-Commit"] == alice.get("/api/models/alice/m").json()["sha"]


def test_the_content_follows(alice, file):
    answer = alice.get(file)
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_a_large_file_is_known_by_its_sha256(alice, large):
    answer = alice.ask("HEAD", large)
    assert answer.headers["ETag"] == answer.headers["X-Linked-Etag"] == f'"{SHA256}"'
    assert answer.headers["X-Linked-Size"] == answer.headers["Content-Length"] == "2048"
    assert alice.get(large).content == CONTENT


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("bytes=0-9", 0, 10), ("bytes=1000-", 1000, 2048), ("bytes=-5", 2043, 2048)]
)
def test_a_part_is_sent_on_request(alice, file, asked, start, end):
    answer = alice.get(file, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, CONTENT[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/2048"
    assert answer.headers["ETag"] == f'"{GIT_OID}"'


def test_a_part_beyond_the_end_is_refused(alice, file):
    answer = alice.get(file, headers={"Range": "bytes=5000-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */2048")


@pytest.mark.parametrize(("etag", "status"), [(f'"{GIT_OID}"', 206), ('"other"', 200)])
def test_a_part_is_sent_only_of_the_content_that_was_begun(alice, file, etag, status):
    answer = alice.get(file, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("asked", "status"),
    [(f'"{GIT_OID}"', 304), (f'W/"{GIT_OID}"', 304), (f'"x", "{GIT_OID}"', 304), ("*", 304), ('"x"', 200), ("", 200)],
)
def test_what_the_client_has_is_not_sent_again(alice, file, asked, status):
    answer = alice.get(file, headers={"If-None-Match": asked})
    assert answer.status_code == status
    assert answer.headers["ETag"] == f'"{GIT_OID}"'


def test_nobody_learns_when_a_content_was_stored_first(alice, hub, file):
    before = alice.get(file).headers["Last-Modified"]
    os.utime(hub.blobs.path(SHA256), (0, 0))
    assert alice.get(file).headers["Last-Modified"] == before


def test_a_browser_asks_again_since_a_branch_may_move(alice, file):
    assert alice.get(file).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("revision", ["main", "refs/heads/main", "v1/x", "HEAD"])
def test_a_revision_is_given_encoded(alice, file, revision):
    alice.post("/api/models/alice/m/tag/main", {"tag": "v1/x"})
    address = file.replace("/main/", f"/{quote(revision, safe='')}/")
    assert alice.get(address).content == CONTENT


@pytest.mark.parametrize("path", ["x", "a%20b", "a%20b/", "a%20b/x/y", "%2E%2E/%2E%2E/etc/passwd", "%00", "%FF"])
def test_a_file_that_is_not_there_is_not_found(alice, file, path):
    assert refusal(alice.get(f"/alice/m/resolve/main/{path}"))[:2] == (404, "EntryNotFound")


def test_a_revision_that_is_not_there_is_not_found(alice, file):
    assert refusal(alice.get(file.replace("/main/", "/nowhere/")))[:2] == (404, "RevisionNotFound")


@pytest.mark.parametrize("kind", ["dataset", "space"])
def test_datasets_and_spaces_have_a_prefix(alice, kind):
    alice.create("alice/d", kind)
    alice.push("alice/d", {"a": b"1"}, kind=kind)
    assert alice.get(f"/{kind}s/alice/d/resolve/main/a").content == b"1"


@pytest.mark.parametrize(
    ("path", "media_type", "disposition"),
    [
        ("replay.mp4", "video/mp4", "inline"),
        ("plot.png", "image/png", "inline"),
        ("plot.svg", "text/plain; charset=utf-8", "inline"),
        ("page.html", "text/plain; charset=utf-8", "inline"),
        ("config.yml", "text/plain; charset=utf-8", "inline"),
        ("model.zip", "application/octet-stream", "attachment"),
        ("noname", "application/octet-stream", "attachment"),
    ],
)
def test_a_file_never_acts_as_a_page(alice, path, media_type, disposition):
    alice.push("alice/m", {path: b"<script>alert(1)</script>"})
    for view in ("resolve", "raw"):
        answer = alice.get(f"/alice/m/{view}/main/{path}")
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer = alice.get(f"/alice/m/resolve/main/{path}")
    assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (media_type, disposition)


def test_any_file_may_be_downloaded(alice):
    alice.push("alice/m", {"a.txt": b"1"})
    assert alice.get("/alice/m/resolve/main/a.txt?download=true").headers["Content-Disposition"] == "attachment"


def test_raw_is_what_git_has(alice, large):
    answer = alice.get("/alice/m/raw/main/w.zip")
    assert answer.text == f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize 2048\n"
    assert alice.get("/alice/m/raw/main/.gitattributes").text.startswith("/w.zip filter=lfs")
    oid = hashlib.sha1(b"blob %d\0" % len(answer.content) + answer.content).hexdigest()
    assert answer.headers["ETag"] == f'"{oid}"'


def test_an_empty_file_is_empty(alice):
    alice.push("alice/m", {"empty": b""})
    answer = alice.get("/alice/m/resolve/main/empty")
    assert (answer.content, answer.headers["Content-Length"]) == (b"", "0")
