"""The command `purge`."""

import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import common, settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.purge import purge

_WORDS = {
    "lists": "old lists",
    "runs": "outputs of old runs",
    "quarantine": "files of quarantine",
    "damaged": "damaged warehouses",
    "superseded": "superseded or deleted resources from landing",
}


@click.command("purge")
@click.option("--older-than", "age", metavar="DAYS", required=True, help="What is older goes: 90d.")
@common
def command(age: str, store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Remove what has lain in the store longer than it may: old lists, outputs of runs, quarantine, old versions."""
    settings = settings_of(config, store)
    purged = purge(
        settings.store, _days(age), memory_limit=settings.memory_limit, threads=settings.threads, log=progress
    )  # fmt: skip
    if as_json:
        print_json(asdict(purged))
        return 0
    told = [f"{count} {_WORDS[kind]}" for kind, count in purged.counts.items()]
    what = f"Removed {', '.join(told)}, {purged.bytes / 1e6:.1f} MB" if told else "There was nothing to remove"
    click.echo(f"{what}; it was older than {purged.before}.")
    return 0


def _days(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})\s?d?", text.strip())
    if not found or int(found[1]) == 0:
        raise UsageError(f"--older-than {text!r} is no number of days; write it as 90d")
    return timedelta(days=int(found[1]))
