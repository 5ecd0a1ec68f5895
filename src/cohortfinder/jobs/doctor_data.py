"""What a sample of a server's resources is like, as findings: shares in words, and what to ask for where one is low."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cohortfinder.engine.sampling import SMALLEST, Share, aspects, code_systems, prepare
from cohortfinder.fhir.findings import Finding, fine, note, warning
from cohortfinder.report.diagnosis import Shares
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.sample import Sampled, sampled

_ENTRY = re.compile(r"^entry \d+: ")


@dataclass(frozen=True, slots=True)
class AspectWords:
    """How an aspect is told; below `least` percent it is a warning. `{type}` in `ask` is the type of the resources."""

    label: str
    least: int = 0
    consequence: str = ""
    ask: str = ""


ASPECTS: Mapping[str, AspectWords] = {
    "patient": AspectWords(
        "name their patient", 95, "the others belong to nobody", "Let every {type} name its patient."
    ),
    "birth_date": AspectWords("have a date of birth", 90, "without one the age is unknown", "Send birthDate."),
    "sex": AspectWords("have a sex", 90, "without one the sex is unknown", "Send gender."),
    "standard_code": AspectWords(
        "have a standard code", 80,
        "what has a local code alone is found only when the code is mapped (docs/how-to/site-codes.md)",
        "Send standard codes with {type} (LOINC, SNOMED CT, ICD, ATC, RxNorm, CVX), or a table of your local codes.",
    ),
    "known_code": AspectWords("have a code of one of our concepts"),
    "medication_reference": AspectWords("refer to a Medication"),
    "date": AspectWords(
        "have a date", 90, "without one it stays open whether they count", "Send the clinical date with every {type}."
    ),
    "clinical_status": AspectWords(
        "have a clinical status", 80, "whether they are active is then guessed from the kind of disease",
        "Send clinicalStatus with every {type}.",
    ),
    "ucum_unit": AspectWords(
        "of those with a number have a UCUM unit", 80, "a unit in words is read where it is known",
        "Send the unit of numbers as a UCUM code (system http://unitsofmeasure.org).",
    ),
    "known_unit": AspectWords(
        "of those with a number have a unit that is known here", 80, "other numbers are not compared",
        "Which units do the laboratories send?",
    ),
    "range": AspectWords(
        "of those with a number have a reference range", 50,
        "criteria in multiples of the laboratory's limit rest on assumed ranges, or stay unknown",
        "Send referenceRange with the results of the laboratory.",
    ),
}  # fmt: skip


def examine(contents: Iterable[bytes], terminology: Terminology) -> tuple[Shares, tuple[Finding, ...]]:
    """Read sampled pages into tables in memory, and return their shares with what is to be said about them."""
    with sampled(contents) as sample:
        prepare(sample.connection, terminology)
        totals = {kind: filled.loaded for kind, filled in sample.types.items()}
        report = Shares(
            aspects(sample.connection),
            code_systems(sample.connection, totals),
            {kind: size_words(total) for kind, total in totals.items()},
        )
        return report, (*_unread(sample), *_types(report), *_low(report))


def size_words(total: int) -> str:
    """Return how many resources were looked at, as far as it may be told."""
    return f"under {SMALLEST}" if 0 < total < SMALLEST else str(total)


def _unread(sample: Sampled) -> Iterator[Finding]:
    """Tell why some resources cannot be read; the reasons name no value of them."""
    reasons = sorted({_ENTRY.sub("", reason) for reason in sample.reasons})
    if reasons:
        what = f"some resources cannot be read and would be put aside: {'; '.join(reasons)}"
        yield warning("data", what, ask="Why are these resources not valid FHIR R4?")


def _types(report: Shares) -> Iterator[Finding]:
    """Tell each type in one sentence."""
    for kind in dict.fromkeys(one.resource_type for one in report.aspects):
        told = [
            f"{one.share.words} {ASPECTS[one.name].label}"
            for one in report.aspects
            if one.resource_type == kind and (one.share.having or one.name != "medication_reference")
        ]
        systems = [f"{one.name} {one.share.words}" for one in report.systems if one.resource_type == kind]
        codes = f"; codes: {', '.join(systems)}" if systems else ""
        yield fine(kind, f"{report.sizes[kind]} looked at: {', '.join(told)}{codes}")


def _low(report: Shares) -> Iterator[Finding]:
    for one in report.aspects:
        words = ASPECTS[one.name]
        if one.share.total < SMALLEST:
            continue
        if _percent(one.share) < words.least:
            few = f"only {one.share.words}" if one.share.having else "none"
            ask = words.ask.format(type=one.resource_type)
            yield warning(one.resource_type, f"{few} {words.label}: {words.consequence}", ask=ask)
        elif one.name == "known_code" and one.share.having == 0:
            yield note(one.resource_type, f"none {words.label}: this sample may be of other departments")


def _percent(share: Share) -> float:
    return 100 * share.having / share.total
