"""The command `screen`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.listing import print_screening, screening_summary
from cohortfinder.cli.options import answers_of, answers_option, as_of_option, common, index_date, settings_of
from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.report.html import IN_FULL


@click.command("screen")
@click.argument("trial")
@click.option("--out", type=click.Path(path_type=Path), help="The folder for the outputs.")
@click.option("--all", "everyone", is_flag=True, help="Evaluate every living patient in every arm.")
@answers_option
@as_of_option
@common
def command(
    trial: str, out: Path | None, everyone: bool, answers_file: Path | None, as_of: str | None, store: Path | None,
    config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Evaluate a trial (a file, or the id of one that ships) and rank the patients."""
    settings = settings_of(config, store)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    result = screen_store(
        read, terminology, settings, as_of=day, out=out, everyone=everyone, in_full=IN_FULL,
        answers=answers_of(answers_file, read), log=progress,
    )  # fmt: skip
    if as_json:
        print_json(screening_summary(result, out))
    else:
        print_screening(result)
    return result.exit_status
