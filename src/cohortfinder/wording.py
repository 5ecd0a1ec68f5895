"""Every sentence about rules, verdicts and evidence, once: codes and values to plain English."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from cohortfinder.model import Comparison, Criterion, Duration, Leaf, Quantity, leaves_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """One resource that decided a verdict, or (with `searched`) what was searched and not found."""

    leaf: str = ""
    resource: str | None = None
    date: str | None = None
    value: str | None = None
    compared: str | None = None
    searched: str | None = None
    since: str | None = None
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """What sentences need beyond the verdict: the concepts' names and the index date."""

    labels: Mapping[str, str] = field(default_factory=dict)
    as_of: date | None = None

    def name(self, concepts: Iterable[str]) -> str:
        """Name concepts as a person would: "belimumab or telitacicept"."""
        names = [self.labels.get(concept) or _spoken(concept) for concept in concepts]
        return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


VERDICTS = {"pass": "Passes", "fail": "Fails", "unknown": "Unknown"}
VERDICT_SYMBOLS = {"pass": "✓", "fail": "✗", "unknown": "?"}
STATUSES = {"eligible": "Eligible", "possible": "Possible", "excluded": "Excluded"}
CERTAINTIES = {
    "exact": "from the data that the protocol names",
    "proxy": "from weaker data, to be confirmed by a person",
    "judgement": "only a person can tell",
}

# {name}: the concept; {item}: the deciding record; {needed}: what is asked; {window}: when
_REASONS = {
    "no_data": "no result of {name} is on file",
    "out_of_window": "{item} is outside the time in which it counts{window}",
    "partial_date": "the date of {item} is incomplete, so it may or may not lie in the required time{window}",
    "unusable_status": "{item} was not released as final",
    "preliminary_only": "{item} is preliminary; a final result is needed",
    "unit_missing": "{item} was sent without a unit and cannot be compared",
    "unit_unconvertible": "the unit of {item} cannot be converted",
    "implausible": "{item} is outside the plausible range and was not used",
    "no_reference_range": "{item} has no reference range to compare with",
    "comparator_straddles_threshold": "{item} is not exact enough to tell whether it is {needed}",
    "equivocal_result": "{item} is equivocal",
    "unconfirmed_screen": "{item} is a screening result that no confirming test settles",
    "interpretation_disagrees": "the value of {item} and the laboratory's own interpretation disagree",
    "conflicting_results": "results of {name} contradict each other",
    "conflicting_codes": "the codes of {item} name different tests",
    "no_value": "{item} carries no value",
    "not_numeric": "{item} is not a number",
    "no_polarity": "{item} does not say positive or negative",
    "order_unconfirmed": "{name} was ordered ({item}), but nothing confirms that it was given",
    "open_ended_record": "{item} has no end, so it may still have been taken{window}",
    "tentative_record": "{item} is uncertain: provisional, unconfirmed or coded too broadly",
    "suggested": "{item} suggests {name} but does not establish it",
    "contradicted_by_refuted": "one record states {name}, a later one refutes it ({item})",
    "not_loaded": "records of the kind that would show {name} are not loaded, and silence proves nothing",
    "not_observed": "the patient has no recent records here, so the silence about {name} proves nothing",
    "no_birth_date": "neither a birth date nor an age is on file",
    "partial_birth_date": "the birth date is incomplete, and the age limit falls inside it",
    "no_gender": "no gender is on file",
    "no_date": "{item} has no date",
    "single_day_beyond": "only one day is beyond the limit ({item}); a second day would decide",
    "judgement_required": "only a person can tell",
    "not_computed": "not computed by this version; check it by hand",
    "outside_window": "{name} is on record only outside the required time ({item}){window}",
    "below_detection": "{item} is below the detection limit, which alone settles nothing here",
    "recorded_against": "a record says that {name} does not apply: {item}",
    "answered_yes": "a person answered yes: {item}",
    "answered_no": "a person answered no: {item}",
}
_DECIDED = frozenset({"met", "not_met", "absent"})

FLAGS = {
    "assumed_uln": "compared with an assumed normal range, because the result has none of its own",
    "stale_for_protocol": "older than the protocol's screening window: repeat before enrolment",
    "protocol_text_error": "the protocol's wording is unclear or wrong here: see the note in the trial file",
    "newer_unusable": "a newer result exists but cannot be used",
    "stale": "a newer unusable result is more than 14 days younger than the one used",
    "contradictory_results": "results of one time contradict each other; the less favourable one was used",
    "conflicting_results": "results contradict each other",
    "below_detection": "below the detection limit, read as negative",
    "time_from_issued": "no clinical time was sent: the time of issue was used",
    "contradicted": "newer data contradict a person's answer",
    "contradicted_by_refuted": "a later record refutes an earlier one",
    "near_miss": "only one criterion fails",
    "proxy": "from weaker data than the protocol names",
    "preliminary_only": "a preliminary result is shown but not used",
    "open_ended_record": "the record has no end",
    "order_unconfirmed": "ordered, but nothing confirms that it was given",
}


def knows_reason(code: str) -> bool:
    """Return whether a reason code has a sentence of its own."""
    return code in _REASONS or code in _DECIDED or code.startswith("missing_")


def flag_words(flag: str) -> str:
    """Say a flag in words; an unknown one keeps its own word."""
    return FLAGS.get(flag) or f"{_spoken(flag)} (flag {flag})"


def quantity(value: Quantity) -> str:
    """Say a quantity: "1.5 x the upper limit of normal", "titre 1:80", "30 mL/min"."""
    number = f"{value.value:f}"
    if value.unit == "{titer}":
        return f"titre 1:{number}"
    if value.unit in ("ULN", "LLN"):
        limit = f"the {'upper' if value.unit == 'ULN' else 'lower'} limit of normal"
        return limit if value.value == Decimal(1) else f"{number} x {limit}"
    return f"{number} {value.unit}".strip()


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


