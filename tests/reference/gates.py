"""Who is kept off every list, and why: an independent reading of labels, Consents, Flags and lists."""

import csv
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from reference.site import Site

Resource = dict[str, Any]
Meanings = dict[tuple[str, str], str]


def gates_of(
    site: Site,
    mappings: Path,
    as_of: date,
    *,
    test_patients: Collection[str] = (),
    do_not_contact: Collection[str] = (),
) -> set[tuple[str, str]]:
    """Return (person, gate)."""
    with (mappings / "gate_codes.csv").open(encoding="utf-8", newline="") as file:
        meanings = {(row["element"], row["code"]): row["meaning"] for row in csv.DictReader(file)}
    found = set()
    for resource in site.resources:
        for whom, gate in _said(site, resource, meanings, as_of):
            found.add((whom, gate))
    found |= {(whom, "test_patient") for whom in test_patients} | {(whom, "do_not_contact") for whom in do_not_contact}
    known = {(site.survivor(whom), gate) for whom, gate in found if f"Patient/{whom}" in site.by_reference}
    return {
        (person, gate)
        for person, gate in known
        if gate != "deceased" or site.patient(person).get("deceasedBoolean") is not False
    }


def _said(site: Site, resource: Resource, meanings: Meanings, as_of: date) -> Iterator[tuple[str, str]]:
    """Yield what one resource says of whom."""
    match resource["resourceType"]:
        case "Patient":
            yield from ((resource["id"], gate) for gate in _of_patient(site, resource, as_of))
        case "Flag" if _flagged(site, resource, meanings, as_of):
            yield _id(resource["subject"]), "do_not_contact"
        case "Consent":
            gate = _of_consent(site, resource, meanings, as_of)
            if gate and "patient" in resource:
                yield _id(resource["patient"]), gate


def _id(reference: Resource) -> str:
    return str(reference["reference"]).rsplit("/", 1)[-1]


def _codes(concepts: Any) -> list[str]:
    """Return the codes of a CodeableConcept, a Coding, or a list of either."""
    listed = concepts if isinstance(concepts, list) else [concepts] if concepts else []
    codings = [coding for one in listed for coding in (one.get("coding", []) if "code" not in one else [one])]
    return [coding["code"] for coding in codings if "code" in coding]


def _of_patient(site: Site, patient: Resource, as_of: date) -> Iterator[str]:
    security, tags = (_codes(patient.get("meta", {}).get(name)) for name in ("security", "tag"))
    if {"R", "V"} & {*security}:
        yield "restricted"
    if "HTEST" in (*security, *tags):
        yield "test_patient"
    died = patient.get("deceasedDateTime")
    span = site.span(died)
    if patient.get("deceasedBoolean") is True or (died and (span is None or span.lo <= as_of)):
        yield "deceased"


def _flagged(site: Site, flag: Resource, meanings: Meanings, as_of: date) -> bool:
    if flag.get("status") in ("inactive", "entered-in-error") or not _may_hold(site, flag.get("period"), as_of):
        return False
    code = flag.get("code", {})
    texts = [code.get("text") or "", *(coding.get("display") or "" for coding in code.get("coding", []))]
    words = [word for element, word in meanings if element == "flag_text"]
    return any(("flag", own) in meanings for own in _codes(code)) or any(
        word in text.lower() for word in words for text in texts
    )


def _may_hold(site: Site, period: Resource | None, as_of: date) -> bool:
    start, end = (site.span((period or {}).get(name)) for name in ("start", "end"))
    return (start is None or start.lo <= as_of) and (end is None or end.hi >= as_of)


def _surely_holds(site: Site, period: Resource | None, as_of: date) -> bool:
    period = period or {}
    start, end = (site.span(period.get(name)) for name in ("start", "end"))
    begun = "start" not in period or (start is not None and start.hi <= as_of)
    return begun and ("end" not in period or (end is not None and end.lo >= as_of))


def _meaning(code: str, meanings: Meanings) -> str | None:
    """Return what a content of a provision means, by its own row, else by one that ends in a star."""
    exact = meanings.get(("provision", code))
    beginnings = [own[:-1] for element, own in meanings if element == "provision" and own.endswith("*")]
    return exact or ("other" if any(code.startswith(beginning) for beginning in beginnings) else None)


