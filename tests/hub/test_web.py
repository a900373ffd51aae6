"""What holds for every request: addresses, bodies, errors, headers, logs, health."""

import json
import logging
import stat

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.testclient import TestClient

from hub_accounts import token_for
from rl_hub.errors import BadRequest, RevisionNotFound
from rl_hub.web import app as web_app
from rl_hub.web.answers import answer, file_answer
from rl_hub.web.app import create_app
from rl_hub.web.headers import PAGE_POLICY
from rl_hub.web.routing import api, each_kind, page


@pytest.fixture
def asked(hub, monkeypatch):
    """A Hub with routes of the test's own."""

    def start(*routes, **options):
        monkeypatch.setattr(web_app, "_ROUTES", routes)
        return TestClient(create_app(hub), **options)

    return start


def echo(call):
    return answer(dict(call.params))


def refuse(error):
    def endpoint(_call):
        raise error

    return endpoint


def test_an_encoded_slash_belongs_to_its_part_of_the_path(asked):
    client = asked(api("/{name:part}/tree/{revision:part}/{path:rest}", echo))
    parts = client.get("/a%20b/tree/feat%2Fx/one/two%2Fthree").json()
    assert parts == {"name": "a b", "revision": "feat/x", "path": "one/two/three"}


@pytest.mark.parametrize(("prefix", "kind"), [("", "model"), ("/datasets", "dataset"), ("/spaces", "space")])
def test_the_prefix_says_which_kind_is_meant(asked, prefix, kind):
    client = asked(*each_kind("/raw", api, echo))
    assert client.get(f"{prefix}/owner/name/raw").json() == {"owner": "owner", "name": "name", "kind": kind}


def test_an_error_carries_its_sentence_and_its_code(asked):
    answered = asked(api("/x", refuse(RevisionNotFound("No branch\nx.")))).get("/x")
    assert (answered.status_code, answered.headers["X-Error-Code"]) == (404, "RevisionNotFound")
    assert answered.headers["X-Error-Message"] == "No branch x."
    assert answered.json() == {"error": "No branch\nx."}


def test_a_sentence_that_no_header_can_hold_stands_in_the_body(asked):
    client = asked(api("/x", refuse(RevisionNotFound("No branch ÿ."))))
    assert client.get("/x").json() == {"error": "No branch ÿ."}
    assert "X-Error-Message" not in client.get("/x").headers
    assert client.head("/x").headers["X-Error-Message"] == "No branch ?."


def test_who_asks_for_plain_text_gets_the_sentence_alone(asked):
    client = asked(api("/x", refuse(BadRequest("Not so."))))
    assert client.get("/x", headers={"Accept": "text/plain"}).text == "Not so."


def test_a_person_gets_a_page(asked):
    answered = asked(page("/x", refuse(BadRequest("Not <b>so</b>.")))).get("/x", headers={"Accept": "text/html"})
    assert answered.status_code == 400
    assert "Not &lt;b&gt;so&lt;/b&gt;." in answered.text


def test_an_unknown_address_is_an_error_like_others(client):
    assert client.get("/api/nothing/at/all").json() == {"error": "There is nothing at this address."}


def test_a_wrong_method_is_an_error_like_others(client):
    answered = client.post("/healthz")
    assert (answered.status_code, answered.json()) == (405, {"error": "POST is not possible here."})


def test_a_mistake_of_ours_is_answered_like_other_errors_and_logged(asked, caplog):
    answered = asked(api("/x", refuse(ZeroDivisionError("secret")))).get("/x")
    assert answered.status_code == 500
    assert "secret" not in answered.text
    assert answered.headers["Content-Security-Policy"] == PAGE_POLICY
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_a_control_character_in_a_sentence_is_kept_out_of_the_header(asked):
    client = asked(api("/x", refuse(BadRequest("A \x01 tag."))))
    assert client.get("/x").json() == {"error": "A \x01 tag."}
    assert client.head("/x").headers["X-Error-Message"] == "A ? tag."


def test_a_page_does_not_take_a_token_for_a_session(asked, hub):
    token = token_for(hub, "ada")
    client = asked(
        page("/page", lambda call: answer(call.identity.name)), api("/api", lambda call: answer(call.identity.name))
    )
    headers = {"Authorization": f"Bearer {token}"}
    assert (client.get("/page", headers=headers).json(), client.get("/api", headers=headers).json()) == ("", "ada")


