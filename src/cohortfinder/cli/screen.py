"""The command `screen`."""

from functools import partial
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.listing import print_screening, screening_summary
from cohortfinder.cli.options import answers_of, answers_option, as_of_option, common, index_date, settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.jobs.screen_spark import SparkRun, screen_tables
from cohortfinder.report.html import IN_FULL


@click.command("screen")
@click.argument("trial")
@click.option("--out", type=click.Path(path_type=Path), help="The folder for the outputs.")
@click.option("--all", "everyone", is_flag=True, help="Evaluate every living patient in every arm.")
@click.option(
    "--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True,
    help="What evaluates: DuckDB on the store, or Spark on a folder of tables.",
)  # fmt: skip
@click.option("--tables", metavar="FOLDER", help="For Spark: the tables that load --parquet has written, or their URL.")
@click.option("--results", metavar="FOLDER", help="For Spark: a folder or URL that all workers reach.")
@answers_option
@as_of_option
@common
def command(
    trial: str, out: Path | None, everyone: bool, engine: str, tables: str | None, results: str | None,
    answers_file: Path | None, as_of: str | None, store: Path | None, config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Evaluate a trial (a file, or the id of one that ships) and rank the patients."""
    asked = _asked_of_spark(engine, tables, results)
    settings = settings_of(config, store)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    day = index_date(as_of, time_zone=settings.time_zone or read.time_zone)
    screened = partial(screen_tables, asked) if asked else screen_store
    result = screened(
        read, terminology, settings, as_of=day, out=out, everyone=everyone, in_full=IN_FULL,
        answers=answers_of(answers_file, read), log=progress,
    )  # fmt: skip
    if as_json:
        print_json(screening_summary(result, out))
    else:
        print_screening(result)
    return result.exit_status


def _asked_of_spark(engine: str, tables: str | None, results: str | None) -> SparkRun | None:
    """Return what Spark is to evaluate; None: DuckDB evaluates the store."""
    if engine == "spark":
        if tables is None:
            raise UsageError(
                "--engine spark reads a folder of tables; write one with `cohortfinder load --parquet FOLDER`, and "
                "name it with --tables FOLDER"
            )
        return SparkRun(tables, results)
    if tables is not None or results is not None:
        raise UsageError("--tables and --results are for --engine spark; name that engine too, or leave them out")
    return None
