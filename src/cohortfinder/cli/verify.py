"""The command `verify`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json
from cohortfinder.cli.options import common, settings_of
from cohortfinder.errors import StoreError
from cohortfinder.jobs.verify import verify


@click.command("verify")
@common
def command(store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Check that the store is what the last load left."""
    problems = verify(settings_of(config, store).store)
    if as_json:
        print_json({"problems": problems})
    if problems:
        raise StoreError("; ".join(problems))
    if not as_json:
        click.echo("The store is what the last load left.")
    return 0
