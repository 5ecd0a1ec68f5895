"""The command `init`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json
from cohortfinder.jobs.init import write_configuration
from cohortfinder.settings import DEFAULT_FILE


@click.command("init")
@click.option("--config", type=click.Path(path_type=Path), default=DEFAULT_FILE, help="The file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(config: Path, as_json: bool, debug: bool) -> None:
    """Write a configuration with all that can be set, explained; one that is there stays as it is."""
    write_configuration(config)
    if as_json:
        print_json({"file": config})
    else:
        click.echo(f"{config}: remove the # before what you set, then run: cohortfinder doctor")
