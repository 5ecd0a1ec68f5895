"""The SQL engine on resources that a property made."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from cohortfinder.engine.screening import screen
from cohortfinder.landing.contained import hoisted
from cohortfinder.landing.digits import DIGITS, DigitsWriter
from cohortfinder.model import Answer, Outcome, Trial
from cohortfinder.resources import resource_dir
from cohortfinder.sql.environment import render
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.views.compiler import compile_view

# what the engine says beyond the reasons of the docstrings: why a search without result proves nothing, or what proves it
NO_DATA = ("not_observed", "not_loaded", "absent")
DECIDED = ("met", "not_met", "outside_window", "recorded_against")


class Shown(NamedTuple):
    """One item of evidence: a record with its date and value, or a search that found nothing."""

    leaf: str
    resource: str | None
    date: str | None
    value: str | None
    compared: str | None
    searched: str | None
    since: str | None
    found: int | None
    concept: str | None = None


@dataclass(frozen=True)
class Told:
    """What the engine says of one patient and criterion."""

    truth: bool | None
    suggested: bool
    reasons: frozenset[tuple[str, str]]
    flags: frozenset[str]
    evidence: tuple[Shown, ...]


@cache
def terminology() -> Terminology:
    """Return the mappings that ship with the program."""
    return load_terminology(resource_dir("mappings"))


@cache
def _views() -> tuple[tuple[str, str, str], ...]:
    paths = sorted((resource_dir("mappings") / "views").glob("*.json"))
    compiled = [(path.stem, compile_view(json.loads(path.read_text(encoding="utf-8")))) for path in paths]
    return tuple((name, view.resource, view.select_from_ndjson(strict=False)) for name, view in compiled)


def landed(resources: Sequence[dict[str, Any]], folder: Path) -> dict[str, bool]:
    """Write one NDJSON file a type, contained Medications hoisted, and return the types that there are."""
    lines: dict[str, list[str]] = {}
    for resource in resources:
        text, inner = hoisted(json.dumps(resource, ensure_ascii=False), resource)
        lines.setdefault(resource["resourceType"], []).append(text)
        lines.setdefault("Medication", []).extend(inner)
    for _, kind, _ in _views():
        (folder / f"{kind}.ndjson").write_text("\n".join(lines.get(kind, [])) + "\n", encoding="utf-8")
    return {kind: True for kind, found in lines.items() if found}


def screened(
    connection: duckdb.DuckDBPyConnection, trial: Trial, resources: Sequence[dict[str, Any]], folder: Path, as_of: date,
    *, everyone: bool = True, horizon_years: int = 0, answers: Sequence[Answer] = (), outcomes: Sequence[Outcome] = (),
) -> None:  # fmt: skip
    """Fill the typed tables and screen."""
    loaded = fill(connection, resources, folder)
    screen(
        connection, trial, terminology(), as_of=as_of, loaded=loaded, everyone=everyone, horizon_years=horizon_years,
        answers=answers, outcomes=outcomes,
    )  # fmt: skip


def fill(connection: duckdb.DuckDBPyConnection, resources: Sequence[dict[str, Any]], folder: Path) -> dict[str, bool]:
    """Fill the typed tables, and return the types that there are."""
    loaded = landed(resources, folder)
    for name, kind, query in _views():
        connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS {query}', {"files": [str(folder / f"{kind}.ndjson")]})
    connection.execute("DROP TABLE IF EXISTS exact_number")
    connection.execute(render("warehouse/exact_number.sql.jinja").text)
    digits = DigitsWriter(folder)
    digits.add((folder / "Observation.ndjson").read_bytes())
    digits.flush()
    if digits.count:
        kept = render("warehouse/keep_exact_numbers.sql.jinja", file=str(folder / DIGITS))
        connection.execute(kept.text, kept.parameters)
        (folder / DIGITS).unlink()
    return loaded


def told(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Told]:
    """Return what the engine said of each patient and criterion."""
    rows = connection.execute(
        "SELECT patient_id, criterion_id, truth, suggested, reasons, flags, evidence FROM criterion_truth"
    )
    return {
        (patient, criterion): Told(
            truth,
            suggested,
            frozenset(
                (r["leaf"], "no_data" if r["code"] in NO_DATA else r["code"])
                for r in reasons
                if r["code"] not in DECIDED
            ),
            frozenset(flags),
            tuple(Shown(**item) for item in evidence),
        )
        for patient, criterion, truth, suggested, reasons, flags, evidence in rows.fetchall()
    }
