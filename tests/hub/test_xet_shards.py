import io
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_hub.errors import BadRequest
from rl_hub.xet.hashes import to_text
from rl_hub.xet.shards import Term, read_files, read_terms
from xet_bytes import BOOKEND, TAG, Run, ShardFile, file_of, packed_shard

texts = st.binary(min_size=32, max_size=32).map(to_text)
runs = st.builds(
    lambda xorb, size, start, length: Run(xorb, size, start, start + length),
    texts, st.integers(0, 2**32 - 1), st.integers(0, 2**31), st.integers(1, 2**31 - 1),
)  # fmt: skip
files = st.builds(
    ShardFile,
    st.binary(min_size=32, max_size=32).filter(lambda value: value != b"\xff" * 32),
    st.lists(runs, max_size=5).map(tuple),
    st.none() | texts,
)


def read(body):
    shard = io.BytesIO(body)
    return [(file, list(read_terms(shard, file))) for file in read_files(shard, len(body))]


@given(st.lists(files, max_size=5), st.booleans())
def test_a_shard_says_what_was_written_into_it(written, verified):
    found = read(packed_shard(*written, verified=verified))

    assert [(file.file_hash, file.sha256, terms) for file, terms in found] == [
        (file.file_hash, file.sha256, [Term(run.xorb, run.size, run.start, run.end) for run in file.runs])
        for file in written
    ]


def test_runs_are_read_beyond_the_first_block():
    file = file_of([b"content"])
    many = replace(file, runs=file.runs * 3000)

    assert [len(terms) for _, terms in read(packed_shard(many, file))] == [3000, 1]


def test_what_follows_the_files_is_not_read():
    body = packed_shard(file_of([b"content"]))

    assert len(read(body.removesuffix(BOOKEND) + b"rubbish")) == 1


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_with_a_sentence(body):
    with pytest.raises(BadRequest):
        read(body)


@given(st.integers(0, 48 * 5 - 1))
def test_a_shard_that_is_cut_off_is_refused(length):
    body = packed_shard(file_of([b"content"]))

    with pytest.raises(BadRequest, match="cut off"):
        read(body[:length])


@pytest.mark.parametrize("body", [packed_shard(version=3), packed_shard(tag=TAG[::-1])])
def test_another_format_is_refused(body):
    with pytest.raises(BadRequest, match="no shard, or one of a newer version"):
        read(body)


@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("count", [2, 1000, 2**31, 2**32 - 1])
def test_a_file_that_announces_more_runs_than_there_are_is_refused(count, verified):
    file = replace(file_of([b"content"]), n_runs=count, sha256=None)

    with pytest.raises(BadRequest):
        read(packed_shard(file, verified=verified))


@pytest.mark.parametrize(("start", "end"), [(1, 1), (2, 1), (2**32 - 1, 0)])
def test_a_run_without_chunks_is_refused(start, end):
    file = file_of([b"content"])
    body = packed_shard(replace(file, runs=(replace(file.runs[0], start=start, end=end),)))

    with pytest.raises(BadRequest, match=f"begins at chunk {start} and ends before chunk {end}"):
        read(body)


def test_a_shard_of_bookends_only_has_no_files():
    assert read(TAG + struct.pack("<QQ", 2, 0) + BOOKEND) == []
