"""The pages of a repository: card, files, history."""

import re
from html import unescape

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from page_visitors import commit, member, person, repository, visitor
from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.repositories import catalog, history, revisions, trees
from rl_hub.settings import Settings
from rl_hub.web.app import create_app
from rl_hub.web.pages import markdown
from rl_hub.web.pages import repository as card_pages
from rl_hub.web.pages.kept_cards import KeptCards
from rl_hub.web.pages.markdown import MAX_CHARACTERS

CARD = """---
library_name: stable-baselines3
license: mit
tags: [CartPole-v1, stable-baselines3]
model-index:
- name: DQN
  results:
  - task: {type: reinforcement-learning}
    dataset: {name: CartPole-v1, type: CartPole-v1}
    metrics:
    - {type: mean_reward, value: 490.50 +/- 12.00}
    - {type: n_episodes, value: 50}
---
# A patient agent

[The script](train.py) ![curve](curve.png) <script>alert(1)</script>
"""


@pytest.fixture
def ada(hub):
    return person(hub, "ada")


@pytest.fixture
def client(hub):
    return visitor(hub)


def text_of(answer):
    """What a page says, without its elements."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def with_ref(owner, made, kind, name):
    with owner.hub.database.write() as connection:
        current = catalog.find_by_id(connection, owner.identity, made.id)
        revisions.create(connection, current, revisions.NamedCommit(kind, name, current.sha))


# The card


def test_the_card_is_shown_and_runs_nothing(ada, client):
    repository(ada, files={"README.md": CARD})
    page = client.get("/ada/agent").text
    assert '<h2 id="card-a-patient-agent">A patient agent</h2>' in page
    assert 'href="/ada/agent/blob/main/train.py"' in page
    assert 'src="/ada/agent/resolve/main/curve.png"' in page
    assert "alert(1)" not in page


def test_results_are_shown_as_the_authors_claim(ada, client):
    repository(ada, files={"README.md": CARD})
    said = text_of(client.get("/ada/agent"))
    assert "Results, as the author claims them 490.50 ± 12.00 mean reward on CartPole-v1" in said
    assert "n episodes, CartPole-v1 50" in said
    assert "has not checked it" in said


def test_the_head_names_tags_library_and_licence(ada, client):
    repository(ada, files={"README.md": CARD})
    answer = client.get("/ada/agent")
    assert '<a href="/models?filter=CartPole-v1">CartPole-v1</a>' in answer.text
    assert "Library stable-baselines3 Licence mit" in text_of(answer)


def test_the_replay_is_played_from_this_hub(ada, client):
    made = repository(ada, files={"replay.mp4": b"\0" * 100})
    page = client.get("/ada/agent").text
    address = re.search(r'<video controls[^>]* src="([^"]+)"', page).group(1)
    assert address == f"/ada/agent/resolve/{made.sha}/replay.mp4"
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.headers["content-type"], len(part.content)) == (206, "video/mp4", 10)


def test_an_agent_comes_with_the_courses_command(ada, client):
    repository(ada, "dqn-CartPole-v1", {"README.md": CARD, "dqn-CartPole-v1.zip": b"PK"})
    said = text_of(client.get("/ada/dqn-CartPole-v1"))
    assert "export HF_ENDPOINT=http://testserver " in said
    assert "load_from_hub --algo dqn --env CartPole-v1 -orga ada -f logs/" in said
    assert "git clone http://testserver/ada/dqn-CartPole-v1" in said


def test_a_dataset_is_downloaded_as_one(ada, client):
    repository(ada, "episodes", {"a.csv": "1\n"}, kind="dataset")
    said = text_of(client.get("/datasets/ada/episodes"))
    assert 'snapshot_download("ada/episodes", repo_type="dataset")' in said
    assert "git clone http://testserver/datasets/ada/episodes" in said


def test_an_empty_repository_says_so(ada, client):
    repository(ada)
    assert "Nothing here yet" in client.get("/ada/agent").text


def test_a_card_is_rendered_once_for_its_text_and_its_place(ada, client, monkeypatch):
    rendered = []

    def render(text, resolve_link, render=markdown.render):
        rendered.append(text)
        return render(text, resolve_link)

    monkeypatch.setattr(markdown, "render", render)
    monkeypatch.setattr(card_pages, "_cards", KeptCards())
    made = repository(ada, files={"README.md": "[it](a.txt)"})
    repository(ada, "another", files={"README.md": "[it](a.txt)"})
    for _ in range(2):
        assert 'href="/ada/agent/blob/main/a.txt"' in client.get("/ada/agent").text
        assert 'href="/ada/another/blob/main/a.txt"' in client.get("/ada/another").text
    assert len(rendered) == 2
    commit(ada, made, {"README.md": "Another card"})
    assert "Another card" in client.get("/ada/agent").text


def test_a_repository_without_a_card_says_so(ada, client):
    repository(ada, files={"a.txt": "x"})
    assert "No card" in client.get("/ada/agent").text


@pytest.mark.parametrize("content", ["x" * (MAX_CHARACTERS + 1), "x" * (2**20 + 1), b"\xff\xfe\x00"])
def test_a_card_that_cannot_be_rendered_is_linked(hub, ada, client, content, monkeypatch):
    made = repository(ada)
    # Around the commit's own check of a card, which refuses some of these.
    commit(ada, made, {"card.md": content})
    with hub.database.write() as connection:
        sha = catalog.find_by_id(connection, ada.identity, made.id).sha
        tree = history.get(connection, made.id, sha).tree
        stored = tables.git_objects
        data = connection.scalar(select(stored.c.data).where(stored.c.sha == tree))
        renamed = data.replace(b"card.md", b"README.md")
        connection.execute(stored.update().where(stored.c.sha == tree).values(data=renamed))
    monkeypatch.setattr(trees, "_kept", trees._KeptTrees())
    page = client.get("/ada/agent").text
    assert "too long to show" in page
    assert 'href="/ada/agent/blob/main/README.md"' in page


def test_a_card_whose_entries_have_odd_types_is_shown(ada, client):
    repository(ada, files={"README.md": "---\nlicense: [mit, apache-2.0]\n---\ntext"})
    assert "Licence" not in text_of(client.get("/ada/agent"))


def test_a_repository_without_an_index_row_is_shown(hub, ada, client):
    made = repository(ada)
    with hub.database.write() as connection:
        cards = tables.repository_cards
        connection.execute(cards.delete().where(cards.c.repository_id == made.id))
    assert client.get("/ada/agent").status_code == 200


def test_names_lead_there_in_any_case(ada, client):
    repository(ada)
    assert 'href="/ada/agent/tree/main"' in client.get("/ADA/Agent").text


# Who sees what

PAGES = ["", "/tree/main", "/tree/main/a", "/blob/main/a", "/commits/main", "/commit/main"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", [None, "bob"])
def test_what_is_private_looks_like_what_does_not_exist(hub, ada, page, name):
    repository(ada, "secret", {"a": "x"}, private=True)
    client = visitor(hub, person(hub, name) if name else None)
    hidden, missing = client.get(f"/ada/secret{page}"), client.get(f"/ada/nowhere{page}")
    assert hidden.status_code == missing.status_code == 404
    assert _neutral(hidden, "secret") == _neutral(missing, "nowhere")


def _neutral(answer, name):
    head = {key: value.replace(name, "") for key, value in answer.headers.items() if key != "x-request-id"}
    del head["content-length"]
    return answer.text.replace(name, ""), head


@pytest.mark.parametrize("page", ["", "/tree/main", "/blob/main/a", "/commits/main", "/commit/main"])
def test_the_owner_sees_what_is_private(hub, ada, page):
    repository(ada, "secret", {"a": "x"}, private=True)
    answer = visitor(hub, ada).get(f"/ada/secret{page}")
    assert answer.status_code == 200
    assert '<span class="badge">Private</span>' in answer.text


def test_a_class_sees_what_is_private_to_it(hub, ada):
    bob = member(hub, "rl-2026", person(hub, "bob"), "read")
    repository(member(hub, "rl-2026", ada), "exam", {"a": "x"}, namespace="rl-2026", private=True)
    assert visitor(hub, bob).get("/rl-2026/exam").status_code == 200


# Files


def test_a_folder_lists_folders_before_files(ada, client):
    repository(ada, files={"z/deep/file.txt": "x", "a.txt": "12345", "b.bin": b"\0" * 2048})
    said = text_of(client.get("/ada/agent/tree/main"))
    assert said.index(" z ") < said.index("a.txt 5 bytes") < said.index("b.bin 2.0 kB")


def test_a_folder_says_which_commit_changed_what_last(ada, client):
    made = repository(ada)
    commit(ada, made, {"old.txt": "1", "both.txt": "1"}, title="First words")
    commit(ada, made, {"both.txt": "2", "sub/new.txt": "1"}, title="Second words")
    said = text_of(client.get("/ada/agent/tree/main"))
    files = said[said.index(" sub ") :]
    assert re.search(r"sub Second words.*both.txt 1 byte Second words.*old.txt 1 byte First words", files)
    assert "new.txt 1 byte Second words" in text_of(client.get("/ada/agent/tree/main/sub"))


def test_a_file_in_the_first_commit_of_a_folder_has_that_commit(ada, client):
    made = repository(ada)
    commit(ada, made, {"sub": "a file"}, title="A file")
    commit(ada, made, {"sub/a.txt": "1"}, delete=["sub"], title="A folder")
    commit(ada, made, {"other.txt": "1"}, title="Something else")
    assert "a.txt 1 byte A folder" in text_of(client.get("/ada/agent/tree/main/sub"))


def test_large_files_are_marked(hub, ada, client):
    made = repository(ada)
    ada.commit(made, large={"weights.bin": ada.upload(made, b"\0" * 3_000_000)})
    page = client.get("/ada/agent/tree/main").text
    assert re.search(r"3.0 MB <span class=\"badge\" title=\"[^\"]+\">LFS</span>", page)
    assert "SHA-256" in client.get("/ada/agent/blob/main/weights.bin").text


def test_a_very_large_folder_is_cut_short(ada, client, monkeypatch):
    monkeypatch.setattr("rl_hub.web.pages.files._MOST_ENTRIES", 2)
    repository(ada, files={f"{number}.txt": "x" for number in range(5)})
    assert "3 more are not listed here" in text_of(client.get("/ada/agent/tree/main"))


def test_the_address_of_a_file_in_a_folders_place_leads_to_the_file(ada, client):
    repository(ada, files={"a b.txt": "x"})
    answer = client.get("/ada/agent/tree/main/a%20b.txt")
    assert answer.headers["location"] == "/ada/agent/blob/main/a%20b.txt"


def test_an_empty_revision_says_so(ada, client):
    repository(ada)
    assert "No files" in client.get("/ada/agent/tree/main").text


def test_text_is_shown_line_by_line_and_runs_nothing(ada, client):
    repository(ada, files={"index.html": "<script>alert(1)</script>\n\nend\n"})
    page = client.get("/ada/agent/blob/main/index.html").text
    assert '<span class="line" id="L1">&lt;script&gt;alert(1)&lt;/script&gt;</span>' in page
    assert "3 lines" in page
    assert "<script>alert" not in page


def test_hidden_characters_in_text_are_shown(ada, client):
    repository(ada, files={"a.py": "x = 1 # \u202egnp.exe\n"})
    assert r"\u202egnp.exe" in client.get("/ada/agent/blob/main/a.py").text


def test_a_long_text_is_cut_short(ada, client):
    repository(ada, files={"log.txt": "x\n" * 6000})
    said = text_of(client.get("/ada/agent/blob/main/log.txt"))
    assert "6000 lines" in said
    assert "1000 more lines" in said


@pytest.mark.parametrize(
    ("name", "content", "element"),
    [
        ("a.png", b"\x89PNG", '<img src="/ada/agent/resolve/{sha}/a.png" alt="a.png">'),
        ("a.mp4", b"\0", '<video controls preload="metadata" playsinline src="/ada/agent/resolve/{sha}/a.mp4"'),
        ("a.wav", b"\0", '<audio controls preload="none" src="/ada/agent/resolve/{sha}/a.wav"'),
        ("a.svg", "<svg onload='x'/>", "&lt;svg onload="),
        ("a.bin", b"\0\1", "Download 2 bytes"),
        ("a.txt", b"\xff\xfe", "Download 2 bytes"),
        ("big.txt", "x" * 300_000, "Download 300 kB"),
        ("empty.txt", "", "This file is empty."),
        ("byte-order-mark.txt", "\ufeffx", '<span class="line" id="L1">x</span>'),
    ],
)
def test_each_kind_of_file_has_its_view(ada, client, name, content, element):
    made = repository(ada, files={name: content})
    assert element.format(sha=made.sha) in client.get(f"/ada/agent/blob/main/{name}").text


def test_files_with_markup_in_their_names_are_text(ada, client):
    name = "x&amp;'onerror=alert(1)'.txt"
    repository(ada, files={name: "x", f"d&b/{name}": "x"})
    page = client.get("/ada/agent/tree/main").text
    assert "&amp;amp;" in page
    assert "'onerror" not in page
    address = unescape(re.search(r'href="([^"]+/blob/main/x[^"]+)"', page).group(1))
    assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["tree/nowhere", "blob/nowhere/a", "tree/main/nowhere", "blob/main/nowhere", "commits/nowhere", "commit/nowhere"],
)
def test_what_is_not_there_is_not_found(ada, client, path):
    repository(ada, files={"a": "x"})
    answer = client.get(f"/ada/agent/{path}")
    assert answer.status_code == 404
    assert "Not found" in answer.text
    assert answer.headers["x-error-code"] in ("RevisionNotFound", "EntryNotFound")


def test_a_folder_is_no_file(ada, client):
    repository(ada, files={"sub/a": "x"})
    assert client.get("/ada/agent/blob/main/sub").status_code == 404


@pytest.mark.parametrize("path", ["..%2F..%2Fsecret.key", "%2Fetc%2Fpasswd", "a%00b", "C%3A%5Cx"])
def test_a_path_out_of_the_repository_leads_nowhere(ada, client, path):
    repository(ada, files={"a": "x"})
    assert client.get(f"/ada/agent/blob/main/{path}").status_code == 404
    assert client.get(f"/ada/agent/tree/main/{path}").status_code == 404


# Branches and tags


def test_branches_and_tags_can_be_chosen(ada, client):
    made = repository(ada, files={"a.txt": "x"})
    with_ref(ada, made, "branch", "feat/x")
    with_ref(ada, made, "tag", "v1")
    page = client.get("/ada/agent/tree/feat%2Fx").text
    assert 'href="/ada/agent/tree/feat%2Fx" aria-current="true"' in page
    assert 'href="/ada/agent/tree/v1"' in page
    assert 'href="/ada/agent/blob/feat%2Fx/a.txt"' in page


def test_a_branch_has_its_own_files_and_history(ada, client):
    made = repository(ada, files={"a.txt": "x"})
    with_ref(ada, made, "branch", "feat/x")
    commit(ada, made, {"b.txt": "x"}, branch="feat/x", title="On the side")
    assert "b.txt" in client.get("/ada/agent/tree/feat%2Fx").text
    assert "b.txt" not in client.get("/ada/agent/tree/main").text
    assert "On the side" in client.get("/ada/agent/commits/feat%2Fx").text


# History


def test_the_history_is_told_newest_first_in_pages(ada, client):
    made = repository(ada)
    for number in range(35):
        commit(ada, made, {"a.txt": str(number)}, title=f"Change {number:02}")
    first = client.get("/ada/agent/commits/main")
    told = re.findall(r"Change \d\d", first.text)
    assert told == [f"Change {number:02}" for number in range(34, 4, -1)]
    second = client.get(unescape(re.search(r'rel="next" href="([^"]+)"', first.text).group(1)))
    assert re.findall(r"Change \d\d", second.text) == [f"Change {number:02}" for number in range(4, -1, -1)]
    assert "initial commit" in second.text
    assert "Next page" not in second.text
    assert "First page" in second.text


@pytest.mark.parametrize(("start", "status"), [("x", 400), ("0" * 40, 404), ("é" * 40, 400)])
def test_a_history_from_nowhere_is_refused(ada, client, start, status):
    repository(ada)
    assert client.get("/ada/agent/commits/main", params={"from": start}).status_code == status


def test_a_commit_shows_what_it_changed(ada, client):
    made = repository(ada)
    commit(ada, made, {"kept.txt": "1\n2\n", "gone.txt": "old\n", "data.bin": b"\0"}, title="Before")
    done = commit(
        ada, made, {"kept.txt": "1\n<b>3</b>\n", "new.txt": "x\n", "data.bin": b"\0\1"}, ["gone.txt"], title="After"
    )
    answer = client.get(f"/ada/agent/commit/{done.sha[:10]}")
    said = text_of(answer)
    assert "4 files changed" in said
    assert "Changed data.bin 2 bytes" in said
    assert "Removed gone.txt 4 bytes line 0 old" in said
    assert "Changed kept.txt 11 bytes line 1 1 2 <b>3</b>" in said
    assert "Added new.txt 2 bytes line 1 x" in said
    assert '<span class="line added">&lt;b&gt;3&lt;/b&gt;</span>' in answer.text


def test_a_commits_description_is_shown_as_text(ada, client):
    made = repository(ada)
    done = commit(ada, made, {"a": "x"}, title="T <i>", description="line one\n<script>alert(1)</script>")
    page = client.get(f"/ada/agent/commit/{done.sha}").text
    assert "<h2>T &lt;i&gt;</h2>" in page
    assert "line one\n&lt;script&gt;" in page


def test_the_first_commit_changed_nothing(ada, client):
    made = repository(ada)
    assert "0 files changed" in text_of(client.get(f"/ada/agent/commit/{made.sha}"))


def test_a_commit_of_many_files_is_cut_short(ada, client, monkeypatch):
    monkeypatch.setattr("rl_hub.web.pages.history._MOST_FILES", 3)
    monkeypatch.setattr("rl_hub.web.pages.history._MOST_COMPARED", 1)
    made = repository(ada, files={f"{number}.txt": "words\n" for number in range(5)})
    answer = client.get(f"/ada/agent/commit/{made.sha}")
    assert "2 more are not listed here" in text_of(answer)
    assert answer.text.count('<span class="line added">') == 1


def test_a_folder_in_a_files_place_is_shown_without_a_content_of_its_own(ada, client):
    made = repository(ada, files={"a": "a file\n"})
    done = commit(ada, made, {"a/b.txt": "in a folder\n"}, delete=["a"])
    said = text_of(client.get(f"/ada/agent/commit/{done.sha}"))
    assert "Removed a 7 bytes line 0 a file" in said
    assert "Added a/b.txt 12 bytes line 1 in a folder" in said


# Where the Hub is


def test_a_mounted_hub_links_within_itself(hub, ada):
    repository(ada, files={"README.md": "[x](a.txt)", "a.txt": "x"})
    client = TestClient(Starlette(routes=[Mount("/hub", create_app(hub))]), headers={"Accept": "text/html"})
    for page in ("/hub/", "/hub/ada/agent", "/hub/ada/agent/tree/main", "/hub/ada/agent/commits/main"):
        found = re.findall(r'(?:href|src|action)="(/[^"]*)"', client.get(page).text)
        assert found
        assert all(address.startswith("/hub/") for address in found)
        assert all(client.get(unescape(address)).status_code == 200 for address in found if "/logout" not in address)


def test_a_hub_behind_a_proxy_links_below_its_public_address(tmp_path):
    hub = Hub.open(Settings(tmp_path / "data", public_url="https://school.example/hub"))
    repository(person(hub, "ada"), files={"a.txt": "x"})
    page = visitor(hub).get("/ada/agent").text
    hub.close()
    assert 'href="/hub/ada/agent/tree/main"' in page
    assert "git clone https://school.example/hub/ada/agent" in unescape(page)
