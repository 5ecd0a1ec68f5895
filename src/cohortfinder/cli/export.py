"""The command `export`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import as_of_option, common, index_date, settings_of
from cohortfinder.jobs.export import Wanted, export_trial
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.report.suppression import SMALLEST


@click.command("export")
@click.argument("trial")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder that may leave the site.")
@click.option(
    "--key", type=click.Path(path_type=Path), required=True,
    help="The file of the key, made by `cohortfinder keys pseudonyms`; kept apart from --out.",
)  # fmt: skip
@click.option(
    "--below", type=click.IntRange(min=1), default=SMALLEST, show_default=True,
    help="Counts from 1 up to below this are withheld, with those that would give one away.",
)  # fmt: skip
@click.option(
    "--identification", type=click.Path(path_type=Path),
    help="A file for the site alone: which patient stands behind each pseudonym.",
)  # fmt: skip
@as_of_option
@common
def command(
    trial: str, out: Path, key: Path, below: int, identification: Path | None, as_of: str | None, store: Path | None,
    config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Screen, and write what may leave the site.

    That is the list and the screening log under pseudonyms, without a date or a text of a patient, and the counts
    without small numbers. Give the one or the other: whoever has the rows can count them.
    """
    settings = settings_of(config, store)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    wanted = Wanted(out, key, below, identification)
    files, exit_status = export_trial(read, terminology, settings, wanted, as_of=day, log=progress)
    if as_json:
        print_json({"trial": read.id, "as_of": str(day), "files": [str(file) for file in files], "below": below,
                    "exit_status": exit_status})  # fmt: skip
    else:
        click.echo("\n".join(str(file) for file in files))
    return exit_status
