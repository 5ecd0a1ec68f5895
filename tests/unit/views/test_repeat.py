"""Going down to any depth, and the digits that a decimal was sent with."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from cohortfinder.views import ViewError, compile_view

Run = Callable[..., list[tuple[Any, ...]]]


def questions(*selects: dict[str, Any]) -> dict[str, Any]:
    """Return a view over QuestionnaireResponse."""
    return {"name": "v", "resource": "QuestionnaireResponse", "select": list(selects)}


def columns(*paths: str) -> list[dict[str, str]]:
    """Return columns c0, c1 and so on."""
    return [{"name": f"c{at}", "path": path} for at, path in enumerate(paths)]


def nested(depth: int, level: int = 1) -> dict[str, Any]:
    """Return an item with one below it, and so on."""
    below = {"item": [nested(depth, level + 1)]} if level < depth else {}
    return {"linkId": str(level), **below}


@pytest.mark.parametrize("strict", [True, False])
def test_it_goes_down_as_deep_as_the_resource_is(run: Run, strict: bool) -> None:
    """The parser of the fast reader takes 500 levels without trouble; nothing is cut."""
    resource = {"resourceType": "QuestionnaireResponse", "id": "q", "item": [nested(120)]}
    view = questions({"repeat": ["item"], "column": columns("linkId", "%rowIndex")})
    assert sorted(run(view, resource, strict=strict), key=lambda row: row[1]) == [(str(n + 1), n) for n in range(120)]


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_below_an_element_comes_before_its_next_sibling(run: Run, strict: bool) -> None:
    """Each resource is counted by itself, and one without the element gives no row."""
    first = {
        "resourceType": "QuestionnaireResponse", "id": "a",
        "item": [
            {"linkId": "1", "item": [{"linkId": "1.1"}, {"linkId": "1.2", "answer": [{"item": [{"linkId": "1.2.1"}]}]}]},
            {"linkId": "2"},
        ],
    }  # fmt: skip
    second = {"resourceType": "QuestionnaireResponse", "id": "b", "item": [{"linkId": "9"}]}
    third = {"resourceType": "QuestionnaireResponse", "id": "c"}
    view = questions(
        {"column": [{"name": "id", "path": "id"}]},
        {"repeat": ["item", "answer.item"], "column": columns("linkId", "%rowIndex")},
    )
    rows = run(view, first, second, third, strict=strict)
    assert sorted(rows, key=lambda row: (row[0], row[2])) == [
        ("a", "1", 0), ("a", "1.1", 1), ("a", "1.2", 2), ("a", "1.2.1", 3), ("a", "2", 4), ("b", "9", 0),
    ]  # fmt: skip


def test_a_union_branch_that_repeats_leaves_the_other_branch_alone(run: Run) -> None:
    """Also where the resource has no element to repeat."""
    view = questions(
        {
            "unionAll": [
                {"column": columns("id")},
                {"repeat": ["item"], "column": columns("linkId")},
            ]
        }
    )
    full = {"resourceType": "QuestionnaireResponse", "id": "a", "item": [nested(2)]}
    empty = {"resourceType": "QuestionnaireResponse", "id": "b"}
    assert sorted(run(view, full, empty)) == [("1",), ("2",), ("a",), ("b",)]


def test_a_wrong_value_far_down_is_null_for_the_robust_reader(run: Run) -> None:
    """And what is no object is left out."""
    item = {"linkId": "1", "item": ["no object", {"linkId": {"no": "text"}, "definition": "d"}, {"linkId": "3"}]}
    resource = {"resourceType": "QuestionnaireResponse", "id": "q", "item": [item]}
    view = questions({"repeat": ["item"], "column": columns("definition", "%rowIndex")})
    assert len(run(view, resource, strict=False)) == 3


def test_a_misspelt_element_is_refused_with_the_nearest() -> None:
    """An element that only other types have gives no rows, one that nothing has is an error."""
    with pytest.raises(ViewError, match=r"repeat.*'itm'.*nearest is 'item'"):
        compile_view(questions({"repeat": ["itm"], "column": columns("linkId")}))
    compile_view(questions({"repeat": ["jurisdiction"], "column": columns("coding.code")}))


def test_a_function_in_the_path_above_a_repeat_is_refused() -> None:
    """It would have to be applied to text."""
    inner = {"repeat": ["item"], "column": columns("linkId")}
    with pytest.raises(ViewError, match="a path is of names only"):
        compile_view(questions({"forEach": "item.where(linkId = '1')", "select": [inner]}))


@pytest.mark.parametrize(
    ("sent", "low", "high"),
    [
        (b"1.0", "0.95", "1.05"),
        (b"1.00", "0.995", "1.005"),
        (b"5", "4.5", "5.5"),
        (b"-0.010", "-0.0105", "-0.0095"),
        (b"1.20E2", "119.5", "120.5"),
    ],
)
def test_the_boundaries_of_a_decimal_come_from_its_digits(run: Run, sent: bytes, low: str, high: str) -> None:
    """Half a unit of the last place that was sent."""
    line = b'{"resourceType":"Observation","id":"o","valueQuantity":{"value": ' + sent + b' ,"unit":"x"}}'
    path = "value.ofType(Quantity).value"
    view = {
        "name": "v", "resource": "Observation",
        "select": [{"column": columns(f"{path}.lowBoundary()", f"{path}.highBoundary()")}],
    }  # fmt: skip
    assert run(view, line) == [(Decimal(low), Decimal(high))]


def test_two_spellings_of_one_number_give_the_widest_boundaries(run: Run) -> None:
    """Which of them is meant cannot be told from the text."""
    line = (
        b'{"resourceType":"Observation","id":"o","valueQuantity":{"value":2.00},'
        b'"component":[{"valueQuantity":{"value":2.0}}]}'
    )
    path = "value.ofType(Quantity).value"
    view = {"name": "v", "resource": "Observation", "select": [{"column": columns(f"{path}.lowBoundary()")}]}
    assert run(view, line) == [(Decimal("1.95"),)]
