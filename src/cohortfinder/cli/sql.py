"""The command `sql`."""

from pathlib import Path

import click

from cohortfinder.cli.options import as_of_option, common, index_date, settings_of
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.jobs.sql import trial_sql
from cohortfinder.jobs.status import status


@click.command("sql")
@click.argument("trial")
@click.argument("criterion", required=False)
@as_of_option
@common
def command(
    trial: str,
    criterion: str | None,
    as_of: str | None,
    store: Path | None,
    config: Path | None,
    as_json: bool,
    debug: bool,
) -> int:
    """Print the SQL that runs, with parameters as values; it can be pasted into the DuckDB shell of the store."""
    settings = settings_of(config, store)
    terminology = read_terminology()
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    loaded = {name: state.complete for name, state in status(settings.store).types.items()}
    click.echo(trial_sql(read, terminology, as_of=day, loaded=loaded, criterion=criterion), nl=False)
    return 0
