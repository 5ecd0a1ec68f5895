"""Goes on from a kept evaluation: who is asked again, what of all others still holds, and what is kept for the next.

An evaluation is kept in a file of its own: for each patient the verdicts with what they rest on, the days on which they
change, and the first day on which any of it may be something else with no new data. The next one asks only those whose
day has come, of whom a record changed, or of whom people said something else; and of those for whom nothing but time
has passed, only the rules whose day has come. What comes out is what comes out of asking everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

import duckdb

from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.questions import values_of
from cohortfinder.engine.setting import Setting, Span, first_day
from cohortfinder.model import Answer, Outcome, Trial, leaves_of, rules_of

# of each patient; what is asked of those behind a gate as well has their rows, too
_TABLES = (
    "listing", "eligible_from", "verdict_turn", "status_turn", "stop", "told_turn", "turned_leaf", "open_verdict",
    "observed", "entry_record", "result_problem", "due",
)  # fmt: skip
# of all whose screening ended, be they asked again or not
_ASKED_OF_ALL = ("outcome", "truth_before")
# with what depends on the index date
_DATED = ("entry_truth", "turn", "verdict_today", "answered")
# read where they lie: they are many
_READ_THERE = ("listed_record", "concept_record", "unnamed_drug")
# whose rows tell of whom something else is known
_COMPARED = ("everybody", "individual", "gate", "said")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where an evaluation is taken up from and kept, None: not. `fingerprint`: of all that counts for every patient."""

    fingerprint: str
    take_up: Path | None = None
    keep: Path | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an evaluation looks ahead: up to `horizon`, in `years`; and `until` a day, in `weeks`, or not at all."""

    horizon: date
    years: int
    until: date | None
    weeks: int


class Carry:
    """What one evaluation takes from the one before, and notes for the next. Without `keeping` it does neither."""

    def __init__(self, engine: DuckDBEngine, keeping: Keeping | None, as_of: date, reach: Reach) -> None:
        self._engine, self._keeping, self._as_of, self._reach = engine, keeping, as_of, reach
        # the name of the attached file while it is read
        self.kept: str | None = None
        self._was: date | None = None
        # how many patients are asked again; None: everybody is
        self.asked: int | None = None
        if keeping is not None:
            engine.run_template("carry/due_table.sql.jinja")

    @property
    def on(self) -> bool:
        """Whether anything is carried over or kept."""
        return self._keeping is not None

    def narrow(self, answers: Sequence[Answer], outcomes: Sequence[Outcome]) -> None:
        """Leave in `person` and `individual` only whom to ask again; everybody, where nothing fitting was kept."""
        if self._keeping is None:
            return
        run = self._engine.run_template
        run("carry/said.sql.jinja", **_said(answers, outcomes))
        run("carry/copy.sql.jinja", table="every_individual", source="individual")
        if self._keeping.take_up is None or not self._attach(self._keeping.take_up):
            return
        run("carry/renewed.sql.jinja", kept=self.kept, as_of=self._as_of)
        ((self.asked,),) = self._engine.rows("carry/fresh.sql.jinja", kept=self.kept, as_of=self._as_of)
        for name in ("carried", "fresh_person", "fresh_individual"):
            run(f"carry/{name}.sql.jinja")

    def _attach(self, file: Path) -> bool:
        """Open the kept evaluation. Say whether it is one of the same trial, mappings and data, and no later one."""
        name = f"kept_{uuid4().hex}"
        try:
            self._engine.run_template("carry/attach.sql.jinja", file=file, kept=name)
            ((fingerprint, was),) = self._engine.rows("carry/mark.sql.jinja", kept=name)
        except duckdb.Error:
            # not there, damaged or never finished: everybody is asked
            return False
        assert self._keeping is not None
        if fingerprint != self._keeping.fingerprint or was > self._as_of:
            return False
        ((changes,),) = self._engine.rows("carry/unknown_changes.sql.jinja", kept=name)
        if changes:
            return False
        self.kept, self._was = name, was
        return True

    def spare(self) -> None:
        """Note what need not be asked of whom nothing but time has passed."""
        for table in ("standing", "told_before"):
            self._engine.run_template(f"verdicts/{table}_table.sql.jinja")
            if self.kept is not None:
                self._engine.run_template(f"carry/{table}.sql.jinja", kept=self.kept, as_of=self._as_of)

    def stand(self, trial: Trial, setting: Setting) -> None:
        """Put the kept verdicts of the rules that were spared beside those that were found."""
        if self.kept is None:
            return
        for table in ("open_verdict", "due"):
            self._engine.run_template("carry/stand.sql.jinja", table=table, kept=self.kept)
        self._carry_evidence(trial, setting, "standing")

    def follow_on(self) -> None:
        """Put the kept changes of the rules that were spared into `turn`, and whose are to be followed on into `watch`.

        Whether something fails for a patient in an arm says how far the changes of all rules of the arm are followed.
        """
        if self.kept is None:
            return
        run, until = self._engine.run_template, self._reach.until
        run("carry/was_in_play.sql.jinja", kept=self.kept)
        run("carry/stand_turn.sql.jinja", kept=self.kept, as_of=self._as_of, was=self._was, until=until)
        run("carry/watch_again.sql.jinja", until=until)

    def tell_again(self) -> None:
        """Put what was told of changes before beside what was found out of the others."""
        if self.kept is not None:
            self._engine.run_template("carry/stand_told.sql.jinja", kept=self.kept)

    def note(self, what: str, **values: object) -> None:
        """Note the days of `queries/carry/due_<what>`."""
        if self.on:
            self._engine.run_template(f"carry/due_{what}.sql.jinja", **values)

    def note_beyond(self) -> None:
        """Note what is watched and may change after the last day that is looked at."""
        self.note("beyond", horizon=self._reach.horizon, years=self._reach.years)

    def note_turns(self) -> None:
        """Note the changes that come too late to be told."""
        if self._reach.until is not None:
            self.note("turn", until=self._reach.until, days=7 * self._reach.weeks)

    def join(self, trial: Trial, setting: Setting) -> None:
        """Put what was kept of those who were not asked beside what was found of the others."""
        if self.kept is None:
            return
        run, kept = self._engine.run_template, self.kept
        for table in _ASKED_OF_ALL:
            run("carry/forget_carried.sql.jinja", table=table)
        for table in (*_TABLES, *_ASKED_OF_ALL):
            run("carry/carry.sql.jinja", table=table, kept=kept)
        run("carry/carry_truth.sql.jinja", kept=kept, as_of=self._as_of)
        run("carry/carry_turn.sql.jinja", kept=kept, as_of=self._as_of, was=self._was)
        self._carry_evidence(trial, setting, "carried")
        run("verdicts/first_change.sql.jinja", as_of=self._as_of)
        run("carry/listed_person.sql.jinja")
        run("carry/copy.sql.jinja", table="individual", source="every_individual")

    def _carry_evidence(self, trial: Trial, setting: Setting, those: str) -> None:
        starts = searched_from(trial, setting, self._as_of)
        for table in ("verdict_today", "answered"):
            self._engine.run_template(
                "carry/carry_evidence.sql.jinja", table=table, kept=self.kept, those=those,
                leaves=[*starts], starts=[*starts.values()],
            )  # fmt: skip

    def keep(self) -> None:
        """Write the file for the next evaluation."""
        if self._keeping is None or self._keeping.keep is None:
            return
        name, run = f"keep_{uuid4().hex}", self._engine.run_template
        run("carry/attach_new.sql.jinja", file=self._keeping.keep, kept=name)
        for table in (*_TABLES, *_ASKED_OF_ALL, *_DATED, *_READ_THERE, *_COMPARED):
            if table != "due":
                source = "every_individual" if table == "individual" else None
                run("carry/keep.sql.jinja", kept=name, table=table, source=source)
        run("carry/keep_due.sql.jinja", kept=name)
        run("carry/keep_loads.sql.jinja", kept=name)
        run("carry/keep_mark.sql.jinja", kept=name, fingerprint=self._keeping.fingerprint, as_of=self._as_of)
        run("carry/detach.sql.jinja", kept=name)


def searched_from(trial: Trial, setting: Setting, as_of: date) -> dict[str, str]:
    """Return for each leaf that searches results in a window the first day of it, as its evidence says it."""
    starts = {}
    for criterion in trial.criteria:
        for leaf in (leaf for rule in rules_of(criterion) for leaf in leaves_of(rule)):
            if leaf.kind in ("observation", "change", "series"):
                values = values_of(leaf, setting)
                asked: Span | None = values.get("ago")
                starts[leaf.id] = first_day(first_day(as_of, asked) if asked else as_of, values["span"]).isoformat()
    return starts


def _said(answers: Sequence[Answer], outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    # where it stands in its file says nothing
    given = [(one.patient_id, repr(replace(one, line=0))) for one in answers]
    given += [(one.patient_id, repr(replace(one, line=0))) for one in outcomes]
    return {"patients": [patient for patient, _ in given], "words": [words for _, words in given]}
