"""What the evidence of a leaf must hold to: it is true, it counts, and it is enough.

For each leaf that decides a criterion:

1. An item is either a record (its reference, date and value) or a search that found nothing (`found` 0).
2. A search stands alone, and it stands where the oracle finds no record that could be named, and nowhere else.
3. A named record is one of this person, exists on the index date, and is one that the question asks for: nothing of
   another patient, of another concept or entered in error. Unusable results may be named, for they are the reason.
4. Date and value are those that the record sent, to the letter; the name of a drug is one of the drug that was asked for.
5. When the leaf is true or false by records, those that are named are enough: were they the only ones of this patient,
   the oracle would say the same. And one of those by which the oracle decides is among them.
"""

import json
import re
from collections.abc import Sequence
from datetime import date

from cohortfinder.model import Leaf
from properties.engine import Shown
from reference.clinical import records_of
from reference.evaluate import RECORDS, truth_of_leaf
from reference.exposures import exposures
from reference.observation import asked_of
from reference.shown import dates_of, values_of
from reference.site import MEDICATION_TYPES, Answer, Site, reference_of

INPUTS = {
    "cockcroft_gault": ("creatinine_serum", "body_weight"),
    "sledai_serology_points": ("sledai_2k_total", "sledai_2k_low_complement", "sledai_2k_dsdna", "sledai_2k_clinical"),
    "sledai_clinical_points": ("sledai_2k_total", "sledai_2k_low_complement", "sledai_2k_dsdna", "sledai_2k_clinical"),
    "spo2_room_air": (
        "spo2", "inhaled_oxygen_concentration", "inhaled_oxygen_flow", "supplemental_oxygen_use", "ventilator_oxygen"
    ),
}  # fmt: skip
WEIGHT = "body_weight"
NOTHING = ("no_data", "missing_creatinine", "missing_total", "missing_saturation")


def faults(site: Site, leaf: Leaf, patient: str, as_of: date, shown: Sequence[Shown]) -> list[str]:
    """Return what is wrong with the evidence of one leaf of one patient."""
    if leaf.kind == "judgement":
        return [f"a judgement has no evidence: {shown}"] if shown else []
    if leaf.kind == "treatment" and leaf.question.dose_then:
        # the dose beside a result rests on records, contacts and weights of other days: they are at least this person's
        own = {reference_of(resource) for resource in site.by_patient[patient]}
        return [
            f"{item.resource} is of another" for item in shown if item.resource is not None and item.resource not in own
        ]
    answer = truth_of_leaf(site, leaf, patient, as_of)
    records = [item for item in shown if item.resource is not None]
    searches = [item for item in shown if item.resource is None]
    found = [f"a search is told as a record: {item}" for item in records if item.searched or item.found is not None]
    found += _search_faults(searches, records, answer, as_of)
    found += [fault for item in records for fault in _record_faults(site, leaf, patient, as_of, item)]
    if answer.truth is not None and answer.evidence:
        found += _too_little(site, leaf, patient, as_of, answer, records)
    return found


def _search_faults(searches: Sequence[Shown], records: Sequence[Shown], answer: Answer, as_of: date) -> list[str]:
    if not searches:
        return [] if records else ["no evidence at all"]
    item = searches[0]
    if len(searches) > 1 or records:
        return [f"a search beside other evidence: {item}"]
    if answer.reason not in NOTHING:
        return [f"a search for what there is, {answer.reason}: {item}"]
    told = item.searched and item.found == 0 and item.date is None and item.value is None and item.compared is None
    if not told or (item.since is not None and item.since > as_of.isoformat()):
        return [f"a search that does not say what was searched: {item}"]
    return []


def _record_faults(site: Site, leaf: Leaf, patient: str, as_of: date, item: Shown) -> list[str]:
    if item.resource not in countable(site, leaf, patient, as_of):
        return [f"{item.resource} cannot count"]
    resource = site.by_reference[str(item.resource)]
    dates, values = dates_of(site, resource), values_of(site, resource, concepts_of(leaf))
    if resource["resourceType"] == "Patient":
        # the birth date is the date of an age, the gender the value of a sex
        dates, values = ([], values) if leaf.kind == "sex" else (dates, {None})
    found = [] if item.date == next(iter(dates), None) else [f"date {item.date} of {item.resource}, sent {dates}"]
    if leaf.kind == "dose" and resource["resourceType"] in MEDICATION_TYPES:
        # the dosage in words: no number that was not sent
        numbers = set(re.findall(r"\d+(?:\.\d+)?", item.value or ""))
        values |= {item.value} if numbers <= {"1"} | set(re.findall(r"\d+(?:\.\d+)?", json.dumps(resource))) else set()
    return found + ([] if item.value in values else [f"value {item.value} of {item.resource}, sent {values}"])


def concepts_of(leaf: Leaf) -> tuple[str, ...]:
    """Return the concepts whose records may be named."""
    if leaf.kind == "dose":
        return (leaf.question.dose, WEIGHT)
    return INPUTS[leaf.question.formula] if leaf.kind == "formula" else tuple(leaf.question.concepts)


def countable(site: Site, leaf: Leaf, patient: str, as_of: date) -> set[str]:
    """Return the records that may be named."""
    if leaf.kind == "treatment":
        reached = leaf.question.reaching
        results = (
            [r for c in reached.observation for r in asked_of(site, reached, patient, c, as_of)] if reached else []
        )
        return records_of(site, leaf, patient, as_of) | {r.reference for r in results}
    if leaf.kind in RECORDS:
        return records_of(site, leaf, patient, as_of)
    if leaf.kind == "dose":
        weights = asked_of(site, leaf.question, patient, WEIGHT, as_of)
        taken = exposures(site, patient, leaf.question.dose)
        # the steps of a taper have days of their own, and what ends before it begins may have begun at its end
        odd = [e for e in taken if "boundsPeriod" in json.dumps(site.by_reference[e.reference])]
        odd += [e for e in taken if e.possible_end.hi < e.start.lo]
        return {e.reference for e in taken if e.start.lo <= as_of or e in odd} | {r.reference for r in weights}
    own = {f"Patient/{patient}"} if leaf.kind in ("age", "sex") else set()
    return own | {
        r.reference for name in concepts_of(leaf) for r in asked_of(site, leaf.question, patient, name, as_of)
    }


def _too_little(
    site: Site, leaf: Leaf, patient: str, as_of: date, answer: Answer, records: Sequence[Shown]
) -> list[str]:
    named = frozenset(str(item.resource) for item in records)
    alone = truth_of_leaf(site.with_only(patient, named), leaf, patient, as_of)
    found = [] if alone.truth is answer.truth and alone.evidence else [f"{sorted(named)} alone say {alone.truth}"]
    return found + ([] if answer.evidence & named else [f"none of {sorted(answer.evidence)} is named"])
