"""The command `rollback`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, print_table
from cohortfinder.cli.options import common, settings_of
from cohortfinder.jobs.rollback import published_lists, rollback


@click.command("rollback")
@click.argument("run", required=False)
@common
def command(run: str | None, store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Return to an earlier published list. Without RUN, tell which are kept."""
    folder = settings_of(config, store).store
    holds = rollback(folder, run) if run else None
    lists = published_lists(folder)
    if as_json:
        print_json({"lists": [asdict(one) for one in lists]})
        return 0
    if holds:
        click.echo(f"The list of {holds.run_id}, as of {holds.index_date}, holds.")
    rows = [
        (one.run_id, one.index_date, ", ".join(one.trials), one.rows, "this one holds" if one.holds else "")
        for one in lists
    ]
    print_table(("run", "as of", "trials", "rows", ""), rows)
    return 0
