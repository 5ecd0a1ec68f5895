"""Every sentence about rules, verdicts and evidence, once: codes and values to plain English."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from cohortfinder.model import Comparison, Duration, Quantity, Reading


class Evidence(NamedTuple):
    """One resource that decided a verdict, or (with `searched`) what was searched and not found."""

    leaf: str = ""
    resource: str | None = None
    date: str | None = None
    value: str | None = None
    compared: str | None = None
    searched: str | None = None
    since: str | None = None
    found: int | None = None
    concept: str | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """What sentences need beyond the verdict: the concepts' names and the index date."""

    labels: Mapping[str, str] = field(default_factory=dict)
    as_of: date | None = None

    def name(self, concepts: Iterable[str]) -> str:
        """Name concepts as a person would: "belimumab or telitacicept"."""
        concepts = tuple(concepts)
        names = [
            _mid_sentence(self.labels.get(concept) or _FORMULAS.get(concept) or spoken(concept)) for concept in concepts
        ]
        return either(names if len(names) <= _NAMED else [names[0], _similar(concepts[1:])])


# a list of more concepts than this is cut after the first
_NAMED = 3
VERDICTS = {"pass": "Passes", "fail": "Fails", "unknown": "Unknown"}
VERDICT_SYMBOLS = {"pass": "✓", "fail": "✗", "unknown": "?"}
STATUSES = {"eligible": "Eligible", "possible": "Possible", "excluded": "Excluded"}
# why a patient is kept off every list
GATES = {
    "deceased": "Deceased",
    "test_patient": "Test patient",
    "restricted": "Restricted record",
    "consent": "A consent refuses research or contact",
    "consent_unclear": "A consent that cannot be read",
    "do_not_contact": "Not to be contacted",
}
# why a patient entered a list, left it or moved in it
CAUSES = {
    "death": "died",
    "gate": "kept off the list, or no longer",
    "merge": "records were put together",
    "answer": "a person's answer",
    "new_result": "new data",
    "corrected_or_deleted": "data corrected or deleted",
    "incomplete_load": "a load that was not complete",
    "trial": "the trial's text changed",
    "mapping": "a mapping changed",
    "time": "time alone",
    "program": "another version of the program",
    "unexplained": "not explained by what was stored",
}
CERTAINTIES = {
    "exact": "from the data that the protocol names",
    "proxy": "from weaker data, to be confirmed by a person",
    "judgement": "only a person can tell",
}

