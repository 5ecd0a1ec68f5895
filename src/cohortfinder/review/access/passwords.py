"""Passwords to hashes that cannot be turned back (Argon2id, RFC 9106, with the defaults of argon2-cffi)."""

from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cohortfinder.errors import InputError

LEAST, MOST = 12, 200
_DIFFERENT, _OWN = 6, 4
_HASHER = PasswordHasher()
# each takes 64 MiB and all processors: more at a time would be no faster, and could take all memory
_AT_A_TIME = BoundedSemaphore(2)
# What is verified for a login that nobody has, so that both take the same time. Of a random password that nobody knows;
# made here it would cost every night and every screening a tenth of a second.
OF_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$eK+o8wU/YBPvBWqwyzaqKg$PUfzgpR0nJ70fF4ZDtPGF7sstpz2hcVdz3BRlDhxb4w"


def hashed(password: str) -> str:
    """Return the hash of a new password. Raises InputError where it is too short or too long."""
    if not LEAST <= len(password) <= MOST:
        raise InputError(f"a password has {LEAST} to {MOST} characters; several words make a good one")
    return _HASHER.hash(password)


def is_guessed(password: str, login: str, name: str) -> bool:
    """Say whether a password holds who it is of, or so few letters that one needs no try to know it."""
    said = password.casefold()
    own = [part for part in (login.casefold(), *name.casefold().split()) if len(part) >= _OWN]
    return len(set(said)) < _DIFFERENT or any(part in said for part in own)


def fits(password_hash: str | None, password: str) -> bool:
    """Say whether a password is the right one; it takes as long where there is none to compare."""
    try:
        with _AT_A_TIME:
            _HASHER.verify(password_hash or OF_NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
