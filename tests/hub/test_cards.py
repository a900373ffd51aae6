import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rl_hub import cards
from rl_hub.yaml_reader import YamlProblem, read_yaml

RESULT = {
    "task": {"type": "reinforcement-learning"},
    "dataset": {"name": "CartPole-v1", "type": "CartPole-v1"},
    "metrics": [{"type": "mean_reward", "value": "500.00 +/- 0.00"}],
}


def card_of(**metadata):
    return cards.parse_card(f"---\n{yaml.safe_dump(metadata)}---\n# Title\n")


def with_result(**changed):
    return card_of(**{"model-index": [{"name": "DQN", "results": [{**RESULT, **changed}]}]})


def bomb():
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    return "\n".join(lines)


# JSON writes what lies beyond as two escapes, which YAML does not join.
texts = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])).filter(lambda text: text != "<<")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_json_is_read_as_what_it_is(value):
    text = json.dumps(value)
    assert read_yaml(text) == json.loads(text)


@given(st.text())
def test_any_text_is_read_or_refused_with_a_reason(text):
    try:
        value = read_yaml(text)
    except YamlProblem:
        return
    json.dumps(value, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("TRUE", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("2024-01-01", "2024-01-01"),
        ("12:30:45", "12:30:45"),
        ("'1'", "1"),
        ("! 1", "1"),
        ("!!str 1", "1"),
        ("- &a [1]\n- *a", [[1], [1]]),
        ("&a x", "x"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    assert read_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested more than 32"),
        ("- " * 100_000, "nested more than 32"),
        ("{a: " * 100_000, "nested more than 32"),
        (bomb(), "unfold"),
        (f"a: &a {'x' * 200_000}\nb: [*a, *a, *a, *a, *a, *a]", "unfold"),
        ("&a [*a]", "stands for nothing"),
        ("[*a]", "undefined alias|stands for nothing"),
        (".nan", "not a number"),
        ("-.INF", "not a number"),
        ("1e999", "too large"),
        ("1" * 41, "more than 40"),
        ("!!python/object/apply:os.system [id]", "not allowed"),
        ("!!binary aGk=", "not allowed"),
        ("!!set {a}", "not allowed"),
        ("a: 1\na: 2", "given twice"),
        ("? [a]\n: b", "not a text"),
        ("<<: {a: 1}", "merging"),
        ("a\n---\nb", "more than one document"),
        ("a: [", "line 1|line 2"),
        ("a: \x01", "not allowed"),
        ("\ud800", "Unicode"),
    ],
)
def test_what_is_not_plain_bounded_data_is_refused_with_the_reason(text, reason):
    with pytest.raises(YamlProblem, match=reason):
        read_yaml(text)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_front_matter_is_between_the_lines(newline):
    text = newline.join(["---", "a: 1", "---", "# Title"])
    assert cards.front_matter(text) == "a: 1\n"
    assert cards.body(text) == "# Title"


@pytest.mark.parametrize("text", ["", "# Title", "---\na: 1", "x\n---\na: 1\n---\n", "----\na\n----"])
def test_a_text_without_front_matter_has_none(text):
    assert cards.front_matter(text) is None
    assert cards.body(text) == text


def test_a_byte_order_mark_and_blank_lines_before_the_front_matter_do_not_matter():
    assert cards.front_matter("\N{BYTE ORDER MARK}\n\n---\na: 1\n---\n") == "a: 1\n"


@pytest.mark.parametrize("text", ["# Title", "---\n---\n", "---\n# only a comment\n---\n"])
def test_a_card_without_metadata_is_valid_with_a_warning(text):
    card = cards.parse_card(text)
    assert not card.errors
    assert "no metadata" in card.warnings[0]


def test_a_card_of_the_rl_zoo_is_valid():
    card = with_result()
    assert (card.errors, card.warnings) == ((), ())


def test_metadata_that_is_too_long_is_refused_unread():
    card = cards.parse_card(f"---\na: {'x' * cards.LONGEST_METADATA}\n---\n")
    assert "more than" in card.errors[0]


def test_metadata_that_is_no_yaml_is_an_error_with_its_line():
    assert "(line 2)" in cards.parse_card("---\ntags: [\n---\n").errors[0]


def test_metadata_has_to_be_a_mapping():
    assert "names with values" in cards.parse_card("---\n- a\n---\n").errors[0]


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        ({"tags": {"one": 1}}, '"tags"'),
        ({"tags": ["a"] * 501}, '"tags"'),
        ({"tags": [1]}, '"tags[0]"'),
        ({"tags": ["a\nb"]}, '"tags[0]"'),
        ({"tags": ["x" * 257]}, '"tags[0]"'),
        ({"library_name": 3}, '"library_name"'),
        ({"pipeline_tag": ["a"]}, '"pipeline_tag"'),
        ({"license": {"a": "b"}}, '"license"'),
        ({"datasets": ["a", 1]}, '"datasets"'),
        ({"model-index": {}}, '"model-index"'),
        ({"model-index": ["x"]}, '"model-index[0]"'),
        ({"model-index": [{"results": []}]}, '"model-index[0].name"'),
        ({"model-index": [{"name": "x"}]}, '"model-index[0].results"'),
        ({"model-index": [{"name": "x", "results": [1]}]}, '"model-index[0].results[0]"'),
    ],
)
def test_what_leaderboards_cannot_read_is_named(metadata, names):
    (error,) = card_of(**metadata).errors
    assert names in error


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"task": None}, "task.type"),
        ({"dataset": {"name": "x"}}, "dataset.type"),
        ({"metrics": None}, "metrics"),
        ({"metrics": ["x"]}, "metrics[0].type"),
        ({"metrics": [{"type": "mean_reward"}]}, "metrics[0].value"),
    ],
)
def test_a_result_that_leaderboards_cannot_read_is_named(changed, names):
    (error,) = with_result(**changed).errors
    assert names in error


