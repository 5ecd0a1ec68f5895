"""The command `pull`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, print_table
from cohortfinder.cli.options import common, settings_of
from cohortfinder.cli.pull_progress import PullProgress
from cohortfinder.jobs.pull import Options, pull
from cohortfinder.jobs.pulling.outcome import PullSummary
from cohortfinder.jobs.pulling.wanted import read_patients


@click.command("pull")
@click.option("--full", is_flag=True, help="Everything, not only what has changed since the last pull.")
@click.option("--all-codes", is_flag=True, help="All Observations, not only those that the trials ask for.")
@click.option("--sweep", is_flag=True, help="Make sure now what is still there, where the server tells no deletions.")
@click.option(
    "--bulk/--search", "bulk", default=None, help="By Bulk Data export, or by searches; default: the configuration."
)
@click.option("--accept-shrink", is_flag=True, help="Take an export though it holds far less than the last one.")
@click.option("--trial", "trials", multiple=True, metavar="TRIAL", help="For this trial; default: the configured ones.")
@click.option("--patients", type=click.Path(path_type=Path), help="Only these patients: a file with an id a line.")
@common
def command(
    full: bool, all_codes: bool, sweep: bool, bulk: bool | None, accept_shrink: bool, trials: tuple[str, ...],
    patients: Path | None, store: Path | None, config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Bring what changed on the FHIR server into the store. An interrupted pull is gone on with."""
    settings = settings_of(config, store)
    listed = read_patients(patients) if patients else None
    options = Options(
        trials, listed, full=full, all_codes=all_codes, sweep=sweep, bulk=bulk, accept_shrink=accept_shrink
    )
    with PullProgress() as progress:
        summary = pull(settings, options, log=progress.log, noted=progress.noted)
    if as_json:
        print_json({**asdict(summary), "exit_status": summary.exit_status})
    else:
        _print(summary, settings.store)
    return summary.exit_status


def _print(summary: PullSummary, store: Path) -> None:
    rows = [
        (kind, one.got, one.new, one.changed, one.deleted, "yes" if one.complete else "no")
        for kind, one in summary.types.items()
    ]
    print_table(("resource", "got", "new", "changed", "deleted", "complete"), rows)
    if summary.dropped:
        click.echo(f"left out for their security labels: {summary.dropped}")
    for reason, count in summary.reasons.items():
        click.echo(f"put aside: {count} x {reason}")
    if summary.quarantined:
        click.echo(f"What was put aside is in {store / 'quarantine' / summary.load_id}.ndjson")
    for line in (*summary.notes, *summary.problems):
        click.echo(line)
