"""Signing in with the account of a site, through its OpenID provider: authorization code with PKCE, state and nonce.

Source: OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3.7; RFC 7636; RFC 9700.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from cohortfinder.address import is_local
from cohortfinder.errors import CohortFinderError, ConfigurationError, ProtocolError, RefusedError, ServerError
from cohortfinder.review.store.keys import Keys
from cohortfinder.review_settings import ReviewSettings

try:
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oauth2.rfc7636 import create_s256_code_challenge
    from httpx2 import HTTPError
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
except ModuleNotFoundError:  # pragma: no cover
    OAuth2Client = None

_SECONDS, _BYTES, _LEEWAY_SECONDS, _LASTS_SECONDS = 10, 32, 60, 600
# what a token may be signed with: nothing that needs a secret shared with others, and never nothing
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_SCOPE = "openid profile email"


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is at the provider; `subject` is its address and the name there, and never changes."""

    subject: str
    login: str
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun: where the browser goes, and what it keeps until it comes back."""

    address: str
    kept: str


@dataclass
class Provider:
    """The OpenID provider of a site. Every method raises an error of ours where it cannot be used."""

    settings: ReviewSettings
    keys: Keys
    _known: Mapping[str, Any] = field(default_factory=dict)

    def begin(self, back: str, at: datetime) -> Begun:
        """Begin a sign-in that comes back to an address of ours."""
        state, nonce, verifier = (token_urlsafe(_BYTES) for _ in range(3))
        with self._client(back) as client:
            address, _ = client.create_authorization_url(
                self._found()["authorization_endpoint"], state=state, nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256",
            )  # fmt: skip
        said = ".".join((state, nonce, verifier, str(int(at.timestamp()))))
        return Begun(address, f"{said}.{self.keys.mark('sign-in', said)}")

    def end(self, back: str, kept: str, answered: Mapping[str, str], at: datetime) -> Person:
        """Return who has signed in, of what the provider has sent back with the browser."""
        state, nonce, verifier = self._kept(kept, at)
        if "error" in answered or not hmac.compare_digest(state.encode(), answered.get("state", "").encode()):
            raise RefusedError("the OpenID provider has refused, or this is no answer to what was asked; sign in again")
        try:
            with self._client(back) as client:
                token = client.fetch_token(
                    self._found()["token_endpoint"], code=answered.get("code", ""), code_verifier=verifier,
                    grant_type="authorization_code",
                )  # fmt: skip
                claims = self._claims(client, str(token.get("id_token", "")), nonce, at)
                return self._person(claims, self._told(client, claims, str(token["access_token"])))
        except CohortFinderError:
            raise
        except HTTPError as error:
            raise self._away(error) from error
        except Exception as error:
            # authlib has an error for each way in which an answer can be none
            raise ProtocolError(f"the OpenID provider answers what is none ({type(error).__name__})") from error

    def _kept(self, kept: str, at: datetime) -> tuple[str, str, str]:
        said, _, mark = kept.rpartition(".")
        parts = said.split(".")
        whole = hmac.compare_digest(mark.encode(), self.keys.mark("sign-in", said).encode()) and len(parts) == 4
        if not whole or not 0 <= at.timestamp() - int(parts[3]) + 1 <= _LASTS_SECONDS:
            raise RefusedError("this sign-in was not begun here, or too long ago; sign in again")
        return parts[0], parts[1], parts[2]

    def _claims(self, client: Any, id_token: str, nonce: str, at: datetime) -> Mapping[str, Any]:
        """Return what the token says of the person, once all that is to be checked was."""
        try:
            keys = KeySet.import_key_set(self._json(client, self._found()["jwks_uri"]))
            claims = jwt.decode(id_token, keys, algorithms=_ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=lambda: int(at.timestamp()), leeway=_LEEWAY_SECONDS, iss={"essential": True, "value": self._issuer},
                sub={"essential": True}, exp={"essential": True}, iat={"essential": True},
                aud={"essential": True, "value": self.settings.oidc_client_id or ""},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)  # fmt: skip
        except (JoseError, ValueError) as error:
            raise RefusedError(f"the token of the OpenID provider does not hold ({type(error).__name__})") from error
        others = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if (len(others) > 1 or "azp" in claims) and claims.get("azp") != self.settings.oidc_client_id:
            raise RefusedError("the token of the OpenID provider is for another program")
        return claims

    def _told(self, client: Any, claims: Mapping[str, Any], token: str) -> Mapping[str, Any]:
        """Return what the provider tells beside the token: many put the name there alone."""
        address = self._found().get("userinfo_endpoint")
        if not address or "name" in claims:
            return {}
        # by hand: authlib uses no token of which less than a minute is left, and some providers give no more
        shown = {"authorization": f"Bearer {token}"}
        told = client.request("GET", address, withhold_token=True, headers=shown).raise_for_status().json()
        if not isinstance(told, dict) or told.get("sub") != claims["sub"]:
            raise RefusedError("the OpenID provider tells of another person than its token")
        return told

    def _person(self, claims: Mapping[str, Any], told: Mapping[str, Any]) -> Person:
        def text(name: str) -> str:
            value = claims.get(name, told.get(name))
            return value.strip()[:200] if isinstance(value, str) and value.isprintable() else ""

        login = text("preferred_username") or text("email") or text("sub")
        subject = f"{self._issuer} {claims['sub']}"
        if not login or len(subject) > 600:
            raise RefusedError("the OpenID provider gives no name under which somebody could be known")
        # an address that nobody has confirmed may be that of somebody else
        confirmed = claims.get("email_verified", told.get("email_verified")) is True
        return Person(subject, login, text("name") or login, (text("email") or None) if confirmed else None)

    def _found(self) -> Mapping[str, Any]:
        """Return where the provider is reached for what; it is asked once."""
        if not self._known:
            if not self._issuer.startswith("https://") and not is_local(self._issuer):
                raise ConfigurationError("[review] oidc_issuer: others could read along; write https://")
            try:
                with self._client("") as client:
                    found = self._json(client, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            except HTTPError as error:
                raise self._away(error) from error
            if found.get("issuer") != self._issuer:
                raise ConfigurationError(f"[review] oidc_issuer: the provider calls itself {found.get('issuer')!r}")
            self._known = found
        return self._known

    def _json(self, client: Any, address: str) -> Any:
        found = client.request("GET", address, withhold_token=True).raise_for_status().json()
        if not isinstance(found, dict):
            raise ProtocolError("the OpenID provider answers what is none")
        return found

    def _client(self, back: str) -> Any:
        if OAuth2Client is None:
            raise ConfigurationError("[review] oidc_issuer needs more programs; run: pip install 'cohortfinder[oidc]'")
        secret = self.settings.oidc_client_secret
        return OAuth2Client(
            self.settings.oidc_client_id, secret.read() if secret else None, scope=_SCOPE, redirect_uri=back,
            token_endpoint_auth_method="client_secret_basic" if secret else "none", timeout=_SECONDS,
            follow_redirects=False,
        )  # fmt: skip

    def _away(self, error: Exception) -> ServerError:
        return ServerError(
            f"the OpenID provider {self._issuer} cannot be used ({type(error).__name__}); try again later"
        )

    @property
    def _issuer(self) -> str:
        return self.settings.oidc_issuer or ""
