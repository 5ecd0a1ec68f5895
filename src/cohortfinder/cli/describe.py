"""The command `describe`."""

from pathlib import Path

import click

from cohortfinder.cli.options import settings_of
from cohortfinder.jobs.screen import concept_labels, read_terminology, read_trial
from cohortfinder.trials.description import describe_trial


@click.command("describe")
@click.argument("trial")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(trial: str, config: Path | None, debug: bool) -> int:
    """Tell a trial in plain English, and what of it is computed."""
    terminology = read_terminology()
    read = read_trial(trial, terminology, settings_of(config, None))
    click.echo(describe_trial(read, concept_labels(terminology)), nl=False)
    return 0
