"""Which tests settle most for a trial, and for whom to order each first."""

from dataclasses import dataclass

from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.pages.known import called, candidate_path
from cohortfinder.review.routing import Page
from cohortfinder.warehouse.published import ClinicStep

_PEOPLE = 12


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A test, with the first of those for whom it is to be ordered: (name, address); `more` are not shown."""

    step: ClinicStep
    ends: float
    per_hour: float
    criteria: tuple[str, ...]
    whom: tuple[tuple[str, str], ...]
    more: int


def show(asked: Asked) -> Response:
    """Show the tests, most settled in an hour first."""
    steps = asked.snapshot.lists.clinic_steps(asked.trial_id) if asked.snapshot else ()
    rows = [_shown(asked, one) for one in steps]
    most = max((one.ends for one in rows), default=1.0)
    return asked.page("steps.html.jinja", listed=asked.listed, rows=rows, most=most)


def _shown(asked: Asked, step: ClinicStep) -> ShownStep:
    # an id with "; " in it would be two; whoever is not listed is left out
    listed = [one for one in dict.fromkeys((step.whom or "").split("; ")) if one in asked.listed.names]
    return ShownStep(
        step=step, ends=float(step.ends), per_hour=float(step.per_hour),
        criteria=tuple((step.criteria or "").split("; ")),
        whom=tuple((called(asked, one), candidate_path(asked, one)) for one in listed[:_PEOPLE]),
        more=max(0, int(step.people) - min(len(listed), _PEOPLE)),
    )  # fmt: skip


PAGES = (Page("/trials/{trial}/steps", show, Right.LIST, "next tests"),)
