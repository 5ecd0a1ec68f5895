"""The command `status`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, print_table
from cohortfinder.cli.options import common, settings_of
from cohortfinder.jobs.status import PullRow, status


@click.command("status")
@common
def command(store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Tell what is loaded, from when, and how complete it is."""
    found = status(settings_of(config, store).store)
    if as_json:
        print_json(asdict(found))
        return 0
    rows = [(name, state.resources, "yes" if state.complete else "no") for name, state in found.types.items()]
    print_table(("resource", "in the store", "complete"), rows)
    click.echo("")
    loads = [
        (one.load_id, one.started_at, one.resources, one.quarantined, "yes" if one.complete else "no")
        for one in found.loads
    ]
    print_table(("load", "started", "resources", "put aside", "complete"), loads)
    if found.pulls:
        click.echo("")
        print_table(("pulled", "from", "patients", "codes", "up to", "complete"), map(_pull_cells, found.pulls))
    return 0


def _pull_cells(pull: PullRow) -> tuple[object, ...]:
    codes = "all" if pull.codes is None else pull.codes
    return pull.resource_type, pull.server, pull.patients, codes, pull.up_to, "yes" if pull.complete else "no"
