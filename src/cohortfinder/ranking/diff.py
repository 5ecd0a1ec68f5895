"""Two runs to what moved between them and why, by queries/diff: each cause proved by what both runs have stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from cohortfinder.ranking.candidates import Connection, run

# in the order in which they are told
CAUSES = (
    "death", "gate", "merge", "answer", "new_result", "corrected_or_deleted", "incomplete_load", "trial", "mapping",
    "time", "program", "unexplained",
)  # fmt: skip
FILES = {
    "candidate": "proof/candidates.parquet", "people": "proof/people.parquet", "record": "proof/records.parquet",
    "verdict": "verdicts.parquet",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a patient moved; `criterion_id` is None where it is the patient as a whole."""

    cause: str
    detail: str | None = None
    criterion_id: str | None = None
    verdict_before: str | None = None
    verdict_after: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A patient who entered the list of an arm, left it, or has another status or verdict in it."""

    move: str
    patient_id: str
    arm: str
    status_before: str | None
    status_after: str | None
    causes: tuple[Cause, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run: its folder, and the content of its run.json."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def proof(self) -> Mapping[str, Any]:
        """The hashes of what it was made with."""
        found: Mapping[str, Any] = self.record["proof"]
        return found


def compare(connection: Connection, old: RunRecord, new: RunRecord) -> tuple[Move, ...]:
    """Return what moved from one run to the other, with its causes."""
    for side, one in (("old", old), ("new", new)):
        for table, file in FILES.items():
            run(connection, "diff/read_run.sql.jinja", table=f"{side}_{table}", path=str(one.folder / file))
    entries = {**old.proof["entries"], **new.proof["entries"]}
    run(connection, "diff/turned.sql.jinja")
    run(connection, "diff/move.sql.jinja")
    run(connection, "diff/point.sql.jinja", arms=[*entries], entries=[*entries.values()])
    # the hashes of one version of DuckDB are not those of another one
    same_hashes = old.record["duckdb"] == new.record["duckdb"]
    run(connection, "diff/record_change.sql.jinja", same_hashes=same_hashes)
    run(connection, "diff/cause.sql.jinja", same_hashes=same_hashes, **_changes(old, new))
    rows = run(connection, "diff/move_rows.sql.jinja").fetchall()
    return tuple(_moves(rows))


def _changes(old: RunRecord, new: RunRecord) -> dict[str, Any]:
    """Return what changed beside the data, as the query of the causes asks for it."""
    before, after = old.proof["criteria"], new.proof["criteria"]
    known = {**before, **after}
    missing = {side: _incomplete(one) for side, one in (("before", old), ("after", new))}
    return {
        "changed_criteria": _different({name: one["sha256"] for name, one in before.items()}, _hashes(after)),
        "changed_concepts": _different(old.proof["concepts"], new.proof["concepts"]),
        "shared_mappings_changed": bool(_different(old.proof["mappings"], new.proof["mappings"])),
        **_pairs("concept_criteria", "concepts", known, "concepts"),
        **_pairs("type_criteria", "types", known, "types"),
        "incomplete_before": sorted(missing["before"] | _only(new, old)),
        "incomplete_after": sorted(missing["after"] | _only(old, new)),
        "incomplete_once": sorted((missing["before"] ^ missing["after"]) | _only(old, new) | _only(new, old)),
        "as_of": new.record["as_of"],
        "later": old.record["as_of"] != new.record["as_of"],
        "other_program": old.record["cohortfinder"] != new.record["cohortfinder"],
    }


def _hashes(criteria: Mapping[str, Any]) -> dict[str, str]:
    return {name: one["sha256"] for name, one in criteria.items()}


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _pairs(first: str, second: str, criteria: Mapping[str, Any], what: str) -> dict[str, list[str]]:
    rows = [(name, each) for name, one in criteria.items() for each in one[what]]
    return {first: [name for name, _ in rows], second: [each for _, each in rows]}


def _incomplete(one: RunRecord) -> set[str]:
    return {kind for kind, whole in one.proof["types"].items() if not whole}


def _only(there: RunRecord, not_there: RunRecord) -> set[str]:
    """Return the types that only one run knows."""
    return {*there.proof["types"]} - {*not_there.proof["types"]}


def _moves(rows: list[tuple[Any, ...]]) -> Iterator[Move]:
    for (move, patient, arm, before, after), group in groupby(rows, key=lambda row: row[:5]):
        causes = [_cause(*row[5:]) for row in group if row[8] is not None]
        told = tuple(sorted(causes, key=lambda one: CAUSES.index(one.cause)))
        yield Move(move, patient, arm, before, after, told)


def _cause(criterion: str | None, before: str | None, after: str | None, cause: str, detail: str | None) -> Cause:
    return Cause(cause, detail, criterion, before, after)
