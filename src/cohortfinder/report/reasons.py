"""Why a verdict is as it is, in a sentence: reason codes and deciding records to plain English."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cohortfinder.model import Criterion, Leaf, leaves_of
from cohortfinder.wording import (
    ANSWERED,
    DECIDED,
    REASONS,
    Evidence,
    Language,
    either,
    needed,
    plain_units,
    quantity,
    rounded,
    spoken,
    window,
)

_CLINICAL = frozenset(
    {"condition", "procedure", "medication", "dose", "treatment", "immunization", "allergy", "study", "family_history"}
)
# reasons that are said once for several concepts
_TOGETHER = frozenset({"absent", "no_data", "not_observed", "not_loaded", "unnamed_drug"})
TOGETHER = " together with "
_ABOUT = {"allergy": "allergy to", "family_history": "family history of"}
_POLARITY = {"below_detection": "below the detection limit"}


@dataclass(frozen=True, slots=True)
class LeafWords:
    """What is said of a leaf in every sentence: the words of its question, found once.

    `names` has the name of each concept when the leaf asks for several.
    """

    kind: str = ""
    name: str = "the record"
    needed: str = "as asked"
    opposite: str = "not as asked"
    when: str = ""
    wanted: str = ""
    limits: str = ""
    judgement: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def clinical(self) -> bool:
        """Whether it asks for conditions, procedures or medications."""
        return self.kind in _CLINICAL


def leaf_words(leaf: Leaf, language: Language) -> LeafWords:
    """Put the question of a leaf into words."""
    question: Any = leaf.question
    return LeafWords(
        kind=leaf.kind,
        name=_name(leaf, language),
        needed=needed(getattr(question, "reaching", None) or question),
        opposite=needed(question, holds=False),
        when=window(question, language.as_of),
        wanted=getattr(question, "is_", None) or "",
        limits=_limits(question),
        judgement=getattr(question, "judgement", None) or "",
        names=_names(leaf, language),
    )


class Sentences:
    """The sentences of one criterion; made once for all patients."""

    def __init__(self, criterion: Criterion, language: Language) -> None:
        rules = (*([criterion.rule] if criterion.rule is not None else []), *criterion.by_arm.values())
        leaves = [leaf for rule in rules for leaf in leaves_of(rule)]
        self._leaves = {leaf.id: leaf_words(leaf, language) for leaf in leaves}

    def reason(self, reasons: Iterable[tuple[str, str]], evidence: Iterable[Evidence]) -> str:
        """Say why the criterion has its verdict: what is on record, then what is not, last what a person decides."""
        found: dict[str, list[Evidence]] = {}
        for item in evidence:
            found.setdefault(item.leaf, []).append(item)
        parts: list[str] = []
        judged: list[str] = []
        silent: dict[tuple[str, str], dict[str, str]] = {}
        for leaf_id, code in dict.fromkeys(reasons):
            words, own = self._leaves.get(leaf_id), tuple(found.get(leaf_id, ()))
            if words is not None and code in _TOGETHER:
                searches = silent.setdefault((code, "record" if words.clinical else "result"), {})
                where = _where(own)
                # the widest search says it all: an empty one is ever, else the earliest start
                searches[words.name] = min(searches.get(words.name, where), where)
            else:
                (judged if code == "judgement_required" else parts).append(sentence(words or LeafWords(), code, own))
        for (code, word), searches in silent.items():
            parts.extend(_silence(code, word, searches))
        text = "; ".join(dict.fromkeys([*parts, *judged])) or "the data do not settle this"
        return f"{text[0].upper()}{text[1:]}."


def sentence(words: LeafWords, code: str, found: tuple[Evidence, ...]) -> str:
    """Say why one leaf is as it is, from its reason code and the deciding records, without a full stop."""
    if code in DECIDED:
        return _decided(words, code, found)
    if code in ANSWERED:
        return _answered(code, found)
    if code == "judgement_required" and words.judgement:
        return f"{REASONS[code]}: {words.judgement}"
    if code not in REASONS and code.startswith("missing_"):
        return f"{words.name} cannot be computed without {spoken(code.removeprefix('missing_'))}"
    if code == "no_data" and words.clinical:
        return f"no record of {words.name} is on file"
    if (template := REASONS.get(code)) is None:
        return f"the data do not settle this ({code})"
    if "{" not in template:
        return template
    when = f" ({words.when})" if words.when else ""
    item = record_words(words, found) if "{item}" in template else ""
    return template.format(name=words.name, item=item, needed=words.needed, window=when)


def _answered(code: str, found: tuple[Evidence, ...]) -> str:
    """Say who has answered, and when: "Dr. Li answered yes on 2026-11-03: echo of another hospital"."""
    answer = found[0]
    note = f": {answer.compared}" if answer.compared else ""
    return f"{answer.resource} answered {ANSWERED[code]} on {(answer.date or '')[:10]}{note}"


def _decided(words: LeafWords, code: str, found: tuple[Evidence, ...]) -> str:
    met = code == "met"
    if code == "absent" or not any(item.resource or item.value for item in found):
        return f"no record of {words.name}{_where(found)}"
    if not words.kind:
        return f"{record_words(words, found)} {'counts' if met else 'does not count'}"
    if words.kind == "dose":
        when = f" {words.when}" if words.when else ""
        return f"{record_words(words, found)} is {words.needed if met else words.opposite}{when}"
    if words.kind == "treatment":
        return _treated(words, met, found)
    if words.clinical:
        counts = f"counts as {words.when}" if words.when else "is on record"
        return f"{record_words(words, found)} {counts if met else 'does not count'}"
    if words.kind == "series":
        return f"{record_words(words, found)} is {'beyond' if met else 'within'} the limits ({words.limits})"
    if words.kind == "change":
        return f"{_since(words, found)} is {words.needed if met else words.opposite}"
    if words.kind == "sex":
        return f"sex is recorded as {found[0].value or found[0].compared}"
    if words.wanted:
        # of several results, the one that made it so comes first
        ordered = sorted(found, key=lambda item: (_read_as(item) == words.wanted) != met)
        if read := _read_as(ordered[0]):
            return f"{record_words(words, tuple(ordered))} reads as {_POLARITY.get(read, read)}"
    return f"{record_words(words, found)} is {words.needed if met else words.opposite}"


def _treated(words: LeafWords, met: bool, found: tuple[Evidence, ...]) -> str:
    """Say how long a drug was taken, and whether what was sought was found under it."""
    results = tuple(item for item in found if (item.resource or "").startswith("Observation/"))
    drug = record_words(words, tuple(item for item in found if item not in results))
    if TOGETHER in words.name:
        drug = f"{words.name} ({drug})"
    if not results:
        return f"{drug} {'was' if met else 'was not'} taken {words.when}"
    reached = (
        f"{record_words(words, results)} is {words.needed}"
        if met
        else f"no {record_words(words, results)} is {words.needed}"
    )
    return f"{drug} was taken {words.when}, and under it {reached}"


def _since(words: LeafWords, found: tuple[Evidence, ...]) -> str:
    """Name the two results of a change: "skin score 22 on 2026-11-01 (from 20 on 2026-06-01)"."""
    latest, *earlier = (item for item in found if item.resource or item.value)
    text = record_words(words, (latest,))
    base = next((item for item in earlier if item.concept == latest.concept and item.resource != latest.resource), None)
    if base is None:
        return text
    return f"{text} (from {_as_sent(base.value or '')} on {(base.date or '')[:10]})"


def _read_as(item: Evidence) -> str:
    """Return the polarity at the end of what was compared: "positive" of "2500 [IU]/mL (positive)"."""
    read = re.search(r"\(([a-z_]+)\)$", item.compared or "")
    return read[1] if read else ""


def _limits(question: Any) -> str:
    readings = getattr(question, "series", ())
    return ", ".join(quantity(one.above if one.above is not None else one.below) for one in readings)


def _where(found: Iterable[Evidence]) -> str:
    """Say what was searched: " among 41 conditions since 2019-04-02"."""
    return _searched(tuple([(item.searched, item.since or "") for item in found if item.searched]))


@lru_cache(maxsize=2**16)
def _searched(searches: tuple[tuple[str, str], ...]) -> str:
    # an observation names its concept instead of a number of records
    counted = dict.fromkeys(text for text, _ in searches if text[0].isdigit())
    among = " and ".join(re.sub(r"^1 (.*)s$", r"1 \1", text) for text in counted)
    since = min((day for _, day in searches if day and not day.startswith("0001")), default="")
    return (f" among {among}" if among else "") + (f" since {since}" if since else "")


def record_words(words: LeafWords, found: tuple[Evidence, ...]) -> str:
    """Name the record that decided: "creatinine 150 umol/L on 2026-11-03 (ULN 90 umol/L)"."""
    item = next((one for one in found if one.resource or one.value), None)
    if item is None:
        return words.name
    subject = words.names.get(item.concept or "", words.name)
    more = len({one.resource for one in found if one.resource}) - 1
    others = f" and {more} more" if more > 0 else ""
    if words.kind == "dose":
        return _dose(subject, item, others)
    if words.clinical:
        details = [f"recorded as {item.value}" if item.value else "", f"dated {item.date[:10]}" if item.date else ""]
        text = ", ".join(part for part in details if part)
        return f"{subject} ({text}{others})" if text else subject
    if words.kind == "age" and (item.resource or "").startswith("Patient/"):
        return f"age {item.compared} (born {item.date})"
    if words.kind == "formula":
        return _computed(subject, item, others)
    value = f"{':' if subject[-1].isdigit() else ''} {_as_sent(item.value)}" if item.value else ""
    on = f" on {item.date[:10]}" if item.date else ""
    notes = _compared(item.compared or "", item.value or "")
    return f"{subject}{value}{on}" + (f" ({notes})" if notes else "") + others


def _dose(subject: str, item: Evidence, others: str) -> str:
    """Name a dose: "methylprednisolone 400 mg/d = 500 mg/d prednisone (recorded as 400 mg, dated 2026-11-10)"."""
    details = [f"recorded as {item.value}" if item.value else "", f"dated {item.date[:10]}" if item.date else ""]
    text = ", ".join(part for part in details if part)
    return rounded(item.compared or subject) + (f" ({text}{others})" if text else others)


def _computed(subject: str, item: Evidence, others: str) -> str:
    """Name a computed number and what it comes from: "creatinine clearance 34.6 mL/min (from 1.7 mg/dL ...)"."""
    text = re.sub(r"^[a-z ]+ (?=[\d<>])|\s*\([a-z ]+\)$", "", plain_units(item.compared or ""))
    number = rounded(text) if re.search(r"\d", text) else ""
    source = " ".join(part for part in (plain_units(item.value or ""), f"on {(item.date or '')[:10]}") if part)
    return f"{subject}{f' {number}' if number else ''} (from {source}{others})"


@lru_cache(maxsize=2**16)
def _as_sent(value: str) -> str:
    """Quote words and codes, so that they do not run into the sentence."""
    return f'"{value}"' if re.fullmatch(r"\D+|\d{6,}", value) else plain_units(value)


@lru_cache(maxsize=2**16)
def _compared(compared: str, sent: str) -> str:
    """Say what a value was compared as, when that adds something, and the limit it came with."""
    text, _, limit = re.sub(r"\s*\([a-z_]+\)$", "", compared).partition("; ")
    value = plain_units(text)
    # without a digit it is a bare unit or a problem, which the sentence says anyway
    said = re.search(r"\d", value) is not None and _bare(value) != _bare(plain_units(sent))
    kind, _, bound = limit.partition(" ")
    unit = "".join(re.findall(r"\s[^\d\s<>].*$", value)[:1]) if bound and " to " not in value else ""
    assumed = bound.startswith("assumed ")
    bound = f"{'assumed ' if assumed else ''}{kind.upper()} {bound.removeprefix('assumed ')}{unit}" if bound else ""
    return ", ".join(part for part in (f"compared as {value}" if said else "", bound) if part)


def _bare(text: str) -> str:
    # the same value in another spelling, or with a bound that is only the plausible range, adds nothing
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u03bc", "u")
    bounded = re.sub(r"^(>=? ?[\d.]+) to [\d.]+", r"\1", folded.removeprefix("0 to "))
    shortened = re.sub(r"(\.\d*[1-9])0+\b|\.0+\b", r"\1", bounded)
    return re.sub(r"[\s×^]", "", shortened)


def _name(leaf: Leaf, language: Language) -> str:
    if leaf.kind in ("age", "sex"):
        return leaf.kind
    if leaf.kind == "study":
        return "an interventional study" if leaf.question.study == "interventional" else "a study"
    if formula := getattr(leaf.question, "formula", None):
        return language.name((formula,))
    if leaf.kind == "treatment":
        other = f"{TOGETHER}{language.name(leaf.question.with_)}" if leaf.question.with_ else ""
        return language.name(leaf.question.treatment) + other
    name = language.name(dict.fromkeys(getattr(leaf.question, "concepts", ()) or ())) or "the record"
    if leaf.kind in _ABOUT:
        return f"{_ABOUT[leaf.kind]} {name}"
    return f"a confirming test for {name}" if getattr(leaf.question, "role", None) == "confirm" else name


def _names(leaf: Leaf, language: Language) -> dict[str, str]:
    """Name each concept of a leaf that asks for several, so that a sentence can name the one that decided."""
    concepts = tuple(dict.fromkeys(getattr(leaf.question, "concepts", ()) or ()))
    if len(concepts) < 2 or getattr(leaf.question, "formula", None):
        return {}
    confirming = getattr(leaf.question, "role", None) == "confirm"
    about = _ABOUT.get(leaf.kind, "a confirming test for" if confirming else "")
    return {concept: f"{about} {language.name((concept,))}".strip() for concept in concepts}


def _silence(code: str, word: str, searches: Mapping[str, str]) -> Iterator[str]:
    """Say once of several concepts that nothing is on file."""
    if code not in ("absent", "no_data"):
        yield REASONS[code].format(name=either(tuple(searches)))
        return
    for where in dict.fromkeys(searches.values()):
        names = either([name for name, own in searches.items() if own == where])
        yield f"no {word} of {names}{where or ' on file'}"
