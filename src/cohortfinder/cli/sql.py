"""The command `sql`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json
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
    """Print the SQL that runs, with parameters as values; it can be pasted into the DuckDB shell of the store.

    TRIAL is a file, or the id of one that ships. CRITERION is an id of it; without one, all are printed.
    """
    settings = settings_of(config, store)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    loaded = {name: state.complete for name, state in status(settings.store).types.items()}
    script = trial_sql(read, terminology, as_of=day, loaded=loaded, criterion=criterion)
    if as_json:
        print_json({"trial": read.id, "as_of": str(day), **script.summary()})
    else:
        click.echo(script.text(), nl=False)
    return 0
