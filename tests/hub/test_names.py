import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_hub.errors import BadRequest
from rl_hub.names import (
    LONGEST_NAME,
    RESERVED_ACCOUNT_NAMES,
    check_account_name,
    check_file_path,
    check_repo_name,
    collision_key,
    shown,
    split_repo_id,
)

COMPOSED, DECOMPOSED = "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"


@pytest.mark.parametrize(
    "path", ["README.md", "a/b/c.zip", "my file.txt", ".gitattributes", f"{COMPOSED}.txt", "a" * 255]
)
def test_an_ordinary_path_is_accepted(path):
    check_file_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/./b",
        "a//b",
        "a/",
        "C:/x",
        "C:x",
        r"a\b",
        r"..\x",
        "file.txt:stream",
        "nul",
        "a/CON.txt",
        "Aux .log",
        "COM1",
        "lpt\N{SUPERSCRIPT ONE}",
        "conin$",
        ".git/config",
        "a/.GIT/hooks/post-checkout",
        "git~1/config",
        ".g\N{ZERO WIDTH NON-JOINER}it/config",
        "x\0y",
        "x\ny",
        "x\x1b[31m",
        "evil\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
        "\ud800",
        "a.",
        "a ",
        "what?",
        "a" * 256,
        "\N{LATIN SMALL LETTER E WITH ACUTE}" * 128,
        "/".join("ab" for _ in range(65)),
        "/".join("a" * 200 for _ in range(6)),
        f"{DECOMPOSED}.txt",
    ],
)
def test_a_path_that_some_system_takes_for_something_else_is_refused(path):
    with pytest.raises(BadRequest):
        check_file_path(path)


@given(st.text())
def test_an_accepted_path_stays_below_the_folder_it_is_put_in(path):
    try:
        check_file_path(path)
    except BadRequest:
        return
    for flavour in (PurePosixPath, PureWindowsPath):
        below = flavour("root") / path
        assert below.parts[0] == "root"
        assert ".." not in below.parts
        assert below.as_posix() == f"root/{path}"


@pytest.mark.parametrize("name", ["a", "dqn-SpaceInvadersNoFrameskip-v4", "_x", "v1.0", "a" * LONGEST_NAME])
def test_a_repository_may_have_the_names_that_the_client_allows(name):
    check_repo_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", ".a", "a--b", "a..b", "a b", "a/b", "é", "x.git", "X.GIT", "a.ipynb", "a" * 97, "a\n"]
)
def test_other_names_of_repositories_are_refused(name):
    with pytest.raises(BadRequest):
        check_repo_name(name)


@pytest.mark.parametrize("name", sorted(RESERVED_ACCOUNT_NAMES | {"API", "-x", "a/b"}))
def test_an_address_of_the_hub_is_no_account(name):
    with pytest.raises(BadRequest):
        check_account_name(name)


def test_a_user_may_have_an_ordinary_name():
    check_account_name("Alice_1")


def test_a_repo_id_has_an_owner_and_a_name():
    assert split_repo_id("alice/model") == ("alice", "model")


@pytest.mark.parametrize("repo_id", ["model", "/model", "alice/", "a/b/c", ""])
def test_another_repo_id_is_refused(repo_id):
    with pytest.raises(BadRequest):
        split_repo_id(repo_id)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Readme", "README"), (COMPOSED, DECOMPOSED), ("straße", "STRASSE"), ("İ", "i\N{COMBINING DOT ABOVE}")],
)
def test_names_that_some_file_system_confuses_have_one_key(one, other):
    assert collision_key(one) == collision_key(other)


@given(st.text())
def test_the_key_does_not_depend_on_the_form_of_the_text(text):
    assert collision_key(unicodedata.normalize("NFD", text)) == collision_key(unicodedata.normalize("NFC", text))


@given(st.text())
def test_a_shown_name_is_one_printable_line(name):
    assert shown(name).isprintable()
    assert len(shown(name)) <= 83
