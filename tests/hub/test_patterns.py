import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_hub.errors import BadRequest
from rl_hub.repositories.gitattributes import LfsRules
from rl_hub.repositories.gitignore import IgnoreRules
from rl_hub.repositories.patterns import escape, literal, parse

LFS = b"filter=lfs diff=lfs merge=lfs -text"


@pytest.fixture(scope="module")
def git_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patterns")
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def git_paths(folder, command, paths):
    given_paths = "".join(f"{path}\0" for path in paths)
    process = subprocess.run(
        ["git", "-C", folder, *command, "--stdin", "-z"], input=given_paths, capture_output=True, text=True
    )
    return process.stdout.split("\0")[:-1]


PATHS = [
    *("a", "b", "ab", "a.zip", "A", "a b", "a ", "a*b", "[a]", "#a", "!a"),
    *("x/a", "x/b", "x/y/a", "x/y/z/a", "x/a.zip", "a/b", "a/x/b", "a/x/y/b", "build/a", "x/build/a"),
]


@pytest.mark.parametrize(
    "text",
    [
        "*.zip",
        "/a",
        "x/a",
        "build/",
        "build",
        "**/a",
        "a/**",
        "a/**/b",
        "x/*/a",
        "?",
        "[ab]",
        "[!a]",
        "[^a]*",
        "\\#a",
        "# a",
        "\\!a",
        "*\n!a",
        "x/\n!x/a",
        "x/*\n!x/a",
        "a\\ b",
        "a b  ",
        "a\\ ",
        "a\\*b",
        "\\[a\\]",
        "[",
        "[[:alpha:]]b",
        "/",
        "!",
        "\n\n",
        "***",
        "a**",
    ],
)
def test_a_file_is_ignored_if_git_ignores_it(git_folder, text):
    (git_folder / ".gitignore").write_text(text)
    expected = git_paths(git_folder, ["check-ignore", "--no-index"], PATHS)
    rules = IgnoreRules(text)
    assert [path for path in PATHS if rules.ignores(path)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "*.zip filter=lfs diff=lfs merge=lfs -text",
        "/a filter=lfs",
        "a filter=lfs\n/x/a -filter",
        "/x/a filter=lfs\n*a -filter",
        "*a -filter\n/x/a filter=lfs",
        "x/** filter=lfs\nx/y/a !filter",
        "x/ filter=lfs",
        "x*/ filter=lfs",
        "# a filter=lfs",
        "[attr]b filter=lfs",
        "a text",
        "a filter=other",
        "a filter",
        "/a[[:space:]]b filter=lfs",
        "/a\\*b filter=lfs",
        "[!a] filter=lfs",
        "",
    ],
)
def test_a_file_is_large_if_git_gives_it_to_lfs(git_folder, text):
    (git_folder / ".gitattributes").write_text(text)
    answers = git_paths(git_folder, ["check-attr", "filter"], PATHS)
    expected = [path for path, value in zip(answers[::3], answers[2::3], strict=True) if value == "lfs"]
    rules = LfsRules(text.encode())
    assert [path for path in PATHS if rules.covers(path)] == expected


def test_a_line_for_a_file_covers_this_file_only(git_folder):
    for path in PATHS:
        content = LfsRules(b"").with_paths([path])
        (git_folder / ".gitattributes").write_bytes(content)
        answers = git_paths(git_folder, ["check-attr", "filter"], PATHS)
        assert [name for name, value in zip(answers[::3], answers[2::3], strict=True) if value == "lfs"] == [path]
        assert [name for name in PATHS if LfsRules(content).covers(name)] == [path]


def test_lines_are_added_after_those_that_are_there():
    assert LfsRules(b"*.txt text").with_paths(["a b"]) == b"*.txt text\n/a[[:space:]]b " + LFS + b"\n"


def test_wildcards_beyond_those_that_are_compared_cover_nothing():
    content = b"".join(b"x%d* filter=lfs\n" % number for number in range(201))
    assert LfsRules(content).covers("x199")
    assert not LfsRules(content.replace(b"x200*", b"y*")).covers("y")


def test_a_gitignore_with_too_many_rules_is_refused():
    with pytest.raises(BadRequest, match="300 rules"):
        IgnoreRules("a\n" * 301)


def test_many_stars_are_decided_at_once():
    assert not parse(b"*a" * 120 + b"b").matches(b"a" * 255)
    assert not parse(b"**/a/" * 30 + b"b").matches(b"/".join([b"a"] * 60))


@settings(max_examples=300)
@given(st.text("ab*?/", min_size=1, max_size=8), st.text("ab/", min_size=1, max_size=8))
def test_a_pattern_in_one_folder_matches_as_fnmatch_would(pattern, path):
    from fnmatch import fnmatchcase

    pattern, path = pattern.replace("/", ""), path.replace("/", "")
    compiled = parse(pattern.encode())
    if compiled is not None and path:
        assert compiled.matches(path.encode()) == fnmatchcase(path, pattern)


@given(st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), min_size=1))
def test_an_escaped_path_is_read_back(path):
    assert literal(escape(path)) == path.encode()


def test_a_pattern_longer_than_any_path_matches_nothing():
    assert parse(b"[a]" * 341).matches(b"a" * 341)
    assert parse(b"[a]" * 342) is None


def test_of_long_wildcards_in_a_gitattributes_only_the_first_are_compiled():
    content = b"".join(b"[a]" * 340 + b"%d filter=lfs\n" % number for number in range(100))
    rules = LfsRules(content)
    assert rules.covers("a" * 340 + "31")
    assert not rules.covers("a" * 340 + "32")


def test_comparisons_with_a_gitignore_are_bounded():
    rules = IgnoreRules("\n".join(f"**/a/**/a/**/q{number}" for number in range(300)))
    with pytest.raises(BadRequest, match="Use fewer rules"):
        for number in range(60):
            rules.ignores("/".join([f"{number:03}", *["a"] * 62, "f"]))


def test_an_ordinary_gitignore_is_compared_with_as_many_files_as_are_asked_about():
    rules = IgnoreRules("\n".join([f"*.{number}" for number in range(250)] + [f"/a/{number}" for number in range(50)]))
    assert not any(rules.ignores(f"{number}/b/c/d/e/f.txt") for number in range(256))


def test_a_long_gitignore_is_refused():
    with pytest.raises(BadRequest, match="65536 characters"):
        IgnoreRules("#" * 65537)
