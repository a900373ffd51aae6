"""The first page, lists, accounts, errors and static files."""

import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from page_visitors import member, person, repository, visitor
from rl_hub import errors as all_errors
from rl_hub.repositories import catalog
from rl_hub.web import app as app_module
from rl_hub.web.pages import errors, home


@pytest.fixture
def ada(hub):
    return person(hub, "ada", full_name="Ada L.")


@pytest.fixture
def client(hub):
    return visitor(hub)


def card(*tags, value="1.0 +/- 0.5"):
    result = (
        "model-index: [{name: x, results: [{task: {type: rl}, dataset: {name: e, type: e}, "
        f"metrics: [{{type: mean_reward, value: {value}}}]}}]}}]"
    )
    return {"README.md": f"---\ntags: [{', '.join(tags)}]\n{result}\n---\n"}


def names(answer):
    """The repositories of a list, in its order."""
    return [re.sub(r"<[^>]+>", "", row) for row in re.findall(r"<h3><a href=\"[^\"]+\">(.*?)</a>", answer.text)]


# The first page


def test_the_first_page_says_how_to_connect(client):
    page = client.get("/").text
    assert "export HF_ENDPOINT=http://testserver" in page
    assert "Nothing here yet" in page


def test_the_first_page_shows_what_changed_last(ada, client):
    for number in range(10):
        repository(ada, f"agent-{number}", {"a": "x"})
    repository(ada, "episodes", {"a": "x"}, kind="dataset")
    answer = client.get("/")
    assert names(answer) == [f"ada/agent-{number}" for number in range(9, 1, -1)] + ["ada/episodes"]


def test_the_first_page_greets_by_name(hub, ada):
    assert "hf upload ada/my-agent" in visitor(hub, ada).get("/").text


# Lists


def test_a_list_shows_tags_and_claims(ada, client):
    repository(ada, "agent", card("CartPole-v1", "sb3", value="490.50 +/- 12.00"))
    page = client.get("/models").text
    assert '<span class="tag">CartPole-v1</span>' in page
    assert "<strong>490.50 ± 12.00</strong> <span>claimed mean reward</span>" in page


def test_a_search_finds_words_in_names_and_marks_them(ada, client):
    repository(ada, "dqn-Pong")
    repository(ada, "ppo-Pong")
    answer = client.get("/models?search=DQN+pong")
    assert names(answer) == ["ada/dqn-Pong"]
    assert "<mark>dqn</mark>-<mark>Pong</mark>" in answer.text


def test_tags_narrow_a_list_down_and_can_be_taken_back(ada, client):
    repository(ada, "one", card("CartPole-v1", "sb3"))
    repository(ada, "two", card("CartPole-v1"))
    answer = client.get("/models?filter=CartPole-v1&filter=sb3")
    assert names(answer) == ["ada/one"]
    assert 'href="/models?filter=sb3" title="Remove">CartPole-v1' in answer.text


def test_tags_of_what_is_listed_are_offered(ada, client):
    repository(ada, "one", card("CartPole-v1", "sb3"))
    page = unescape(client.get("/models?filter=sb3").text)
    assert 'href="/models?filter=sb3&filter=CartPole-v1">CartPole-v1' in page


def test_a_list_of_one_author(hub, ada, client):
    repository(ada, "one")
    repository(person(hub, "bob"), "two")
    answer = client.get("/models?author=ADA")
    assert names(answer) == ["ada/one"]
    assert 'href="/models" title="Remove">by ADA' in answer.text


@pytest.mark.parametrize(
    ("sort", "order"),
    [("", ["first", "second"]), ("created", ["second", "first"]), ("oldest", ["first", "second"])],
)
def test_a_list_can_be_ordered(ada, client, sort, order):
    repository(ada, "first")
    repository(ada, "second")
    first = repository(ada, "third")
    ada.delete(first)
    ada.commit(_find(ada, "first"), {"a": b"x"})
    assert names(client.get("/models", params={"sort": sort})) == [f"ada/{name}" for name in order]


def _find(ada, name):
    with ada.hub.database.read() as connection:
        return catalog.find(connection, ada.identity, "model", f"ada/{name}")


def test_a_long_list_has_pages(ada, client):
    for number in range(33):
        repository(ada, f"agent-{number:02}")
    first = client.get("/models?search=agent")
    address = unescape(re.search(r'rel="next" href="([^"]+)"', first.text).group(1))
    second = client.get(address)
    assert len(names(first)) == 30
    assert names(second) == ["ada/agent-02", "ada/agent-01", "ada/agent-00"]
    assert 'rel="next"' not in second.text
    assert 'href="/models?search=agent">First page' in second.text


@pytest.mark.parametrize("kind", ["models", "datasets", "spaces"])
def test_an_empty_list_says_so(client, kind):
    assert "Nobody has pushed one yet" in client.get(f"/{kind}").text
    assert "Try fewer words" in client.get(f"/{kind}?search=x").text


@pytest.mark.parametrize("query", ["search=a%00b", "filter=%00", "author=" + "x" * 201, "cursor=nonsense", "sort=%00"])
def test_questions_that_make_no_sense_are_refused(client, query):
    assert client.get(f"/models?{query}").status_code == 400


def test_a_question_is_text_and_never_markup(client):
    query = {"search": "<script>alert(1)</script>", "filter": '"><img src=x onerror=alert(1)>', "author": "<b>"}
    page = client.get("/models", params=query).text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "by <b>" not in page


