"""Everything that a trial's rules may name, in one value."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches

from cohortfinder.terminology.concepts import ClinicalConcept, Lookback, ObservationConcept, ReferenceRange
from cohortfinder.terminology.doses import DosedDrugs
from cohortfinder.terminology.efforts import Effort
from cohortfinder.terminology.expansions import Expansions, Questions
from cohortfinder.terminology.tables import TableChange
from cohortfinder.terminology.units import Units


@dataclass(frozen=True, slots=True)
class Terminology:
    """The mapping files, loaded and checked; `sha256` is the hash of all of them.

    `changes` is what a site changes in each file, for whoever reads the file itself; `inputs` are the hashes of the
    site's files by their names, `questions` what a terminology server can be asked and `expansions` what one answered;
    `text_terms` is what a text may prove: off, possible or definite. `efforts` are the tests that bring the data on
    each concept.
    """

    observation_concepts: Mapping[str, ObservationConcept]
    clinical_concepts: Mapping[str, ClinicalConcept]
    units: Units
    lookback: Mapping[str, Lookback]
    code_systems: Mapping[str, str]
    system_words: Mapping[str, str]
    doses: Mapping[str, DosedDrugs]
    ranges: Mapping[str, ReferenceRange]
    efforts: Mapping[str, Effort]
    sha256: str
    changes: Mapping[str, TableChange]
    inputs: Mapping[str, str]
    questions: Questions
    expansions: Expansions
    text_terms: str

    def units_of(self, concept: str) -> frozenset[str]:
        """Return the unit codes in which the concept's values can be compared; none for an ordinal one."""
        unit = self.observation_concepts[concept].unit
        return self.units.convertible_to(concept, unit) if unit else frozenset()

    def convert(self, concept: str, value: Decimal, from_unit: str, to_unit: str) -> Decimal | None:
        """Convert a value of the concept, through its own unit if need be; None if impossible."""
        direct = self.units.convert(concept, value, from_unit, to_unit)
        if direct is not None:
            return direct
        unit = self.observation_concepts[concept].unit
        middle = self.units.convert(concept, value, from_unit, unit)
        return None if middle is None else self.units.convert(concept, middle, unit, to_unit)

    def group_of(self, concept: str) -> str:
        """Return the look-back group of an observation concept."""
        return self.observation_concepts[concept].group

    def system_of(self, alias: str) -> str | None:
        """Return the canonical address of a code system by any of its names, None when it is not known."""
        return self.code_systems.get(alias.strip().lower().rstrip("/"))

    def nearest(self, name: str) -> str | None:
        """Return the concept whose name is most like a misspelt one, None when none is."""
        found = get_close_matches(name, [*self.observation_concepts, *self.clinical_concepts], n=1)
        return found[0] if found else None
