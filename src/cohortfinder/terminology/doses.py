"""doses.csv, dose_units.csv, timings.csv and routes.csv: checks, and which concepts have a dose."""

from collections.abc import Mapping
from dataclasses import dataclass

from cohortfinder.terminology.codes import code_damage
from cohortfinder.terminology.concepts import ClinicalConcept
from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.tables import Complaints, MappingFiles

_DOSE_COLUMNS = (
    "ingredient", "system", "code", "reference", "equals_mg", "amount_low", "amount_high", "weekly_max", "routes",
    "systemic", "source",
)  # fmt: skip
_UNIT_COLUMNS = ("unit", "kind", "factor", "route", "source")
_TIMING_COLUMNS = ("kind", "code", "times", "days", "source")
_ROUTE_COLUMNS = ("match", "code", "route", "source")
_SYSTEMIC = ("oral", "iv", "im", "sc")


@dataclass(frozen=True, slots=True)
class DosedDrugs:
    """The ingredients of a clinical concept, and the drug in whose mg their doses are counted, "" for their own.

    `itself` are the codes of which one mg counts as one, by any way of taking it.
    """

    ingredients: tuple[str, ...]
    reference: str
    itself: frozenset[tuple[str, str]] = frozenset()


def read_doses(
    files: MappingFiles, concepts: Mapping[str, ClinicalConcept], complaints: Complaints
) -> dict[str, DosedDrugs]:
    """Check the tables of the dose arithmetic and return the concepts of which some ingredient is known."""
    rows = files.read("doses.csv", _DOSE_COLUMNS, ("system", "code"), complaints)
    for row in rows:
        _check_dose(row, complaints)
    _check_units(files, complaints)
    _check_timings(files, complaints)
    for row in files.read("routes.csv", _ROUTE_COLUMNS, ("match", "code"), complaints):
        complaints.require(row, "match", ("code", "word"))
        complaints.require(row, "route", (*_SYSTEMIC, "local"))
        _check_lower(row, "code", complaints)
    known = {(row["system"], row["code"]): row for row in rows}
    return {name: drugs for name, concept in concepts.items() if (drugs := _drugs(concept, known))}


def _drugs(concept: ClinicalConcept, known: Mapping[tuple[str, str], Row]) -> DosedDrugs | None:
    codes = [(code.system, code.code) for code in concept.codes if code.include]
    rows = [known[code] for code in codes if code in known]
    references = {row["reference"] for row in rows}
    # mg of drugs that are counted differently cannot be added: such a concept has no dose
    if len(references) != 1:
        return None
    itself = frozenset((row["system"], row["code"]) for row in rows if _counts_as_itself(row))
    return DosedDrugs(tuple(sorted({row["ingredient"] for row in rows})), references.pop(), itself)


def _counts_as_itself(row: Row) -> bool:
    same = row["equals_mg"] == row["amount_low"] == row["amount_high"]
    return same and row["systemic"] == "yes" and (not row["reference"] or bool(row["equals_mg"]))


def _check_dose(row: Row, complaints: Complaints) -> None:
    complaints.require(row, "systemic", ("yes", "no"))
    if damage := code_damage(row["system"], row["code"]):
        complaints.add(row, f"code {row['code']!r} {damage}")
    equals, low, high = (complaints.decimal(row, name) for name in ("equals_mg", "amount_low", "amount_high"))
    complaints.decimal(row, "weekly_max")
    given = [number for number in (equals, low, high) if number is not None]
    if len(given) not in (0, 3) or any(number <= 0 for number in given) or (given and not row["reference"]):
        complaints.add(row, "equals_mg, amount_low and amount_high stand together, above 0, beside a reference")
    elif low is not None and high is not None and low > high:
        complaints.add(row, "amount_low must not be above amount_high")
    if unknown := set(row["routes"].split()) - set(_SYSTEMIC):
        complaints.add(row, f"unknown route {min(unknown)!r}; write some of: {', '.join(_SYSTEMIC)}")


def _check_units(files: MappingFiles, complaints: Complaints) -> None:
    for row in files.read("dose_units.csv", _UNIT_COLUMNS, ("unit",), complaints):
        complaints.require(row, "kind", ("mass", "mass_per_kg", "product", "volume"))
        complaints.require(row, "route", ("", *_SYSTEMIC))
        _check_lower(row, "unit", complaints)
        _check_positive(row, "factor", complaints)


def _check_timings(files: MappingFiles, complaints: Complaints) -> None:
    for row in files.read("timings.csv", _TIMING_COLUMNS, ("kind", "code"), complaints):
        complaints.require(row, "kind", ("unit", "code", "words"))
        _check_positive(row, "times", complaints)
        _check_positive(row, "days", complaints)


def _check_lower(row: Row, column: str, complaints: Complaints) -> None:
    if row[column] != row[column].strip().lower():
        complaints.add(row, f"{column} {row[column]!r} must be lower case and without blanks around it")


def _check_positive(row: Row, column: str, complaints: Complaints) -> None:
    number = complaints.decimal(row, column)
    if number is None or number <= 0:
        complaints.add(row, f"{column} must be a plain decimal above 0")