def test_what_is_private_is_in_no_list_of_others(hub, ada):
    repository(ada, "secret", card("Hidden-v1"), private=True)
    stranger = visitor(hub, person(hub, "bob"))
    for page in ("/", "/models", "/models?search=secret", "/models?filter=Hidden-v1", "/ada"):
        assert names(stranger.get(page)) == []
    assert '<span class="tag">Hidden-v1</span>' not in stranger.get("/models?filter=Hidden-v1").text
    assert names(visitor(hub, ada).get("/models?search=secret")) == ["ada/secret"]


# Accounts


def test_a_persons_page_lists_what_is_theirs(ada, client):
    repository(ada, "agent")
    repository(ada, "episodes", kind="dataset")
    answer = client.get("/ADA")
    assert names(answer) == ["ada/agent", "ada/episodes"]
    assert "Ada L." in answer.text


def test_a_long_list_on_a_persons_page_leads_to_all_of_it(ada, client):
    for number in range(21):
        repository(ada, f"agent-{number}")
    assert 'href="/models?author=ada">All of them' in client.get("/ada").text


def test_ones_own_page_leads_to_the_settings(hub, ada):
    assert ">Settings</a></p>" in visitor(hub, ada).get("/ada").text
    assert ">Settings</a></p>" not in visitor(hub, person(hub, "bob")).get("/ada").text


def test_members_of_a_class_see_each_other_and_others_do_not(hub, ada):
    member(hub, "rl-2026", ada)
    bob = member(hub, "rl-2026", person(hub, "bob"), "read")
    assert "Ada L." in visitor(hub, bob).get("/rl-2026").text
    assert "Ada L." not in visitor(hub, person(hub, "eve")).get("/rl-2026").text
    assert "Ada L." not in visitor(hub).get("/rl-2026").text


def test_the_classes_of_a_person_show_to_its_members_only(hub, ada):
    member(hub, "rl-2026", ada)
    bob = member(hub, "rl-2026", person(hub, "bob"))
    assert "rl-2026" in visitor(hub, ada).get("/ada").text
    assert "rl-2026" in visitor(hub, bob).get("/ada").text
    assert "rl-2026" not in visitor(hub).get("/ada").text


def test_an_administrator_sees_every_class(hub, ada):
    member(hub, "rl-2026", ada)
    teacher = person(hub, "teacher", is_admin=True)
    answer = visitor(hub, teacher).get("/rl-2026")
    assert "Ada L." in answer.text
    assert '<span class="badge">Administrator</span>' in visitor(hub).get("/teacher").text


@pytest.mark.parametrize("name", ["nobody", "%00", "%FF", "%E2%80%AE"])
def test_nobodys_page_is_not_found(client, name):
    answer = client.get(f"/{name}")
    assert answer.status_code == 404
    assert "no user and no organisation" in answer.text


# Errors


@pytest.mark.parametrize("path", ["/nobody/nothing", "/a/b/c/d", "/static/nothing.css", "/datasets/a/b"])
def test_what_is_not_there_has_a_page(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text
    assert "Home page" in answer.text


def test_an_error_page_leads_to_signing_in_and_back(client):
    page = unescape(client.get("/ada/secret?x=1").text)
    assert 'href="/login?next=%2Fada%2Fsecret%3Fx%3D1"' in page


def test_an_error_page_knows_who_is_signed_in(hub, ada):
    page = visitor(hub, ada).get("/nobody/nothing").text
    assert "<span>ada</span>" in page
    assert "next=%2Fnobody" not in page


def test_a_page_takes_no_token(client):
    assert client.get("/models", headers={"Authorization": "Bearer hf_wrong"}).status_code == 200


def test_a_mistake_of_ours_has_a_page_and_tells_nothing(hub, monkeypatch):
    monkeypatch.setattr(home, "read_rows", lambda *_: 1 / 0)
    client = TestClient(app_module.create_app(hub), headers={"Accept": "text/html"}, raise_server_exceptions=False)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something broke" in answer.text
    assert "division" not in answer.text


def test_a_very_long_address_is_not_carried_along(client):
    page = client.get("/nobody/" + "x" * 3000).text
    assert 'href="/login"' in page


def test_programs_still_get_errors_as_data(hub):
    answer = TestClient(app_module.create_app(hub)).get("/api/models/ada/nothing")
    assert answer.headers["content-type"].startswith("application/json")


def test_every_title_of_an_error_is_of_one():
    known = {value.status for value in vars(all_errors).values() if hasattr(value, "status")} | {500}
    assert set(errors._TITLES) <= known


# Headers and static files


@pytest.mark.parametrize("path", ["/", "/models", "/login", "/nobody"])
def test_every_page_has_the_strict_policy(client, path):
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "private, no-cache"
    assert headers["vary"] == "Cookie"


@pytest.mark.parametrize("path", ["/", "/models", "/login", "/nobody"])
def test_no_page_has_anything_inline_or_from_elsewhere(client, path):
    page = client.get(path).text
    assert not re.search(r"<[^>]*\s(style|on\w+)=", page)
    assert re.findall(r"<script[^>]*>[^<]", page) == []
    assert "<style" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_static_files_are_cached_until_they_change(client):
    page = client.get("/").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/style.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/style.css").headers["content-type"].startswith("text/css")
    assert client.get("/static/hub.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["..%2F__init__.py", "%2Fetc%2Fpasswd", "base.html"])
def test_no_other_file_is_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404
