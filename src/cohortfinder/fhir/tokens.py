"""Tokens of an authorization server: asked for with a secret or a signature, renewed in time, never stored."""

import base64
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock
from urllib.parse import quote, urlencode

from cohortfinder.address import is_local, origin, shown, split_address
from cohortfinder.connection import Connection, OAuthAccess
from cohortfinder.errors import ConfigurationError, ProtocolError, RefusedError
from cohortfinder.fhir.answers import Answer
from cohortfinder.fhir.asking import Asker
from cohortfinder.fhir.discovery import Discovered, discover
from cohortfinder.fhir.keys import SigningKey, read_keys
from cohortfinder.fhir.scopes import missing, scopes_for
from cohortfinder.fhir.transport import Request

_BEARER_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# of its life, after which a token is renewed before the server refuses it
_USED = 0.8
_DEFAULT_SECONDS = 300.0
# Epic's endpoint answers 400 now and then to a client that it knows
_TRIES_OF_A_KNOWN_CLIENT = 3
_LONGEST = 200
_OPAQUE = re.compile(r"[A-Za-z0-9_\-.]{32,}")
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_HINTS = {
    "invalid_client": "check the client id, and that the authorization server knows its secret or public key",
    "invalid_scope": "ask for all of these scopes to be allowed, or name those that are under [fhir]",
    "unauthorized_client": "ask for client_credentials to be allowed for this client",
    "unsupported_grant_type": "ask for client_credentials to be allowed for this client",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token, what it was granted for (None when that is not told), and when it is renewed."""

    headers: Mapping[str, str]
    granted: frozenset[str] | None
    renewed_at: float


class OAuthTokens:
    """The tokens of one client, shared by all threads."""

    def __init__(self, access: OAuthAccess, asker: Asker, connection: Connection, types: Collection[str]) -> None:
        self._access, self._asker, self._connection, self._types = access, asker, connection, types
        secret = access.secret.read()
        self._secret = "" if access.signs else secret
        self._keys = read_keys(secret, place=access.secret.place, kid=access.key_id) if access.signs else ()
        self._told: Discovered | None = None
        self._token: Token | None = None
        self._lock = Lock()

    @property
    def asked(self) -> tuple[str, ...]:
        """The scopes that are asked for."""
        if self._access.scopes:
            return self._access.scopes
        return scopes_for(self._types, self._discovered().capabilities)

    def headers(self) -> Mapping[str, str]:
        """Return the header of HTTP, with a token that is good for a while.

        Raises RefusedError when the server gives none or nothing that was asked for, ServerError when it fails.
        """
        token = self._current()
        if token.granted is not None and len(missing(self.asked, token.granted)) == len(self.asked):
            raise RefusedError(
                f"{self._server()} grants nothing of what was asked ({' '.join(self.asked)}); "
                f"ask for these scopes to be allowed for the client {self._access.client_id}"
            )
        return token.headers

    def renew(self, used: Mapping[str, str]) -> bool:
        """Get another token than the one that was refused."""
        with self._lock:
            if self._token is not None and self._token.headers == used:
                self._token = self._fetched(known=True)
            return True

    def granted(self) -> frozenset[str] | None:
        """Return the scopes of the token, None when the server does not tell them. Raises like `headers`."""
        return self._current().granted

    def _current(self) -> Token:
        with self._lock:
            if self._token is None or self._asker.patience.clock.monotonic() >= self._token.renewed_at:
                first = self._token is None
                self._token = self._fetched(known=not first)
                if first:
                    self._tell_missing(self._token)
            return self._token

    def _tell_missing(self, token: Token) -> None:
        if token.granted is None:
            self._asker.log(f"{self._server()} does not tell which scopes it granted")
        elif lacking := missing(self.asked, token.granted):
            self._asker.log(f"{self._server()} did not grant {' '.join(lacking)}; ask for them to be allowed")

    def _fetched(self, *, known: bool) -> Token:
        """Ask for a token, with each key until the server knows one: a new key may not have arrived there yet."""
        patience = self._asker.patience
        for attempt in range(1, _TRIES_OF_A_KNOWN_CLIENT + 1):
            for key in self._keys or (None,):
                began = patience.clock.monotonic()
                answer = self._asker.ask(self._request(key))
                if answer.status == 200:
                    return self._read(answer, began)
                if _error(answer)[0] != "invalid_client":
                    break
            last = attempt == _TRIES_OF_A_KNOWN_CLIENT or patience.tries == 1
            if not known or answer.status != 400 or last or not patience.wait(patience.backoff(attempt)):
                break
        raise self._refusal(answer)

    def _request(self, key: SigningKey | None) -> Request:
        headers, url = dict(_FORM), self._token_url()
        if key is None and not self._secret_in_body():
            pair = f"{quote(self._access.client_id, safe='')}:{quote(self._secret, safe='')}".encode()
            credentials = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
            return Request("POST", url, headers, partial(self._form, url, None), credentials)
        return Request("POST", url, headers, partial(self._form, url, key))

    def _form(self, url: str, key: SigningKey | None) -> bytes:
        """Return what is sent; a signature is made anew for each try, since it is good for one use."""
        form = {"grant_type": "client_credentials", "scope": " ".join(self.asked), **dict(self._access.parameters)}
        if key is not None:
            now = self._asker.patience.clock.now()
            form["client_assertion_type"] = _BEARER_ASSERTION
            form["client_assertion"] = key.assertion(self._access.client_id, url, now=now)
        elif self._secret_in_body():
            form |= {"client_id": self._access.client_id, "client_secret": self._secret}
        return urlencode(form).encode()

    def _secret_in_body(self) -> bool:
        methods = self._discovered().methods
        return "client_secret_post" in methods and "client_secret_basic" not in methods

    def _discovered(self) -> Discovered:
        if self._told is None:
            self._told = discover(self._asker, self._connection.url)
        return self._told

    def _token_url(self) -> str:
        url = self._access.token_url or self._discovered().token_url
        if url is None:
            server = shown(self._connection.url)
            raise ConfigurationError(
                f"{server} does not tell where it gives tokens; write it as token_url under [fhir]"
            )
        if split_address(url).scheme == "http" and not is_local(url) and not self._connection.allow_http:
            raise ConfigurationError(
                f"{origin(url)} gives tokens over http, so that others could read them; ask for https"
            )
        return url

    def _server(self) -> str:
        return origin(self._token_url())

    def _read(self, answer: Answer, began: float) -> Token:
        held = answer.document if isinstance(answer.document, dict) else {}
        token, scope, seconds = held.get("access_token"), held.get("scope"), held.get("expires_in")
        if not isinstance(token, str) or not token.isprintable() or not token or " " in token:
            raise ProtocolError(f"{self._server()} answers the question for a token without one; check token_url")
        lasts = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else _DEFAULT_SECONDS
        granted = frozenset(scope.split()) if isinstance(scope, str) else None
        return Token({"Authorization": f"Bearer {token}"}, granted, began + _USED * lasts)

    def _refusal(self, answer: Answer) -> RefusedError | ProtocolError:
        name, described = _error(answer)
        if not name:
            return ProtocolError(f"{self._server()} gives no token ({answer.status}); check token_url")
        told = f"{answer.status}: {name}{described}"
        if name == "invalid_scope":
            told += f", asked for {' '.join(self.asked)}"
        hint = _HINTS.get(name, "ask who runs it what is wrong")
        return RefusedError(f"{self._server()} gives no token ({told}); {hint}", status=answer.status)


def _error(answer: Answer) -> tuple[str, str]:
    """Return the name of an error of OAuth and what is said of it, without anything that looks like a secret.

    Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    """
    held = answer.document if isinstance(answer.document, dict) else {}
    name, described = held.get("error"), held.get("error_description")
    words = _OPAQUE.sub("...", " ".join(str(described or "").split()))[:_LONGEST]
    return (name[:_LONGEST] if isinstance(name, str) else "", f", {words}" if words else "")
