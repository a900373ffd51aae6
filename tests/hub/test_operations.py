import base64
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_requests import file_line, header_line, large_file_line, ndjson
from rl_hub.blobs import BlobStore
from rl_hub.errors import BadRequest, HubError, TooLarge
from rl_hub.repositories.git_objects import object_id, pointer
from rl_hub.repositories.operations import (
    AddFile,
    AddLargeFile,
    CommitReader,
    CommitRequest,
    DeleteFile,
    DeleteFolder,
    deletions_first,
)
from rl_hub.settings import MIB, Limits

SHA256 = "ab" * 32
SMALL = Limits(regular_bytes=1000, commit_lines=3)


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return BlobStore(tmp_path_factory.mktemp("blobs"), database=None)


@pytest.fixture
def reader(blobs):
    with CommitReader(blobs, SMALL) as reader:
        yield reader


def read(reader, body, piece_bytes=10**9):
    for start in range(0, len(body), piece_bytes):
        reader.feed(bytearray(body[start : start + piece_bytes]))
    return reader.finish()


def value_line(key, **value):
    return {"key": key, "value": value}


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
def test_a_commit_is_read_in_pieces_of_any_size(reader, piece_bytes):
    body = ndjson(
        header_line("title", "text", parentCommit="ABCDEF1"),
        file_line("a.txt", b"hello"),
        large_file_line("b.zip", SHA256, 5),
        value_line("deletedFolder", path="c/"),
    )
    request = read(reader, body, piece_bytes)
    added, *others = request.operations
    assert (request.title, request.description, request.parent) == ("title", "text", "abcdef1")
    assert (added.path, added.staged.git_oid) == ("a.txt", object_id("blob", b"hello"))
    assert others == [AddLargeFile("b.zip", SHA256, 5), DeleteFolder("c")]


def test_the_last_line_needs_no_newline_and_empty_lines_do_not_matter(reader):
    body = b"\n" + ndjson(header_line()) + b"\n  \n" + ndjson(value_line("deletedFile", path="a")).strip()
    assert read(reader, body).operations == (DeleteFile("a"),)


def test_contents_are_on_the_disk_until_the_reader_is_closed(blobs):
    with CommitReader(blobs, SMALL) as reader:
        (added,) = read(reader, ndjson(header_line(), file_line("a", b"hello"))).operations
        assert isinstance(added, AddFile)
        assert added.staged.path.read_bytes() == b"hello"
    assert list(blobs.staging.iterdir()) == []


def test_a_message_of_several_lines_is_title_and_text(reader):
    assert read(reader, ndjson(header_line("one\ntwo\n", "three"))) == CommitRequest("one", "two\n\nthree")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04\x14\0\0\0\x08\0" + b"\xff" * 200,
        b"\x1f\x8b\x08\0\0\0",
        b"[]\n",
        b"{}\n",
        b'{"key": "header", "value": []}\n',
        b"\xff\xfe\n",
        b"[" * 50_000 + b"\n",
        b'{"key": "header", "value": ' + b"9" * 5000 + b"}\n",
        ndjson(file_line("a", b"x")),
        ndjson(value_line("header")),
        ndjson({"key": 1, "value": {}}),
        b"x" * 100_000,
    ],
)
def test_a_body_that_is_no_commit_is_refused(reader, body):
    with pytest.raises(BadRequest):
        read(reader, body)


@pytest.mark.parametrize(
    "header",
    [
        {"summary": ""},
        {"summary": "  \n "},
        {"summary": "x" * 1001},
        {"summary": "a\0b"},
        {"summary": "\ud800"},
        {"summary": "a", "description": 3},
        {"summary": "a", "description": "x" * 65_537},
        {"summary": "a", "description": "\0"},
        {"summary": "a", "parentCommit": ""},
        {"summary": "a", "parentCommit": "abc"},
        {"summary": "a", "parentCommit": "main"},
        {"summary": "a", "parentCommit": 5},
    ],
)
def test_a_header_that_git_could_not_keep_is_refused(reader, header):
    with pytest.raises(BadRequest):
        read(reader, ndjson({"key": "header", "value": header}))


@pytest.mark.parametrize(
    "line",
    [
        value_line("file", path="a", content="####", encoding="base64"),
        value_line("file", path="a", content="aGk", encoding="base64"),
        value_line("file", path="a", content="aG\nk=", encoding="base64"),
        value_line("file", path="a", content="é", encoding="base64"),
        value_line("file", path="a", content="hi", encoding="utf-8"),
        value_line("file", path="a", encoding="base64"),
        value_line("file", content="", encoding="base64"),
        value_line("file", path=["a"], content="", encoding="base64"),
        file_line("../a", b"x"),
        file_line(".git/config", b"x"),
        file_line("pointer", pointer(SHA256, 5)),
        large_file_line("/a", SHA256, 5),
        large_file_line("a", SHA256.upper(), 5),
        large_file_line("a", "../" * 10, 5),
        large_file_line("a", SHA256, -1),
        large_file_line("a", SHA256, True),
        large_file_line("a", SHA256, "5"),
        value_line("lfsFile", path="a", algo="md5", oid=SHA256),
        value_line("copyFile", path="a"),
        value_line("header", summary="again"),
        value_line("deletedFile", path=None),
    ],
)
def test_a_line_that_is_no_operation_is_refused(reader, line):
    with pytest.raises(BadRequest):
        read(reader, ndjson(header_line(), line))


