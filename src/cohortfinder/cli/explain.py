"""The command `explain`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import as_of_option, common, index_date, settings_of
from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.report.csv_files import verdict_cells
from cohortfinder.report.explain import explain_text


@click.command("explain")
@click.argument("trial")
@click.argument("patient")
@as_of_option
@common
def command(
    trial: str, patient: str, as_of: str | None, store: Path | None, config: Path | None, as_json: bool, debug: bool
) -> int:
    """Show every criterion of one patient with its evidence."""
    settings = settings_of(config, store)
    terminology = read_terminology()
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    result = screen_store(read, terminology, settings, as_of=day, log=progress)
    if as_json:
        print_json([verdict_cells(row) for row in result.screening.verdicts if row.patient_id == patient])
    else:
        click.echo(explain_text(result.screening, patient))
    return result.exit_status
