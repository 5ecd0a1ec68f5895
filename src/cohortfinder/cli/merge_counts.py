"""The command `merge-counts`."""

from dataclasses import asdict
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, print_table
from cohortfinder.jobs.merge_counts import merge_counts


@click.command("merge-counts")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="A CSV file for the counts.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(folders: tuple[Path, ...], out: Path | None, as_json: bool, debug: bool) -> int:
    """Add up the counts that several sites have shared: a folder for each, named after the site.

    Each site runs `cohortfinder export` on its own machine and sends `export.json` and `counts/`; no row about a
    patient leaves it. Where a site has withheld a small number, the sum is told from its least to its most.
    """
    merged = merge_counts(folders, out)
    if as_json:
        print_json({
            "trial": merged.sites[0].trial, "sites": [one.site for one in merged.sites],
            "steps": [asdict(step) for step in merged.steps], "warnings": list(merged.warnings),
            "exit_status": merged.exit_status,
        })  # fmt: skip
        return merged.exit_status
    rows = [
        (step.arm, step.criterion_id or "living", _span(step.remaining_least, step.remaining_most),
         _span(step.unknown_least, step.unknown_most), step.withheld or "")
        for step in merged.steps
    ]  # fmt: skip
    print_table(("arm", "criterion", "remaining", "of them unknown", "withheld by"), rows)
    for warning in merged.warnings:
        click.echo(f"Warning: {warning}")
    return merged.exit_status


def _span(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"
