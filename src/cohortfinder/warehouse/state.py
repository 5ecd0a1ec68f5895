"""What the store holds: how many resources of each type, whether these are all, and up to when they were pulled."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from cohortfinder.landing.pulled import Pulled
from cohortfinder.sql.environment import render


@dataclass(frozen=True, slots=True)
class TypeState:
    """The resources of one type in the store.

    `complete` is False when some load of files was cut short, or the last pull was not complete. `codes`: only what has
    one of these codes was pulled; None when everything was, or all came from files.
    """

    resources: int
    complete: bool
    codes: tuple[str, ...] | None = None

    def without(self, asked: frozenset[str]) -> frozenset[str]:
        """Return which of some codes were not pulled."""
        return frozenset() if self.codes is None else asked - set(self.codes)


@dataclass(frozen=True, slots=True)
class TypePull:
    """The last pull of one resource type: the next one goes on from `watermark`, None when none was complete yet."""

    watermark: str | None
    codes: frozenset[str] | None
    complete: bool
    swept_at: str | None


# the server, the hash of the list of patients ("" for everyone), and the resource type
PullKey = tuple[str, str, str]


def loaded_types(connection: DuckDBPyConnection) -> dict[str, TypeState]:
    """Return the state of every resource type that is in the store, or was pulled and of which there was none."""
    rows = connection.execute(render("warehouse/loaded_types.sql.jinja").text).fetchall()
    return {
        name: TypeState(resources, complete, None if codes is None else tuple(sorted(codes)))
        for name, resources, complete, codes in rows
    }


def pulled_types(connection: DuckDBPyConnection) -> dict[PullKey, TypePull]:
    """Return the last pull of every type."""
    rows = connection.execute(render("warehouse/pulled_types.sql.jinja").text).fetchall()
    return {
        (server, patients, kind): TypePull(watermark, None if codes is None else frozenset(codes), complete, swept_at)
        for server, patients, kind, watermark, codes, complete, swept_at in rows
    }


def full_pulls(
    connection: DuckDBPyConnection, server: str, patients: str, mode: str, *, codes: frozenset[str] | None
) -> dict[str, int]:
    """Return how many resources of each type the last complete pull of everything brought, with the same codes."""
    asked = render("warehouse/full_pulls.sql.jinja", server=server, patients=patients, mode=mode)
    rows = connection.execute(asked.text, asked.parameters).fetchall()
    # only Observations are pulled by code; those of other codes cannot be compared
    return {kind: resources for kind, resources, own in rows if own is None or frozenset(own) == codes}


def pull_tokens(connection: DuckDBPyConnection) -> frozenset[str]:
    """Return the tokens of the pulls that are in the tables."""
    rows = connection.execute(render("warehouse/pull_tokens.sql.jinja").text).fetchall()
    return frozenset(token for (token,) in rows)


def note_pulled(connection: DuckDBPyConnection, load_id: str, pulled: Pulled) -> None:
    """Note what a pull has asked and up to when, in the transaction that notes its load."""
    for one in pulled.types:
        codes = None if one.codes is None else list(one.codes)
        note = render("warehouse/note_pulled_type.sql.jinja", load_id=load_id, pulled=pulled, one=one, codes=codes)
        connection.execute(note.text, note.parameters)
