"""What people do in the review application, in real Chromium."""

from collections.abc import Callable

from people import Person
from playwright.sync_api import Page

People = Callable[..., Person]
Violations = Callable[[Page], list[str]]


def test_a_coordinator_signs_in(person: People, violations: Violations) -> None:
    anna = person()
    anna.go("/")
    assert anna.page.url.endswith("/sign-in")
    assert violations(anna.page) == []
    anna.sign_in(anna.site.login, anna.site.password)
    assert anna.page.title().startswith("My trials")
    assert violations(anna.page) == []
    assert anna.complaints == []
