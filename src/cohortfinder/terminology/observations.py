"""observation_concepts.csv and observation_codes.csv to observation concepts."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from cohortfinder.terminology.codes import code_damage
from cohortfinder.terminology.concepts import (
    OBSERVATION_COLUMNS,
    PAIR_ROLES,
    ROLES,
    VALUE_KINDS,
    ObservationCode,
    ObservationConcept,
)
from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.site_codes import SiteCodes
from cohortfinder.terminology.tables import Complaints, MappingFiles, group_rows

_CONCEPT_COLUMNS = (
    "concept", "label", "value_kind", "unit", "plausible_min", "plausible_max", "group", "detection",
    "negative_below", "positive_above", "source",
)  # fmt: skip


def read_observation_concepts(
    files: MappingFiles, groups: Collection[str], site: SiteCodes, complaints: Complaints
) -> dict[str, ObservationConcept]:
    """Return the concepts by name, each with its codes.

    A code belongs to one concept only: a result that meant two quantities could not be compared. The code of a pair
    ("120/80") belongs to two, one for each of its numbers.
    """
    concepts = files.read("concepts/observation_concepts.csv", _CONCEPT_COLUMNS, ("concept",), complaints)
    codes = files.read("concepts/observation_codes.csv", OBSERVATION_COLUMNS, ("system", "code", "role"), complaints)
    codes = site.observation(codes, {row["concept"]: row["label"] for row in concepts})
    files.put("concepts/observation_codes.csv", codes)
    _refuse_two_meanings(codes, complaints)
    names = [row["concept"] for row in concepts]
    rows_of = group_rows(codes, names, complaints, lambda name: next(iter(get_close_matches(name, names, n=1)), None))
    return {row["concept"]: _concept(row, rows_of[row["concept"]], groups, complaints) for row in concepts}


def _refuse_two_meanings(codes: Sequence[Row], complaints: Complaints) -> None:
    concepts: dict[tuple[str, str], str] = {}
    for row in codes:
        first = concepts.setdefault((row["system"], row["code"]), row["concept"])
        if first != row["concept"] and row["role"] not in PAIR_ROLES:
            complaints.add(row, f"code {row['code']!r} belongs to {first} already; a code has one concept")


def _concept(row: Row, codes: Sequence[Row], groups: Collection[str], complaints: Complaints) -> ObservationConcept:
    complaints.require(row, "value_kind", VALUE_KINDS)
    complaints.require(row, "group", groups)
    complaints.require(row, "detection", ("", "any"))
    if (row["value_kind"] == "ordinal") == bool(row["unit"]):
        complaints.add(row, "a quantity or titre needs a unit (1 for a pure number), an ordinal concept has none")
    return ObservationConcept(
        concept=row["concept"],
        label=row["label"],
        value_kind=row["value_kind"],
        unit=row["unit"],
        plausible_min=complaints.decimal(row, "plausible_min"),
        plausible_max=complaints.decimal(row, "plausible_max"),
        group=row["group"],
        detection=row["detection"],
        negative_below=complaints.decimal(row, "negative_below"),
        positive_above=complaints.decimal(row, "positive_above"),
        source=row["source"],
        codes=tuple(_code(code, complaints) for code in codes),
    )


def _code(row: Row, complaints: Complaints) -> ObservationCode:
    complaints.require(row, "role", ROLES)
    if damage := code_damage(row["system"], row["code"]):
        complaints.add(row, f"code {row['code']!r} {damage}")
    return ObservationCode(row["system"], row["code"], row["role"], row["note"])
