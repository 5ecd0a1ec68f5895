"""The command `compact`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.jobs.compact import compact


@click.command("compact")
@common
def command(store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Merge the loads that no kept list needs one by one into one, of each resource the version that holds."""
    settings = settings_of(config, store)
    done = compact(
        settings.store, memory_limit=settings.memory_limit, threads=settings.threads, log=progress
    )  # fmt: skip
    if as_json:
        print_json(asdict(done) if done else {"loads": 0})
    elif done is None:
        click.echo("There was nothing to merge: each load is needed by a list that is kept, or was merged already.")
    else:
        gone = done.resources_before - done.resources
        click.echo(
            f"Merged {done.loads} loads: {gone} of {done.resources_before} landed resources were superseded or deleted;"
            f" {done.bytes_before / 1e6:,.1f} MB became {done.bytes / 1e6:,.1f} MB."
        )
    return 0
