"""The mapping files to one checked Terminology."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

from cohortfinder.errors import ConfigurationError
from cohortfinder.site import NO_SITE, Site
from cohortfinder.terminology.clinical import check_drug_effects, read_clinical_concepts
from cohortfinder.terminology.concepts import Lookback
from cohortfinder.terminology.doses import read_doses
from cohortfinder.terminology.efforts import read_efforts
from cohortfinder.terminology.gate_codes import check_gate_codes
from cohortfinder.terminology.observations import read_observation_concepts
from cohortfinder.terminology.products import check_products
from cohortfinder.terminology.results import check_result_tables
from cohortfinder.terminology.site_codes import read_site_codes
from cohortfinder.terminology.tables import Complaints, MappingFiles
from cohortfinder.terminology.terminology import Terminology
from cohortfinder.terminology.unit_tables import read_units

# which concepts are made from which is asked before a site is known
_FIXED = frozenset({"derived.csv"})


def load_terminology(mappings_dir: Path, site: Site = NO_SITE, *, asking: bool = False) -> Terminology:
    """Read and check all mapping files, and what a site adds to them or puts in their place.

    `asking`: a terminology server is about to be asked, so that what only it can tell is no error yet.
    Raises ConfigurationError with every problem and its file and line.
    """
    complaints = Complaints()
    files = MappingFiles(mappings_dir, _folders(site))
    lookback = _read_lookback(files, complaints)
    systems = _read_code_systems(files, complaints)
    words = _read_system_words(files, systems, complaints)
    codes = read_site_codes(site, files, systems, complaints)
    observations = read_observation_concepts(files, lookback, codes, complaints)
    clinical = read_clinical_concepts(files, codes, complaints)
    codes.concepts.check_names({*observations, *clinical})
    check_drug_effects(files, clinical, complaints)
    units = read_units(files, observations, complaints)
    ranges = check_result_tables(files, observations, complaints)
    doses = read_doses(files, clinical, complaints)
    check_products(files, lambda name: systems.get(name.strip().lower().rstrip("/")), complaints)
    check_gate_codes(files, complaints)
    efforts = read_efforts(files, observations, clinical, lookback, complaints)
    codes.translate(files)
    inputs = _hashes({*_own_files(files, complaints), *codes.inputs()})
    complaints.raise_any(asking=asking)
    return Terminology(
        observations, clinical, units, lookback, systems, words, doses, ranges, efforts,
        _hash_of(mappings_dir, inputs), files.changes(), inputs, codes.questions, codes.expansions, site.text_terms,
    )  # fmt: skip


def _folders(site: Site) -> tuple[Path, ...]:
    """Return the site's folder of mappings. Raises ConfigurationError when there is none."""
    if site.mappings is None:
        return ()
    if not site.mappings.path.is_dir():
        raise ConfigurationError(f"{site.mappings.place}: {site.mappings.path} is no folder; correct the path")
    return (site.mappings.path,)


def _own_files(files: MappingFiles, complaints: Complaints) -> Iterator[Path]:
    """Yield the CSV files of the site's folders; one whose name no mapping has would be passed over in silence."""
    for folder in files.folders[1:]:
        for path in sorted(folder.rglob("*.csv")):
            name = path.relative_to(folder).as_posix()
            if name in files.names - _FIXED:
                yield path
            else:
                hint = get_close_matches(name, sorted(files.names - _FIXED), n=1)
                meant = f"; did you mean {hint[0]!r}?" if hint else ""
                complaints.note(str(path), f"no mapping that a site may change has the name {name!r}{meant}")


def _hashes(paths: Iterable[Path]) -> dict[str, str]:
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in sorted(paths) if path.is_file()}


def _read_lookback(files: MappingFiles, complaints: Complaints) -> dict[str, Lookback]:
    columns = ("group", "prescreen_days", "protocol_days")
    rows = files.read("lookback.csv", columns, ("group",), complaints)
    return {
        row["group"]: Lookback(complaints.whole(row, "prescreen_days"), complaints.whole(row, "protocol_days"))
        for row in rows
    }


def _read_code_systems(files: MappingFiles, complaints: Complaints) -> dict[str, str]:
    rows = files.read("code_systems.csv", ("name", "uri", "alias"), ("alias",), complaints)
    for row in rows:
        if row["alias"] != row["alias"].lower().rstrip("/"):
            complaints.add(row, f"alias {row['alias']!r} must be lower case and without a slash at its end")
    return {row["alias"]: row["uri"] for row in rows}


def _read_system_words(files: MappingFiles, systems: Mapping[str, str], complaints: Complaints) -> dict[str, str]:
    """Read the short words by which people name a code system in a case file."""
    rows = files.read("system_words.csv", ("word", "uri"), ("word",), complaints)
    for row in rows:
        if row["uri"] not in systems.values():
            complaints.add(row, f"unknown address {row['uri']!r}; add it to code_systems.csv")
    return {row["word"]: row["uri"] for row in rows}


def _hash_of(folder: Path, inputs: Mapping[str, str]) -> str:
    """Return the hash over names and bytes of all mapping files and over the site's inputs; prose does not count."""
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".json")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}/{len(content)}\n".encode())
        digest.update(content)
    for name, content_hash in inputs.items():
        digest.update(f"{Path(name).name}/{content_hash}\n".encode())
    return digest.hexdigest()