def test_a_file_that_is_too_large_for_a_line_is_refused(reader):
    with pytest.raises(TooLarge, match="1000 bytes"):
        read(reader, ndjson(header_line(), file_line("a", b"x" * 1001)))


def test_a_line_that_is_too_long_is_refused_though_it_ends(reader):
    with pytest.raises(TooLarge, match="1000 bytes"):
        read(reader, ndjson(header_line(), file_line("a", b"x" * 100_000)))


def test_padding_in_the_middle_of_a_long_content_is_refused(blobs):
    content = "A" * (2**20 - 4) + "AA==" + "A" * 4
    line = value_line("file", path="a", content=content, encoding="base64")
    with CommitReader(blobs, Limits()) as reader, pytest.raises(BadRequest, match="base64"):
        read(reader, ndjson(header_line(), line))


def test_a_line_that_never_ends_is_refused_as_soon_as_it_is_too_long(reader):
    reader.feed(bytearray(ndjson(header_line())))
    with pytest.raises(TooLarge):
        for _ in range(100):
            reader.feed(bytearray(b"x" * 1000))


def test_a_commit_of_too_many_lines_is_refused(reader):
    with pytest.raises(TooLarge, match="3 operations"):
        read(reader, ndjson(header_line(), *[value_line("deletedFile", path="a")] * 4))


def long_line(**more):
    return {"key": "file", "value": {"content": "A" * 100_000, "path": "a", "encoding": "base64", **more}}


def test_a_long_line_is_read_like_a_short_one(blobs):
    content = bytes(range(256)) * 1000
    with CommitReader(blobs, Limits()) as reader:
        (added,) = read(reader, ndjson(header_line(), file_line("a", content)), 60_000).operations
        assert added.staged.path.read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        long_line(path="x" * 100_000),
        long_line(more=[[]] * 50_000),
        {"key": "file", "value": {"content": "A\\/" * 50_000, "path": "a", "encoding": "base64"}},
        {"key": "file", "value": {"more": {"content": "A" * 100_000}, "content": "AAAA", "path": "a"}},
        {"key": "file", "value": ["A" * 100_000]},
    ],
)
def test_only_the_content_of_a_line_may_be_long(blobs, line):
    with CommitReader(blobs, Limits()) as reader, pytest.raises(BadRequest):
        read(reader, ndjson(header_line(), line))


def test_a_path_cannot_pose_as_the_content(blobs):
    path = '"content":"QUFB"'
    with CommitReader(blobs, Limits()) as reader, pytest.raises(BadRequest, match="Windows does not allow"):
        read(
            reader,
            ndjson(header_line(), {"key": "file", "value": {**long_line()["value"], "path": path}}),
        )


def test_many_files_need_the_memory_of_one(blobs):
    line = ndjson(file_line("a", b"x" * 3 * MIB))
    with CommitReader(blobs, Limits()) as reader:
        reader.feed(bytearray(ndjson(header_line())))
        tracemalloc.start()
        for _ in range(5):
            for start in range(0, len(line), MIB):
                reader.feed(bytearray(line[start : start + MIB]))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 20 * MIB


json_lines = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["base64", "sha256", SHA256, "aGk="]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "value", "path", "content", "encoding", "algo", "oid", "size"]), inner
        )
    ),
    max_leaves=10,
)


@given(st.sampled_from(["file", "lfsFile", "deletedFile", "deletedFolder", "x"]), json_lines)
def test_any_line_is_read_or_refused(blobs, key, value):
    with CommitReader(blobs, SMALL) as reader:
        try:
            request = read(reader, ndjson(header_line(), {"key": key, "value": value}))
        except HubError:
            return
        assert len(request.operations) == 1


@given(st.binary(max_size=300))
def test_any_body_is_read_or_refused(blobs, body):
    with CommitReader(blobs, SMALL) as reader:
        try:
            read(reader, body)
        except HubError:
            return
        assert json.loads(body.split(b"\n")[0])


def test_every_content_survives(blobs):
    contents = [b"", b"\n", b"\0", base64.b64encode(b"x")]
    with CommitReader(blobs, Limits()) as reader:
        lines = [file_line(f"f{number}", content) for number, content in enumerate(contents)]
        operations = read(reader, ndjson(header_line(), *lines)).operations
        assert [operation.staged.path.read_bytes() for operation in operations] == contents


def test_many_blank_lines_are_refused(reader):
    with pytest.raises(BadRequest, match="blank lines"):
        reader.feed(bytearray(ndjson(header_line()) + b"\n" * 101))


def test_deletions_come_first_but_where_the_same_file_is_added():
    first, second = DeleteFile("a/b"), DeleteFolder("c")
    same, inside = DeleteFile("d"), DeleteFolder("e")
    added = [AddLargeFile(path, SHA256, None) for path in ("a", "c.txt", "d", "e/f")]
    assert deletions_first([*added, first, same, second, inside]) == [first, second, *added, same, inside]
