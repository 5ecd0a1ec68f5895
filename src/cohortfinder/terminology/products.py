"""products.csv, a site's table of what is in its products: checks."""

from collections.abc import Callable

from cohortfinder.terminology.codes import code_damage
from cohortfinder.terminology.tables import Complaints, MappingFiles

_COLUMNS = (
    "system", "code", "ingredient_system", "ingredient_code", "strength_value", "strength_unit",
    "per_value", "per_unit", "form", "source",
)  # fmt: skip


def check_products(files: MappingFiles, system_of: Callable[[str], str | None], complaints: Complaints) -> None:
    """Note a damaged code, an ingredient of a system that nobody knows, and a strength that is no number."""
    rows = files.read("products.csv", _COLUMNS, (*_COLUMNS[:2], "ingredient_code"), complaints)
    for row in rows:
        for system, code in (("system", "code"), ("ingredient_system", "ingredient_code")):
            if damage := code_damage(row[system], row[code]):
                complaints.add(row, f"{code} {row[code]!r} {damage}")
        if system_of(row["ingredient_system"]) is None:
            name = row["ingredient_system"]
            complaints.add(row, f"unknown code system {name!r}; add it to code_systems.csv of your mappings")
        for number, unit in (("strength_value", "strength_unit"), ("per_value", "per_unit")):
            if (complaints.decimal(row, number) is None) != (not row[unit]):
                complaints.add(row, f"{number} and {unit} stand together; fill in both or none")
