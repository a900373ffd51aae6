"""The pure rules behind the pages."""

import ast
import shlex
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_hub.repositories.git_objects import TreeEntry
from rl_hub.web.pages import formats
from rl_hub.web.pages.addresses import Addresses
from rl_hub.web.pages.differences import MAX_LINES, ChangedFile, Line, compare_lines, find_changes
from rl_hub.web.pages.evaluations import read_evaluations
from rl_hub.web.pages.rows import count_tags, sort_tags
from rl_hub.web.pages.snippets import Subject, choose_snippets, find_agent

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


# Sizes, times and names


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (27_123_456, "27.1 MB"),
        (5 * 2**30, "5.4 GB"),
        (10**18, "1000000 TB"),
    ],
)
def test_sizes_have_three_digits(size, text):
    assert formats.file_size(size) == text


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=9), "just now"),
        (timedelta(seconds=30), "30 seconds ago"),
        (timedelta(seconds=90), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=31), "22 Oct 2026"),
    ],
)
def test_ages_are_told_in_the_largest_unit(passed, text):
    assert formats.age(NOW - passed, NOW) == text


def test_a_time_tells_the_moment_to_machines():
    element = formats.time_element(NOW - timedelta(hours=2), NOW)
    assert 'datetime="2026-11-22T10:00:00+00:00" title="22 Nov 2026, 10:00 UTC">2 hours ago<' in element


def test_what_could_hide_is_made_visible():
    assert formats.visible("a\u202egnp.exe\x1b[31m\tb") == r"a\u202egnp.exe\x1b[31m" + "\tb"


def test_plain_text_stays_as_it_is():
    assert formats.visible("Größe, 大小") == "Größe, 大小"


def test_avatars_do_not_depend_on_case():
    assert formats.avatar("Ada") == formats.avatar("ada") != formats.avatar("bob")


def test_words_are_marked_in_any_case():
    assert formats.highlighted("DQN-Pong & dqn", ["dqn"]) == "<mark>DQN</mark>-Pong &amp; <mark>dqn</mark>"


def test_nothing_is_marked_without_words():
    assert formats.highlighted("<b>", [""]) == "&lt;b&gt;"


@given(st.text(max_size=40), st.lists(st.text(max_size=5), max_size=3))
def test_marking_changes_no_letter(text, words):
    assert formats.highlighted(text, words).striptags() == formats.escape(text).striptags()


# Addresses


@given(st.text(min_size=1, max_size=30).filter(lambda path: path.strip("/.")), st.text(min_size=1, max_size=10))
def test_addresses_can_be_read_back(path, revision):
    parts = urlsplit(Addresses("/hub").repository("dataset", "ada/agent").blob(revision, path))
    assert (parts.query, parts.fragment) == ("", "")
    folder, _, rest = parts.path.removeprefix("/hub/datasets/ada/agent/blob/").partition("/")
    assert (unquote(folder), unquote(rest)) == (revision, path)


def test_a_listing_repeats_its_filters():
    address = Addresses().listing("model", ("a b", "c&d"), search="x", author=None)
    assert parse_qsl(urlsplit(address).query) == [("filter", "a b"), ("filter", "c&d"), ("search", "x")]


def test_a_listing_without_a_question_is_short():
    assert Addresses().listing("space") == "/spaces"


def test_a_download_asks_to_be_saved():
    at = Addresses().repository("model", "ada/agent")
    assert at.content("main", "a.zip", download=True) == "/ada/agent/resolve/main/a.zip?download=true"


@given(st.text(alphabet="./a", max_size=12), st.booleans())
def test_a_relative_link_never_leaves_the_repository(path, loaded):
    address = Addresses().repository("model", "ada/agent").resolve_link("main", path, loaded=loaded)
    assert address is None or ((address + "/").startswith("/ada/agent/") and "/../" not in address + "/")


# Claimed results


def result(**metric):
    return {"task": {"type": "rl"}, "dataset": {"name": "Taxi", "type": "Taxi-v3"}, "metrics": [metric]}