# {name}: the concept; {item}: the deciding record; {needed}: what is asked; {window}: when
REASONS = {
    "no_data": "no result of {name} is on file",
    "out_of_window": "{item} is outside the time in which it counts{window}",
    "partial_date": "the date of {item} is incomplete, so it may or may not lie in the required time{window}",
    "unusable_status": "{item} was not released as final",
    "unit_missing": "{item} was sent without a unit and cannot be compared",
    "unit_unconvertible": "the unit of {item} cannot be converted",
    "implausible": "{item} is outside the plausible range and was not used",
    "no_reference_range": "{item} came without a normal range, and the usual ones do not settle whether it is {needed}",
    "comparator_straddles_threshold": "{item} is not exact enough to tell whether it is {needed}",
    "equivocal_result": "{item} is equivocal",
    "interpretation_disagrees": "the value of {item} and the laboratory's own interpretation disagree",
    "conflicting_results": "results of {name} contradict each other",
    "conflicting_codes": "the codes of {item} contradict each other",
    "no_value": "{item} carries no value",
    "not_numeric": "{item} is not a number",
    "no_polarity": "{item} does not say positive or negative",
    "order_unconfirmed": "{item} was ordered, but nothing confirms that it was given",
    "dose_unknown": "the dose of {item} is not on record",
    "timing_unknown": "how often {item} is taken is not on record",
    "strength_unknown": "the strength of {item} is not on record, so its units say nothing",
    "weight_missing": "{item} needs a body weight of the last 90 days, which is not on file",
    "text_dose": "the dose of {item} is told in words only",
    "as_needed": "{item} is taken as needed, so nobody knows how much",
    "taper_without_bounds": "{item} is a taper, and nothing says when which step was taken",
    "dose_range": "the dose of {item} is not exact enough to tell whether it is {needed}",
    "supply_only": "{item} was handed out; how much of it is taken is an average of its supply at best",
    "doubtful_dose": "{item} is more than this drug is ever given in a week; a mistake, to be looked up",
    "route_unknown": "nothing says whether {item} acts in the whole body",
    "local_route": "{item} acts only where it is applied",
    "depot_injection": "{item} was injected as a depot, which has no daily dose",
    "no_equivalence": "there is no accepted equivalent of {item}",
    "ingredient_unknown": "{item} does not say which drug it is",
    "duration_unclear": "{item} does not say for how long it was taken",
    "not_taken_recorded": "a record says that {name} was not taken at some of that time",
    "dose_then_unknown": "the dose on the day of {item} does not settle it",
    "too_few_results": "too few results were found under {name} to say that the value was never reached",
    "open_ended_record": "{item} has no end on record, so it may or may not still have been taken{window}",
    "tentative_record": "{item} is provisional, unconfirmed or only a differential diagnosis",
    "unnamed_drug": "a medication record names no drug, or its product is not loaded, so it may be {name}",
    "unspecific_code": "{item} is coded too broadly to tell",
    "contradicted_by_refuted": "{item} is on record, but a later record refutes it",
    "not_loaded": "records that would show {name} are not loaded, so their silence proves nothing",
    "not_observed": "the patient has no recent records here, so the silence about {name} proves nothing",
    "no_birth_date": "neither a birth date nor an age is on file",
    "partial_birth_date": "the birth date is incomplete, and the age limit falls inside it",
    "no_gender": "no gender is on file",
    "no_date": "{item} has no date",
    "single_day_beyond": "only one day is beyond the limit ({item}); a second day would decide",
    "baseline_missing": "an earlier result to compare {item} with is not on file",
    "baseline_dependent": "whether it is {needed} depends on which earlier result {item} is compared with",
    "relative_vs_absolute": "the change up to {item} is {needed} in percent of the earlier value or in points only",
    "undefined_change": "the result before {item} is 0, so a change in percent means nothing",
    "severity_unclear": "nothing says whether {item} is severe",
    "planned_participation": "{item} is only planned",
    "study_kind_unclear": "nothing says whether {item} is an interventional study",
    "participation_end_unknown": "{item} has no end on record and may or may not reach into the required time{window}",
    "judgement_required": "a person decides",
    "not_computed": "not computed by this version; check it by hand",
    "outside_window": "{item} is outside the required time{window}",
    "below_detection": "{item} is below the detection limit, which alone settles nothing here",
    "recorded_against": "a record says no to {item}",
    "on_oxygen": "{item} was measured on oxygen; a reading on room air is needed",
    "room_air_not_stated": "{item} does not say whether it was measured on room air",
    "dialysis": "{name} says nothing in a patient on dialysis",
    "creatinine_unstable": "creatinine changed by more than half within a week, so {name} says nothing",
    "missing_items": "{name} cannot be computed: the single items of the score are not on file",
    "missing_total": "{name} cannot be computed: the total of the score is not on file",
}
# formulas are no concepts of the mappings, so their names stand here
_FORMULAS = {
    "cockcroft_gault": "creatinine clearance by Cockcroft-Gault",
    "sledai_clinical_points": "clinical SLEDAI points",
    "sledai_serology_points": "serological SLEDAI points",
    "spo2_room_air": "oxygen saturation on room air",
}
_PROPER_NAMES = ("Treponema", "Sj", "Takayasu", "Raynaud", "Cockcroft", "Epstein", "Beh")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
DECIDED = frozenset({"met", "not_met", "absent"})
# a person's answer to the criterion as written, by the code of the reason
ANSWERED = {"answered_yes": "yes", "answered_no": "no"}
# the concept of the evidence that is an answer: the resource is who gave it, and what was compared is the note
ANSWER = "answer"

