"""OpenID Connect: sending a browser to a provider, and learning from the provider who came back.

The code flow with PKCE, by Authlib. Nothing is asked before somebody signs in; what the provider publishes about
itself is kept for an hour.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from rl_leaderboard.errors import Forbidden, Unavailable

_SCOPE = "openid profile"
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_KEPT_SECONDS = 3600.0
_LEEWAY_SECONDS = 60
# Signatures that only the provider can make: never `none`, and never one by a secret that both sides know.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Departure:
    """A browser on its way to the provider.

    Attributes:
        address: Where it is sent.
        state: What the provider sends back with it.
        redirect_uri: Where the provider sends it.
        nonce: What the ID token has to repeat.
        code_verifier: What proves to the provider that the code is asked for by whoever began.
    """

    address: str
    state: str
    redirect_uri: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True)
class _Published:
    """What the provider says about itself, and its keys."""

    metadata: Mapping[str, Any]
    keys: KeySet
    until: float


class Provider:
    """An OpenID provider that knows this site as its client.

    Args:
        issuer: Its address.
        client_id: This site's name there.
        client_secret: This site's secret there; None for a public client.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str | None) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        # Reading the system's certificates takes longer than everything else here, so it is done once.
        self._certificates = httpx2.create_ssl_context()
        self._published: _Published | None = None

    async def depart(self, redirect_uri: str) -> Departure:
        """Begins a sign-in.

        Raises:
            Unavailable: If the provider does not answer, or not as a provider does.
        """
        state, nonce, code_verifier = generate_token(43), generate_token(43), generate_token(64)
        with _told():
            published = await self._publication()
            async with self._client(published.metadata, redirect_uri) as client:
                address, _ = client.create_authorization_url(
                    published.metadata["authorization_endpoint"],
                    state=state,
                    nonce=nonce,
                    code_verifier=code_verifier,
                )
        return Departure(address, state, redirect_uri, nonce, code_verifier)

    async def arrive(self, code: str, *, redirect_uri: str, nonce: str, code_verifier: str) -> Mapping[str, Any]:
        """What the provider says about whoever came back with a code.

        Raises:
            Forbidden: If it is not accepted: the provider refuses the code, or its answer does not hold.
            Unavailable: If the provider does not answer, or not as a provider does.
        """
        with _told():
            published = await self._publication()
            async with self._client(published.metadata, redirect_uri) as client:
                token = await client.fetch_token(
                    published.metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=code_verifier,
                )
                claims = await self._check(token, nonce)
                if "preferred_username" in claims or "userinfo_endpoint" not in published.metadata:
                    return claims
                return await self._complete(client, published.metadata, claims)

    async def _check(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The claims of the ID token: its signature, issuer, audience, time and nonce are as they have to be."""
        if not isinstance(token.get("id_token"), str):
            raise ValueError("There is no ID token in the answer.")
        options = {
            "iss": {"essential": True, "value": (await self._publication()).metadata["issuer"]},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        decoded = await self._decode(token["id_token"])
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(leeway=_LEEWAY_SECONDS)
        return dict(claims)

    async def _decode(self, id_token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=list(_ALGORITHMS), strict_check_header=False)
        try:
            return jwt.decode(id_token, (await self._publication()).keys, registry=registry)
        except JoseError:
            # The provider may have other keys since they were kept.
            self._published = None
            return jwt.decode(id_token, (await self._publication()).keys, registry=registry)

    async def _complete(
        self, client: AsyncOAuth2Client, metadata: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The claims with what the userinfo endpoint adds; it can take nothing back that is signed."""
        response = await client.get(self._endpoint(metadata, "userinfo_endpoint"))
        more = _document(response)
        # OpenID Connect Core, section 5.3.2: another subject's answer must not be used.
        if more.get("sub") != claims["sub"]:
            raise OAuthError("invalid_userinfo", "The userinfo endpoint speaks of somebody else.")
        return {**more, **claims}

    async def _publication(self) -> _Published:
        """What the provider publishes, at most an hour old."""
        if self._published is None or time.monotonic() > self._published.until:
            async with httpx2.AsyncClient(timeout=_TIMEOUT, verify=self._certificates) as client:
                metadata = _document(await client.get(f"{self.issuer}/.well-known/openid-configuration"))
                if str(metadata.get("issuer", "")).rstrip("/") != self.issuer:
                    raise ValueError("The provider at this address calls itself by another.")
                for name in _ENDPOINTS:
                    self._endpoint(metadata, name)
                keys: Any = _document(await client.get(metadata["jwks_uri"]))
            self._published = _Published(metadata, KeySet.import_key_set(keys), time.monotonic() + _KEPT_SECONDS)
        return self._published

    def _endpoint(self, metadata: Mapping[str, Any], name: str) -> str:
        """One of the provider's addresses: encrypted, if the provider's own is."""
        address = metadata.get(name)
        schemes = {"https"} if self.issuer.startswith("https:") else {"https", "http"}
        if not isinstance(address, str) or urlsplit(address).scheme not in schemes:
            raise ValueError(f"The provider publishes no {name} that can be used.")
        return address

    def _client(self, metadata: Mapping[str, Any], redirect_uri: str) -> AsyncOAuth2Client:
        # OpenID Connect Discovery, section 3: where nothing is said, it is client_secret_basic.
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_post = "client_secret_basic" not in methods and "client_secret_post" in methods
        method = "client_secret_post" if by_post else "client_secret_basic"
        return AsyncOAuth2Client(
            self._client_id,
            self._client_secret,
            token_endpoint_auth_method=method if self._client_secret else "none",
            scope=_SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT,
            verify=self._certificates,
        )


def _document(response: httpx2.Response) -> dict[str, Any]:
    response.raise_for_status()
    found = response.json()
    if not isinstance(found, dict):
        raise ValueError("The provider's answer is no JSON object.")
    return found


@contextmanager
def _told() -> Iterator[None]:
    """Says in a sentence what went wrong; the log has the reason, which may be the provider's own words."""
    try:
        yield
    except (OAuthError, JoseError) as error:
        _log.warning("A sign-in was refused.", extra={"reason": f"{type(error).__name__}: {error}"})
        raise Forbidden(
            "The sign-in service's answer does not hold, so nobody was signed in. Please start again."
        ) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError) as error:
        _log.warning("The sign-in service did not answer.", extra={"reason": f"{type(error).__name__}: {error}"})
        raise Unavailable("The sign-in service does not answer as it should. Please try again in a minute.") from error