def _topic(consent: Resource, meanings: Meanings) -> str:
    scopes = [meanings.get(("scope", code)) for code in _codes(consent.get("scope"))]
    categories = [meanings.get(("category", code)) for code in _codes(consent.get("category"))]
    if "research" in (*scopes, *categories):
        return "research"
    if "other" in scopes:
        return "other"
    if "privacy" in (*scopes, *categories):
        return "privacy"
    return "other" if "other" in categories else "strange"


class _Provision:
    """A provision with what it is about."""

    def __init__(self, site: Site, written: Resource, level: int, meanings: Meanings, as_of: date) -> None:
        self.level, self.type = level, written.get("type")
        self.may_hold = _may_hold(site, written.get("period"), as_of)
        self.surely = _surely_holds(site, written.get("period"), as_of)
        purposes = _codes(written.get("purpose"))
        contents = _codes(written.get("code"))
        self.purposes = {meanings.get(("purpose", code)) for code in purposes}
        self.contents = {_meaning(code, meanings) for code in contents}
        limits = ("actor", "action", "securityLabel", "class", "dataPeriod", "data")
        self.whole = not any(name in written for name in limits) and "provision" not in written
        self.deeper = "provision" in written

    @property
    def outspoken(self) -> bool:
        return bool("research" in self.purposes or self.contents & {"contact", "research"})

    @property
    def concerns(self) -> bool:
        for_us = not self.purposes or "research" in self.purposes
        return for_us and (not self.contents or bool(self.contents & {"contact", "research"}))

    @property
    def strange(self) -> bool:
        return self.purposes == {None} or self.contents == {None}

    @property
    def lifts(self) -> bool:
        for_us = not self.purposes or "research" in self.purposes
        return for_us and (not self.contents or "contact" in self.contents) and self.whole


def _provisions(
    site: Site, written: Resource | None, meanings: Meanings, as_of: date, level: int = 1
) -> Iterator[_Provision]:
    """Yield a provision and those within it, to the third level."""
    if written is not None:
        yield _Provision(site, written, level, meanings, as_of)
        if level < 3:
            for inner in written.get("provision", []):
                yield from _provisions(site, inner, meanings, as_of, level + 1)


def _of_consent(site: Site, consent: Resource, meanings: Meanings, as_of: date) -> str | None:
    status, topic = consent.get("status"), _topic(consent, meanings)
    if status in ("inactive", "entered-in-error", "draft", "proposed"):
        return None
    if status == "rejected":
        return {"research": "consent", "strange": "consent_unclear"}.get(topic)
    everything = list(_provisions(site, consent.get("provision"), meanings, as_of))
    if any(one.level == 1 and not one.may_hold for one in everything):
        return None
    policies = {meanings.get(("policy", code)) for code in _codes(consent.get("policyRule"))}
    now = [one for one in everything if one.may_hold]
    outer, inner = [one for one in now if one.level == 1], [one for one in now if one.level > 1]
    denials = [one for one in now if one.type == "deny" and one.concerns]
    permitted = any(one.level == 2 and one.type == "permit" and one.surely and one.lifts for one in inner)
    if topic == "other":
        return "consent" if any(one.outspoken for one in denials) and not permitted else None
    if any(one.level > 1 for one in denials):
        return "consent"
    if topic != "privacy" and any(map(_unreadable, now)):
        return "consent_unclear"
    if permitted:
        return None
    if denials or "deny" in policies:
        return "consent"
    aside = [one for one in outer if one.type in ("deny", "permit") and not one.concerns and not one.strange]
    if topic == "privacy" or aside or "permit" in policies or any(one.type == "permit" for one in outer):
        return None
    return "consent_unclear"


def _unreadable(one: _Provision) -> bool:
    nameless = one.level > 1 and one.type is None
    odd = one.type not in (None, "deny", "permit")
    return nameless or odd or (one.type == "deny" and one.strange) or (one.level == 3 and one.deeper)
