"""Links that show one patient to a colleague without an account: by token and passcode, for some days."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import choice, token_urlsafe

from sqlalchemy import Connection, RowMapping, insert, select, update

from cohortfinder.review.access.passwords import fits, hashed
from cohortfinder.review.store.tables import SHARE

# wrong passcodes after which a link holds no more, whatever time it had
FAILURES = 10
_BYTES, _LETTERS, _GROUPS = 32, 4, 3
# without what is read as something else: 0 O 1 I L, and what makes words
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True)
class Share:
    """A link to one patient. `identified` says that it shows who it is."""

    id: int
    passcode_hash: str
    trial: str
    patient_id: str
    identified: bool
    account_id: int
    at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    failures: int
    openings: int

    def holds(self, at: datetime) -> bool:
        """Say whether it can still be opened."""
        return self.revoked_at is None and at < self.expires_at and self.failures < FAILURES


def add_share(
    connection: Connection, trial: str, patient_id: str, *, identified: bool, account_id: int, at: datetime,
    expires_at: datetime,
) -> tuple[str, str]:  # fmt: skip
    """Make a link, and return its token and passcode, of which only hashes are kept."""
    token = token_urlsafe(_BYTES)
    passcode = "-".join("".join(choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(_GROUPS))
    connection.execute(
        insert(SHARE).values(
            token_hash=token_hash(token), passcode_hash=hashed(passcode), trial=trial, patient_id=patient_id,
            identified=identified, account_id=account_id, at=at, expires_at=expires_at, failures=0, openings=0,
        )
    )  # fmt: skip
    return token, passcode


def share_of(connection: Connection, token: str) -> Share | None:
    """Return the link of a token, None where there is none."""
    row = connection.execute(select(SHARE).where(SHARE.c.token_hash == token_hash(token))).mappings().one_or_none()
    return None if row is None else _share(row)


def shares_of(connection: Connection, trial: str, patient_id: str) -> tuple[Share, ...]:
    """Return the links to a patient, the newest first."""
    asked = select(SHARE).where(SHARE.c.trial == trial, SHARE.c.patient_id == patient_id).order_by(SHARE.c.id.desc())
    return tuple(_share(row) for row in connection.execute(asked).mappings())


def passcode_fits(share: Share | None, passcode: str) -> bool:
    """Say whether a passcode opens a link; it takes as long where there is none."""
    written = passcode.strip().upper().replace(" ", "-")
    return fits(share.passcode_hash if share else None, written)


def note_opening(connection: Connection, share: Share) -> None:
    """Count that it was opened."""
    connection.execute(update(SHARE).where(SHARE.c.id == share.id).values(openings=SHARE.c.openings + 1))


def note_failure(connection: Connection, share: Share) -> None:
    """Count a wrong passcode."""
    connection.execute(update(SHARE).where(SHARE.c.id == share.id).values(failures=SHARE.c.failures + 1))


def revoke_share(connection: Connection, trial: str, patient_id: str, share_id: int, at: datetime) -> bool:
    """End a link to a patient; say whether there was one that held."""
    done = connection.execute(
        update(SHARE)
        .where(SHARE.c.id == share_id, SHARE.c.trial == trial, SHARE.c.patient_id == patient_id)
        .where(SHARE.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return done.rowcount == 1


def token_hash(token: str) -> str:
    """Return how a token is kept."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _share(row: RowMapping) -> Share:
    given = {str(name): value for name, value in row.items() if name != "token_hash"}
    return Share(**given)
