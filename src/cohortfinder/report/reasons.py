"""Why a verdict is as it is, in a sentence: reason codes and deciding records to plain English."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cohortfinder.model import Criterion, Leaf, leaves_of
from cohortfinder.wording import (
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

_CLINICAL = frozenset({"condition", "procedure", "medication"})
# reasons that are said once for several concepts
_TOGETHER = frozenset({"absent", "no_data", "not_observed", "not_loaded"})
_POLARITY = {"below_detection": "below the detection limit"}


def sentence(leaf: Leaf | None, code: str, evidence: Iterable[Evidence], language: Language) -> str:
    """Say why one leaf is as it is, from its reason code and the deciding records, without a full stop."""
    found = tuple(evidence)
    question = leaf.question if leaf else None
    if code in DECIDED:
        return _decided(leaf, code, found, language)
    name = _subject(leaf, language)
    if code == "judgement_required" and question is not None:
        return f"{REASONS[code]}: {getattr(question, 'judgement', '')}".rstrip(": ")
    if code not in REASONS and code.startswith("missing_"):
        return f"{name} cannot be computed without {spoken(code.removeprefix('missing_'))}"
    if code == "no_data" and leaf is not None and leaf.kind in _CLINICAL:
        return f"no record of {name} is on file"
    if (template := REASONS.get(code)) is None:
        return f"the data do not settle this ({code})"
    when = window(question, language.as_of)
    item = _item(leaf, found, language)
    return template.format(name=name, item=item, needed=needed(question), window=f" ({when})" if when else "")


def _decided(leaf: Leaf | None, code: str, found: tuple[Evidence, ...], language: Language) -> str:
    question = leaf.question if leaf else None
    name = _subject(leaf, language)
    if code == "absent" or not any(item.resource or item.value for item in found):
        return f"no record of {name}{_where(found)}"
    if leaf is None:
        return f"{_item(leaf, found, language)} {'counts' if code == 'met' else 'does not count'}"
    if leaf.kind in _CLINICAL:
        when = window(question, language.as_of)
        counts = f"counts as {when}" if when else "is on record"
        return f"{_item(leaf, found, language)} {counts if code == 'met' else 'does not count'}"
    if leaf.kind == "series":
        place = "beyond" if code == "met" else "within"
        return f"{_item(leaf, found, language)} is {place} the limits ({_limits(question)})"
    if leaf.kind == "sex":
        return f"sex is recorded as {found[0].value or found[0].compared}"
    if wanted := getattr(question, "is_", None):
        # of several results, the one that made it so comes first
        ordered = sorted(found, key=lambda item: (_read_as(item) == wanted) != (code == "met"))
        if read := _read_as(ordered[0]):
            return f"{_item(leaf, tuple(ordered), language)} reads as {_POLARITY.get(read, read)}"
    return f"{_item(leaf, found, language)} is {needed(question, holds=code == 'met')}"


def _read_as(item: Evidence) -> str:
    """Return the polarity at the end of what was compared: "positive" of "2500 [IU]/mL (positive)"."""
    read = re.search(r"\(([a-z_]+)\)$", item.compared or "")
    return read[1] if read else ""


def _limits(question: Any) -> str:
    readings = getattr(question, "series", ())
    return ", ".join(quantity(one.above if one.above is not None else one.below) for one in readings)


def _where(found: Iterable[Evidence]) -> str:
    """Say what was searched: " among 41 conditions since 2019-04-02"."""
    searches = [item for item in found if item.searched]
    # an observation names its concept instead of a number of records
    counted = dict.fromkeys(item.searched for item in searches if item.searched and item.searched[0].isdigit())
    among = " and ".join(re.sub(r"^1 (.*)s$", r"1 \1", str(text)) for text in counted)
    since = min((item.since for item in searches if item.since and not item.since.startswith("0001")), default="")
    return (f" among {among}" if among else "") + (f" since {since}" if since else "")


def _item(leaf: Leaf | None, found: tuple[Evidence, ...], language: Language) -> str:
    """Name the record that decided: "creatinine 150 umol/L on 2026-11-03 (ULN 90 umol/L)"."""
    subject = _subject(leaf, language)
    item = next((one for one in found if one.resource or one.value), None)
    if item is None:
        return subject
    more = len({one.resource for one in found if one.resource}) - 1
    others = f" and {more} more" if more > 0 else ""
    if leaf is not None and leaf.kind in _CLINICAL:
        details = [f"recorded as {item.value}" if item.value else "", f"dated {item.date[:10]}" if item.date else ""]
        text = ", ".join(part for part in details if part)
        return f"{subject} ({text}{others})" if text else subject
    if leaf is not None and leaf.kind == "age" and (item.resource or "").startswith("Patient/"):
        return f"age {item.compared} (born {item.date})"
    if leaf is not None and leaf.kind == "formula":
        return _computed(subject, item, others)
    value = f"{':' if subject[-1].isdigit() else ''} {_as_sent(item.value)}" if item.value else ""
    on = f" on {item.date[:10]}" if item.date else ""
    notes = _compared(item)
    return f"{subject}{value}{on}" + (f" ({notes})" if notes else "") + others


def _computed(subject: str, item: Evidence, others: str) -> str:
    """Name a computed number and what it comes from: "creatinine clearance 34.6 mL/min (from 1.7 mg/dL ...)"."""
    text = re.sub(r"^[a-z ]+ (?=[\d<>])|\s*\([a-z ]+\)$", "", plain_units(item.compared or ""))
    number = rounded(text) if re.search(r"\d", text) else ""
    source = " ".join(part for part in (plain_units(item.value or ""), f"on {(item.date or '')[:10]}") if part)
    return f"{subject}{f' {number}' if number else ''} (from {source}{others})"


def _as_sent(value: str) -> str:
    """Quote words and codes, so that they do not run into the sentence."""
    return f'"{value}"' if re.fullmatch(r"\D+|\d{6,}", value) else plain_units(value)


def _compared(item: Evidence) -> str:
    """Say what a value was compared as, when that adds something, and the limit it came with."""
    text, _, limit = re.sub(r"\s*\([a-z_]+\)$", "", item.compared or "").partition("; ")
    value = plain_units(text)
    # without a digit it is a bare unit or a problem, which the sentence says anyway
    said = re.search(r"\d", value) is not None and _bare(value) != _bare(plain_units(item.value or ""))
    kind, _, bound = limit.partition(" ")
    unit = "".join(re.findall(r"\s[^\d\s<>].*$", value)[:1]) if bound and " to " not in value else ""
    assumed = bound.startswith("assumed ")
    bound = f"{'assumed ' if assumed else ''}{kind.upper()} {bound.removeprefix('assumed ')}{unit}" if bound else ""
    return ", ".join(part for part in (f"compared as {value}" if said else "", bound) if part)


def _bare(text: str) -> str:
    # the same value in another spelling, or with a bound that is only the plausible range, adds nothing
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u03bc", "u")
    bounded = re.sub(r"^(>=? ?[\d.]+) to [\d.]+", r"\1", folded.removeprefix("0 to "))
    return re.sub(r"[\s×^]", "", bounded)


def _subject(leaf: Leaf | None, language: Language) -> str:
    if leaf is None:
        return "the record"
    if leaf.kind in ("age", "sex"):
        return leaf.kind
    if formula := getattr(leaf.question, "formula", None):
        return language.name((formula,))
    name = language.name(dict.fromkeys(getattr(leaf.question, "concepts", ()) or ())) or "the record"
    return f"a confirming test for {name}" if getattr(leaf.question, "role", None) == "confirm" else name


def reason_sentence(
    criterion: Criterion, reasons: Iterable[tuple[str, str]], evidence: Iterable[Evidence], language: Language
) -> str:
    """Say why a criterion has its verdict: what is on record first, then what is not, last what a person decides."""
    found = tuple(evidence)
    leaves = {leaf.id: leaf for leaf in leaves_of(criterion.rule)} if criterion.rule is not None else {}
    parts: list[str] = []
    judged: list[str] = []
    silent: dict[tuple[str, str], dict[str, str]] = {}
    for leaf_id, code in dict.fromkeys(reasons):
        leaf, own = leaves.get(leaf_id), tuple(item for item in found if item.leaf == leaf_id)
        if leaf is not None and code in _TOGETHER:
            word = "result" if leaf.kind not in _CLINICAL else "record"
            searches = silent.setdefault((code, word), {})
            name, where = _subject(leaf, language), _where(own)
            # the widest search says it all: an empty one is ever, else the earliest start
            searches[name] = min(searches.get(name, where), where)
        else:
            (judged if code == "judgement_required" else parts).append(sentence(leaf, code, own, language))
    for (code, word), searches in silent.items():
        parts.extend(_silence(code, word, searches))
    text = "; ".join(dict.fromkeys([*parts, *judged])) or "the data do not settle this"
    return f"{text[0].upper()}{text[1:]}."


def _silence(code: str, word: str, searches: Mapping[str, str]) -> Iterator[str]:
    """Say once of several concepts that nothing is on file."""
    if code not in ("absent", "no_data"):
        yield REASONS[code].format(name=either(tuple(searches)))
        return
    for where in dict.fromkeys(searches.values()):
        names = either([name for name, own in searches.items() if own == where])
        yield f"no {word} of {names}{where or ' on file'}"
