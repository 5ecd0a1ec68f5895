"""Every page of the application; one that does not stand here does not exist."""

from cohortfinder.review.pages import (
    accounts,
    answering,
    audit,
    candidate,
    candidates,
    deciding,
    language,
    looks,
    noting,
    password,
    sign_in,
    trials,
)
from cohortfinder.review.routing import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *password.PAGES,
    *language.PAGES,
    *trials.PAGES,
    *candidates.PAGES,
    *candidate.PAGES,
    *looks.PAGES,
    *accounts.PAGES,
    *audit.PAGES,
    *answering.PAGES,
    *deciding.PAGES,
    *noting.PAGES,
)
