"""The command `nightly`."""

from pathlib import Path

import click

from cohortfinder.cli.console import print_json, print_table, progress
from cohortfinder.cli.logs import LOGS
from cohortfinder.cli.options import as_of_option, common, index_date, settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.night.guards import NAMED, WHOLE
from cohortfinder.jobs.night.under_way import NightOptions
from cohortfinder.jobs.nightly import nightly
from cohortfinder.runs.record import RunRecord


@click.command("nightly")
@click.option("--no-pull", is_flag=True, help="Screen what the store holds, though a server is configured.")
@click.option(
    "--accept", multiple=True, metavar="CODE",
    help="Publish in spite of what a night has refused under this code; can be repeated.",
)  # fmt: skip
@as_of_option
@common
def command(
    no_pull: bool, accept: tuple[str, ...], as_of: str | None, store: Path | None, config: Path | None, as_json: bool,
    debug: bool,
) -> int:  # fmt: skip
    """Pull, screen every configured trial, compare with the last list, and publish.

    What would mislead is not published: the list that holds stays, and a code is told with which it can be accepted.
    """
    settings = settings_of(config, store)
    day = index_date(as_of, time_zone=settings.time_zone or "UTC") if as_of else None
    for code in accept:
        _check(code)
    record = nightly(settings, NightOptions(day, not no_pull, accept), log=progress, begun=LOGS.of_run)
    if as_json:
        print_json(record.summary())
    else:
        print_run(record)
    return record.exit_status or 0


def _check(code: str) -> None:
    name, _, about = code.partition(":")
    if code not in WHOLE and (name not in NAMED or not about):
        known = ", ".join((*WHOLE, *(f"{one}:NAME" for one in NAMED)))
        raise UsageError(f"--accept {code}: there is no such code; known are {known}")


def print_run(record: RunRecord) -> None:
    """Print the record of a run: what came of it, its steps, its trials, and what stands against it."""
    click.echo(f"Run {record.run_id}: {record.state}. {record.message or ''}".rstrip())
    rows = [(one.name, one.state, f"{one.seconds:.1f}" if one.seconds is not None else "") for one in record.steps]
    print_table(("step", "state", "seconds"), rows)
    columns = ("eligible", "possible", "excluded", "new", "left", "moved")
    if record.trials:
        print_table(
            ("trial", *columns), [(trial, *(told.get(one) for one in columns)) for trial, told in record.trials.items()]
        )
    for warning in record.warnings:
        click.echo(f"Warning: {warning}")
    for one in record.refusals:
        click.echo(f"Refused: {one.message}")
        click.echo(f"  --accept {one.code}: {one.accept}.")
