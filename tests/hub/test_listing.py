"""Repositories as the client sees them: one, or pages of a list."""

import json
from urllib.parse import urlsplit

import pytest
import yaml
from starlette.testclient import TestClient

import kept_hub
from hub_requests import Person, file_line, person, refusal
from rl_hub.hub import Hub
from rl_hub.repositories import information
from rl_hub.settings import Limits, Settings
from rl_hub.web.app import create_app

RESULTS = [
    {
        "name": "DQN",
        "results": [
            {
                "task": {"type": "reinforcement-learning"},
                "dataset": {"name": "CartPole-v1", "type": "CartPole-v1"},
                "metrics": [{"type": "mean_reward", "value": "500.00 +/- 0.00"}],
            }
        ],
    }
]


def card(*tags, **more):
    return f"---\n{yaml.safe_dump({'tags': list(tags), **more})}---\n# Card\n".encode()


kept_client, hub, client = kept_hub.fixtures()


@pytest.fixture
def alice(client, hub):
    return person(client, hub, "alice")


@pytest.fixture
def agents(alice, client, hub):
    """Four models of two people, the last changed first: bob/d, alice/c, alice/b, alice/a."""
    bob = person(client, hub, "bob")
    for who, repo_id, tags in (
        (alice, "alice/a-CartPole", ("rl", "CartPole-v1")),
        (alice, "alice/b-Pong", ("rl", "Pong-v4")),
        (alice, "alice/c", ("other",)),
        (bob, "bob/d-cartpole", ("rl", "CartPole-v1")),
    ):
        who.create(repo_id)
        who.push(repo_id, {"README.md": card(*tags)})
    return alice


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [found["id"] for found in answer.json()]


def listed(who, kind="models", **query):
    return ids(who.get(f"/api/{kind}", params=query))


def pages(who, **query):
    answer = who.get("/api/models", params=query)
    found = [ids(answer)]
    while "next" in answer.links:
        answer = who.get(answer.links["next"]["url"])
        found.append(ids(answer))
    return found


def test_the_last_changed_comes_first(agents):
    assert listed(agents) == ["bob/d-cartpole", "alice/c", "alice/b-Pong", "alice/a-CartPole"]
    agents.push("alice/b-Pong", {"x": b"1"})
    assert listed(agents)[0] == "alice/b-Pong"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"filter": "rl"}, ["bob/d-cartpole", "alice/b-Pong", "alice/a-CartPole"]),
        ({"filter": ["rl", "CartPole-v1"]}, ["bob/d-cartpole", "alice/a-CartPole"]),
        ({"filter": ["CartPole-v1", "rl", "rl"]}, ["bob/d-cartpole", "alice/a-CartPole"]),
        ({"filter": "rl,CartPole-v1"}, ["bob/d-cartpole", "alice/a-CartPole"]),
        ({"filter": ["rl", "other"]}, []),
        ({"filter": "cartpole-v1"}, []),
        ({"filter": "rl", "author": "ALICE"}, ["alice/b-Pong", "alice/a-CartPole"]),
        ({"author": "alice"}, ["alice/c", "alice/b-Pong", "alice/a-CartPole"]),
        ({"author": "nobody"}, []),
        ({"search": "cartpole"}, ["bob/d-cartpole", "alice/a-CartPole"]),
        ({"search": "CARTPOLE alice"}, ["alice/a-CartPole"]),
        ({"search": ["cartpole", "alice"]}, ["alice/a-CartPole"]),
        ({"search": "alice/c"}, ["alice/c"]),
        ({"search": "%"}, []),
        ({"search": "_"}, []),
        ({"sort": "createdAt"}, ["bob/d-cartpole", "alice/c", "alice/b-Pong", "alice/a-CartPole"]),
        ({"sort": "createdAt", "direction": "1"}, ["alice/a-CartPole", "alice/b-Pong", "alice/c", "bob/d-cartpole"]),
        ({"sort": "lastModified", "direction": "1", "limit": 1}, ["alice/a-CartPole"]),
        ({"sort": "downloads", "limit": 1}, ["bob/d-cartpole"]),
        ({"gated": "true"}, []),
        ({"gated": "false", "limit": 1}, ["bob/d-cartpole"]),
        ({"inference": "warm"}, []),
    ],
)
def test_a_list_has_what_was_asked_for(agents, query, found):
    assert listed(agents, **query) == found


def test_the_task_filters_too(alice):
    alice.create("alice/m")
    alice.push("alice/m", {"README.md": card("reinforcement-learning")})
    assert listed(alice, pipeline_tag="reinforcement-learning") == ["alice/m"]
    assert listed(alice, pipeline_tag="robotics") == []


@pytest.mark.parametrize(
    "query", [{}, {"filter": "rl"}, {"search": "a"}, {"sort": "createdAt"}, {"direction": "1"}, {"author": "alice"}]
)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_together_are_the_whole(agents, query, limit):
    found = pages(agents, limit=limit, **query)
    assert [each for page in found for each in page] == listed(agents, **query)
    assert all(len(page) <= limit for page in found)


