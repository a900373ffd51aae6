import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from rl_hub.xet import hashes
from rl_hub.xet.hashes import HashTree, chunk_hash, file_hash, from_text, to_text

NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
ONE = "cfc5d07f6f03c29bbf424132963fe08d19a37d5757aaf520bf08119f05cd56d6"
TWO = "c3e67584b5c4fc2a89837ec39e40f2c8a6bb0b2987ac94cd4b31e5fbdd210a72"
THREE = "0d2beb91b9196929a5ddec9f6e306924ddf4a24268e3e59fd8464738d525af37"
FOUR = "adf8773496a9b7319b2e50dc98093f344053b17d8ad37100b9c07d9805988784"
ZERO = "0" * 64

# From xet-core, `aggregated_hashes.rs`, "a reference test": nodes, the xorb's hash, the file's hash.
REFERENCE = [
    ([], ZERO, ZERO),
    ([(ONE, 100)], ONE, "8e16257caa3fe079d484d872a8975264b2ff683b0d6db9028cc7c0f968a45661"),
    (
        [(ONE, 100), (TWO, 200), (THREE, 300)],
        "71ec1275fca074724e2dd666921b3277c7cee603e4d025bcab2d4050015be2bc",
        "54e55dccc6653c612bdb5576c5d3cb34bb31bc4e100248abccf4c908b3ef7715",
    ),
    (
        [(ONE, 100)] * 4,
        "89f2ada89ff8c96763c6b25010e6dd76a4c05b1466207633ea559acf2093211b",
        "2cdba690d0e09563596e0cda626d43eb4c96ef1e994fe72d9b2f5a83cfcd36dd",
    ),
    (
        [(ONE, 100), (TWO, 200), (ONE, 100), (TWO, 200), (THREE, 300), (FOUR, 400)],
        "52c826f99507aa05d0b45e9837fa1709e0485425cfbcb1e80db3905cf98b3ee9",
        "91d21684db364c8883ab8209fa5eb2e781cf07f37e1fa43e731c30839afe422f",
    ),
    (
        [(ZERO, 0), (ONE, 100), (ZERO, 0), (ONE, 100)],
        "e1755c85be07fd6b7a8d7becc85e6d8c5f507f2a3d38b316bcb6f97855e72188",
        "207caf24fce045ac6d873b4c6186a5a435d600d103e1ae345e55ddf1f4b7f7ef",
    ),
]

# The last 64 bits decide where a node ends, so they are drawn from few values.
nodes = st.lists(
    st.tuples(
        st.builds(
            lambda start, end: start + bytes([end]) + bytes(7), st.binary(min_size=24, max_size=24), st.integers(0, 7)
        ),
        st.integers(1, 2**17),
    ),
    max_size=200,
)


def tree_of(pairs):
    tree = HashTree()
    for value, size in pairs:
        tree.add(value, size)
    return tree


@pytest.mark.parametrize(("named", "xorb", "file"), REFERENCE)
def test_hashes_are_those_of_the_reference(named, xorb, file):
    root = tree_of([(from_text(name), size) for name, size in named]).root()

    assert (to_text(root), to_text(file_hash(root))) == (xorb, file)


@given(nodes)
def test_the_tree_is_the_one_that_is_built_level_by_level(pairs):
    assert tree_of(pairs).root() == built_by_levels(pairs)


def test_a_chunk_is_hashed_with_the_key_for_chunks():
    key = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")

    assert chunk_hash(b"content") == blake3(b"content", key=key).digest()


def test_a_hash_is_written_as_four_little_endian_numbers():
    assert to_text(bytes(range(32))) == "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"


@given(st.binary(min_size=32, max_size=32))
def test_a_hash_comes_back_from_its_text(value):
    assert from_text(to_text(value)) == value


@pytest.mark.parametrize(
    "text", ["", "../../etc/passwd", ONE.upper(), ONE[:-1], ONE + "0", ONE + "\n", "g" + ONE[1:], "٣" * 64]
)
def test_other_text_is_no_hash(text):
    assert from_text(text) is None


def test_the_memory_of_a_tree_does_not_grow_with_its_chunks():
    tree = tree_of((bytes([number % 256]) * 32, 65536) for number in range(20_000))

    assert sum(len(level.hashes) for level in tree._levels) < 9 * 15


def built_by_levels(pairs):
    """The rule as the reference applies it: level by level, over lists."""
    level = list(pairs)
    while len(level) > 1:
        parents, start = [], 0
        while start < len(level):
            rest = level[start : start + 9]
            cuts = [end + 1 for end in range(2, len(rest)) if int.from_bytes(rest[end][0][24:], "little") % 4 == 0]
            group = rest[: cuts[0] if cuts else len(rest)]
            text = "".join(f"{to_text(value)} : {size}\n" for value, size in group)
            parents.append((blake3(text.encode(), key=NODE_KEY).digest(), sum(size for _, size in group)))
            start += len(group)
        level = parents
    return level[0][0] if level else bytes(hashes.HASH_BYTES)
