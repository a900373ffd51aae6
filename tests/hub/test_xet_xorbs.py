import itertools
import os
import struct

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_hub.errors import BadRequest
from rl_hub.xet.xorbs import MOST_CHUNK_BYTES, MOST_CHUNKS, ChunkReader
from xet_bytes import GROUPED_LZ4, LZ4, PLAIN, packed_chunk, packed_xorb

FOOTER = b"XETBLOB\x01" + bytes(200)

schemes = st.sampled_from([PLAIN, LZ4, GROUPED_LZ4])
chunks = st.lists(st.tuples(st.binary(min_size=1, max_size=500), schemes), min_size=1, max_size=8)


def read(body, cuts=(), most_bytes=2**20):
    """The contents of a xorb that arrives in pieces, cut at these places."""
    reader = ChunkReader(most_bytes)
    places = sorted({0, *(cut for cut in cuts if cut < len(body)), len(body)})
    contents = []
    for start, end in itertools.pairwise(places):
        contents += [bytes(content) for content in reader.feed(body[start:end])]
    reader.finish()
    return contents


@given(chunks, st.lists(st.integers(0, 4000), max_size=12))
def test_chunks_come_out_as_they_went_in_however_the_bytes_arrive(pairs, cuts):
    body = b"".join(packed_chunk(content, scheme) for content, scheme in pairs)

    assert read(body, cuts) == [content for content, _ in pairs]


@given(chunks, st.lists(st.integers(0, 4000), max_size=12))
def test_a_footer_is_passed_over(pairs, cuts):
    body = b"".join(packed_chunk(content, scheme) for content, scheme in pairs)

    assert read(body + FOOTER, cuts) == [content for content, _ in pairs]


@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused_with_a_sentence(body):
    with pytest.raises(BadRequest):
        read(body + b"\x01")


def test_the_reader_knows_where_each_chunk_ends():
    reader = ChunkReader()
    list(reader.feed(packed_xorb([b"a" * 10, b"b" * 20])))

    assert (reader.ends, reader.unpacked) == ([18, 46], 30)


@pytest.mark.parametrize("scheme", [PLAIN, LZ4, GROUPED_LZ4])
def test_a_chunk_of_the_largest_size_is_read(scheme):
    content = os.urandom(MOST_CHUNK_BYTES)

    assert read(packed_chunk(content, scheme), cuts=[5, 100_000]) == [content]


BOMB = lz4.frame.compress(bytes(50_000_000))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (packed_chunk(b"abc", version=1), "newer version"),
        (packed_chunk(b"abc", scheme=3), "newer version"),
        (packed_chunk(b"PK\3\4 a zip file", version=ord("P")), "newer version"),
        (packed_chunk(b"", size=0), "announces one of 0"),
        (packed_chunk(b"abc", size=MOST_CHUNK_BYTES + 1), f"announces one of {MOST_CHUNK_BYTES + 1}"),
        (packed_chunk(b"abc", packed_size=2 * MOST_CHUNK_BYTES + 1), "between 1 and"),
        (packed_chunk(b"abc", size=4), "does not unpack to the 4 bytes"),
        (packed_chunk(b"abcabcabc" * 9, LZ4, size=80), "does not unpack to the 80 bytes"),
        (packed_chunk(b"abcabcabc" * 9, LZ4, size=82), "does not unpack to the 82 bytes"),
        (packed_chunk(b"abcabcabc" * 9, GROUPED_LZ4, size=80), "does not unpack to the 80 bytes"),
        (struct.pack("<II", 3 << 8, LZ4 | 3 << 8) + b"abc", "does not unpack to the 3 bytes"),
        (struct.pack("<II", 30 << 8, LZ4 | 3 << 8) + b"no frame of LZ4 at all, is it?", "not valid LZ4"),
        (struct.pack("<II", len(BOMB) << 8, LZ4 | MOST_CHUNK_BYTES << 8) + BOMB, "does not unpack to the"),
        (struct.pack("<II", 0, LZ4 | 3 << 8), "does not unpack to the 3 bytes"),
        (packed_chunk(b"abcabcabc" * 9, LZ4, packed_size=30)[:38], "not"),
    ],
)
def test_a_chunk_that_lies_is_refused(body, sentence):
    with pytest.raises(BadRequest, match=sentence):
        read(body)


@pytest.mark.parametrize("body", [b"", packed_chunk(b"abc")[:-1], packed_chunk(b"abc")[:4], packed_chunk(b"a") + b"\0"])
def test_a_xorb_that_is_cut_off_is_refused(body):
    with pytest.raises(BadRequest, match="cut off"):
        read(body)


def test_a_xorb_that_unpacks_to_more_than_allowed_is_refused():
    with pytest.raises(BadRequest, match="1000 unpacked bytes at most"):
        read(packed_xorb([bytes(600), bytes(600)], LZ4), most_bytes=1000)


def test_a_xorb_of_more_chunks_than_the_protocol_allows_is_refused():
    with pytest.raises(BadRequest, match=f"{MOST_CHUNKS} chunks"):
        read(packed_xorb([b"x"] * (MOST_CHUNKS + 1)))
