"""The command `diff`."""

from pathlib import Path

import click

from cohortfinder import wording
from cohortfinder.cli.console import print_json, print_table
from cohortfinder.jobs.diff import Diff, diff_runs
from cohortfinder.ranking.diff import Move


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write diff.csv and diff.json into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(old: Path, new: Path, out: Path | None, as_json: bool, debug: bool) -> int:
    """Tell who entered the list, left it or moved in it between two runs, and why.

    OLD and NEW are folders that `cohortfinder screen --out` wrote for one trial.
    """
    found = diff_runs(old, new, out=out)
    if as_json:
        print_json(found.summary())
    else:
        _tell(found)
    return 0


def _tell(found: Diff) -> None:
    old, new = found.old.record["as_of"], found.new.record["as_of"]
    if not found.moves:
        click.echo(f"Nobody entered, left or moved from {old} to {new}.")
        return
    click.echo(f"{found.new.record['trial']}, from {old} to {new}: {_counted(found)}.")
    print_table(("move", "patient", "arm", "status", "why"), (_row(one) for one in found.moves))


def _counted(found: Diff) -> str:
    moves = [one.move for one in found.moves]
    return ", ".join(f"{moves.count(move)} {move}" for move in ("entered", "left", "moved"))


def _row(one: Move) -> tuple[str, ...]:
    before, after = one.status_before or "not listed", one.status_after or "not listed"
    status = before if before == after else f"{before} -> {after}"
    whys = dict.fromkeys(wording.CAUSES[cause.cause] for cause in one.causes)
    where = dict.fromkeys(cause.criterion_id for cause in one.causes if cause.criterion_id)
    return one.move, one.patient_id, one.arm, status, "; ".join(whys) + (f" ({', '.join(where)})" if where else "")
