"""The command `status`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cohortfinder.cli.console import print_json, print_table
from cohortfinder.cli.options import common, settings_of
from cohortfinder.errors import LockedError
from cohortfinder.jobs.compact import LandingState
from cohortfinder.jobs.nights import Nights, nights
from cohortfinder.jobs.review_store import review_store_state
from cohortfinder.jobs.status import PullRow, StoreStatus, status
from cohortfinder.review.store.state import ReviewState


@click.command("status")
@common
def command(store: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Tell which list holds and how old it is, what is loaded, from when, and how complete it is."""
    settings = settings_of(config, store)
    folder = settings.store
    try:
        loaded, locked = status(folder), None
    except LockedError as error:
        # a night may run; which list holds can be told all the same
        loaded, locked = None, error
    told, said = nights(folder), review_store_state(settings)
    if as_json:
        print_json({**_loaded(loaded), "nights": asdict(told), "review": asdict(said) if said else None})
    else:
        _print_nights(told)
        if loaded is not None:
            _print_loaded(loaded)
            _print_landing(loaded.landing)
        _print_review(said)
        _print_disk(told)
    if locked is not None:
        raise locked
    return 0


def _print_review(said: ReviewState | None) -> None:
    if said is not None:
        last = f"; the last entry of the audit log is of {said.last_at:%Y-%m-%d %H:%M} UTC" if said.last_at else ""
        click.echo(
            f"Review: {said.accounts} accounts, {said.answers} answers, {said.decisions} decisions, "
            f"{said.notes} notes{last}."
        )


def _loaded(found: StoreStatus | None) -> dict[str, Any]:
    return asdict(found) if found is not None else {}


def _print_nights(told: Nights) -> None:
    if told.notice:
        click.echo(f"NOTICE: {told.notice}")
    for problem in told.problems:
        click.echo(f"Problem: {problem}")
    if told.running:
        click.echo(f"A night is running: {told.running}.")
    if told.published:
        one = told.published
        click.echo(
            f"List: {one.run_id}, as of {one.index_date}, made {one.hours:,.0f} hours ago: "
            f"{one.rows} rows of {', '.join(one.trials)}."
        )
    if told.runs:
        rows = [
            (
                one.run_id,
                one.state,
                one.exit_status,
                one.index_date,
                f"{one.seconds:,.0f} s",
                _candidates(one.candidates),
                one.new,
            )
            for one in told.runs
        ]
        print_table(("run", "state", "status", "as of", "took", "candidates", "new"), rows)
        click.echo("")


def _candidates(counts: dict[str, int]) -> str:
    return ", ".join(f"{trial} {count}" for trial, count in counts.items())


def _print_loaded(found: StoreStatus) -> None:
    rows = [(name, state.resources, "yes" if state.complete else "no") for name, state in found.types.items()]
    print_table(("resource", "in the store", "complete"), rows)
    click.echo("")
    loads = [
        (one.load_id, one.started_at, one.resources, one.quarantined, "yes" if one.complete else "no")
        for one in found.loads
    ]
    print_table(("load", "started", "resources", "put aside", "complete"), loads)
    if found.pulls:
        click.echo("")
        print_table(("pulled", "from", "patients", "codes", "up to", "complete"), map(_pull_cells, found.pulls))


def _print_landing(found: LandingState | None) -> None:
    if found is None:
        return
    last = ""
    if found.freed is not None and found.freed_at is not None:
        last = f"; merging freed {found.freed / 1e6:,.1f} MB on {found.freed_at[:10]}"
    folders = "1 folder" if found.folders == 1 else f"{found.folders} folders"
    click.echo("")
    click.echo(
        f"Landing: {found.bytes / 1e6:,.1f} MB in {folders}, of which `cohortfinder compact` could free about "
        f"{found.could_free / 1e6:,.1f} MB{last}."
    )


def _print_disk(told: Nights) -> None:
    click.echo("")
    rows = [(name, f"{size / 1e6:,.1f}") for name, size in sorted(told.disk.items(), key=lambda one: -one[1]) if size]
    print_table(("on the disk", "MB"), [*rows, ("together", f"{sum(told.disk.values()) / 1e6:,.1f}")])


def _pull_cells(pull: PullRow) -> tuple[object, ...]:
    codes = "all" if pull.codes is None else pull.codes
    return pull.resource_type, pull.server, pull.patients, codes, pull.up_to, "yes" if pull.complete else "no"
