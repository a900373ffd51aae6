"""`python -m rl_hub user` and `org`: what a teacher types."""

import csv
import os
import re
import stat

import pytest

from rl_hub import cli
from rl_hub.accounts import organisations, rosters, tokens, users
from rl_hub.accounts.sign_in import sign_in
from rl_hub.errors import BadRequest, Unauthorized
from rl_hub.hub import Hub
from rl_hub.settings import Settings


@pytest.fixture
def run(hub, capsys):
    """Runs a command on the Hub while it is open, and gives back what it printed."""

    def run(*arguments, code=0):
        assert cli.main(["--data", str(hub.settings.data), *arguments]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return run


@pytest.fixture
def roster(tmp_path):
    def write(text, name="students.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def find(hub, name):
    with hub.database.read() as connection:
        return users.find(connection, name)


def shown_password(output):
    return re.search(r"Password, shown this once: (\S+)", output)[1]


def handed_out(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["password"] for row in csv.DictReader(file)}


# People


def test_an_added_person_signs_in_with_the_password_shown(hub, run):
    output = run("user", "add", "alice", "--full-name", "Alice Liddell", "--email", "a@example.org", "--admin")
    user = sign_in(hub.database, "alice", shown_password(output), "::1")
    assert (user.full_name, user.email, user.is_admin) == ("Alice Liddell", "a@example.org", True)


def test_a_password_can_be_typed_and_is_then_not_shown(hub, run, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "correct horse")
    assert "correct horse" not in run("user", "add", "alice", "--ask")
    assert sign_in(hub.database, "alice", "correct horse", "::1").name == "alice"


def test_a_password_typed_in_two_ways_changes_nothing(hub, run, monkeypatch):
    answers = iter(["correct horse", "correct house"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
    assert "The two passwords differ." in run("user", "add", "alice", "--ask", code=2)
    assert find(hub, "alice") is None


def test_a_mistake_is_one_sentence(run):
    assert run("user", "add", "../alice", code=2).count("\n") == 1
    run("user", "add", "alice")
    assert run("user", "add", "Alice", code=2) == 'rl_hub: The name "Alice" is taken.\n'


def test_people_are_listed(run):
    run("user", "add", "bob")
    run("user", "add", "alice", "--admin", "--full-name", "Alice Liddell")
    lines = run("user", "list").splitlines()
    assert lines[0].split("  ")[0] == "name"
    assert re.fullmatch(r"alice  Alice Liddell  yes            yes       \d{4}-\d\d-\d\d", lines[1])
    assert re.fullmatch(r"bob                   no             yes       \d{4}-\d\d-\d\d", lines[2])


def test_a_deleted_person_is_gone(hub, run):
    run("user", "add", "alice")
    assert run("user", "delete", "Alice") == "Deleted alice.\n"
    assert find(hub, "alice") is None
    assert 'no user "alice"' in run("user", "delete", "alice", code=2)


def test_a_new_password_replaces_the_old_one(hub, run):
    old = shown_password(run("user", "add", "alice"))
    new = shown_password(run("user", "password", "alice"))
    with pytest.raises(Unauthorized):
        sign_in(hub.database, "alice", old, "::1")
    assert sign_in(hub.database, "alice", new, "::1").name == "alice"


def test_a_command_says_when_it_makes_a_new_hub(tmp_path, capsys):
    folder = tmp_path / "other"
    assert cli.main(["--data", str(folder), "user", "add", "alice"]) == 0
    assert capsys.readouterr().err == f"There was no Hub in {folder}: this is a new one.\n"
    hub = Hub.open(Settings(folder))
    assert find(hub, "alice").has_password
    hub.close()


# Tokens


def test_an_added_token_is_all_that_is_printed(hub, run):
    run("user", "add", "alice")
    token = run("user", "token", "add", "alice", "--role", "read", "--days", "7").strip()
    with hub.database.read() as connection:
        assert tokens.identify(connection, token).role == "read"


def test_tokens_are_listed_without_anything_of_the_secret(hub, run):
    run("user", "add", "alice")
    secrets = [run("user", "token", "add", "alice", *more).strip() for more in ((), ("--days", "7"))]
    output = run("user", "token", "list", "alice")
    assert re.search(r"^\d+ +Command line +write +\d{4}-\d\d-\d\d$", output, re.MULTILINE)
    assert re.search(r"^\d+ +Command line \(2\) +write +\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d$", output, re.MULTILINE)
    assert not any(secret[3:9] in output for secret in secrets)


def test_a_token_is_deleted_by_its_number(hub, run):
    run("user", "add", "alice")
    token = run("user", "token", "add", "alice", "--name", "laptop").strip()
    number = run("user", "token", "list", "alice").splitlines()[1].split()[0]
    assert "refused from now on" in run("user", "token", "delete", "alice", number)
    with hub.database.read() as connection:
        assert tokens.identify(connection, token) is None


@pytest.mark.parametrize("days", ["0", "-1", "100000000"])
def test_a_token_needs_days_that_are_ahead_and_in_the_calendar(run, days):
    run("user", "add", "alice")
    assert "--days" in run("user", "token", "add", "alice", "--days", days, code=2)


# Organisations


def members(hub, name="rl-2026"):
    with hub.database.read() as connection:
        found = organisations.members(connection, organisations.get(connection, name).id)
    return {member.name: member.role for member in found}


def test_a_class_is_added_with_its_members(hub, run):
    for name in ("alice", "bob"):
        run("user", "add", name)
    output = run("org", "add", "rl-2026", "--full-name", "RL", "--member", "alice:write", "--member", "bob")
    assert output == "Added rl-2026; it has 2 members.\n"
    assert members(hub) == {"alice": "write", "bob": "read"}


@pytest.mark.parametrize(("member", "sentence"), [("nobody", 'no user "nobody"'), ("alice:owner", "no role 'owner'")])
def test_a_class_with_an_impossible_member_is_not_added(hub, run, member, sentence):
    run("user", "add", "alice")
    assert sentence in run("org", "add", "rl-2026", "--member", member, code=2)
    with hub.database.read() as connection:
        assert organisations.find(connection, "rl-2026") is None


def test_members_come_and_go(hub, run):
    for name in ("alice", "bob"):
        run("user", "add", name)
    run("org", "add", "rl-2026")
    assert run("org", "member", "add", "rl-2026", "alice:admin", "bob") == "rl-2026 has 2 members.\n"
    assert run("org", "member", "remove", "rl-2026", "bob") == "rl-2026 has 1 member.\n"
    assert members(hub) == {"alice": "admin"}


def test_removing_somebody_who_is_no_member_changes_nothing(hub, run):
    for name in ("alice", "bob"):
        run("user", "add", name)
    run("org", "add", "rl-2026", "--member", "alice")
    assert "bob is not in rl-2026" in run("org", "member", "remove", "rl-2026", "alice", "bob", code=2)
    assert members(hub) == {"alice": "read"}


def test_organisations_and_members_are_listed(run):
    run("user", "add", "alice", "--full-name", "Alice Liddell")
    run("org", "add", "rl-2026", "--full-name", "RL in 2026", "--member", "alice:write")
    assert re.search(r"^rl-2026  RL in 2026 +1 +\d{4}-\d\d-\d\d$", run("org", "list"), re.MULTILINE)
    assert run("org", "member", "list", "rl-2026").splitlines()[1] == "alice  Alice Liddell  write"


def test_a_deleted_class_is_gone_and_its_people_stay(hub, run):
    run("user", "add", "alice")
    run("org", "add", "rl-2026", "--member", "alice")
    assert run("org", "delete", "rl-2026") == "Deleted rl-2026.\n"
    assert "no organisation" in run("org", "delete", "rl-2026", code=2)
    assert find(hub, "alice") is not None


# Class lists


def test_a_class_list_gives_everybody_a_password_and_a_place(hub, run, roster):
    run("org", "add", "rl-2026")
    path = roster("name,full_name,email\nalice,Alice Liddell,a@example.org\nbob,,\n")
    output = run("user", "import", str(path), "--org", "rl-2026", "--role", "write")
    passwords = handed_out(path.with_name("students-passwords.csv"))
    assert "2 of 2 people are new." in output
    assert set(passwords) == {"alice", "bob"}
    assert sign_in(hub.database, "alice", passwords["alice"], "::1").email == "a@example.org"
    assert members(hub) == {"alice": "write", "bob": "write"}


def test_the_same_list_again_changes_nothing(hub, run, roster):
    run("org", "add", "rl-2026")
    path = roster("name\nalice\n")
    run("user", "import", str(path), "--org", "rl-2026")
    run("org", "member", "add", "rl-2026", "alice:admin")
    before = path.with_name("students-passwords.csv").read_text()
    assert run("user", "import", str(path), "--org", "rl-2026") == "0 of 1 people are new.\n"
    assert path.with_name("students-passwords.csv").read_text() == before
    assert members(hub) == {"alice": "admin"}


def test_a_longer_list_keeps_the_passwords_that_were_made_before(hub, run, roster, tmp_path):
    target = tmp_path / "secret.csv"
    run("user", "import", str(roster("name\nalice\n")), "--passwords", str(target))
    run("user", "import", str(roster("name\nbob\nAlice\n")), "--passwords", str(target))
    passwords = handed_out(target)
    for name in ("alice", "bob"):
        assert sign_in(hub.database, name, passwords[name], "::1").name == name
    assert list(tmp_path.glob("secret.csv.*")) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_reads_the_passwords(run, roster, tmp_path):
    run("user", "import", str(roster("name\nalice\n")))
    assert stat.S_IMODE((tmp_path / "students-passwords.csv").stat().st_mode) == 0o600


def test_no_account_is_made_if_the_passwords_cannot_be_kept(hub, run, roster, tmp_path):
    (tmp_path / "students-passwords.csv").mkdir()
    assert run("user", "import", str(roster("name\nalice\n")), code=2).count("\n") == 1
    assert find(hub, "alice") is None


@pytest.mark.parametrize("content", ["", "name;password\n", "name,password\nalice\n"])
def test_another_file_is_not_overwritten_with_passwords(hub, run, roster, tmp_path, content):
    target = tmp_path / "students-passwords.csv"
    target.write_text(content)
    assert "move it away" in run("user", "import", str(roster("name\nalice\n")), code=2)
    assert target.read_text() == content
    assert find(hub, "alice") is None


def test_a_list_for_a_class_that_is_not_there_adds_nobody(hub, run, roster, tmp_path):
    assert 'no organisation "rl"' in run("user", "import", str(roster("name\nalice\n")), "--org", "rl", code=2)
    assert find(hub, "alice") is None
    assert not (tmp_path / "students-passwords.csv").exists()


def test_one_impossible_person_keeps_the_whole_list_out(hub, run, roster):
    path = roster("name,email\nalice,a@example.org\nbob,nowhere\n")
    assert "nowhere" in run("user", "import", str(path), code=2)
    assert find(hub, "alice") is None


def test_a_list_that_is_not_there_is_one_sentence(run, tmp_path):
    assert "missing.csv" in run("user", "import", str(tmp_path / "missing.csv"), code=2)


@pytest.mark.parametrize(("content", "sentence"), [(b"name\n\xff\xfe\n", "UTF-8"), (b"name\n" * 300_000, "too large")])
def test_a_list_in_another_form_is_refused(run, roster, content, sentence):
    assert sentence in run("user", "import", str(roster(content)), code=2)


def test_a_spreadsheets_own_csv_is_read():
    text = "Name;Full_Name;Group\r\nalice;Liddell, Alice;1\r\n;;\r\n bob ;;\r\n"
    assert rosters.parse_roster(text) == [rosters.Person("alice", "Liddell, Alice"), rosters.Person("bob")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "first line"),
        ("alice\nbob\n", "first line"),
        ("name\nalice\n../bob\n", "Line 3: "),
        ("name,email\n,a@example.org\n", "Line 2: "),
        ("name\nalice\nALICE\n", "Line 3: .* twice"),
        ('name\n"alice\n', "not CSV"),
        ("name\n" + "x" * 200_000, "not CSV"),
    ],
)
def test_what_is_wrong_with_a_list_is_told_with_its_line(text, sentence):
    with pytest.raises(BadRequest, match=sentence):
        rosters.parse_roster(text)
