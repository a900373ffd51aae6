"""YAML from the Zoo and from strangers."""

import contextlib
import sys
from collections import OrderedDict

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rl_units.errors import ConfigError
from rl_units.yaml_files import MAX_BYTES, dump_yaml, parse_yaml, plain, read_yaml

HOSTILE = {
    "function": "!!python/object/apply:os.system ['touch {marker}']",
    "nested": "a: !!python/object/apply:os.system ['touch {marker}']",
    "module": "a: !!python/module:os",
    "object": "a: !!python/object:collections.Counter {{}}",
    "in an OrderedDict": (
        "!!python/object/apply:collections.OrderedDict\n- - - a\n"
        "    - !!python/object/apply:os.system ['touch {marker}']"
    ),
}


def test_what_the_zoo_writes_is_read():
    document = OrderedDict([("env_wrapper", ["a.B"]), ("frame_stack", 4), ("train_freq", (1, "step"))])

    assert parse_yaml(yaml.dump(document), "config.yml") == dict(document)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_tag_runs_anything(tmp_path, text):
    marker = tmp_path / "marker"

    with pytest.raises(ConfigError, match="refused"):
        parse_yaml(text.format(marker=marker), "args.yml")

    assert not marker.exists()


def test_a_class_is_read_as_its_name_and_not_imported():
    document = parse_yaml("activation_fn: !!python/name:antigravity.ReLU ''", "args.yml")

    assert document == {"activation_fn": "antigravity.ReLU"}
    assert "antigravity" not in sys.modules


def aliases(first, again, levels=40):
    """A document of a few hundred bytes whose every line holds the one before twice."""
    return "\n".join(
        [f"a0: &a0 {first}"] + [f"a{n}: &a{n} {again}".replace("*a", f"*a{n - 1}") for n in range(1, levels)]
    )


@pytest.mark.parametrize(
    "text",
    [
        aliases("[x]", "[*a, *a]"),
        aliases("{x: y}", "{<<: [*a, *a]}"),
        aliases("!!python/tuple [x]", "!!python/tuple [*a, *a]") + "\n? *a39\n: x",
        "a: &a [*a]",
        "a: &a {b: *a}",
    ],
    ids=["lists", "merges", "keys", "a list in itself", "a mapping in itself"],
)
def test_aliases_that_unfold_without_end_are_refused(text):
    with pytest.raises(ConfigError, match=r"refused: its aliases unfold|refused: it refers to itself"):
        parse_yaml(text, "config.yml")


def test_an_alias_stands_for_what_it_names():
    assert parse_yaml("a: &a [1]\nb: [*a, *a]", "config.yml") == {"a": [1], "b": [[1], [1]]}


@pytest.mark.parametrize("value", ["!!int ''", "!!bool maybe", "!!timestamp foo", "!!float ''"])
def test_a_tag_that_its_value_does_not_fit_is_a_sentence(value):
    with pytest.raises(ConfigError, match="is not YAML"):
        parse_yaml(f"a: {value}", "config.yml")


@pytest.mark.parametrize("text", ["", "- a", "just words", "a: [", "\t", "a: b: c", "? [1, 2]\n: x\n- "])
def test_what_is_no_mapping_is_a_sentence(text):
    with pytest.raises(ConfigError):
        parse_yaml(text, "dqn.yml")


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text):
    with contextlib.suppress(ConfigError):
        parse_yaml(text, "x.yml")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: " + b"x" * MAX_BYTES])
def test_bytes_and_giants_are_refused(tmp_path, content):
    path = tmp_path / "x.yml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        read_yaml(path)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / "none.yml")


def test_what_we_write_is_plain_for_every_loader():
    document = {"a": (1, 2), 3: OrderedDict(b=object), "c": float("nan"), "d": None}

    assert yaml.load(dump_yaml(document), Loader=yaml.SafeLoader) == plain(document)
