"""Every page of the application; one that does not stand here does not exist."""

from cohortfinder.review.pages import (
    accounts,
    answering,
    audit,
    candidate,
    candidates,
    comparing,
    criteria,
    deciding,
    language,
    log,
    looks,
    noting,
    password,
    sign_in,
    steps,
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
    *comparing.PAGES,
    *steps.PAGES,
    *log.PAGES,
    *criteria.PAGES,
)