def index(*results, name="Q"):
    return {"model-index": [{"name": name, "results": list(results)}]}


def test_a_result_is_read():
    [found] = read_evaluations(index(result(type="mean_reward", name="Mean", value="7.56 +/- 2.71")))
    assert (found.model, found.task, found.dataset, found.metric, found.value) == (
        *("Q", "rl", "Taxi", "Mean", "7.56 ± 2.71"),
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (0.123456789, "0.123457"), ("  a \n b ", "a b"), ("x\u202ey", "xy"), ("y" * 999, "y" * 80)],
)
def test_values_become_one_short_line(value, text):
    [found] = read_evaluations(index(result(type="m", value=value)))
    assert found.value == text


@pytest.mark.parametrize("value", [None, True, [], {}, "", " ", b"x", 10**100])
def test_values_that_are_no_values_are_left_out(value):
    assert read_evaluations(index(result(type="m", value=value))) == []


def test_a_metric_without_a_name_is_a_result():
    [found] = read_evaluations(index(result(value=1)))
    assert found.metric == "result"


def test_only_the_first_results_are_shown():
    assert len(read_evaluations(index(*[result(type="m", value=number) for number in range(99)]))) == 30


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["results", "metrics", "value", "task", "dataset", "name", "type"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_a_card_of_any_shape_is_read(value):
    for found in read_evaluations({"model-index": value}):
        assert found.value


# Tags


def test_environments_come_first_and_repetitions_not_at_all():
    tags = ["stable-baselines3", "license:mit", "model-index", "CartPole-v1", "dataset:x"]
    assert sort_tags(tags) == ["CartPole-v1", "stable-baselines3"]


def test_the_commonest_tags_are_offered():
    class Found:
        def __init__(self, tags):
            self.tags = tags

    found = [Found('["a", "b"]'), Found('["b", "c"]'), Found(None)]
    assert count_tags(found, without=["c"], limit=1) == ["b"]


# Snippets


def subject(**changes):
    values = {
        "kind": "model",
        "owner": "ada",
        "name": "dqn-CartPole-v1",
        "tags": ("CartPole-v1", "reinforcement-learning"),
        "files": ("README.md", "dqn-CartPole-v1.zip"),
        "git_address": "http://localhost:7870/ada/dqn-CartPole-v1",
        "endpoint": "http://localhost:7870",
    }
    return Subject(**(values | changes))


def test_an_agent_is_loaded_by_the_courses_command():
    export, load, enjoy = choose_snippets(subject())[0].code.splitlines()
    assert export == "export HF_ENDPOINT=http://localhost:7870"
    assert load == "python -m rl_units load_from_hub --algo dqn --env CartPole-v1 -orga ada -f logs/"
    assert enjoy == "python -m rl_units enjoy --algo dqn --env CartPole-v1 -f logs/"


def test_a_repository_of_another_name_is_named():
    assert "-orga ada -name my-best -f logs/" in choose_snippets(subject(name="my-best"))[0].code


@pytest.mark.parametrize(
    ("changes", "agent"),
    [
        ({"files": ("ppo-ALE-Pong-v5.zip",), "tags": ("ALE/Pong-v5",)}, ("ppo", "ALE/Pong-v5")),
        ({"files": ("agent.json",)}, ("dqn", "CartPole-v1")),
        ({"files": ("agent.json",), "name": "mine"}, None),
        ({"files": ("train_eval_metrics.zip",)}, None),
        ({"files": ("magic-CartPole-v1.zip",)}, None),
        ({"tags": ()}, None),
        ({"kind": "dataset"}, None),
        ({"files": ("dqn-a; rm -rf ~.zip",), "tags": ("a; rm -rf ~",)}, None),
        ({"files": ("dqn-$(x).zip",), "tags": ("$(x)",)}, None),
        ({"files": ("dqn--x.zip",), "tags": ("-x",)}, None),
        ({"files": ("dqn-a\nb.zip",), "tags": ("a\nb",)}, None),
    ],
)
def test_only_what_is_surely_an_agent_is_one(changes, agent):
    assert find_agent(subject(**changes)) == agent


def test_other_repositories_are_downloaded_in_python():
    code = choose_snippets(subject(kind="dataset", files=()))[0].code
    ast.parse(code)
    assert 'os.environ["HF_ENDPOINT"] = "http://localhost:7870"' in code
    assert 'snapshot_download("ada/dqn-CartPole-v1", repo_type="dataset")' in code


def test_the_last_snippet_clones():
    assert choose_snippets(subject())[-1].code == "git clone http://localhost:7870/ada/dqn-CartPole-v1"


@given(st.text(max_size=20), st.lists(st.text(max_size=12), max_size=3))
def test_a_snippet_runs_one_command_a_line_whatever_a_card_says(environment, tags):
    files = (f"dqn-{environment}.zip",)
    for snippet in choose_snippets(subject(tags=(environment, *tags), files=files)):
        if snippet.language == "bash":
            for line in snippet.code.split("\n"):
                words = shlex.split(line)
                assert words[0] in {"export", "python", "git"}
                assert not {";", "&", "|", "$", "`"} & set("".join(words))


# Differences


def tree(**entries):
    return [TreeEntry(name, oid, is_folder=oid.startswith("tree")) for name, oid in entries.items()]


def test_changes_are_found_in_folders_and_equal_folders_are_left_alone():
    trees = {
        "tree-old": tree(a="1", b="2", same="tree-same", deep="tree-1", gone="tree-gone"),
        "tree-new": tree(a="1", b="3", c="4", same="tree-same", deep="tree-2"),
        "tree-1": tree(x="5"),
        "tree-2": tree(x="6"),
        "tree-gone": tree(y="7"),
    }
    assert find_changes("tree-old", "tree-new", lambda shas: {sha: trees[sha] for sha in shas}) == [
        ChangedFile("b", "changed"),
        ChangedFile("c", "added"),
        ChangedFile("deep/x", "changed"),
        ChangedFile("gone/y", "removed"),
    ]


def test_a_file_that_becomes_a_folder_is_both():
    trees = {"tree-old": tree(a="1"), "tree-new": tree(a="tree-a"), "tree-a": tree(b="2")}
    assert find_changes("tree-old", "tree-new", lambda shas: {sha: trees[sha] for sha in shas}) == [
        ChangedFile("a", "removed"),
        ChangedFile("a/b", "added"),
    ]


def test_a_first_commit_adds_everything():
    assert find_changes(None, "tree-new", lambda shas: {sha: tree(a="1") for sha in shas}) == [
        ChangedFile("a", "added")
    ]


def test_equal_trees_are_not_read():
    assert find_changes("tree", "tree", lambda _: pytest.fail("read")) == []


def test_lines_are_compared():
    assert compare_lines("a\nb\nc\n", "a\nB\nc\n") == [
        Line("place", "line 1"),
        Line("same", "a"),
        Line("removed", "b"),
        Line("added", "B"),
        Line("same", "c"),
    ]


def test_lines_that_begin_like_marks_are_lines():
    assert compare_lines("", "++ x\n-- y\n@@ z") == [
        Line("place", "line 1"),
        Line("added", "++ x"),
        Line("added", "-- y"),
        Line("added", "@@ z"),
    ]


def test_a_long_difference_is_cut_short():
    lines = compare_lines("", "x\n" * 1000)
    assert len(lines) == 401
    assert lines[-1] == Line("place", "and more")


def test_a_very_long_text_is_not_compared():
    assert compare_lines("", "x\n" * (MAX_LINES + 1)) is None


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_a_difference_leads_from_one_text_to_the_other(old, new):
    lines = compare_lines("\n".join(old), "\n".join(new))
    if old != new:
        kept = [line.text for line in lines if line.kind in ("same", "removed")]
        made = [line.text for line in lines if line.kind in ("same", "added")]
        assert (len(kept) - len(made)) == len(old) - len(new)
