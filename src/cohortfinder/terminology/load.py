"""The mapping files to one checked Terminology."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

from cohortfinder.terminology.clinical import check_drug_effects, read_clinical_concepts
from cohortfinder.terminology.concepts import Lookback
from cohortfinder.terminology.doses import read_doses
from cohortfinder.terminology.observations import read_observation_concepts
from cohortfinder.terminology.results import check_result_tables
from cohortfinder.terminology.tables import Complaints, read_table
from cohortfinder.terminology.terminology import Terminology
from cohortfinder.terminology.units import ANY_CONCEPT, Conversion, Units

_UNIT_COLUMNS = ("concept", "from_unit", "to_unit", "factor", "offset", "source")


def load_terminology(mappings_dir: Path, site_dirs: Iterable[Path] = ()) -> Terminology:
    """Read and check all mapping files.

    A site's folder may hold files of the same names: its rows are added, and replace those with the same key.
    Raises ConfigurationError with every problem and its file and line.
    """
    folders = (mappings_dir, *site_dirs)
    complaints = Complaints()
    lookback = _read_lookback(folders, complaints)
    systems = _read_code_systems(folders, complaints)
    words = _read_system_words(folders, systems, complaints)
    observations = read_observation_concepts(folders, lookback, complaints)
    clinical = read_clinical_concepts(folders, complaints)
    check_drug_effects(folders, clinical, complaints)
    units = _read_units(folders, observations, complaints)
    check_result_tables(folders, observations, complaints)
    doses = read_doses(folders, clinical, complaints)
    complaints.raise_any()
    return Terminology(observations, clinical, units, lookback, systems, words, doses, _hash_of(folders))


def _read_lookback(folders: Sequence[Path], complaints: Complaints) -> dict[str, Lookback]:
    columns = ("group", "prescreen_days", "protocol_days")
    rows = read_table(folders, "lookback.csv", columns, ("group",), complaints)
    return {
        row["group"]: Lookback(complaints.whole(row, "prescreen_days"), complaints.whole(row, "protocol_days"))
        for row in rows
    }


def _read_code_systems(folders: Sequence[Path], complaints: Complaints) -> dict[str, str]:
    rows = read_table(folders, "code_systems.csv", ("name", "uri", "alias"), ("alias",), complaints)
    for row in rows:
        if row["alias"] != row["alias"].lower().rstrip("/"):
            complaints.add(row, f"alias {row['alias']!r} must be lower case and without a slash at its end")
    return {row["alias"]: row["uri"] for row in rows}


def _read_system_words(folders: Sequence[Path], systems: Mapping[str, str], complaints: Complaints) -> dict[str, str]:
    """Read the short words by which people name a code system in a case file."""
    rows = read_table(folders, "system_words.csv", ("word", "uri"), ("word",), complaints)
    for row in rows:
        if row["uri"] not in systems.values():
            complaints.add(row, f"unknown address {row['uri']!r}; add it to code_systems.csv")
    return {row["word"]: row["uri"] for row in rows}


def _read_units(folders: Sequence[Path], concepts: Iterable[str], complaints: Complaints) -> Units:
    conversions = {}
    known = {*concepts, ANY_CONCEPT}
    for row in read_table(folders, "units.csv", _UNIT_COLUMNS, _UNIT_COLUMNS[:3], complaints):
        factor, offset = complaints.decimal(row, "factor"), complaints.decimal(row, "offset")
        if row["concept"] not in known:
            hint = get_close_matches(row["concept"], known, n=1)
            complaints.add(
                row, f"unknown concept {row['concept']!r}" + (f"; did you mean {hint[0]!r}?" if hint else "")
            )
        if factor is None or offset is None or factor <= 0:
            complaints.add(row, "factor and offset must be plain decimals, the factor above 0")
            continue
        conversions[row.key(_UNIT_COLUMNS[:3])] = Conversion(factor, offset)
    aliases = read_table(folders, "unit_aliases.csv", ("alias", "unit", "source"), ("alias",), complaints)
    return Units(
        {
            (concept, from_unit, to_unit): conversion
            for (concept, from_unit, to_unit), conversion in conversions.items()
        },
        {row["alias"]: row["unit"] for row in aliases},
    )


def _hash_of(folders: Iterable[Path]) -> str:
    """Return the hash over names and bytes of all mapping files; prose does not count."""
    digest = sha256()
    for position, folder in enumerate(folders):
        for path in sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".json")):
            content = path.read_bytes()
            digest.update(f"{position}/{path.relative_to(folder).as_posix()}/{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()
