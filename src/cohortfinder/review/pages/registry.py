"""Every page of the application; one that does not stand here does not exist."""

from cohortfinder.review.pages import accounts, audit, candidate, candidates, looks, password, sign_in, trials
from cohortfinder.review.routing import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *password.PAGES,
    *trials.PAGES,
    *candidates.PAGES,
    *candidate.PAGES,
    *looks.PAGES,
    *accounts.PAGES,
    *audit.PAGES,
)
