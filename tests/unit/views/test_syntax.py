"""FHIRPath text to a tree."""

from decimal import Decimal

import pytest

from cohortfinder.views.errors import ViewError
from cohortfinder.views.syntax import Binary, Call, Literal, Member, This, parse


def test_and_binds_tighter_than_or() -> None:
    tree = parse("a or b and c")
    assert isinstance(tree, Binary)
    assert tree.operator == "or"
    assert isinstance(tree.right, Binary)
    assert tree.right.operator == "and"


def test_subtraction_is_grouped_from_the_left() -> None:
    tree = parse("3 - 2 - 1")
    assert isinstance(tree, Binary)
    assert isinstance(tree.left, Binary)
    assert tree.right == Literal(1, "integer", 8)


def test_a_path_with_a_function_and_a_condition() -> None:
    tree = parse("name.where(use = 'official')")
    assert isinstance(tree, Call)
    assert tree.target == Member(This(0), "name", 0)
    assert isinstance(tree.arguments[0], Binary)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.50", Decimal("1.50")),
        ("'it\\'s'", "it's"),
        ("'\\u00e9'", "é"),
        ("true", True),
        ("@2020-01", "2020-01"),
    ],
)
def test_literals(text: str, value: object) -> None:
    tree = parse(text)
    assert isinstance(tree, Literal)
    assert tree.value == value


@pytest.mark.parametrize(
    ("text", "position"),
    [("", 0), ("a.", 2), ("(a", 2), ("a b", 2), ("a ~# b", 2), ("a.where(b", 9), ("@@", 0)],
)
def test_the_error_has_the_position(text: str, position: int) -> None:
    with pytest.raises(ViewError) as caught:
        parse(text)
    assert caught.value.position == position
