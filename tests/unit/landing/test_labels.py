"""What must not be stored is cut out of a page; all else stays as it was written."""

import json

import pytest

from cohortfinder.landing.labels import Labels, without_labelled


def entry(own_id: str, *codes: str) -> str:
    labels = json.dumps([{"code": code} for code in codes])
    return f'{{"resource": {{"resourceType": "Observation", "id": "{own_id}", "meta": {{"security": {labels}}}, "value": 0.0100}}}}'


def page(*entries: str) -> str:
    return f'{{"resourceType": "Bundle", "entry": [{" , ".join(entries)}], "total": 3}}'


@pytest.mark.parametrize("places", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_entries_are_cut_wherever_they_stand(places: tuple[int, ...]) -> None:
    text, dropped = without_labelled(
        page(*(entry(str(one), *(["V"] if one in places else ["N"])) for one in range(3))), Labels()
    )
    left = [one["resource"]["id"] for one in json.loads(text)["entry"]]
    assert (left, dropped) == ([str(one) for one in range(3) if one not in places], len(places))
    assert text.count("0.0100") == len(left)


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
    assert (without_labelled(page(entry("one", *codes)), Labels())[1] == 0) == kept


def test_labels_that_are_none_say_nothing() -> None:
    for wrong in ("null", '"V"', '["V"]', '{"code": "V"}'):
        text = page(f'{{"resource": {{"meta": {{"security": {wrong}}}}}}}')
        assert without_labelled(text, Labels()) == (text, 0)
