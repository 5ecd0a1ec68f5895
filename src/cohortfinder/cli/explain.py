"""The command `explain`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import answers_of, answers_option, as_of_option, common, index_date, settings_of
from cohortfinder.jobs.explain import explain_patient
from cohortfinder.jobs.screen import read_terminology, read_trial


@click.command("explain")
@click.argument("trial")
@click.argument("patient")
@answers_option
@as_of_option
@common
def command(
    trial: str, patient: str, answers_file: Path | None, as_of: str | None, store: Path | None, config: Path | None,
    as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Show every criterion of one patient with its evidence, or why the patient is not listed.

    For each arm of which the patient is no candidate it tells the smallest set of facts that would have to change.

    TRIAL is a file, or the id of one that ships. PATIENT is Patient.id, as in candidates.csv.
    """
    settings = settings_of(config, store)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    explanation, exit_status = explain_patient(
        read, terminology, settings, patient=patient, as_of=day, answers=answers_of(answers_file, read), log=progress
    )
    if as_json:
        print_json({**explanation.summary(), "exit_status": exit_status})
    else:
        click.echo(explanation.text())
    return exit_status
