"""Strategies for what may keep a person off every list: labels, death, Consents and Flags."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from properties.moments import Resource
from properties.resources import BEFORE, ME

_MII = "2.16.840.1.113883.3.1937.777.24.5.3"
_BAD_DATE = "soon"


def coded(*codes: str) -> dict[str, Any]:
    """Return a CodeableConcept with some codes."""
    return {"coding": [{"code": code} for code in codes]}


def periods(as_of: date) -> st.SearchStrategy[dict[str, str] | None]:
    """A period about the index date: at its edges, open, partial, unreadable."""
    near = [str(as_of + timedelta(days=days)) for days in (-1, 0, 1)]
    ends = st.sampled_from([None, *near, f"{as_of:%Y-%m}", f"{as_of:%Y}", f"{as_of}T00:30:00+14:00", _BAD_DATE])
    return st.none() | st.tuples(ends, ends).map(_period)


def _period(ends: tuple[str | None, str | None]) -> dict[str, str]:
    return {name: end for name, end in zip(("start", "end"), ends, strict=True) if end}


def provisions(as_of: date, depth: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """A provision with others within it."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(["deny", "permit", "permit", "deny", "perhaps", None]),
        "period": periods(as_of),
        "purpose": st.sampled_from([None, None, [{"code": "HRESCH"}], [{"code": "TREAT"}], [{"code": "OURS"}]]),
        "code": st.sampled_from(
            [None, None, [coded(f"{_MII}.29")], [coded(f"{_MII}.8", f"{_MII}.6")], [coded(f"{_MII}.12")], [coded("X")]]
        ),
        "actor": st.sampled_from([None, None, None, [{"role": coded("A"), "reference": {"display": "somebody"}}]]),
    }
    if depth > 1:
        parts["provision"] = st.none() | st.lists(provisions(as_of, depth - 1), min_size=1, max_size=2)
    return st.fixed_dictionaries(parts).map(_given)


def _given(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}


def consents(as_of: date, whose: str, own_id: str) -> st.SearchStrategy[Resource]:
    """A Consent of a person."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "status": st.sampled_from(["active"] * 5 + ["inactive", "rejected", "draft", "entered-in-error", None]),
        "scope": st.sampled_from(
            [coded("research")] * 4 + [coded("treatment"), coded("patient-privacy"), coded("X"), None]
        ),
        "category": st.sampled_from([None, [coded("research")], [coded("dnr")], [coded("npp")], [coded("X")]]),
        "policyRule": st.sampled_from([None, None, coded("OPTOUT"), coded("OPTIN"), coded("X")]),
        "provision": st.none() | provisions(as_of),
    }
    fixed = {"resourceType": "Consent", "id": own_id, "patient": {"reference": f"Patient/{whose}"}}
    return st.fixed_dictionaries(parts).map(lambda given: fixed | _given(given))


def flags(as_of: date, whose: str, own_id: str) -> st.SearchStrategy[Resource]:
    """A Flag of a person."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "status": st.sampled_from(["active", "active", "inactive", "entered-in-error", None]),
        "period": periods(as_of),
        "code": st.sampled_from(
            [
                {"text": "Please DO NOT CONTACT at home"},
                {"coding": [{"code": "X", "display": "No research contact"}]},
                {"text": "isolation", "coding": [{"code": "1", "display": "isolated"}, {"code": "2"}]},
            ]
        ),
    }
    fixed = {"resourceType": "Flag", "id": own_id, "subject": {"reference": f"Patient/{whose}"}}
    return st.fixed_dictionaries(parts).map(lambda given: fixed | _given(given))


@st.composite
def people(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A person, who may be replaced by the one before, with what he or she or others said."""
    label = draw(st.sampled_from([None] * 6 + ["R", "V", "N", "HTEST"]))
    tag = draw(st.sampled_from([None] * 6 + ["HTEST", "R"]))
    meta = {name: [{"code": code}] for name, code in (("security", label), ("tag", tag)) if code}
    fate = draw(st.sampled_from([{}] * 6 + _fates(as_of)))
    links = [{"type": "replaced-by", "other": {"reference": f"Patient/{BEFORE}"}}]
    replaced = {"link": links} if draw(st.integers(0, 4)) == 0 else {}
    found: list[Resource] = [{"resourceType": "Patient", "id": ME, "meta": meta, **fate, **replaced}]
    if draw(st.integers(0, 3)):
        found.append(draw(consents(as_of, ME, f"{ME}c")))
    if draw(st.integers(0, 2)) == 0:
        found.append(draw(flags(as_of, ME, f"{ME}f")))
    return found


def _fates(as_of: date) -> list[Resource]:
    days = (as_of, as_of + timedelta(days=1))
    return [{"deceasedBoolean": True}, {"deceasedBoolean": False}, *({"deceasedDateTime": str(day)} for day in days)]