def test_a_body_that_stops_arriving_is_given_up(asked, monkeypatch):
    monkeypatch.setattr("rl_hub.web.streams._PATIENCE_SECONDS", 0.01)

    async def stop():
        await anyio.sleep_forever()

    async def send(_message):
        sent.append(_message)

    sent = []
    app = asked(api("/x", lambda _: Response(), ["POST"])).app
    scope = {"type": "http", "method": "POST", "path": "/x", "raw_path": b"/x", "query_string": b"", "headers": []}
    anyio.run(app, scope, stop, send)
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    ("asked_range", "status"),
    [("bytes=1-2", 206), ("bytes=-2", 206), ("bytes=9-", 416), ("lines=1-2", 200), ("bytes=0-0,2-3", 200)],
)
def test_one_range_of_bytes_is_served(asked, tmp_path, asked_range, status):
    (tmp_path / "file").write_bytes(b"hello")
    client = asked(api("/x", lambda _: file_answer(tmp_path / "file", etag="e", media_type="text/plain", headers={})))
    assert client.get("/x", headers={"Range": asked_range}).status_code == status


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"a": NaN}', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(asked, body):
    answered = asked(api("/x", lambda call: answer(call.json()), ["POST"])).post("/x", content=body)
    assert answered.status_code == 400
    assert "JSON" in answered.json()["error"]


def test_a_form_is_read_with_all_its_values(asked):
    client = asked(api("/x", lambda call: answer(call.form()), ["POST"]))
    assert client.post("/x", content=b"a=1&a=2&b=").json() == {"a": ["1", "2"], "b": [""]}
    assert client.post("/x", content="a=ü".encode()).status_code == 400


def test_a_long_body_is_refused(asked):
    client = asked(api("/x", lambda _: Response(), ["POST"], max_body=10))
    assert client.post("/x", content=b"0" * 11).status_code == 413
    assert client.post("/x", content=iter([b"0" * 6, b"0" * 6])).status_code == 413
    assert client.post("/x", content=b"0" * 10).status_code == 200


def test_a_compressed_body_is_refused(asked):
    client = asked(api("/x", lambda _: Response(), ["POST"]))
    answered = client.post("/x", content=b"x", headers={"Content-Encoding": "gzip"})
    assert answered.status_code == 415


def test_a_length_that_is_no_number_is_refused(asked):
    client = asked(api("/x", lambda _: Response(), ["POST"]))
    assert client.post("/x", content=b"x", headers={"Content-Length": "-1"}).status_code == 400


@pytest.mark.parametrize("address", ["/", "/healthz", "/api/models", "/nobody/nothing"])
def test_every_answer_is_protected(client, address):
    headers = client.get(address).headers
    assert headers["Content-Security-Policy"] == PAGE_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("authorization", ["Bearer hf_unknown", "Bearer", "Basic !", "Basic aGY=", "Digest x"])
def test_an_unknown_token_is_refused_even_where_none_is_needed(client, authorization):
    answered = client.get("/api/models", headers={"Authorization": authorization})
    assert answered.status_code == 401
    assert "not known here" in answered.json()["error"]


def test_a_request_is_logged_without_its_query_and_its_headers(client, caplog):
    with caplog.at_level(logging.INFO, "rl_hub.requests"):
        answered = client.get("/healthz?signature=not-for-logs", headers={"Authorization": "Bearer hf_secret"})
    record = caplog.records[-1]
    assert (record.method, record.path, record.status) == ("GET", "/healthz", 401)
    assert record.request == answered.headers["X-Request-Id"]
    assert "not-for-logs" not in json.dumps(vars(record), default=str)
    assert "hf_secret" not in json.dumps(vars(record), default=str)


def test_a_healthy_hub_says_so(client):
    assert client.get("/healthz").json() == {"healthy": True, "database": True, "disk": True}


def test_a_hub_without_room_is_not_healthy(client, monkeypatch):
    monkeypatch.setattr("rl_hub.web.health._LITTLE_BYTES", 2**80)
    assert client.get("/healthz").status_code == 503


def test_the_hub_works_under_a_prefix(hub):
    hub_app = create_app(hub)
    outer = Starlette(routes=[Mount("/hub", hub_app)])
    client = TestClient(outer)
    assert client.get("/hub/healthz").status_code == 200
    home = client.get("/hub/")
    assert home.status_code == 200
    assert 'href="/hub/' in home.text


def test_the_secret_is_made_once_and_for_its_owner_alone(hub):
    path = hub.settings.data / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert type(hub).open(hub.settings).secret == hub.secret
