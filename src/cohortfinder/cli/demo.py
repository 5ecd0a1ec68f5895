"""The command `demo`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.listing import print_screening, screening_summary
from cohortfinder.cli.options import common
from cohortfinder.jobs.demo import FOLDER, demo


@click.command("demo")
@common
def command(store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Screen the invented sample patients for NCT06983964: no configuration, no network."""
    folder = store or FOLDER
    result = demo(folder, log=progress)
    if as_json:
        print_json(screening_summary(result, folder / "out"))
    else:
        print_screening(result)
    return result.exit_status
