"""The command `load`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cohortfinder.cli.console import print_json, print_table, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.load import LoadSummary, load
from cohortfinder.jobs.parquet import write_parquet
from cohortfinder.settings import Settings
from cohortfinder.warehouse.parquet import NodeManifest
from cohortfinder.warehouse.parquet_files import Target, checked_target


@click.command("load")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--parquet", "folder", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Write the tables of the store as Parquet into a folder, for Spark; without PATH nothing is loaded.",
)  # fmt: skip
@click.option("--node", default="main", show_default=True, help="Whose tables these are, of several in one folder.")
@click.option("--buckets", type=int, help="Into how many buckets patients go; default as the folder has, else 16.")
@common
def command(
    paths: tuple[Path, ...], folder: Path | None, node: str, buckets: int | None, store: Path | None,
    config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Read FHIR R4 files into the store: Bundles, resources, NDJSON, .gz, folders."""
    if not paths and folder is None:
        raise UsageError("no PATH was given; name FHIR files or folders, or a folder to write the tables to: --parquet")
    settings = settings_of(config, store)
    target = None if folder is None else Target(folder, node, buckets)
    if target is not None:
        checked_target(target, settings.store)
    summary = _load(paths, settings) if paths else None
    written = None if target is None else _write(target, settings)
    status = summary.exit_status if summary else 0
    if as_json:
        told = asdict(summary) if summary else {}
        print_json({**told, **({"parquet": _told(written)} if written else {}), "exit_status": status})
        return status
    if summary:
        _print(summary, settings)
    if written:
        _print_written(written, folder)
    return status


def _load(paths: tuple[Path, ...], settings: Settings) -> LoadSummary:
    return load(paths, settings.store, memory_limit=settings.memory_limit, threads=settings.threads, log=progress)


def _write(target: Target, settings: Settings) -> NodeManifest:
    return write_parquet(
        settings.store, target, memory_limit=settings.memory_limit, threads=settings.threads, log=progress
    )


def _print(summary: LoadSummary, settings: Settings) -> None:
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


def _told(written: NodeManifest) -> dict[str, Any]:
    told = asdict(written)
    return {name: told[name] for name in ("node", "run", "buckets", "tables")}


def _print_written(written: NodeManifest, folder: Path | None) -> None:
    rows = [(name, one.rows, one.files) for name, one in sorted(written.tables.items())]
    print_table(("table", "rows", "files"), rows)
    click.echo(f"The tables of node {written.node} are in {folder}, in {written.buckets} buckets")
