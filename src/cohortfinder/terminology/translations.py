"""ConceptMaps and CSV files of a site to translations of its local codes, and how much each may prove."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cohortfinder.site import SiteFile
from cohortfinder.terminology.codes import code_damage
from cohortfinder.terminology.csv_files import Row, read_rows
from cohortfinder.terminology.json_files import Element, elements, read_resource, text
from cohortfinder.terminology.tables import Complaints

COLUMNS = ("source_system", "source_code", "target_system", "target_code", "equivalence")
# Source: https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html; what each may prove is our choice, see
# docs/clarifications.md. An empty strength is no translation.
STRENGTHS = {
    "equal": "definite",
    "equivalent": "definite",
    "wider": "possible",
    "subsumes": "possible",
    "narrower": "possible",
    "specializes": "possible",
    "inexact": "possible",
    "relatedto": "possible",
    "unmatched": "",
    "disjoint": "",
}


@dataclass(frozen=True, slots=True)
class Translation:
    """A local code and a code that it stands for; `strength` is the most that it may prove."""

    source: tuple[str, str]
    target: tuple[str, str]
    strength: str
    row: Row


def read_translations(
    files: Sequence[SiteFile], system_of: Callable[[str], str | None], complaints: Complaints
) -> list[Translation]:
    """Return the translations of all files, each once; two that disagree about the same pair are noted."""
    known: dict[tuple[str, ...], Row] = {}
    found = []
    for row in _rows(files, complaints):
        pair = row.key(COLUMNS[:4])
        first = known.setdefault(pair, row)
        if first is not row:
            if first["equivalence"] != row["equivalence"]:
                message = f"{row['source_code']!r} to {row['target_code']!r} is {first['equivalence']!r} in "
                complaints.add(row, f"{message}{first.file}:{first.line} and {row['equivalence']!r} here; keep one")
        elif (translation := _translation(row, system_of, complaints)) is not None:
            found.append(translation)
    return found


def _translation(row: Row, system_of: Callable[[str], str | None], complaints: Complaints) -> Translation | None:
    complaints.require(row, "equivalence", STRENGTHS)
    if not row["source_system"] or not row["source_code"]:
        complaints.add(row, "a local code needs its source_system and source_code; fill them in")
        return None
    if not STRENGTHS.get(row["equivalence"]):
        return None
    target = system_of(row["target_system"])
    if target is None:
        name = row["target_system"]
        complaints.add(row, f"unknown code system {name!r}; add it to code_systems.csv of your mappings")
        return None
    source = system_of(row["source_system"]) or row["source_system"]
    for system, code in ((source, row["source_code"]), (target, row["target_code"])):
        if damage := code_damage(system, code):
            complaints.add(row, f"code {code!r} {damage}")
            return None
    return Translation(
        (source, row["source_code"].strip()), (target, row["target_code"]), STRENGTHS[row["equivalence"]], row
    )


def _rows(files: Sequence[SiteFile], complaints: Complaints) -> Iterator[Row]:
    for file in files:
        if file.path.suffix == ".csv":
            yield from read_rows(file.path, COLUMNS)
        else:
            yield from _ConceptMap(str(file.path), complaints).rows(read_resource(file.path, "ConceptMap", file.place))


@dataclass(slots=True)
class _ConceptMap:
    """Reads one ConceptMap into the rows that a CSV would have."""

    file: str
    complaints: Complaints

    def rows(self, resource: Element) -> Iterator[Row]:
        if not resource.get("group"):
            self.complaints.note(self.file, "the ConceptMap has no group; nothing is translated by it")
        for group, at in elements(resource, "group", ""):
            if not text(group, "source"):
                self.complaints.note(f"{self.file}:{at}.source", "the group does not say whose codes these are; add it")
            unmapped = group.get("unmapped")
            if isinstance(unmapped, dict) and unmapped.get("mode") != "provided":
                message = "codes that are not listed cannot be translated; take `unmapped` out and list them"
                self.complaints.note(f"{self.file}:{at}.unmapped", message)
            for element, place in elements(group, "element", at):
                yield from self._targets(group, element, place)

    def _targets(self, group: Element, element: Element, at: str) -> Iterator[Row]:
        for target, place in elements(element, "target", at):
            equivalence = text(target, "equivalence")
            if not equivalence and target.get("relationship"):
                message = "this is a ConceptMap of FHIR R5; write equivalence as in R4"
                self.complaints.note(f"{self.file}:{place}", message)
                continue
            # what depends on something else holds perhaps
            equivalence = "relatedto" if target.get("dependsOn") and STRENGTHS.get(equivalence) else equivalence
            cells = (text(group, "source"), text(element, "code"), text(group, "target"), text(target, "code"))
            yield Row(self.file, place, dict(zip(COLUMNS, (*cells, equivalence), strict=True)))