def test_not_more_errors_are_told_than_help():
    assert len(card_of(tags=list(range(100))).errors) == 20


def test_a_model_is_found_by_everything_that_its_card_names():
    card = card_of(
        tags=["CartPole-v1", "reinforcement-learning"],
        library_name="stable-baselines3",
        license="mit",
        language=["en", "no"],
        datasets="d/x",
        base_model="a/b",
        **{"model-index": [{"name": "DQN", "results": [RESULT]}]},
    )
    index = cards.index(card)
    assert index.tags == (
        "CartPole-v1",
        "reinforcement-learning",
        "stable-baselines3",
        "en",
        "no",
        "license:mit",
        "dataset:d/x",
        "base_model:a/b",
        "model-index",
    )
    assert (index.library_name, index.pipeline_tag) == ("stable-baselines3", "reinforcement-learning")
    assert json.loads(index.data_json) == card.data


def test_the_task_that_a_card_names_is_kept():
    assert cards.index(card_of(tags=["reinforcement-learning"], pipeline_tag="robotics")).pipeline_tag == "robotics"


def test_a_dataset_is_found_by_the_names_that_the_client_filters_with():
    index = cards.index(card_of(tags=["x"], language="en", task_categories=["robotics"], license="mit"), "dataset")
    assert index.tags == ("x", "language:en", "license:mit", "task_categories:robotics")


def test_a_card_without_metadata_has_no_tags():
    index = cards.index(cards.parse_card("# Title"))
    assert (index.data_json, index.tags, index.library_name, index.pipeline_tag) == ("{}", (), None, None)


def test_values_that_cannot_be_tags_are_left_out():
    assert cards.index(card_of(license="x" * 300, language="a\nb")).tags == ()


@given(st.dictionaries(texts, json_values, max_size=5))
def test_the_index_of_any_valid_card_is_json_without_nan(metadata):
    card = cards.parse_card(f"---\n{json.dumps(metadata)}\n---\n")
    if not card.errors:
        index = cards.index(card)
        json.loads(index.data_json, parse_constant=lambda _: math.nan)
        index.data_json.encode()
        assert all(len(tag) <= 256 and tag.isprintable() for tag in index.tags)


def test_tags_in_one_text_are_a_list_as_ml_agents_writes_them():
    card = cards.parse_card('---\ntags: "Huggy, deep-reinforcement-learning,"\n---\n')
    assert (card.data["tags"], card.errors) == (["Huggy", "deep-reinforcement-learning"], ())


def test_an_error_in_yaml_quotes_nothing_that_a_terminal_would_obey():
    (error,) = cards.parse_card("---\na: !<%01%02> b\n---\n").errors
    assert error.isprintable()
