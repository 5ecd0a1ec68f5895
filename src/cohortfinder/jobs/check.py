"""The job `check`: is a trial file right, and does none of its rules hold for a patient about whom nothing is known?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from cohortfinder.engine.screening import screen
from cohortfinder.errors import Problem, TrialError
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.jobs.screened import expansion_warnings
from cohortfinder.model import Trial
from cohortfinder.settings import Settings
from cohortfinder.sql.environment import render
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.confined import confined
from cohortfinder.warehouse.tables import create_tables


@dataclass(frozen=True, slots=True)
class Checked:
    """A trial that is right, the site's files that it was read with, and what these lack."""

    trial: Trial
    inputs: Mapping[str, str]
    warnings: tuple[str, ...]


def check_trial(name: str, settings: Settings) -> Checked:
    """Parse and check a trial with the site's inputs, and return it.

    Raises TrialError with every problem and its line, InputError when there is no such trial, ConfigurationError when
    an input of the site is wrong.
    """
    terminology = read_terminology(settings)
    trial = read_trial(name, terminology, settings)
    problems = true_without_data(trial, terminology)
    if problems:
        raise TrialError(problems)
    return Checked(trial, terminology.inputs, expansion_warnings(terminology, settings))


def true_without_data(trial: Trial, terminology: Terminology) -> tuple[Problem, ...]:
    """Name the criteria that are decided for a patient without data, in any reading: silence must decide nothing."""
    trial = replace(trial, criteria=(*trial.criteria, *trial.other_readings))
    with duckdb.connect() as connection:
        confined(connection)
        create_tables(connection)
        connection.execute(render("warehouse/nobody.sql.jinja").text)
        screen(connection, trial, terminology, as_of=date.today(), loaded={}, everyone=True, horizon_years=0)
        rows = connection.execute(render("verdicts/decided.sql.jinja").text).fetchall()
    lines = {criterion.id: criterion.line for criterion in trial.criteria}
    return tuple(
        Problem(
            trial.source,
            lines[criterion],
            f"{criterion} is {verdict} for a patient without any data; let it be unknown",
        )
        for criterion, verdict in rows
    )
