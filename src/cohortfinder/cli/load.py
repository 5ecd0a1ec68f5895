"""The command `load`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, print_table, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.jobs.load import load


@click.command("load")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@common
def command(paths: tuple[Path, ...], store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Read FHIR R4 files into the store: Bundles, resources, NDJSON, .gz, folders."""
    settings = settings_of(config, store)
    summary = load(
        paths, settings.store, memory_limit=settings.memory_limit, threads=settings.threads, log=progress
    )  # fmt: skip
    if as_json:
        print_json({**asdict(summary), "exit_status": summary.exit_status})
        return summary.exit_status
    rows = [
        (name, one.read, one.loaded, one.superseded, one.quarantined) for name, one in sorted(summary.types.items())
    ]
    print_table(("resource", "read", "loaded", "older or same", "put aside"), rows)
    for reason, count in summary.reasons.items():
        click.echo(f"put aside: {count} x {reason}")
    for skipped in summary.skipped:
        click.echo(f"skipped: {skipped}")
    if summary.quarantined:
        click.echo(f"What was put aside is in {settings.store / 'quarantine' / summary.load_id}.ndjson")
    return summary.exit_status
