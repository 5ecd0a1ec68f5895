"""units.csv and unit_aliases.csv to the conversions of each concept; a unit that leads nowhere is refused."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from cohortfinder.terminology.concepts import ObservationConcept
from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.tables import Complaints, MappingFiles
from cohortfinder.terminology.units import ANY_CONCEPT, Conversion, Units

_COLUMNS = ("concept", "from_unit", "to_unit", "factor", "offset", "source")
_KEY = ("concept", "from_unit", "to_unit")


def read_units(files: MappingFiles, concepts: Mapping[str, ObservationConcept], complaints: Complaints) -> Units:
    """Return all conversions and spellings."""
    rows = files.read("units.csv", _COLUMNS, _KEY, complaints)
    conversions: dict[tuple[str, str, str], Conversion] = {}
    for row in rows:
        _check_target(row, concepts, complaints)
        factor, offset = complaints.decimal(row, "factor"), complaints.decimal(row, "offset")
        if factor is None or offset is None or factor <= 0:
            complaints.add(row, "factor and offset must be plain decimals, the factor above 0")
        else:
            conversions[row["concept"], row["from_unit"], row["to_unit"]] = Conversion(factor, offset)
    aliases = files.read("unit_aliases.csv", ("alias", "unit", "source"), ("alias",), complaints)
    _check_aliases(aliases, rows, concepts, complaints)
    return Units(conversions, {row["alias"]: row["unit"] for row in aliases})


def _check_target(row: Row, concepts: Mapping[str, ObservationConcept], complaints: Complaints) -> None:
    """Note a concept that there is not, and a conversion into a unit in which nothing is compared."""
    name, target = row["concept"], row["to_unit"]
    if name == ANY_CONCEPT:
        if target not in {concept.unit for concept in concepts.values()}:
            message = "is the unit of no concept, so that this converts to nothing; correct to_unit"
            complaints.add(row, f"{target!r} {message}")
    elif name not in concepts:
        hint = get_close_matches(name, [*concepts, ANY_CONCEPT], n=1)
        complaints.add(row, f"unknown concept {name!r}" + (f"; did you mean {hint[0]!r}?" if hint else ""))
    elif target != concepts[name].unit:
        unit = concepts[name].unit or "no unit"
        complaints.add(row, f"{name} is compared in {unit}, so that this converts to nothing; write that as to_unit")


def _check_aliases(
    aliases: Sequence[Row], rows: Sequence[Row], concepts: Mapping[str, ObservationConcept], complaints: Complaints
) -> None:
    """Note a spelling of a unit that nothing converts; one that is its own spelling is known to convert to nothing."""
    known = {row["from_unit"] for row in rows} | {concept.unit for concept in concepts.values()}
    known |= {row["unit"] for row in aliases if row["alias"] == row["unit"]}
    for row in aliases:
        if row["unit"] not in known:
            hint = _nearest(row["unit"], sorted(known))
            meant = f"; did you mean {hint!r}?" if hint else "; add it to units.csv"
            complaints.add(row, f"nothing converts the unit {row['unit']!r}{meant}")


def _nearest(unit: str, known: Sequence[str]) -> str | None:
    """Return the same unit in other letters, else one that looks alike."""
    same = [one for one in known if one.lower() == unit.lower()]
    return next(iter([*same, *get_close_matches(unit, known, n=1)]), None)