def needed(question: Any, *, holds: bool = True) -> str:
    """Say what a leaf asks of a value."""
    if (bounds := getattr(question, "comparison", None)) is not None:
        return comparison(bounds, holds=holds)
    if polarity := getattr(question, "is_", None):
        return polarity if holds else f"not {polarity}"
    if (age := getattr(question, "age", None)) is not None:
        return _age_words(age.at_least, age.at_most, holds=holds)
    if sex := getattr(question, "sex", None):
        return sex if holds else f"not {sex}"
    return "as asked" if holds else "not as asked"


def _age_words(lower: int | None, upper: int | None, *, holds: bool) -> str:
    if lower is not None and upper is not None:
        return f"{'' if holds else 'not '}from {lower} to {upper} years"
    if lower is not None:
        return f"{'at least' if holds else 'below'} {lower} years"
    return f"{'at most' if holds else 'above'} {upper} years"


def window(question: Any, as_of: date | None = None) -> str:
    """Say when a record must lie: "within 3 weeks before 2026-11-20"; empty when at any time."""
    day = as_of.isoformat() if as_of else "the index date"
    if span := getattr(question, "within", None):
        return f"within {duration(span)} before {day}"
    if span := getattr(question, "before", None):
        return f"more than {duration(span)} before {day}"
    return f"active on {day}" if getattr(question, "active", None) else ""


def sentence(leaf: Leaf | None, code: str, evidence: Iterable[Evidence], language: Language) -> str:
    """Say why one leaf is as it is, from its reason code and the deciding records, without a full stop."""
    found = tuple(evidence)
    question = leaf.question if leaf else None
    if code in _DECIDED:
        return _decided(leaf, code, found, language)
    name = language.name(_concepts(question)) or "what is asked for"
    if code == "judgement_required" and question is not None:
        return f"{_REASONS[code]}: {getattr(question, 'judgement', '')}".rstrip(": ")
    if code.startswith("missing_"):
        absent_input = _spoken(code.removeprefix("missing_"))
        return f"{_subject(leaf, language)} cannot be computed without {absent_input}"
    if (template := _REASONS.get(code)) is None:
        return f"the data do not settle this ({code})"
    when = window(question, language.as_of)
    item = _item(leaf, found, language)
    return template.format(name=name, item=item, needed=needed(question), window=f" ({when})" if when else "")


def _decided(leaf: Leaf | None, code: str, found: tuple[Evidence, ...], language: Language) -> str:
    question = leaf.question if leaf else None
    searches = [item for item in found if item.searched]
    if code == "absent" or (searches and code == "not_met"):
        return _absence(language.name(_concepts(question)), searches)
    item = _item(leaf, found, language)
    if leaf is not None and leaf.kind in ("condition", "procedure", "medication"):
        when = window(question, language.as_of) or "at any time up to the index date"
        return f"{item} counts: {when}" if code == "met" else f"{item} does not count: {when} is asked"
    if leaf is not None and leaf.kind == "series":
        return f"{item}: {'beyond' if code == 'met' else 'not beyond'} the limit"
    return f"{item} is {needed(question, holds=code == 'met')}"


def _absence(name: str, searches: list[Evidence]) -> str:
    among = " and ".join(dict.fromkeys(str(item.searched) for item in searches))
    since = min((item.since for item in searches if item.since), default="")
    where = f" among {among}" if among else ""
    return f"no record of {name or 'it'}{where}" + (f" since {since}" if since else "")


def _item(leaf: Leaf | None, found: tuple[Evidence, ...], language: Language) -> str:
    """Name the record that decided: "Creatinine 150 umol/L on 2026-11-03 (compared as 1.7 mg/dL)"."""
    subject = _subject(leaf, language)
    item = next((one for one in found if one.resource or one.value), None)
    if item is None:
        return subject
    value = f" {item.value}" if item.value and item.value != subject else ""
    on = f" on {item.date[:10]}" if item.date else ""
    compared = f" (compared as {item.compared})" if item.compared and item.compared != item.value else ""
    more = len({one.resource for one in found if one.resource}) - 1
    return f"{subject}{value}{on}{compared}" + (f" and {more} more" if more > 0 else "")


def _subject(leaf: Leaf | None, language: Language) -> str:
    if leaf is None:
        return "the record"
    if leaf.kind in ("age", "sex"):
        return leaf.kind
    if formula := getattr(leaf.question, "formula", None):
        return language.name((formula,))
    return language.name(_concepts(leaf.question)) or "the record"


def _concepts(question: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(getattr(question, "concepts", ()) or ()))


def _spoken(word: str) -> str:
    head, _, rest = word.partition("_")
    return (rest if head in ("dx", "rx", "px", "st", "vx") and rest else word).replace("_", " ")


def reason_sentence(
    criterion: Criterion, reasons: Iterable[tuple[str, str]], evidence: Iterable[Evidence], language: Language
) -> str:
    """Say why a criterion has its verdict: the sentences of the deciding leaves, joined, each once."""
    found = tuple(evidence)
    leaves = {leaf.id: leaf for leaf in leaves_of(criterion.rule)} if criterion.rule is not None else {}
    parts = [
        sentence(leaves.get(leaf), code, tuple(item for item in found if item.leaf == leaf), language)
        for leaf, code in dict.fromkeys(reasons)
    ]
    text = "; ".join(dict.fromkeys(parts)) or "the data do not settle this"
    return f"{text[0].upper()}{text[1:]}."
