"""What to do next: the tests that would settle most of a candidate's open criteria, and most of all candidates'."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cohortfinder.engine.unknowns import depth_of
from cohortfinder.model import Trial
from cohortfinder.ranking.candidates import Connection, run
from cohortfinder.terminology import Terminology
from cohortfinder.terminology.efforts import Effort

# of how many people a test tells whom it serves best
_WHOM = 25


@dataclass(frozen=True, slots=True)
class Step:
    """A test for a candidate: it `settles` criteria whatever it says, others it `may_settle` by one of its answers.

    `ends` is the chance that one of them fails then, or that all which data can tell is known; `passes` the chance
    that all is known and passes.
    """

    effort: Effort
    settles: tuple[str, ...]
    may_settle: tuple[str, ...]
    ends: float
    passes: float


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do next for a candidate, what ends most for the effort first, and what no test settles alone."""

    steps: tuple[Step, ...] = ()
    unsettled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClinicStep:
    """A test for all the `people` for whom it settles something, who are `candidates` by patient and arm.

    `ends` of them are expected to have their answer then, and `passes` to pass. `criteria` tells what it settles how
    often, `whom` the places in the list of those whose question it ends most likely. `by_person`: it is what only a
    person must judge.
    """

    effort: Effort
    by_person: bool
    whom: tuple[int, ...]
    people: int
    candidates: int
    ends: float
    passes: float
    criteria: str

    @property
    def per_hour(self) -> float:
        """How many questions an hour of work is expected to end."""
        return 60 * self.ends / (self.people * self.effort.minutes)


@dataclass(frozen=True, slots=True)
class NextSteps:
    """The steps of each (patient, arm) who is not excluded, and those for the clinic, what ends most first."""

    of: Mapping[tuple[str, str], Steps] = field(default_factory=lambda: MappingProxyType({}))
    clinic: tuple[ClinicStep, ...] = ()


def find_steps(connection: Connection, trial: Trial, terminology: Terminology) -> None:
    """Create the TEMP table `next_step` from those of the engine and `rank`."""
    efforts = terminology.efforts
    run(
        connection,
        "ranking/concept_test.sql.jinja",
        concepts=[*efforts],
        tests=[one.test for one in efforts.values()],
        labels=[one.label for one in efforts.values()],
        works=[one.work for one in efforts.values()],
        minutes=[one.minutes for one in efforts.values()],
    )
    run(connection, "quality/settled.sql.jinja", by="test", depth=depth_of(trial))
    run(connection, "ranking/next_step.sql.jinja")


def read_steps(connection: Connection) -> NextSteps:
    """Return what `find_steps` found."""
    tests = {row[0]: Effort(*row) for row in run(connection, "ranking/effort_rows.sql.jinja").fetchall()}
    steps: dict[tuple[str, str], list[Step]] = {}
    unsettled: dict[tuple[str, str], tuple[str, ...]] = {}
    rows = run(connection, "ranking/next_step_rows.sql.jinja").fetchall()
    for patient, arm, _, test, settles, may_settle, ends, passes in rows:
        if test is None:
            unsettled[patient, arm] = tuple(settles)
        else:
            one = Step(tests[test], tuple(settles), tuple(may_settle), ends, passes)
            steps.setdefault((patient, arm), []).append(one)
    of = {place: Steps(tuple(steps.get(place, ())), unsettled.get(place, ())) for place in steps.keys() | unsettled}
    return NextSteps(of, _clinic(connection, tests))


def _clinic(connection: Connection, tests: Mapping[str, Effort]) -> tuple[ClinicStep, ...]:
    rows = run(connection, "ranking/clinic_step_rows.sql.jinja", first=_WHOM).fetchall()
    return tuple(ClinicStep(tests[test], judged, tuple(whom), *row) for test, judged, whom, *row in rows)