FLAGS = {
    "assumed_uln": "compared with an assumed normal range, because the result has none of its own",
    "stale_for_protocol": "older than the protocol's screening window: repeat before enrolment",
    "protocol_text_error": "the protocol's wording is unclear or wrong here: see the note in the trial file",
    "newer_unusable": "a newer result exists but cannot be used",
    "stale": "a newer unusable result is more than 14 days younger than the one used",
    "contradictory_results": "results of one time contradict each other; the less favourable one was used",
    "conflicting_results": "results contradict each other",
    "baseline_dependent": "another earlier result would give another answer",
    "relative_vs_absolute": "in percent of the earlier value and in points the answer is not the same",
    "below_detection": "below the detection limit, read as negative",
    "dialysis": "dialysis is on record, which makes a computed clearance meaningless",
    "creatinine_unstable": "creatinine changed by more than half within a week",
    "reported_clearance_used": "the laboratory's own clearance was used, because ours could not be computed",
    "reported_clearance_differs": "the laboratory's own clearance differs by more than 20 % from the computed one",
    "stated_weight": "the weight was told, not measured",
    "room_air_assumed": "nothing says what was breathed: room air was assumed, as the site has set",
    "venous_possible": "the blood may have been venous",
    "platelet_clumps": "a note speaks of platelet clumps: the count may be too low",
    "line_blot": "by line blot, which is less specific",
    "not_hep2": "on rat liver and not on HEp-2 cells",
    "time_from_issued": "no clinical time was sent: the time of issue was used",
    "contradicted": "newer data contradict a person's answer",
    "not_sure": "a person has looked and was not sure",
    "contradicted_by_refuted": "a later record refutes an earlier one",
    "near_miss": "only one criterion fails",
    "proxy": "from weaker data than the protocol names",
    "preliminary_only": "a preliminary result is shown but not used",
    "open_ended_record": "the record has no end",
    "doubtful_dose": "a dose on record is more than the drug is ever given in a week",
    "order_unconfirmed": "ordered, but nothing confirms that it was given",
}


def knows_reason(code: str) -> bool:
    """Return whether a reason code has a sentence of its own."""
    return code in REASONS or code in DECIDED or code in ANSWERED or code.startswith("missing_")


def flag_words(flag: str, own: Mapping[str, str] = MappingProxyType({})) -> str:
    """Say a flag in words; `own` are those of the trial, an unknown one keeps its own word."""
    return own.get(flag) or FLAGS.get(flag) or f"{spoken(flag)} (flag {flag})"


def share_words(factor: Any) -> str:
    """Say what the chance of an unknown criterion comes from: "passes in 91 of 98 known"."""
    if factor.judged:
        known = f"{100 * factor.share:.0f} % expected"
    else:
        known = f"passes in {factor.passes} of {factor.known} known" if factor.known else "nobody known"
    answers = f", passes in {factor.answered_passes} of {factor.answered} answered by people" if factor.answered else ""
    return f"{known}{answers}"


def counted(number: int, what: str) -> str:
    """Say how many: "1 outcome", "12 outcomes"."""
    return f"{number} {what if number == 1 else f'{what}s'}"


def reading_words(reading: Reading) -> str:
    """Say which value of a parameter holds in a criterion, and which others a site may choose."""
    others = f"; a site may choose {' or '.join(reading.others)} instead" if reading.others else ""
    return f"Read with {reading.parameter} = {reading.value or 'left open'}{others}."


def quantity(value: Quantity) -> str:
    """Say a quantity: "1.5 x ULN" (upper limit of normal), "titre 1:80", "30 mL/min"."""
    number = f"{value.value:f}"
    if value.unit == "{titer}":
        return f"titre 1:{number}"
    if value.unit in ("ULN", "LLN"):
        return value.unit if value.value == Decimal(1) else f"{number} x {value.unit}"
    return plain_units(f"{number} {value.unit}".strip())


def duration(span: Duration) -> str:
    """Say a span of time: "3 weeks", "1 month"."""
    return f"{span.count} {span.unit[:-1] if span.count == 1 else span.unit}"


def comparison(bounds: Comparison, *, holds: bool = True) -> str:
    """Say what a number must be, or with `holds=False` the opposite: "at most 5" and "above 5"."""
    lower, upper = bounds.lower, bounds.upper
    if lower is not None and upper is not None:
        words = "between" if bounds.lower_included and bounds.upper_included else "strictly between"
        return f"{'' if holds else 'not '}{words} {quantity(lower)} and {quantity(upper)}"
    if lower is not None:
        included = bounds.lower_included
        words = ("at least" if included else "above") if holds else ("below" if included else "at most")
        return f"{words} {quantity(lower)}"
    if upper is None:
        return "as asked" if holds else "not as asked"
    included = bounds.upper_included
    words = ("at most" if included else "below") if holds else ("above" if included else "at least")
    return f"{words} {quantity(upper)}"


def change(rises: bool, amount: Quantity, *, holds: bool = True) -> str:
    """Say how much a number must rise or fall: "up by at least 10 %", or "not up by 10 %"."""
    way = "up" if rises else "down"
    return f"{way} by at least {quantity(amount)}" if holds else f"not {way} by {quantity(amount)}"


