"""The leaves `age`, `sex` and `judgement`, and the age that formulas need."""

from datetime import date, timedelta

from cohortfinder.model import Leaf
from reference.dates import Span, completed_years, plus_months
from reference.results import results_of
from reference.site import Answer, Site
from reference.truth import Truth, all_of


def birth_of(site: Site, patient_id: str, as_of: date) -> tuple[Span | None, str | None]:
    """Return the possible days of birth, and the Observation of a birth date or an age that told them."""
    if born := site.birth(patient_id):
        return born, None
    for told in reversed(results_of(site, patient_id, "birth_date_observation", as_of)):
        resource = site.by_reference[told.reference]
        written = site.span(resource.get("valueDateTime") or resource.get("valueString"))
        if told.problem in (None, "no_value") and written is not None:
            return written, told.reference
    ages = results_of(site, patient_id, "age", as_of) if "age" in site.mappings.concepts else []
    good = [r for r in ages if r.problem is None and r.value is not None]
    if not good or good[-1].value is None:
        return None, None
    newest = good[-1]
    low, high = int(good[-1].value.lo), int(good[-1].value.hi)
    first = plus_months(newest.days.lo, -12 * (high + 1)) + timedelta(days=1)
    return Span(first, plus_months(newest.days.hi, -12 * low)), newest.reference


def age(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Compare completed years on the index date, as the span that the birth date leaves."""
    born, source = birth_of(site, patient_id, as_of)
    if born is None:
        return Answer(None, "no_birth_date")
    oldest, youngest = completed_years(born.lo, as_of), completed_years(born.hi, as_of)
    bounds, truths = leaf.question.age, list[Truth]()
    if bounds.at_least is not None:
        truths.append(True if youngest >= bounds.at_least else False if oldest < bounds.at_least else None)
    if bounds.at_most is not None:
        truths.append(True if oldest <= bounds.at_most else False if youngest > bounds.at_most else None)
    truth = all_of(truths)
    return Answer(
        truth, "partial_birth_date" if truth is None else None,
        evidence=frozenset({source or f"Patient/{patient_id}"}),
    )  # fmt: skip


def sex(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Compare Patient.gender."""
    gender = site.sex(patient_id)
    if gender in (None, "unknown"):
        return Answer(False if leaf.question.absence == "false" else None, "no_gender")
    return Answer(gender == leaf.question.sex, evidence=frozenset({f"Patient/{patient_id}"}))


def judgement(site: Site, leaf: Leaf, patient_id: str, as_of: date) -> Answer:
    """Leave it to a person."""
    return Answer(None, "judgement_required")
