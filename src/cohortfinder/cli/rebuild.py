"""The command `rebuild`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.jobs.verify import rebuild


@click.command("rebuild")
@common
def command(store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Make the tables anew from the landing files, and put a damaged warehouse aside."""
    settings = settings_of(config, store)
    done = rebuild(
        settings.store, memory_limit=settings.memory_limit, threads=settings.threads, log=progress
    )  # fmt: skip
    if as_json:
        print_json({**asdict(done), "damaged": str(done.damaged) if done.damaged else None})
        return 0
    click.echo(f"The tables are made anew: {done.rows} rows.")
    if done.damaged:
        click.echo(f"The damaged warehouse is in {done.damaged}; remove it when you no longer need it.")
    return 0
