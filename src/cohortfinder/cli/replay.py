"""The command `replay`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.jobs.replay import Replayed, replay


@click.command("replay")
@click.argument("run")
@common
def command(run: str, store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Evaluate a past run again from what it was made of, and prove that its list is the same.

    RUN is one of those that `cohortfinder rollback` tells. Status 65: a list differs, or what it was made of is not
    there any more.
    """
    found = replay(settings_of(config, store), run, log=progress)
    if as_json:
        print_json({**asdict(found), "exit_status": found.exit_status})
    else:
        _tell(found)
    return found.exit_status


def _tell(found: Replayed) -> None:
    for difference in found.differences:
        click.echo(difference)
    if not found.differences:
        click.echo(
            f"The lists of {', '.join(found.trials)} as of {found.index_date} are the same, byte for byte: "
            f"{found.files} files, {found.bytes:,} bytes, from {found.loads} loads."
        )
