"""The page of the faults: all cases, and every test that it names is there."""

import pytest

from docs.named_tests import is_there, named_tests, numbered_rows

ROWS = numbered_rows("faults.md")


def test_every_case_says_which_test_shows_it_or_that_there_is_none() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 18))
    assert [row[0] for row in ROWS if "::test_" not in row[3] and row[3] != "not tested"] == []


@pytest.mark.parametrize(("file", "name"), named_tests(ROWS))
def test_a_test_that_shows_a_case_exists(file: str, name: str) -> None:
    assert is_there(file, name)
