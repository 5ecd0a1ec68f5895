"""The keys of SMART Backend Services: made, kept as JWKS, read from JWKS or PEM, and used to sign who asks."""

import json
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cohortfinder.errors import ConfigurationError

Key = ECKey | RSAKey

ALGORITHMS = ("ES384", "RS384")
# the most that the standard allows is 5 minutes; servers count from their own clock
LIFETIME_SECONDS = 240
_RSA_BITS = 3072
_LEAST_RSA_BITS = 2048
_CURVE = "P-384"
_KINDS: dict[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey}
_PUBLIC = {"use": "sig", "key_ops": ["verify"]}
_PRIVATE = {"key_ops": ["sign"]}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its name and its algorithm."""

    key: Key
    kid: str
    algorithm: str

    def assertion(self, client_id: str, audience: str, *, now: datetime) -> str:
        """Return the signed statement that this client asks, good for a few minutes and one use.

        Source: https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
        """
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        expires = int(now.timestamp()) + LIFETIME_SECONDS
        claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": expires, "jti": str(uuid4())}
        # joserfc.jwt does the same, and loads what encrypts as well
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=[self.algorithm])


def read_keys(text: str, *, place: str, kid: str | None = None) -> tuple[SigningKey, ...]:
    """Return the private keys of a JWKS, a JWK or a PEM file that can sign, the first to be used first.

    With `kid` only that one. Raises ConfigurationError saying what is wrong with them.
    """
    found = _pem_keys(text, kid, place) if text.lstrip().startswith("-----") else _jwks_keys(text, place)
    signing = [_signing(key, kid, place) for key in found if kid is None or key.kid in (None, kid)]
    if not signing:
        known = ", ".join(str(key.kid) for key in found)
        raise ConfigurationError(f"{place}: no key has the name {kid!r} of smart_key_id; known are {known}")
    return tuple(signing)


def new_key(algorithm: str, kid: str) -> SigningKey:
    """Make a key."""
    makers: dict[str, Callable[[], Key]] = {
        "ES384": lambda: ECKey.generate_key(_CURVE, {"kid": kid, "alg": "ES384"}),
        "RS384": lambda: RSAKey.generate_key(_RSA_BITS, {"kid": kid, "alg": "RS384"}),
    }
    return SigningKey(makers[algorithm](), kid, algorithm)


def private_jwks(keys: Iterable[SigningKey]) -> str:
    """Return keys as a JWKS that nobody else may see."""
    return _jwks({**one.key.as_dict(private=True), "alg": one.algorithm, "kid": one.kid, **_PRIVATE} for one in keys)


def public_jwks(keys: Iterable[SigningKey]) -> str:
    """Return the public halves of keys as a JWKS, to be given to the server's team."""
    return _jwks({**one.key.as_dict(private=False), "alg": one.algorithm, "kid": one.kid, **_PUBLIC} for one in keys)


def _jwks(keys: Iterable[dict[str, Any]]) -> str:
    return json.dumps({"keys": [*keys]}, indent=2) + "\n"


def _pem_keys(text: str, kid: str | None, place: str) -> list[Key]:
    if "ENCRYPTED" in text:
        raise ConfigurationError(f"{place}: the key has a passphrase; write it without: openssl pkey -in KEY -out NEW")
    for kind in _KINDS.values():
        with suppress(JoseError, ValueError, TypeError):
            return [_imported(kind, text)]
    raise ConfigurationError(f"{place}: the file holds no RSA or EC key in PEM")


def _jwks_keys(text: str, place: str) -> list[Key]:
    try:
        held = json.loads(text)
        given = held["keys"] if isinstance(held, dict) and "keys" in held else [held]
        keys = [_imported(_KINDS[one["kty"]], one) for one in given if one["kty"] in _KINDS]
    except (JoseError, ValueError, TypeError, KeyError):
        raise ConfigurationError(f"{place}: the file is neither a JWKS nor a key in PEM") from None
    if not keys:
        raise ConfigurationError(f"{place}: the file holds no RSA or EC key")
    return keys


def _imported(kind: type[Key], given: Any) -> Key:
    with warnings.catch_warnings():
        # of keys that are too short, which we refuse ourselves
        warnings.simplefilter("ignore")
        return kind.import_key(given)


def _signing(key: Key, kid: str | None, place: str) -> SigningKey:
    """Check that a key can sign, and return it with its name."""
    name = kid or key.kid
    if not key.is_private:
        raise ConfigurationError(f"{place}: the key is public; the private half belongs there")
    if not name:
        raise ConfigurationError(f"{place}: the key has no name (kid); give it as smart_key_id")
    algorithm = "ES384" if isinstance(key, ECKey) else "RS384"
    if isinstance(key, ECKey) and key.curve_name != _CURVE:
        raise ConfigurationError(f"{place}: the curve of the key is {key.curve_name}; it must be {_CURVE}")
    if isinstance(key, RSAKey) and key.raw_value.key_size < _LEAST_RSA_BITS:
        raise ConfigurationError(
            f"{place}: the RSA key has {key.raw_value.key_size} bits; {_LEAST_RSA_BITS} are needed"
        )
    if key.alg not in (None, algorithm):
        raise ConfigurationError(f"{place}: the key is for {key.alg}; SMART asks for {' or '.join(ALGORITHMS)}")
    return SigningKey(key, name, algorithm)
