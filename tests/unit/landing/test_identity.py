"""Who a patient is, from the forms in which servers write names, numbers and telephones."""

from typing import Any

import pytest

from cohortfinder.landing.identity import Identity, identity_of

NOBODY = Identity("p", "", "", "", "", "", "", "")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"name": [{"text": " 王 小明 "}]}, {"name": "王 小明"}),
        ({"name": [{"family": "Li", "given": ["Ada", "", 3, "M."]}]}, {"name": "Li, Ada M."}),
        ({"name": [{"given": ["Ada"]}]}, {"name": "Ada"}),
        ({"name": [{"use": "maiden", "text": "Old"}, {"use": "official", "text": "Own"}]}, {"name": "Own"}),
        ({"name": [{"use": "old", "text": "Old"}]}, {}),
        ({"name": [{"use": "official"}, {"use": "usual", "text": "Own"}]}, {"name": "Own"}),
        ({"name": "Li"}, {}),
        ({"birthDate": "1980-04", "gender": "other"}, {"birth_date": "1980-04", "sex": "other"}),
        ({"birthDate": 1980, "gender": ["male"]}, {}),
        ({"deceasedBoolean": True}, {"deceased": "yes"}),
        ({"deceasedBoolean": False}, {}),
        ({"deceasedDateTime": "2026-11-01"}, {"deceased": "2026-11-01"}),
        ({"identifier": [{"value": "1"}, {"value": "1"}, {"value": "2", "use": "old"}, {"system": "x"}]}, {"mrn": "1"}),
        (
            {"identifier": [{"value": "1"}, {"type": {"coding": [{"code": "SS"}]}, "value": "social"}, {"type": {"coding": [{"code": "MR"}]}, "value": "7"}]},
            {"mrn": "7"},
        ),
        ({"identifier": [{"type": {"coding": [{"code": "SS"}]}, "value": "social"}]}, {}),
        ({"identifier": [{"type": {"text": "passport"}, "value": "P1"}]}, {}),
        ({"identifier": {"value": "1"}}, {}),
        (
            {"telecom": [
                {"system": "phone", "value": "2", "rank": 2}, {"system": "phone", "value": "1", "rank": 1}, {"system": "phone", "value": "3", "rank": "x"},
                {"system": "email", "value": "a@b.example"}, {"system": "phone", "value": "0", "use": "old"}, {"system": "fax", "value": "9"}, "5",
            ]},
            {"phone": "1; 2; 3", "email": "a@b.example"},
        ),
    ],
)  # fmt: skip
def test_who_it_is(given: dict[str, Any], expected: dict[str, str]) -> None:
    assert identity_of({"id": "p", **given}) == NOBODY._replace(**expected)
