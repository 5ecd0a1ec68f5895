"""Scopes of SMART in both their versions: which are asked for, and what those that were granted cover."""

import pytest

from cohortfinder.fhir.scopes import missing, scopes_for


@pytest.mark.parametrize(
    ("capabilities", "scopes"),
    [
        ([], ("system/Observation.read", "system/Patient.read")),
        (["permission-v1", "permission-v2"], ("system/Observation.read", "system/Patient.read")),
        (["permission-v2"], ("system/Observation.rs", "system/Patient.rs")),
    ],
)  # fmt: skip
def test_version_1_unless_only_version_2_is_told(capabilities: list[str], scopes: tuple[str, ...]) -> None:
    assert scopes_for(["Patient", "Observation"], capabilities) == scopes


def test_all_types_where_none_are_named() -> None:
    assert scopes_for([], []) == ("system/*.read",)


@pytest.mark.parametrize(
    ("granted", "enough"),
    [
        ("system/Patient.read", True), ("system/*.read", True), ("system/Patient.rs", True), ("system/*.cruds", True),
        ("system/Patient.*", True), ("system/Patient.r", False), ("system/Patient.write", False),
        ("system/Observation.read", False), ("user/Patient.read", False), ("patient/*.read", False), ("openid", False),
        ("system/Patient.rs?gender=male", False), ("", False),
    ],
)  # fmt: skip
def test_what_a_granted_scope_covers(granted: str, enough: bool) -> None:
    assert missing(["system/Patient.read"], [granted]) == (() if enough else ("system/Patient.read",))


def test_a_scope_of_another_kind_is_compared_as_it_is() -> None:
    """Azure has scopes of its own."""
    own = "https://fhir.example/.default"
    assert missing([own], [own]) == ()
    assert missing([own], ["https://fhir.example/user_impersonation"]) == (own,)
