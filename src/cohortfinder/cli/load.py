"""The command `load`."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cohortfinder.cli.console import print_json, print_table, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.load import LoadSummary, load
from cohortfinder.jobs.parquet import TablePseudonyms, read_pseudonyms, write_parquet, write_parquet_by_spark
from cohortfinder.settings import Settings
from cohortfinder.warehouse.fill import Filled
from cohortfinder.warehouse.parquet import NodeManifest
from cohortfinder.warehouse.parquet_runs import Target, checked_target

_DUCKDB, _SPARK = "duckdb", "spark"


@click.command("load")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--parquet", "folder", metavar="FOLDER",
    help="Write the tables of the store as Parquet into a folder, for Spark; without PATH nothing is loaded.",
)  # fmt: skip
@click.option("--node", default="main", show_default=True, help="Whose tables these are, of several in one folder.")
@click.option("--buckets", type=int, help="Into how many buckets patients go; default as the folder has, else 16.")
@click.option(
    "--engine", type=click.Choice((_DUCKDB, _SPARK)), default=_DUCKDB, show_default=True,
    help="With spark the files go straight into the tables of --parquet, in parallel, and not into the store.",
)  # fmt: skip
@click.option(
    "--key", type=click.Path(path_type=Path),
    help="Write the tables of --parquet under pseudonyms, by a key that `cohortfinder keys pseudonyms` made.",
)  # fmt: skip
@click.option(
    "--identification", type=click.Path(path_type=Path),
    help="A file for the site alone: which patient stands behind each pseudonym of --key.",
)  # fmt: skip
@common
def command(
    paths: tuple[str, ...], folder: str | None, node: str, buckets: int | None, engine: str, key: Path | None,
    identification: Path | None, store: Path | None, config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Read FHIR R4 files into the store: Bundles, resources, NDJSON, .gz, folders."""
    if not paths and folder is None:
        raise UsageError("no PATH was given; name FHIR files or folders, or a folder to write the tables to: --parquet")
    settings = settings_of(config, store)
    target = None if folder is None else Target(folder, node, buckets)
    pseudonyms = _pseudonyms(target, engine, key, identification, settings)
    if engine == _SPARK:
        return _load_by_spark(paths, target, settings, as_json=as_json)
    if target is not None:
        checked_target(target, settings.store, pseudonyms.key.mark if pseudonyms else "")
    summary = _load(paths, settings) if paths else None
    written = None if target is None else _write(target, pseudonyms, settings)
    status = summary.exit_status if summary else 0
    if as_json:
        told = asdict(summary) if summary else {}
        print_json({**told, **({"parquet": _told(written)} if written else {}), "exit_status": status})
        return status
    if summary:
        _print(summary, settings)
    if written and target:
        _print_written(written, target)
    return status


def _load(paths: Iterable[str], settings: Settings) -> LoadSummary:
    return load(
        map(Path, paths), settings.store, memory_limit=settings.memory_limit, threads=settings.threads, log=progress
    )


def _pseudonyms(
    target: Target | None, engine: str, key: Path | None, identification: Path | None, settings: Settings
) -> TablePseudonyms | None:
    if key is None:
        if identification is not None:
            raise UsageError("--identification tells pseudonyms; name the key that makes them: --key FILE")
        return None
    if target is None or engine == _SPARK:
        raise UsageError("--key is for the tables of a store; load the files, then write them: --parquet FOLDER")
    return read_pseudonyms(target, key, identification, settings.gates)


def _write(target: Target, pseudonyms: TablePseudonyms | None, settings: Settings) -> NodeManifest:
    return write_parquet(
        settings.store, target, pseudonyms=pseudonyms, memory_limit=settings.memory_limit, threads=settings.threads,
        log=progress,
    )  # fmt: skip


def _load_by_spark(paths: tuple[str, ...], target: Target | None, settings: Settings, *, as_json: bool) -> int:
    if not paths or target is None:
        raise UsageError("Spark writes the tables of FHIR files; name the files, and where they go: --parquet FOLDER")
    done = write_parquet_by_spark(
        paths, target, settings.store, memory_limit=settings.memory_limit, threads=settings.threads, log=progress
    )
    quarantined = sum(done.reasons.values())
    status = 3 if quarantined else 0
    if as_json:
        told = {name: getattr(done, name) for name in ("reasons", "skipped", "deleted")}
        types = {name: asdict(one) for name, one in done.types.items()}
        print_json(
            {"types": types, **told, "quarantined": quarantined, "parquet": _told(done.manifest), "exit_status": status}
        )
        return status
    _print_types(done.types, done.reasons, done.skipped)
    if quarantined:
        click.echo(f"What was put aside is in {done.rejected}")
    _print_written(done.manifest, target)
    return status


def _print(summary: LoadSummary, settings: Settings) -> None:
    _print_types(summary.types, summary.reasons, summary.skipped)
    if summary.quarantined:
        click.echo(f"What was put aside is in {settings.store / 'quarantine' / summary.load_id}.ndjson")


def _print_types(types: Mapping[str, Filled], reasons: Mapping[str, int], skipped: Iterable[str]) -> None:
    rows = [(name, one.read, one.loaded, one.superseded, one.quarantined) for name, one in sorted(types.items())]
    print_table(("resource", "read", "loaded", "older or same", "put aside"), rows)
    for reason, count in reasons.items():
        click.echo(f"put aside: {count} x {reason}")
    for one in skipped:
        click.echo(f"skipped: {one}")


def _told(written: NodeManifest) -> dict[str, Any]:
    told = asdict(written)
    return {name: told[name] for name in ("node", "run", "buckets", "tables")}


def _print_written(written: NodeManifest, target: Target) -> None:
    rows = [(name, one.rows, one.files) for name, one in sorted(written.tables.items())]
    print_table(("table", "rows", "files"), rows)
    click.echo(f"The tables of node {written.node} are in {target.place}, in {written.buckets} buckets")
