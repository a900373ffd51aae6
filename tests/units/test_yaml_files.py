"""YAML from the Zoo and from strangers."""

import contextlib
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
    "class": "a: !!python/name:os.system",
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
