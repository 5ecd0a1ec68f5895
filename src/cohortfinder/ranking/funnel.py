"""Verdicts to a funnel: whom each criterion takes away in its turn, in each arm and over all arms as people."""

from dataclasses import dataclass

from cohortfinder.model import Trial
from cohortfinder.ranking.candidates import Connection, run


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One criterion of an arm's funnel: who remains after it, whom it removed, who is unknown and remains.

    `certain` of those who remain pass all that data can tell up to here. `fails` are the listed who fail it, wherever
    they went, `fails_only` those who fail nothing else; at the entry criterion, who is not listed and None.
    """

    arm: str
    order: int
    criterion_id: str
    remaining: int
    removed: int
    unknown: int
    certain: int
    fails: int
    fails_only: int | None


@dataclass(frozen=True, slots=True)
class PeopleStep:
    """One criterion of the funnel of the whole trial, in which each person is one: gone is who has left every arm.

    The first step, whose `criterion_id` is None, removes who is listed in no arm. `arms` counts those in which the
    criterion holds. `fails_only` would be candidates but for this criterion alone. The others as in FunnelStep.
    """

    order: int
    criterion_id: str | None
    arms: int
    remaining: int
    removed: int
    unknown: int
    certain: int
    fails: int
    fails_only: int | None


def count_funnel(connection: Connection, trial: Trial) -> None:
    """Create the TEMP tables `funnel` and `funnel_people` from the engine's tables."""
    arms = tuple(arm.id for arm in trial.arms)
    entries = tuple(arm.entry for arm in trial.arms)
    run(connection, "ranking/funnel_step.sql.jinja", arms=arms, entries=entries)
    run(connection, "ranking/funnel_path.sql.jinja")
    run(connection, "ranking/funnel.sql.jinja")
    run(connection, "ranking/funnel_people.sql.jinja")


def read_funnel(connection: Connection, trial: Trial) -> tuple[FunnelStep, ...]:
    """Return the funnel of every arm, step by step."""
    arms = tuple(arm.id for arm in trial.arms)
    rows = run(connection, "ranking/funnel_rows.sql.jinja", arms=arms).fetchall()
    return tuple(FunnelStep(*row) for row in rows)


def read_funnel_people(connection: Connection) -> tuple[PeopleStep, ...]:
    """Return the funnel of the whole trial, step by step."""
    return tuple(PeopleStep(*row) for row in run(connection, "ranking/funnel_people_rows.sql.jinja").fetchall())