def test_the_next_page_is_at_the_address_that_the_client_uses(agents):
    link = agents.get("/api/models?limit=1&filter=rl&search=a&full=true").links["next"]["url"]
    assert link.startswith("http://testserver/api/models?limit=1&filter=rl&search=a&full=true&cursor=")


def test_a_page_holds_no_more_than_the_hub_allows(tmp_path):
    hub = Hub.open(Settings(tmp_path / "small", limits=Limits(page_size=2)))
    with TestClient(create_app(hub)) as client:
        alice = person(client, hub, "alice")
        for name in "abcde":
            alice.create(f"alice/{name}")
        assert [len(page) for page in pages(alice, limit=4)] == [2, 2, 1]
    hub.close()


@pytest.mark.parametrize(
    "query",
    [
        *({"limit": value} for value in ("0", "-1", "x", "1.5")),
        *({"cursor": value} for value in ("x", "AAAA", "MS0y_", "é", "OTk5OTk5OTk5OTk5OTk5OTk5LTE", "LQ")),
        *({name: "a\0b"} for name in ("search", "filter", "author", "pipeline_tag")),
        {"sort": "name"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(agents, query):
    assert refusal(agents.get("/api/models", params=query))[0] == 400


def test_kinds_are_lists_of_their_own(alice):
    for kind in ("model", "dataset", "space"):
        alice.create(f"alice/{kind}", kind)
    assert [listed(alice, f"{kind}s") for kind in ("model", "dataset", "space")] == [
        ["alice/model"],
        ["alice/dataset"],
        ["alice/space"],
    ]


def test_a_list_says_little_unless_more_is_asked_for(agents):
    (found,) = agents.get("/api/models?limit=1").json()
    assert set(found) == {
        *("_id", "id", "modelId", "createdAt", "downloads", "likes", "private", "tags", "library_name", "pipeline_tag")
    }


def test_all_is_told_on_request(agents):
    (found,) = agents.get("/api/models?limit=1&full=true&cardData=true").json()
    assert found["siblings"] == [{"rfilename": "README.md"}]
    assert found["cardData"] == {"tags": ["rl", "CartPole-v1"]}
    assert (found["author"], found["gated"], len(found["sha"])) == ("bob", False, 40)


def test_properties_are_told_one_by_one(alice):
    alice.create("alice/m")
    head = alice.push("alice/m", {"README.md": card("x", **{"model-index": RESULTS}), "a": b"12345"})
    (found,) = alice.get(
        "/api/models", params={"expand": ["sha", "cardData", "unknown", "model-index,usedStorage"]}
    ).json()
    assert set(found) == {"_id", "id", "modelId", "sha", "cardData", "model-index", "usedStorage"}
    assert (found["sha"], found["model-index"]) == (head, RESULTS)
    assert found["usedStorage"] == 5 + len(card("x", **{"model-index": RESULTS}))


def test_a_dataset_is_told_with_its_card(alice):
    alice.create("alice/d", "dataset")
    alice.push("alice/d", {"README.md": card("x", language="en")}, kind="dataset")
    assert alice.get("/api/datasets?full=true").json()[0]["cardData"]["language"] == "en"
    assert listed(alice, "datasets", filter="language:en") == ["alice/d"]


def test_a_space_is_told_with_its_kit(alice):
    alice.create("alice/s", "space")
    alice.push("alice/s", {"README.md": card("x", sdk="docker")}, kind="space")
    assert alice.get("/api/spaces/alice/s").json()["sdk"] == "docker"


def test_a_card_of_any_text_is_told_as_it_is(alice):
    alice.create("alice/m")
    tags = ["</script>", 'quote"', "back\\slash", "ünï", "🤗", "a,b"]
    alice.push("alice/m", {"README.md": card(*tags, text="\u2028\x7f")})
    (found,) = alice.get("/api/models?cardData=true").json()
    assert found["tags"] == tags
    assert found["cardData"]["text"] == "\u2028\x7f"


def test_one_repository_is_told_with_its_files(alice):
    alice.create("alice/m")
    head = alice.push("alice/m", {"README.md": card("x"), "a/b": b"1"})
    found = alice.get("/api/models/alice/m").json()
    assert found["sha"] == head
    assert found["siblings"] == [{"rfilename": "README.md"}, {"rfilename": "a/b"}]
    assert (found["cardData"], found["spaces"], found["model-index"]) == ({"tags": ["x"]}, [], None)


def test_files_are_told_with_their_sizes(alice):
    alice.create("alice/m")
    alice.push("alice/m", {"a": b"hello"})
    (file,) = alice.get("/api/models/alice/m?blobs=true").json()["siblings"]
    assert file == {"rfilename": "a", "size": 5, "blobId": "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0"}


def test_an_earlier_revision_is_told_as_it_was(alice):
    alice.create("alice/m")
    first = alice.push("alice/m", {"README.md": card("old")})
    alice.push("alice/m", {"README.md": card("new"), "a": b"1"})
    found = alice.get(f"/api/models/alice/m/revision/{first}").json()
    assert (found["sha"], found["tags"], found["siblings"]) == (first, ["old"], [{"rfilename": "README.md"}])


def test_a_revision_without_a_card_has_none(alice):
    alice.create("alice/m")
    first = alice.push("alice/m", {"README.md/x": b"1"})
    alice.push("alice/m", {"a": b"1"})
    assert alice.get(f"/api/models/alice/m/revision/{first}").json()["cardData"] == {}


def test_one_property_may_be_asked_for(alice):
    alice.create("alice/m")
    assert set(alice.get("/api/models/alice/m?expand=private").json()) == {"_id", "id", "modelId", "private"}


def test_private_repositories_are_counted_for_their_owner_only(agents, client, hub):
    for name in ("x", "y"):
        agents.create(f"alice/{name}", private=True)
        agents.commit(f"alice/{name}", file_line("README.md", card("rl")))
    for who in (Person(client), person(client, hub, "bob")):
        assert pages(who, limit=2, filter="rl") == [["bob/d-cartpole", "alice/b-Pong"], ["alice/a-CartPole"]]
    assert listed(agents, filter="rl")[:2] == ["alice/y", "alice/x"]


def validate(client, content, accept="application/json"):
    body = json.dumps({"content": content, "repoType": "model"})
    return client.post("/api/validate-yaml", content=body, headers={"Accept": accept})


def test_a_card_is_checked_before_it_is_committed(client):
    answer = validate(client, "---\ntags: 3\n---\n")
    assert answer.status_code == 400
    assert '"tags"' in answer.json()["errors"][0]["message"]


def test_a_valid_card_has_no_problems(client):
    answer = validate(client, card("x").decode())
    assert (answer.status_code, answer.json()) == (200, {"errors": [], "warnings": []})


def test_a_card_without_metadata_is_valid_with_a_warning(client):
    answer = validate(client, "# Card")
    assert (answer.status_code, len(answer.json()["warnings"])) == (200, 1)


def test_problems_are_plain_text_for_who_asks_so(client):
    answer = validate(client, "---\na: [\n---\n", "text/plain")
    assert answer.status_code == 400
    assert answer.text.startswith("The metadata in README.md is not valid YAML")


@pytest.mark.parametrize("content", [None, 3, ["a"]])
def test_a_card_is_a_text(client, content):
    assert refusal(validate(client, content))[0] == 400


def test_behind_a_proxy_links_name_the_public_address(tmp_path):
    hub = Hub.open(Settings(tmp_path / "public", public_url="https://hub.school"))
    with TestClient(create_app(hub)) as client:
        alice = person(client, hub, "alice")
        for name in "ab":
            assert alice.create(f"alice/{name}").json()["url"] == f"https://hub.school/alice/{name}"
        link = urlsplit(alice.get("/api/models?limit=1").links["next"]["url"])
    hub.close()
    assert (link.scheme, link.netloc) == ("https", "hub.school")


def test_a_page_ends_where_the_names_of_its_files_have_no_more_room(alice, monkeypatch):
    monkeypatch.setattr(information, "_LONGEST_NAMES", 100)
    for name in ("a", "b", "c"):
        alice.create(f"alice/{name}")
        alice.push(f"alice/{name}", {f"{name}{number}": b"x" for number in range(3)})
    answer = alice.get("/api/models", params={"full": "true"})
    found = answer.json()
    while "next" in answer.links:
        assert len(answer.json()) == 1
        answer = alice.get(answer.links["next"]["url"])
        found += answer.json()
    assert [(model["id"], len(model["siblings"])) for model in found] == [
        ("alice/c", 3),
        ("alice/b", 3),
        ("alice/a", 3),
    ]


def test_equal_lists_of_files_need_room_each(alice, monkeypatch):
    for name in ("a", "b"):
        alice.create(f"alice/{name}")
        alice.push(f"alice/{name}", {f"f{number}": b"x" for number in range(3)})
    monkeypatch.setattr(information, "_LONGEST_NAMES", 100)
    assert len(alice.get("/api/models", params={"full": "true"}).json()) == 1


def test_what_repositories_hold_is_listed(alice):
    for name in ("a", "b"):
        alice.create(f"alice/{name}")
    alice.push("alice/a", {"x": b"123", "y": b"45"})
    found = alice.get("/api/models", params={"expand": "usedStorage"}).json()
    assert {model["id"]: model["usedStorage"] for model in found} == {"alice/a": 5, "alice/b": 0}


@pytest.mark.parametrize("query", [{"search": "a " * 21}, {"filter": "a," * 21}])
def test_a_search_of_many_words_is_refused(alice, query):
    assert refusal(alice.get("/api/models", params=query))[0] == 400
