"""The job `keys`: make the key pair with which the program says who asks, and change it without a night's gap."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from cohortfinder.connection import OAuthAccess
from cohortfinder.errors import InputError
from cohortfinder.fhir.keys import SigningKey, new_key, private_jwks, public_jwks, read_keys
from cohortfinder.report.files import replacing, write_private
from cohortfinder.secret import Secret
from cohortfinder.settings import Settings

DEFAULT_PRIVATE = Path("private.jwks")
# of a rotation: the new one and the one before
_KEPT = 2


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Where the keys are, their names, the one that is used first in front."""

    private: Path
    public: Path
    kids: tuple[str, ...]


def private_file(settings: Settings) -> Path:
    """Return the file that the configuration names for the private key."""
    access = settings.fhir.access if settings.fhir else None
    named = access.secret.file if isinstance(access, OAuthAccess) and access.signs else None
    return named or DEFAULT_PRIVATE


def generate_keys(private: Path, public: Path, algorithm: str, *, now: datetime) -> KeyPair:
    """Write a new private key, that only its owner may read, and its public half.

    Raises InputError when there is a private key already.
    """
    if private.exists():
        raise InputError(f"{private} is there already and stays as it is; to change the key: cohortfinder keys rotate")
    return _written(private, public, [new_key(algorithm, _new_kid(now))])


def rotate_keys(private: Path, public: Path, *, now: datetime) -> KeyPair:
    """Put a new key before the one in use, and leave out older ones.

    Both public halves are to be given to the server's team; until it knows the new one, the old one is used.
    Raises InputError when there is no key, ConfigurationError when the file is not as it should be.
    """
    if not private.is_file():
        raise InputError(f"{private} is not there; to make a key: cohortfinder keys generate")
    text = Secret(file=private, place="--private").read()
    if not text.startswith("{"):
        raise InputError(f"{private} is no JWKS; make one beside it: cohortfinder keys generate --private NEW.jwks")
    held = read_keys(text, place=str(private))
    return _written(private, public, [new_key(held[0].algorithm, _new_kid(now)), *held][:_KEPT])


def _new_kid(now: datetime) -> str:
    return f"{now:%Y-%m-%d}-{token_hex(4)}"


def _written(private: Path, public: Path, keys: list[SigningKey]) -> KeyPair:
    write_private(private, private_jwks(keys))
    public.parent.mkdir(parents=True, exist_ok=True)
    with replacing(public) as temporary:
        temporary.write_text(public_jwks(keys), encoding="utf-8")
    return KeyPair(private, public, tuple(key.kid for key in keys))
