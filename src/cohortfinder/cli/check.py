"""The command `check`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import settings_of
from cohortfinder.errors import TrialError
from cohortfinder.jobs.check import Checked, check_trial


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
    for warning in checked.warnings:
        progress(f"warning: {warning}")
    if as_json:
        print_json(_summary(checked))
    else:
        _tell(checked)
    return 0


def _summary(checked: Checked) -> dict[str, object]:
    trial = checked.trial
    computed = sum(criterion.computed for criterion in trial.criteria)
    told = {"site_inputs": checked.inputs, "warnings": checked.warnings}
    return {"trial": trial.id, "criteria": len(trial.criteria), "with_rule": computed, "problems": [], **told}


def _tell(checked: Checked) -> None:
    trial = checked.trial
    computed = sum(criterion.computed for criterion in trial.criteria)
    click.echo(f"{trial.id} is right: {len(trial.criteria)} criteria, {computed} with a rule.")
    for name, digest in checked.inputs.items():
        click.echo(f"read with {name} (sha256 {digest[:12]})")
