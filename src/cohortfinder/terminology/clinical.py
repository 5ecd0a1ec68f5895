"""clinical_concepts.csv, clinical_codes.csv and text_terms.csv to clinical concepts."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from cohortfinder.terminology.concepts import (
    CLINICAL_COLUMNS,
    CODE_MATCHES,
    COURSES,
    DOMAINS,
    STRENGTHS,
    ClinicalCode,
    ClinicalConcept,
    TextTerm,
)
from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.site_codes import SiteCodes
from cohortfinder.terminology.tables import Complaints, MappingFiles, group_rows

_CONCEPT_COLUMNS = ("concept", "domain", "course", "label")
_EFFECT_COLUMNS = ("concept", "effect_days", "route", "source")
_TERM_COLUMNS = ("concept", "lang", "term", "match", "note", "source")


def read_clinical_concepts(files: MappingFiles, site: SiteCodes, complaints: Complaints) -> dict[str, ClinicalConcept]:
    """Return the concepts by name, each with its codes and words.

    A code stands once in a concept: included and excluded at the same time would mean nothing.
    """
    concepts = files.read("concepts/clinical_concepts.csv", _CONCEPT_COLUMNS, ("concept",), complaints)
    codes = files.read("concepts/clinical_codes.csv", CLINICAL_COLUMNS, ("concept", "system", "code"), complaints)
    terms = files.read("concepts/text_terms.csv", _TERM_COLUMNS, ("concept", "lang", "term"), complaints)
    codes = site.clinical(codes, {row["concept"]: row["label"] for row in concepts})
    files.put("concepts/clinical_codes.csv", codes)
    names = [row["concept"] for row in concepts]
    for row in files.read("concepts/text_cautions.csv", ("word", "lang", "effect"), ("word",), complaints):
        complaints.require(row, "effect", ("negation", "family", "suspicion"))

    def nearest(name: str) -> str | None:
        return next(iter(get_close_matches(name, names, n=1)), None)

    codes_of = group_rows(codes, names, complaints, nearest)
    terms_of = group_rows(terms, names, complaints, nearest)
    return {
        row["concept"]: _concept(row, codes_of[row["concept"]], terms_of[row["concept"]], complaints)
        for row in concepts
    }


def check_drug_effects(files: MappingFiles, concepts: Mapping[str, ClinicalConcept], complaints: Complaints) -> None:
    """Note a drug that does not exist, and an effect that is no number of days."""
    for row in files.read("concepts/drug_effects.csv", _EFFECT_COLUMNS, ("concept",), complaints):
        concept = concepts.get(row["concept"])
        if concept is None or concept.domain != "medication":
            complaints.add(row, f"{row['concept']!r} is no concept of the domain medication")
        complaints.whole(row, "effect_days")
        complaints.require(row, "route", ("", "iv"))


def _concept(row: Row, codes: Sequence[Row], terms: Sequence[Row], complaints: Complaints) -> ClinicalConcept:
    complaints.require(row, "domain", DOMAINS)
    complaints.require(row, "course", COURSES)
    if (row["domain"] == "condition") != bool(row["course"]):
        complaints.add(row, "a condition needs a course (chronic, event or state), other domains have none")
    return ClinicalConcept(
        concept=row["concept"],
        domain=row["domain"],
        course=row["course"],
        label=row["label"],
        codes=tuple(_code(code, complaints) for code in codes),
        terms=tuple(TextTerm(term["lang"], term["term"], term["match"]) for term in terms),
    )


def _code(row: Row, complaints: Complaints) -> ClinicalCode:
    complaints.require(row, "match", CODE_MATCHES)
    complaints.require(row, "include", ("yes", "no"))
    complaints.require(row, "strength", STRENGTHS)
    if (row["include"] == "yes") != bool(row["strength"]):
        complaints.add(row, "an included code needs a strength, an excluded one has none")
    return ClinicalCode(row["system"], row["code"], row["match"], row["include"] == "yes", row["strength"], row["note"])
