"""Every page of the application; one that does not stand here does not exist."""

from cohortfinder.review.pages import candidate, candidates, sign_in, trials
from cohortfinder.review.routing import Page

PAGES: tuple[Page, ...] = (
    *sign_in.PAGES,
    *trials.PAGES,
    *candidates.PAGES,
    *candidate.PAGES,
)
