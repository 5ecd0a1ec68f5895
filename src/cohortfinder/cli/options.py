"""The options that several commands share, and the values that they stand for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from cohortfinder.cli.logs import LOGS
from cohortfinder.errors import UsageError
from cohortfinder.model import Answers, Trial
from cohortfinder.settings import Settings, read_settings
from cohortfinder.trials.answers import read_answers

Function = Callable[..., Any]


def common(function: Function) -> Function:
    """Add --store, --config, --json and --debug."""
    for option in (
        click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure."),
        click.option("--json", "as_json", is_flag=True, help="Print one summary object."),
        click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file."),
        click.option("--store", type=click.Path(path_type=Path), help="The folder of the store."),
    ):
        function = option(function)
    return function


def as_of_option(function: Function) -> Function:
    """Add --as-of."""
    return click.option("--as-of", metavar="YYYY-MM-DD", help="The index date; default today.")(function)


def answers_option(function: Function) -> Function:
    """Add --answers."""
    path = click.Path(path_type=Path)
    return click.option("--answers", "answers_file", type=path, help="People's answers to criteria, a CSV file.")(
        function
    )


def answers_of(file: Path | None, trial: Trial) -> Answers:
    """Return the answers of a file; none, where no file is given."""
    return read_answers(file, trial) if file else Answers()


def settings_of(config: Path | None, store: Path | None) -> Settings:
    """Return the configuration, with the store of the command line when one was given."""
    settings = read_settings(config)
    LOGS.configured(settings.log_format)
    return settings if store is None else replace(settings, store=store)


def index_date(text: str | None, *, time_zone: str) -> date:
    """Return the index date, by default today in the trial's time zone.

    Raises UsageError when the text is no date, or a date in the future.
    """
    today = datetime.now(ZoneInfo(time_zone)).date()
    if text is None:
        return today
    try:
        # Only the long form: fromisoformat alone also takes 20261120 and 2026-W47-5.
        as_of = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise UsageError(f"--as-of {text!r} is no date; write it as 2026-11-20") from error
    if as_of > today:
        raise UsageError(f"--as-of {as_of} is in the future; today is {today} in {time_zone}")
    return as_of
