"""The command `whatif`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, print_table, progress
from cohortfinder.cli.options import answers_of, answers_option, as_of_option, common, index_date, settings_of
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.jobs.whatif import WhatIfResult, what_if
from cohortfinder.ranking.what_if import WhatIfCurve
from cohortfinder.report.csv_files import what_if_csv


@click.command("whatif")
@click.argument("trial")
@click.argument("criterion")
@click.option("--at", "values", multiple=True, metavar="VALUE", help="Try this value, as '60 days'; may be repeated.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows of whatif.csv.")
@answers_option
@as_of_option
@common
def command(
    trial: str, criterion: str, values: tuple[str, ...], as_csv: bool, answers_file: Path | None, as_of: str | None,
    store: Path | None, config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Tell how many candidates there would be with another number or span of time in a criterion.

    TRIAL is a file, or the id of one that ships. CRITERION is an id of it. Without --at, values around each number are
    tried.
    """
    settings = settings_of(config, store)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    result = what_if(
        read, terminology, settings, criterion=criterion, as_of=day, values=values,
        answers=answers_of(answers_file, read), log=progress,
    )  # fmt: skip
    if as_json:
        print_json(_summary(result))
    elif as_csv:
        click.echo(what_if_csv(result.curves).decode("utf-8"), nl=False)
    else:
        _print(result)
    return result.exit_status


def _summary(result: WhatIfResult) -> dict[str, object]:
    return {
        "trial": result.trial.id,
        "as_of": str(result.as_of),
        "criterion": result.criterion.id,
        "numbers": [asdict(curve) for curve in result.curves],
        "warnings": result.warnings,
        "exit_status": result.exit_status,
    }


def _print(result: WhatIfResult) -> None:
    click.echo(f"{result.trial.id} as of {result.as_of}, {result.criterion.id}: {result.criterion.text}")
    for warning in result.warnings:
        click.echo(f"Warning: {warning}")
    for curve in result.curves:
        click.echo(f"\n{curve.about}, {curve.word} ({curve.leaf}) in {curve.arm}")
        print_table(("value", "candidates", "more", "eligible", "possible", "pass", "unknown"), [*_rows(curve)])


def _rows(curve: WhatIfCurve) -> list[tuple[object, ...]]:
    return [
        (
            f"{point.value} (now)" if point.in_force else point.value,
            point.candidates,
            f"{point.more:+d}" if point.more else "0",
            point.eligible,
            point.possible,
            point.passes,
            point.unknown,
        )
        for point in curve.points
    ]
