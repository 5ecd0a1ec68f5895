"""The deliberately broken files of sample_bundles/bad/, each with what must become of it."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class BadFile:
    """One file, what is wrong with it, and what loading must do."""

    name: str
    what: str
    outcome: str
    content: bytes


def _patient(name: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "name": [{"family": "Test-Bad"}], "gender": "female"}


def _observation(name: str, **change: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": "Patient/bad-patient"},
        "effectiveDateTime": "2026-11-12",
        "valueQuantity": {"value": 130, "unit": "g/L", "system": "http://unitsofmeasure.org", "code": "g/L"},
    }
    return {key: item for key, item in (good | change).items() if item is not None}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()


def _lines(*resources: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in resources)


def _bundle(*items: dict[str, Any]) -> bytes:
    return _json({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": item} for item in items]})


def _nested(depth: int) -> bytes:
    opening = b'{"resourceType":"Patient","id":"bad-nested","extension":['
    return opening + b'{"url":"https://hospital.invalid/x","extension":[' * depth + b"]}" * depth + b"]}\n"


_R5_STATEMENT = {
    "resourceType": "MedicationStatement",
    "id": "bad-r5",
    "status": "recorded",
    "medication": {"concept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "L04AG04"}]}},
    "subject": {"reference": "Patient/bad-patient"},
    "adherence": {"code": {"text": "not taking"}},
}
_DSTU2 = _observation(
    "bad-dstu2",
    category={"coding": [{"system": "http://hl7.org/fhir/observation-category", "code": "laboratory"}]},
    comments="DSTU2 has one category and comments",
)
_TWICE = b'{"resourceType":"Patient","id":"bad-twice","gender":"female","gender":"male"}\n'
_ONE_LINE = _json(_patient("bad-line-one"))

BAD = (
    BadFile(
        "cut.json",
        "a Bundle that ends in the middle",
        "status 64, nothing loaded; line 1: not valid JSON",
        _bundle(_patient("bad-cut"))[:-40],
    ),
    BadFile(
        "cut-line.ndjson",
        "the second of three lines is cut",
        "status 3, 2 loaded; line 2: not valid JSON",
        _ONE_LINE + b'{"resourceType":"Patient","id":"bad-line-two","na\n' + _json(_patient("bad-line-three")),
    ),
    BadFile(
        "latin-1.json",
        "the text is Latin-1 and no UTF-8",
        "status 64, nothing loaded; line 1: not UTF-8",
        '{"resourceType":"Patient","id":"bad-latin","name":[{"family":"Test-Müller"}]}\n'.encode("latin-1"),
    ),
    BadFile(
        "not-fhir.json",
        "JSON that is no FHIR",
        "status 64, nothing loaded; line 1: no resourceType",
        _json({"rows": [1, 2, 3]}),
    ),
    BadFile(
        "login-page.json",
        "the login page of a proxy under the name of a Bundle",
        "status 64, nothing loaded; line 1: HTML and not JSON",
        b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n",
    ),
    BadFile(
        "r5-medication-statement.json",
        "an R5 MedicationStatement (status recorded, medication.concept, adherence)",
        "status 64, nothing loaded; line 1: looks like FHIR R5",
        _json(_R5_STATEMENT),
    ),
    BadFile(
        "dstu2-observation.json",
        "a DSTU2 Observation (category is one object)",
        "status 64, nothing loaded; line 1: looks like FHIR STU3 or DSTU2",
        _json(_DSTU2),
    ),
    BadFile(
        "no-resource-type.json",
        "one entry of a Bundle has no resourceType",
        "status 3, 1 loaded; line 1: entry 2: no resourceType",
        _bundle(_patient("bad-beside-untyped"), {"id": "bad-untyped", "status": "final"}),
    ),
    BadFile(
        "no-id.json",
        "one entry of a collection has no id and no fullUrl",
        "status 3, 1 loaded; line 1: entry 2: no id",
        _bundle(_patient("bad-beside-anonymous"), {"resourceType": "Patient", "gender": "male"}),
    ),
    BadFile("empty.json", "an empty file", "status 64, nothing loaded; there is no resource in it", b""),
    BadFile(
        "duplicate-keys.json",
        "gender stands twice in one object",
        "status 64, nothing loaded; line 1: duplicate key",
        _TWICE,
    ),
    BadFile(
        "deep-nesting.json",
        "extensions nested 2,000 deep",
        "status 64, nothing loaded; line 1: nested too deep",
        _nested(2000),
    ),
    BadFile(
        "value-as-text.json",
        "valueQuantity.value is text",
        "status 3, 1 loaded; line 1: entry 2: valueQuantity.value is text where a number belongs",
        _bundle(_patient("bad-patient"), _observation("bad-text", valueQuantity={"value": "130", "unit": "g/L"})),
    ),
    BadFile(
        "value-as-text.ndjson",
        "the same in compact NDJSON, beside an identifier, whose value is text rightly",
        "status 3, 2 loaded; line 2: valueQuantity.value is text where a number belongs",
        _lines(
            _observation("bad-good", identifier=[{"system": "https://hospital.invalid/order", "value": "4711"}]),
            _observation("bad-text", valueQuantity={"unit": "g/L", "value": "130"}),
            _observation("bad-good-too"),
        ),
    ),
    BadFile(
        "range-as-text.ndjson",
        "the upper limit of a reference range is text",
        "status 3, 1 loaded; line 1: referenceRange.high.value is text where a number belongs",
        _lines(
            _observation("bad-range", referenceRange=[{"low": {"value": 120}, "high": {"value": "160"}}]),
            _observation("bad-beside-range", referenceRange=[{"low": {"value": 120}, "high": {"value": 160}}]),
        ),
    ),
    BadFile(
        "object-as-array.ndjson",
        "the second of three lines has an array where an object belongs",
        "status 3, 2 loaded; line 2: subject is an array where an object belongs",
        _lines(
            _observation("bad-good"),
            _observation("bad-array", subject=[{"reference": "Patient/bad-patient"}]),
            _observation("bad-good-too"),
        ),
    ),
    BadFile(
        "nul.ndjson",
        "a NUL character in the second of three lines",
        "status 3, 2 loaded; line 2: not valid JSON",
        _ONE_LINE + b'{"resourceType":"Patient","id":"bad\0"}\n' + _json(_patient("bad-line-three")),
    ),
    BadFile(
        "half-a-character.ndjson",
        "half of a surrogate pair in the second of three lines",
        "status 3, 2 loaded; line 2: not valid JSON",
        _ONE_LINE + b'{"resourceType":"Patient","id":"bad-\\ud800"}\n' + _json(_patient("bad-line-three")),
    ),
    BadFile(
        "coding-as-object.json",
        "code.coding is an object and no array",
        "status 3, 1 loaded; line 1: entry 2: code.coding is an object where an array belongs",
        _bundle(_patient("bad-patient"), _observation("bad-coding", code={"coding": {"code": "718-7"}})),
    ),
    BadFile(
        "bom-crlf.ndjson",
        "nothing: a byte order mark, Windows line ends and a blank line are tolerated",
        "status 0, 2 loaded; nothing is quarantined",
        b"\xef\xbb\xbf" + _ONE_LINE.replace(b"\n", b"\r\n\r\n") + _json(_patient("bad-bom")).replace(b"\n", b"\r\n"),
    ),
)
