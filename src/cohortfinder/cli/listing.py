"""How a screening is printed: counts, the top of the list, the files."""

from collections import Counter
from pathlib import Path
from typing import Any

import click

from cohortfinder.cli.console import print_table
from cohortfinder.jobs.screen import ScreenResult

_SHOWN = 20


def print_screening(result: ScreenResult, *, shown: int = _SHOWN) -> None:
    """Print the ranked list, and where the report is."""
    screening = result.screening
    statuses = Counter(one.status for one in screening.candidates)
    counts = ", ".join(f"{statuses[name]} {name}" for name in ("eligible", "possible", "excluded") if statuses[name])
    click.echo(f"{screening.trial.id} as of {screening.as_of}: {counts or 'nobody is listed'}")
    for warning in screening.warnings:
        click.echo(f"Warning: {warning}")
    ranked = [one for one in screening.candidates if one.rank is not None]
    rows = [
        (
            one.rank,
            one.patient_id,
            one.arm,
            one.status,
            f"{one.score:.3f}",
            one.passed,
            one.unknown,
            one.judgement,
            one.next_step,
        )
        for one in ranked[:shown]
    ]
    print_table(("rank", "patient", "arm", "status", "score", "pass", "unknown", "judgement", "next step"), rows)
    if len(ranked) > shown:
        click.echo(f"... and {len(ranked) - shown} more")
    for file in result.files:
        if file.name == "report.html":
            click.echo(f"\nReport: {file}")


def screening_summary(result: ScreenResult, out: Path | None) -> dict[str, Any]:
    """Return the summary object of --json."""
    screening = result.screening
    statuses = Counter(one.status for one in screening.candidates)
    return {
        "trial": screening.trial.id, "as_of": str(screening.as_of), "candidates": dict(statuses),
        "verdicts": screening.verdict_count, "warnings": screening.warnings,
        "out": str(out) if out else None, "files": [str(file) for file in result.files],
        "exit_status": result.exit_status,
    }  # fmt: skip
