"""Of what must not be stored a page keeps that it is not held; all else stays as it was written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cohortfinder.landing.labels import Labels, without_labelled

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def entry(own_id: str, *codes: str) -> str:
    labels = json.dumps([{"code": code} for code in codes])
    return f'{{"resource": {{"resourceType": "Observation", "id": "{own_id}", "meta": {{"security": {labels}}}, "value": 0.0100}}}}'


def page(*entries: str) -> str:
    return f'{{"resourceType": "Bundle", "entry": [{" , ".join(entries)}], "total": 3}}'


def removal(own_id: str, at: str = NOW.isoformat()) -> dict[str, Any]:
    return {
        "request": {"method": "DELETE", "url": f"Observation/{own_id}"},
        "response": {"status": "451", "lastModified": at},
    }


@pytest.mark.parametrize("places", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_entries_are_replaced_wherever_they_stand(places: tuple[int, ...]) -> None:
    text, dropped = without_labelled(
        page(*(entry(str(one), *(["V"] if one in places else ["N"])) for one in range(3))), Labels(), NOW
    )
    told = json.loads(text)["entry"]
    assert [one for one in told if "resource" not in one] == [removal(str(one)) for one in places]
    assert [one["resource"]["id"] for one in told if "resource" in one] == [
        str(one) for one in range(3) if one not in places
    ]
    assert dropped == len(places)
    assert text.count("0.0100") == 3 - len(places)


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("2026-11-19T23:15:00.123+01:00", "2026-11-19T23:15:00.123+01:00"),
        ("2999-01-01T00:00:00Z", "2999-01-01T00:00:00Z"),
        ("2026-02-30T00:00:00Z", NOW.isoformat()),
        ("2026-11-19", NOW.isoformat()),
        (None, NOW.isoformat()),
    ],
)
def test_as_of_when_a_resource_is_not_held(told: str | None, at: str) -> None:
    meta = {"security": [{"code": "V"}], "lastUpdated": told}
    text, _ = without_labelled(
        page(json.dumps({"resource": {"resourceType": "Observation", "id": "one", "meta": meta}})), Labels(), NOW
    )
    assert json.loads(text)["entry"] == [removal("one", at)]


@pytest.mark.parametrize("own_id", [None, 7, "a/b"])
def test_what_no_reference_can_name_leaves_no_word(own_id: object) -> None:
    meta = {"security": [{"code": "V"}]}
    text, dropped = without_labelled(
        page(json.dumps({"resource": {"resourceType": "Observation", "id": own_id, "meta": meta}})), Labels(), NOW
    )
    assert (json.loads(text)["entry"], dropped) == ([{"search": {"mode": "outcome"}}], 1)


@pytest.mark.parametrize(
    ("codes", "kept"),
    [
        ((), True),
        (("N",), True),
        (("R",), True),
        (("42CFRPart2",), True),
        (("V",), False),
        (("HTEST",), False),
        (("42CFRPart2", "R"), False),
    ],
)
def test_which_labels_keep_a_resource_out(codes: tuple[str, ...], kept: bool) -> None:
    assert (without_labelled(page(entry("one", *codes)), Labels(), NOW)[1] == 0) == kept


def test_labels_that_are_none_say_nothing() -> None:
    for wrong in ("null", '"V"', '["V"]', '{"code": "V"}'):
        text = page(f'{{"resource": {{"meta": {{"security": {wrong}}}}}}}')
        assert without_labelled(text, Labels(), NOW) == (text, 0)
