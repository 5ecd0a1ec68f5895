"""The tables of the review store, one row for each thing that a person has said or done; what is said is never changed.

An answer or decision names the one before it (`previous_id`, 0 for none), and no two may name the same: of two people
who write at the same moment the database itself refuses the second, on SQLite as on PostgreSQL.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Moment(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write UTC; a moment without its zone is a mistake of ours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        said = value.astimezone(UTC)
        return said.replace(tzinfo=None) if dialect.name == "sqlite" else said

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _number() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _by() -> Column[int]:
    return Column("account_id", ForeignKey("account.id"), nullable=False)


def _at(name: str = "at") -> Column[datetime]:
    return Column(name, Moment, nullable=False)


# a person; `subject` is issuer and subject of an OpenID provider, `password_hash` that of a local account
ACCOUNT = Table(
    "account", METADATA, _number(),
    Column("login", String(200), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("email", String(320)),
    Column("password_hash", String(400)),
    Column("subject", String(600), unique=True),
    Column("administrator", Boolean, nullable=False, default=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("must_change", Boolean, nullable=False, default=False),
    Column("language", String(20)),
    _at("created_at"),
    Column("password_at", Moment),
)  # fmt: skip

# tries to sign in: what throttles and locks, for logins that exist and for those that do not
SIGN_IN = Table(
    "sign_in", METADATA, _number(),
    Column("login", String(200), nullable=False),
    Column("address", String(64), nullable=False),
    _at(),
    Column("succeeded", Boolean, nullable=False),
    Index(None, "login", "at"),
    Index(None, "address", "at"),
)  # fmt: skip

# what somebody is in a trial; nobody has a role by default
TRIAL_ROLE = Table(
    "trial_role", METADATA,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("trial", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
)  # fmt: skip

# a session, by the hash of its id: who reads this table cannot take one over
SESSION = Table(
    "session", METADATA,
    Column("id_hash", String(64), primary_key=True),
    _by(),
    Column("csrf", String(64), nullable=False),
    Column("way", String(20), nullable=False),
    _at("created_at"),
    _at("seen_at"),
)  # fmt: skip

# when somebody had the list of a trial open, by session: what is new since the last visit
VISIT = Table(
    "visit", METADATA,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("trial", String(100), primary_key=True),
    Column("session_hash", String(64), primary_key=True),
    _at("first_at"),
    _at("last_at"),
)  # fmt: skip

# on which published list a patient first stood
APPEARANCE = Table(
    "appearance", METADATA,
    Column("trial", String(100), primary_key=True),
    Column("patient_id", String(200), primary_key=True),
    Column("run_id", String(40), nullable=False),
    _at(),
)  # fmt: skip

# yes, no, not_sure or cleared to a criterion as the protocol writes it; arm '' is all arms in which it holds.
# run_id and verdict are the list and the verdict of ours that the person saw
ANSWER = Table(
    "answer", METADATA, _number(),
    Column("trial", String(100), nullable=False),
    Column("patient_id", String(200), nullable=False),
    Column("arm", String(100), nullable=False, default=""),
    Column("criterion_id", String(100), nullable=False),
    Column("word", String(20), nullable=False),
    Column("note", Text, nullable=False, default=""),
    _by(), _at(),
    Column("run_id", String(40), nullable=False),
    Column("verdict", String(20), nullable=False),
    # the codes of the records that the verdict rested on: a JSON array of system|code
    Column("codes", Text, nullable=False, default="[]"),
    Column("previous_id", Integer, nullable=False, default=0),
    UniqueConstraint("trial", "patient_id", "arm", "criterion_id", "previous_id", name="answer_follows"),
)  # fmt: skip

# a state of ResearchSubject for a patient in a trial, with the arm it is about where it is about one
DECISION = Table(
    "decision", METADATA, _number(),
    Column("trial", String(100), nullable=False),
    Column("patient_id", String(200), nullable=False),
    Column("arm", String(100), nullable=False, default=""),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    _by(), _at(),
    Column("run_id", String(40), nullable=False),
    Column("previous_id", Integer, nullable=False, default=0),
    UniqueConstraint("trial", "patient_id", "previous_id", name="decision_follows"),
)  # fmt: skip

NOTE = Table(
    "note", METADATA, _number(),
    Column("trial", String(100), nullable=False),
    Column("patient_id", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("private", Boolean, nullable=False, default=False),
    _by(), _at(),
    Column("withdrawn_at", Moment),
    Index(None, "trial", "patient_id"),
)  # fmt: skip

# what somebody tells the study team, about one patient or none
MESSAGE = Table(
    "message", METADATA, _number(),
    Column("trial", String(100), nullable=False),
    Column("patient_id", String(200)),
    Column("text", Text, nullable=False),
    _by(), _at(),
    Index(None, "trial", "at"),
)  # fmt: skip

# a link for a colleague without an account, by the hashes of its token and of its passcode
SHARE = Table(
    "share", METADATA, _number(),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("passcode_hash", String(400), nullable=False),
    Column("trial", String(100), nullable=False),
    Column("patient_id", String(200), nullable=False),
    Column("identified", Boolean, nullable=False, default=False),
    _by(), _at(), _at("expires_at"),
    Column("revoked_at", Moment),
    Column("failures", Integer, nullable=False, default=0),
    Column("openings", Integer, nullable=False, default=0),
)  # fmt: skip

SUBSCRIPTION = Table(
    "subscription", METADATA,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("trial", String(100), primary_key=True),
    Column("schedule", String(20), nullable=False),
    Column("told_at", Moment),
)  # fmt: skip

# who did what when; `candidate` is a keyed hash, so that a patient can be erased and the log stays whole
AUDIT = Table(
    "audit", METADATA, _number(),
    _at(),
    Column("account_id", Integer),
    Column("login", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("action", String(40), nullable=False),
    Column("trial", String(100), nullable=False),
    Column("candidate", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("request_id", String(40), nullable=False),
    # so that two entries cannot follow the same one
    Column("previous_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False),
)  # fmt: skip
