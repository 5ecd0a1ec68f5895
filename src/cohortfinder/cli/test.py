"""The command `test`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import settings_of
from cohortfinder.errors import TrialError
from cohortfinder.jobs.test import CaseResult, Difference, run_cases


@click.command("test")
@click.argument("trial")
@click.option("--cases", type=click.Path(path_type=Path), help="The case file; default cases/ beside the trial.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(trial: str, cases: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Screen the invented patients that stand beside a trial, and compare with the verdicts that they expect.

    TRIAL is a file, or the id of one that ships. The status is 4 when a verdict differs.
    """
    try:
        result = run_cases(trial, settings_of(config, None), cases=cases, log=progress)
    except TrialError as error:
        if as_json:
            print_json({"trial": trial, "problems": [asdict(problem) for problem in error.problems]})
        raise
    if as_json:
        print_json(_summary(result))
    else:
        _print(result)
    return result.exit_status


def _summary(result: CaseResult) -> dict[str, Any]:
    return {
        "trial": result.trial.id, "cases": result.cases.source, "as_of": str(result.cases.as_of),
        "patients": len(result.cases.patients), "compared": result.compared,
        "differences": [asdict(one) for one in result.differences], "not_tested": result.untested,
        "problems": [], "exit_status": result.exit_status,
    }  # fmt: skip


def _print(result: CaseResult) -> None:
    for one in result.differences:
        click.echo(_line(one))
    for criterion, verdicts in result.untested.items():
        click.echo(f"not tested: {criterion}: {', '.join(verdicts)}")
    wrong = len(result.differences)
    outcome = f"{wrong} differ{'s' if wrong == 1 else ''}" if wrong else "all as expected"
    patients = f"{len(result.cases.patients)} patient{'' if len(result.cases.patients) == 1 else 's'}"
    click.echo(f"{result.trial.id} as of {result.cases.as_of}: {patients}, {result.compared} compared, {outcome}.")


def _line(one: Difference) -> str:
    what = one.criterion or "status"
    aspect = f" {one.aspect}" if one.aspect not in ("verdict", "status") else ""
    why = f" {one.reason}" if one.reason else ""
    return (
        f"{one.file}:{one.line}: {one.patient} in {one.arm}, {what}{aspect}: expected {one.expected}, got {one.got}."
        f"{why} [{one.defined_at}]"
    )
