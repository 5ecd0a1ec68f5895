"""The command `check`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json
from cohortfinder.cli.options import settings_of
from cohortfinder.errors import TrialError
from cohortfinder.jobs.check import check_trial


@click.command("check")
@click.argument("trial")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(trial: str, config: Path | None, as_json: bool, debug: bool) -> int:
    """Say whether a trial file is right, with file, line and the nearest valid word.

    TRIAL is a file, or the id of one that ships.
    """
    try:
        checked = check_trial(trial, settings_of(config, None))
    except TrialError as error:
        if as_json:
            print_json({"trial": trial, "problems": [asdict(problem) for problem in error.problems]})
        raise
    computed = sum(criterion.computed for criterion in checked.criteria)
    if as_json:
        print_json({"trial": checked.id, "criteria": len(checked.criteria), "with_rule": computed, "problems": []})
    else:
        click.echo(f"{checked.id} is right: {len(checked.criteria)} criteria, {computed} with a rule.")
    return 0
