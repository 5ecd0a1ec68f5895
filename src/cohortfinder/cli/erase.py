"""The command `erase`."""

from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.erase import erase


@click.command("erase")
@click.argument("patient", required=False)
@click.option("--id-file", type=click.File("r"), help="A file with the patient's id; - reads standard input.")
@common
def command(
    patient: str | None, id_file: TextIO | None, store: Path | None, config: Path | None, as_json: bool, debug: bool
) -> int:
    """Remove one patient from everything in the store, and let no load bring her back."""
    given = patient if patient or id_file is None else id_file.read().strip()
    if given is None or len(given.split()) != 1 or (patient and id_file):
        raise UsageError("name one patient: her Patient.id, or --id-file with a file that holds it (- reads stdin)")
    settings = settings_of(config, store)
    done = erase(
        settings.store, given, memory_limit=settings.memory_limit, threads=settings.threads, review=settings.review,
        log=progress,
    )  # fmt: skip
    if as_json:
        print_json(asdict(done))
        return 0
    total = sum(done.resources.values())
    click.echo(f"Erased: {total} resources of {done.records} records, {done.quarantined} lines of quarantine, and from")
    click.echo(
        f"{done.published} files of runs and lists, {done.said} answers, decisions, notes and links of study teams."
    )
    click.echo("No load or pull brings her back.")
    click.echo("What is not in the store is not touched: backups, folders of --out, files that were loaded, exports.")
    return 0
