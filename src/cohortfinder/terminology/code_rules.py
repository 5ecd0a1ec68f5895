"""Which codes a ValueSet holds, said with the match rules of the concepts."""

from dataclasses import dataclass

# In these the digits of a code begin with those of its parent, so that a hierarchy is a prefix.
PREFIX_SYSTEMS = frozenset(
    {
        "http://hl7.org/fhir/sid/icd-10",
        "http://hl7.org/fhir/sid/icd-10-cm",
        "http://hl7.org/fhir/sid/icd-9-cm",
        "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
        "http://www.cms.gov/Medicare/Coding/ICD10",
        "http://www.whocc.no/atc",
    }
)


@dataclass(frozen=True, slots=True)
class CodeRule:
    """A code that is in a set or kept out of it; `place` is where a file says so."""

    system: str
    code: str
    match: str
    include: bool
    place: tuple[str, str | int]

    @property
    def key(self) -> tuple[str, str, str]:
        """What it speaks of."""
        return self.system, self.code, self.match


def below(system: str) -> str:
    """Return the match that takes a code with everything below it."""
    return "prefix" if system in PREFIX_SYSTEMS else "descendants"
