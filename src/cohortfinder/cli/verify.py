"""The command `verify`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json
from cohortfinder.cli.options import common, settings_of
from cohortfinder.errors import StoreError
from cohortfinder.jobs.review_store import review_store_problems
from cohortfinder.jobs.verify import verify


@click.command("verify")
@common
def command(store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Check that the store is what the last load left, and what people have said as it was written."""
    settings = settings_of(config, store)
    problems = (*verify(settings.store), *review_store_problems(settings))
    if as_json:
        print_json({"problems": problems})
    if problems:
        raise StoreError("; ".join(problems))
    if not as_json:
        click.echo("The store is what the last load left.")
    return 0
