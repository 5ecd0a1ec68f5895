"""Everything that a site says about codes, read once and applied to the rows of each mapping file in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cohortfinder.site import Site
from cohortfinder.terminology.codes import code_damage
from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.expansions import Expansions, Questions, expanded_rows, questions_of, read_expansions
from cohortfinder.terminology.local_codes import clinical_rows, observation_rows, same_rows
from cohortfinder.terminology.site_concepts import SiteConcepts
from cohortfinder.terminology.tables import Complaints, MappingFiles
from cohortfinder.terminology.translations import Translation, read_translations
from cohortfinder.terminology.value_sets import ValueSets

SYSTEMS = "code_systems.csv"
# files whose rows are about a code, and the column that has it
_SAME = {"ordinal_codes.csv": "code", "numeric_answers.csv": "answer", "doses.csv": "code", "sex_codes.csv": "code"}


@dataclass(slots=True)
class SiteCodes:
    """The concepts, translations and expansions of a site."""

    concepts: SiteConcepts
    translations: Sequence[Translation]
    expansions: Expansions
    icd: frozenset[str]
    questions: Questions = field(default_factory=Questions)

    def clinical(self, rows: Sequence[Row], labels: Mapping[str, str]) -> list[Row]:
        """Return the rows of clinical_codes.csv as they hold at the site."""
        chosen = self.concepts.clinical(rows, labels)
        self._check(chosen)
        self.questions = questions_of(chosen, self.concepts.sets.unsaid)
        chosen += expanded_rows(chosen, self.expansions)
        return [*chosen, *clinical_rows(chosen, self.translations, self.icd)]

    def _check(self, rows: Sequence[Row]) -> None:
        """Note damaged codes that people wrote; what a terminology server said below them is its word."""
        for row in rows:
            if damage := code_damage(row["system"], row["code"]):
                self.concepts.complaints.add(row, f"code {row['code']!r} {damage}")

    def observation(self, rows: Sequence[Row], labels: Mapping[str, str]) -> list[Row]:
        """Return the rows of observation_codes.csv as they hold at the site."""
        chosen = self.concepts.observation(rows, labels)
        return [*chosen, *observation_rows(chosen, self.translations)]

    def translate(self, files: MappingFiles) -> None:
        """Give the local codes that mean exactly the same the rows of the other files."""
        for name, column in _SAME.items():
            rows = files.rows(name)
            files.put(name, [*rows, *same_rows(rows, self.translations, column)])

    def inputs(self) -> set[Path]:
        """Return the files that were read."""
        own = {one.file.path for one in self.concepts.files} | self.concepts.sets.read
        kept = {Path(self.expansions.file)} if self.expansions.file else set()
        return own | {Path(one.row.file) for one in self.translations} | kept


def read_site_codes(site: Site, files: MappingFiles, systems: dict[str, str], complaints: Complaints) -> SiteCodes:
    """Read the value sets, translations and expansions of a site; its code systems are added to those that are known.

    Raises ConfigurationError when a file is not what it should be.
    """

    def system_of(name: str) -> str | None:
        return systems.get(name.strip().lower().rstrip("/"))

    expansions = read_expansions(site.expansions)
    translations = read_translations(site.local_codes, system_of, complaints)
    concepts = SiteConcepts(site.concepts, ValueSets(system_of, expansions.value_sets, complaints), complaints)
    known = files.rows(SYSTEMS)
    local = sorted({one.source[0] for one in translations} - set(systems.values()))
    made = [_system_row(address) for address in local]
    files.put(SYSTEMS, [*known, *made])
    systems.update({row["alias"]: row["uri"] for row in made})
    icd = frozenset(row["uri"] for row in known if row["name"].startswith("ICD"))
    return SiteCodes(concepts, translations, expansions, icd)


def _system_row(address: str) -> Row:
    """Return the row by which SQL finds the codes of a local system."""
    alias = address.strip().lower().rstrip("/")
    return Row("local codes", 0, {"name": address, "uri": address, "alias": alias})
