"""A real little OpenID provider, served on this machine: code flow with PKCE, userinfo, and faults on demand."""

import base64
import contextlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route

from hub_server import served

CLIENT_ID, CLIENT_SECRET = "classroom", "the secret of the classroom"


def new_key(kid="first"):
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)


def _signed_with_hmac(secret, header, claims):
    """By hand: the libraries know better than to do this."""
    parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", **header}, claims)]
    signature = hmac.digest(secret, ".".join(parts).encode(), "sha256")
    return ".".join([*parts, _encoded(signature)])


def _encoded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class OpenIdProvider:
    """A provider and whoever is signed in to it.

    Attributes:
        key: What it signs with.
        who: The claims about the person at the browser.
        in_userinfo: Those that only the userinfo endpoint tells.
        fault: What goes wrong; a key of `_FAULTS`, or what the endpoints look for.
        issuer: Its address, once it is served.
        asked: The paths of all requests, in order.
        auth_methods: How a client may prove itself at the token endpoint.
    """

    key: RSAKey
    who: dict = field(default_factory=lambda: {"sub": "u-1", "preferred_username": "ada", "name": "Ada Lovelace"})
    in_userinfo: dict = field(default_factory=dict)
    fault: str = ""
    issuer: str = ""
    asked: list = field(default_factory=list)
    auth_methods: list = field(default_factory=lambda: ["client_secret_basic"])
    _codes: dict = field(default_factory=dict)

    @contextlib.contextmanager
    def serve(self):
        paths = {
            "/.well-known/openid-configuration": self._metadata,
            "/keys": self._keys,
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._userinfo,
        }
        routes = [Route(path, self._answering(answer), methods=["GET", "POST"]) for path, answer in paths.items()]
        with served(Starlette(routes=routes)) as self.issuer:
            yield self

    def consent(self, address) -> dict:
        """What the person's browser is sent back with: the query of the callback."""
        response = httpx2.get(address)
        assert response.status_code == 303, response.text
        return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}

    def _answering(self, answer):
        async def endpoint(request):
            self.asked.append(request.url.path)
            if self.fault == "down":
                return PlainTextResponse("maintenance", 503)
            if self.fault == "babble":
                return PlainTextResponse("<html>hello</html>")
            return answer(request.query_params, await request.form(), request.headers)

        return endpoint

    def _metadata(self, query, form, headers):
        found = {
            "issuer": "https://elsewhere.example" if self.fault == "calls itself by another name" else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": self.auth_methods,
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        if self.fault == "no token endpoint":
            del found["token_endpoint"]
        if self.fault == "script as an address":
            found["authorization_endpoint"] = "javascript:alert(1)"
        return JSONResponse(found)

    def _keys(self, query, form, headers):
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def _authorize(self, query, form, headers):
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert set(query["scope"].split()) >= {"openid", "profile"}
        back = {"state": query["state"]}
        if self.fault == "declined":
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self._codes[back["code"]] = dict(query)
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 303)

    def _token(self, query, form, headers):
        begun = self._codes.pop(form.get("code"), None)
        challenge = _encoded(sha256(form.get("code_verifier", "").encode()).digest())
        if begun is None or begun["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if begun["redirect_uri"] != form["redirect_uri"] or not self._is_client(form, headers):
            return JSONResponse({"error": "invalid_client"}, 401)
        answer = {"access_token": "the access token", "token_type": "Bearer", "id_token": self._id_token(begun)}
        if self.fault == "no ID token":
            del answer["id_token"]
        return JSONResponse(answer)

    def _is_client(self, form, headers):
        if self.auth_methods == ["client_secret_post"]:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        scheme, _, value = headers.get("authorization", "").partition(" ")
        name, _, secret = base64.b64decode(value).decode().partition(":")
        return scheme == "Basic" and (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)

    def _id_token(self, begun):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
            **self.who,
        }
        claims |= {
            "wrong nonce": {"nonce": "another"},
            "wrong audience": {"aud": "another-client"},
            "wrong audience, our azp": {"aud": ["another-client"], "azp": CLIENT_ID},
            "two audiences, another's azp": {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
            "other issuer": {"iss": "https://elsewhere.example"},
            "expired": {"iat": now - 7200, "exp": now - 3600},
            "from the future": {"iat": now + 7200, "exp": now + 9000},
            "wrong at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        }.get(self.fault, {})
        for name in ("nonce", "exp", "aud", "iss"):
            if self.fault == f"no {name}":
                del claims[name]
        return self._signed(claims)

    def _signed(self, claims):
        header = {"alg": "RS256", "kid": self.key.kid}
        if self.fault == "bad signature":
            return jwt.encode(header, claims, new_key(self.key.kid))
        if self.fault == "no signature":
            return jwt.encode({"alg": "none"}, claims, self.key, algorithms=["none"])
        if self.fault == "signed with the public key":
            return _signed_with_hmac(self.key.as_pem(private=False), {"kid": self.key.kid}, claims)
        if self.fault == "signed with the client's secret":
            return _signed_with_hmac(CLIENT_SECRET.encode(), {}, claims)
        return jwt.encode(header, claims, self.key)

    def _userinfo(self, query, form, headers):
        assert headers["authorization"] == "Bearer the access token"
        subject = "u-2" if self.fault == "userinfo of somebody else" else self.who["sub"]
        return JSONResponse({"sub": subject, **self.in_userinfo})
