"""What a data team could mend: what was unusable or unmapped, which concepts patients have, what would settle most."""

from dataclasses import dataclass
from datetime import date

from cohortfinder.engine.unknowns import depth_of
from cohortfinder.model import Trial
from cohortfinder.ranking.candidates import Connection, run


@dataclass(frozen=True, slots=True)
class QualityRow:
    """What could not be used and why, with one example resource; `text` is what an unmapped code is called there."""

    kind: str
    concept: str | None
    system: str | None
    code: str | None
    unit: str | None
    reason: str
    count: int
    patients: int | None
    example: str | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """A concept among the listed patients of an arm: how many have it, how many days old the newest usable record is.

    `kind` is result, or the domain of a clinical concept.
    `within` is the narrowest time in which a criterion asks for it (None: at any time) and `in_time` how many have it
    there. `units` and `reasons` are counts of records, most frequent first: "mg/dL 120; umol/L 3".
    """

    arm: str
    kind: str
    concept: str
    label: str
    listed: int
    patients: int
    usable: int
    within: str | None
    in_time: int
    newest_q1: int | None
    newest_median: int | None
    newest_q3: int | None
    newest_oldest: int | None
    units: str | None
    unusable: int
    reasons: str | None


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """What unknown verdicts hang on: a concept, or an unmapped code whose text says one.

    `settles` verdicts are unknown because of it alone, `may_settle` would be known if it said the one thing and not the
    other, `unknown` is in how many it takes part; each counts patient, arm and criterion. `in_play` are those of the
    `patients` who are not excluded in the arm.
    """

    kind: str
    concept: str
    label: str
    system: str | None
    code: str | None
    text: str | None
    settles: int
    may_settle: int
    unknown: int
    patients: int
    in_play: int
    criteria: str | None
    reasons: str | None


def count_codes(connection: Connection) -> None:
    """Create the TEMP table `seen_code` from the typed tables."""
    run(connection, "quality/seen_code.sql.jinja")


def assess(connection: Connection, trial: Trial, as_of: date, *, counted: bool = False) -> None:
    """Create the TEMP tables `data_quality`, `concept_coverage` and `unknown` from those of the engine and `rank`.

    `counted`: the codes are, by `count_codes` or by the parts of a run.
    """
    if not counted:
        count_codes(connection)
    run(connection, "quality/unmapped_code.sql.jinja")
    run(connection, "quality/data_quality.sql.jinja")
    run(connection, "quality/concept_coverage.sql.jinja", as_of=as_of)
    run(connection, "quality/settled.sql.jinja", by="concept", depth=depth_of(trial))
    run(connection, "quality/carrier.sql.jinja")
    run(connection, "quality/carried.sql.jinja")
    run(connection, "quality/unknown.sql.jinja")


def read_quality(connection: Connection) -> tuple[QualityRow, ...]:
    """Return what could not be used, what costs most first."""
    rows = run(connection, "quality/data_quality_rows.sql.jinja").fetchall()
    return tuple(QualityRow(*row) for row in rows)


def read_coverage(connection: Connection, trial: Trial) -> tuple[CoverageRow, ...]:
    """Return how well the listed patients of each arm are covered, what fewest have first."""
    arms = tuple(arm.id for arm in trial.arms)
    rows = run(connection, "quality/concept_coverage_rows.sql.jinja", arms=arms).fetchall()
    return tuple(CoverageRow(*row) for row in rows)


def read_unknowns(connection: Connection) -> tuple[UnknownRow, ...]:
    """Return what the unknown verdicts hang on, what would settle most first."""
    rows = run(connection, "quality/unknown_rows.sql.jinja").fetchall()
    return tuple(UnknownRow(*row) for row in rows)