def needed(question: Any, *, holds: bool = True) -> str:
    """Say what a leaf asks of a value."""
    if (bounds := getattr(question, "comparison", None)) is not None:
        return comparison(bounds, holds=holds)
    if (amount := getattr(question, "amount", None)) is not None:
        return change(question.rises_by is not None, amount, holds=holds)
    if polarity := getattr(question, "is_", None):
        return polarity if holds else f"not {polarity}"
    if (age := getattr(question, "age", None)) is not None:
        return _age_words(age.at_least, age.at_most, holds=holds)
    if sex := getattr(question, "sex", None):
        return sex if holds else f"not {sex}"
    return "as asked" if holds else "not as asked"


def _age_words(lower: int | None, upper: int | None, *, holds: bool) -> str:
    if lower is not None and upper is not None:
        return f"{'within' if holds else 'outside'} {lower} to {upper} years"
    if lower is not None:
        return f"{'at least' if holds else 'below'} {lower} years"
    return f"{'at most' if holds else 'above'} {upper} years"


def window(question: Any, as_of: date | None = None) -> str:
    """Say when a record must lie: "within 3 weeks before 2026-11-20"; empty when at any time."""
    day = as_of.isoformat() if as_of else "the index date"
    if ago := getattr(question, "ago", None):
        day = f"the day {duration(ago)} before {day}"
    if getattr(question, "gaps", None):
        return _treatment_time(question.for_, question.until, day)
    active = "active " if getattr(question, "active", None) else ""
    if span := getattr(question, "within", None):
        return f"{active}within {duration(span)} before {day}"
    if span := getattr(question, "before", None):
        return f"more than {duration(span)} before {day}"
    return f"active on {day}" if getattr(question, "active", None) else ""


def _treatment_time(length: Duration, until: Duration | None, day: str) -> str:
    end = f", up to {duration(until)} before {day} or later" if until else f" until {day}"
    return f"for {duration(length)} or longer{end}"


@lru_cache(maxsize=2**16)
def plain_units(text: str) -> str:
    """Write UCUM units as people do: "10*9/L" as "10⁹/L", "mm[Hg]" as "mmHg", "1.4 {INR}" as "1.4"."""
    plain = re.sub(r"\s*\{[^}]*\}|(?<=\d) 1$", "", text)
    plain = re.sub(r"10\*(\d+)", lambda power: f"10{power[1].translate(_SUPERSCRIPTS)}", plain)
    return re.sub(r"\[([^\]]*)\]", r"\1", plain)


def _similar(concepts: tuple[str, ...]) -> str:
    clinical = concepts[0].startswith(("dx_", "rx_", "px_", "st_", "vx_"))
    return f"{len(concepts)} similar {'records' if clinical else 'tests'}"


def _mid_sentence(label: str) -> str:
    lowered = label[:1].lower() + label[1:]
    return lowered if label[1:2].islower() and not label.startswith(_PROPER_NAMES) else label


def either(names: Sequence[str]) -> str:
    """Join names as a person would: "a, b or c"."""
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def spoken(word: str) -> str:
    """Say a concept without a label, or a flag: "dx_sle" as "sle"."""
    head, _, rest = word.partition("_")
    return (rest if head in ("dx", "rx", "px", "st", "vx") and rest else word).replace("_", " ")


def rounded(text: str) -> str:
    """Cut computed numbers to two decimals; what was sent never has so many that it is cut.

    More are kept where two would make a whole number of one that is none: 29.996 is below 30.
    """
    return re.sub(r"\d+\.\d{5,}", lambda number: _rounded(Decimal(number[0])), text)


def _rounded(value: Decimal) -> str:
    cut = (round(value, places) for places in (2, 4, 6, 10))
    near = next((one for one in cut if one == value or one != one.to_integral_value()), value)
    return f"{near:f}".rstrip("0").rstrip(".")


def stood_for(item: Evidence) -> str:
    """Say what a record was compared as, or the note beside an answer."""
    return item.compared or "" if item.concept == ANSWER else f"compared as {compared(item.compared)}"


def compared(text: str | None) -> str:
    """Say the value as it was compared, for a table; what stood against it is a word and not a number."""
    return plain_units(rounded(text)) if text and re.search(r"[\d(]", text) else (text or "–").replace("_", " ")
