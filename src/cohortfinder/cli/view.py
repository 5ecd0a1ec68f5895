"""The command `view`."""

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import click
import orjson

from cohortfinder.errors import UsageError
from cohortfinder.jobs.view import ViewRows, run_view


def _csv(result: ViewRows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(result.columns)
    writer.writerows(result.rows)


def _objects(result: ViewRows) -> list[bytes]:
    return [orjson.dumps(dict(zip(result.columns, row, strict=True)), default=_number) for row in result.rows]


def _number(value: object) -> object:
    # a decimal is written as a number where that keeps it, as JSON has no other
    return float(str(value))


def _ndjson(result: ViewRows) -> None:
    sys.stdout.write("".join(line.decode() + "\n" for line in _objects(result)))


def _json(result: ViewRows) -> None:
    sys.stdout.write("[" + ",\n ".join(line.decode() for line in _objects(result)) + "]\n")


_PRINTERS: dict[str, Callable[[ViewRows], None]] = {"csv": _csv, "json": _json, "ndjson": _ndjson}


@click.command("view")
@click.argument("definition", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--format", "form", type=click.Choice([*_PRINTERS, "parquet"]), default="csv", show_default=True,
    help="How rows are written: with a header line, as one array of objects, as an object a line, or into --out.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="The Parquet file to write.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(definition: Path, paths: tuple[Path, ...], form: str, out: Path | None, debug: bool) -> int:
    """Run one SQL on FHIR ViewDefinition (a JSON file) over FHIR files.

    Each PATH is what `load` reads: a Bundle or resource (.json), NDJSON (.ndjson), both also as .gz, or a folder of
    them. Resources of other types than the view's are passed over. No store is needed.
    """
    if (form == "parquet") != (out is not None):
        raise UsageError("--out FILE goes with --format parquet, and only with it")
    result = run_view(definition, paths, parquet=out)
    if out is None:
        _PRINTERS[form](result)
    if result.rejected:
        click.echo(f"{result.rejected} lines or entries could not be read", err=True)
    return 3 if result.rejected else 0
