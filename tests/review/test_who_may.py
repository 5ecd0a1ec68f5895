"""Each page for each person, in each trial: what is not allowed is refused, and the audit log says so.

The pages are those of the registry, so that a new one is tried by itself.
"""

import re
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import func, select

from cohortfinder.review.access.roles import Right, Role, allows
from cohortfinder.review.pages.registry import PAGES
from cohortfinder.review.routing import ANYBODY, SIGNED_IN, Page
from cohortfinder.review.store.tables import AUDIT
from review.running import ADMINISTRATOR, OTHER_TRIAL, PEOPLE, TRIAL, Running

NAMES = [f"{'POST' if page.sends else 'GET'} {page.path}" for page in PAGES]
OF_A_TRIAL = [page for page in PAGES if isinstance(page.needs, Right) and page.needs is not Right.ADMINISTER]


def address(page: Page, running: Running, trial: str, patient_of: str) -> str:
    """Fill in the address of a page: a trial, a patient who is listed for `patient_of`, and the number 1."""
    patient = running.candidate(running.patients(patient_of)[0], patient_of)
    given = {"trial": trial, "candidate": patient}
    return re.sub(r"{(\w+)(:\w+)?}", lambda found: given.get(found[1], "1"), page.path)


def ask(running: Running, page: Page, login: str | None, trial: str, patient_of: str) -> requests.Response:
    """Ask for a page, or send its form, as somebody or as nobody."""
    browser = running.browser_of(login) if login else running.browser()
    path = address(page, running, trial, patient_of)
    if not page.sends:
        return browser.get(path, allow_redirects=False)
    return browser.send(path, page="/password" if login else "/sign-in", allow_redirects=False)


def refusals(running: Running) -> int:
    """Count what the audit log says was refused."""
    with running.database.reading() as connection:
        asked = select(func.count()).select_from(AUDIT).where(AUDIT.c.action == "refused")
        return int(connection.execute(asked).scalar_one())


def may(page: Page, login: str, trial: str) -> bool:
    """Say whether somebody may have a page."""
    if not isinstance(page.needs, Right):
        return page.needs in (ANYBODY, SIGNED_IN)
    if page.needs is Right.ADMINISTER:
        return login == ADMINISTRATOR
    return allows(PEOPLE[login][1].get(trial), page.needs)


def in_trials(page: Page) -> Iterator[tuple[str, str]]:
    """Yield the trials to ask a page about, each with the trial of the patient: the own one, and another one."""
    yield TRIAL, TRIAL
    if "{trial}" in page.path:
        yield OTHER_TRIAL, OTHER_TRIAL
    if "{candidate}" in page.path:
        yield OTHER_TRIAL, TRIAL


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_is_for_those_who_may(running: Running, page: Page) -> None:
    """Of every page, 7 people, and each trial: who may not gets 403 or 404 and an entry in the audit log."""
    for login in PEOPLE:
        for trial, patient_of in in_trials(page):
            before = refusals(running)
            answer = ask(running, page, login, trial, patient_of)
            case = (login, trial, patient_of, answer.status_code)
            if may(page, login, trial):
                assert answer.status_code < 500, case
                assert answer.status_code != 403, case
                assert refusals(running) == before, case
            else:
                assert answer.status_code in (403, 404), case
                assert refusals(running) == before + 1, case


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_nobody_gets_a_page_without_signing_in(running: Running, page: Page) -> None:
    answer = ask(running, page, None, TRIAL, TRIAL)

    if page.needs == ANYBODY:
        assert answer.status_code < 500
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("page", OF_A_TRIAL, ids=lambda page: f"{'POST' if page.sends else 'GET'} {page.path}")
def test_a_patient_of_another_trial_has_no_page_in_the_own_one(running: Running, page: Page) -> None:
    """The name in an address is of one trial; under another one, where the person may see everything, it is nobody."""
    if "{candidate}" not in page.path:
        assert ask(running, page, "fred", TRIAL, TRIAL).status_code == 404
    else:
        who = "ben" if allows(Role.COORDINATOR, page.needs) else "ivan"  # type: ignore[arg-type]
        assert ask(running, page, who, TRIAL, OTHER_TRIAL).status_code == 404


@pytest.mark.parametrize("page", OF_A_TRIAL, ids=lambda page: f"{'POST' if page.sends else 'GET'} {page.path}")
def test_of_every_page_of_a_trial_somebody_is_refused(page: Page) -> None:
    """The test above would tell nothing of a page that everybody may see: `fred`, `nora` and `adam` never may."""
    assert {login for login in PEOPLE if not may(page, login, TRIAL)} >= {"fred", "nora", "adam"}
