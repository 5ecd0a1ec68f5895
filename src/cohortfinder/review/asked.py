"""One request, as a page sees it: who asks, about which trial and patient, over which list, and how to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cohortfinder.landing.identity import Identity
from cohortfinder.review.access.accounts import Account
from cohortfinder.review.access.roles import Right, Role, allows
from cohortfinder.review.access.sessions import Session
from cohortfinder.review.application import Application
from cohortfinder.review.lists.published import Snapshot, TrialList
from cohortfinder.review.lists.unnamed import without_birth_dates
from cohortfinder.runs.notice import Notice
from cohortfinder.warehouse.published import ListedVerdict


@dataclass(frozen=True)
class Asked:
    """What a page is given. `form` is what was sent, as texts; `at` is now."""

    request: Request
    application: Application
    at: datetime
    request_id: str
    account: Account | None = None
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def who(self) -> Account:
        """Who is signed in; a page that anybody may see must not ask."""
        if self.account is None:
            raise HTTPException(403)
        return self.account

    @property
    def trial_id(self) -> str:
        """The trial of the address, '' where there is none."""
        return str(self.request.path_params.get("trial", ""))

    @property
    def role(self) -> Role | None:
        """What the person is in the trial of the address."""
        return self.account.role_in(self.trial_id) if self.account else None

    @property
    def address(self) -> str:
        """The address of the machine that asks; where a proxy is in front of us, what that proxy has added."""
        told = self.request.headers.get("x-forwarded-for", "") if self.application.settings.behind_proxy else ""
        client = self.request.client.host if self.request.client else ""
        return told.rpartition(",")[2].strip() or client

    def allows(self, right: Right) -> bool:
        """Say whether the person has a right, in the trial of the address or, to administer, in the application."""
        if right is Right.ADMINISTER:
            return self.account is not None and self.account.administrator
        return allows(self.role, right)

    @cached_property
    def snapshot(self) -> Snapshot | None:
        """The list that holds while this page is made, None while none was published."""
        return self.application.published.current()

    @cached_property
    def notice(self) -> Notice | None:
        """Why the list that holds is not that of last night."""
        return self.application.published.notice()

    @cached_property
    def listed(self) -> TrialList:
        """The list of the trial of the address. Raises 404 when it is on no list that holds."""
        found = self.snapshot.of(self.trial_id) if self.snapshot else None
        if found is None:
            raise HTTPException(404)
        return found

    def identity(self, patient_id: str) -> Identity | None:
        """Return who a patient of the trial is, None to those who may not see it, and where the list does not know."""
        if not self.allows(Right.IDENTITY) or self.snapshot is None:
            return None
        return self.snapshot.identities.get(patient_id)

    @cached_property
    def patient_id(self) -> str:
        """The patient of the address. Raises 404 when nobody of the list, and of what was said, has that name."""
        name = str(self.request.path_params.get("candidate", ""))
        found = self.listed.patients.get(name) or self.application.patient_said(self.trial_id, name)
        if found is None:
            raise HTTPException(404)
        return found

    def verdicts(self, snapshot: Snapshot, patient_id: str) -> tuple[ListedVerdict, ...]:
        """Return the verdicts of a list on a patient, as whoever asks may see them."""
        found = snapshot.lists.verdicts(self.trial_id, patient_id)
        return found if self.allows(Right.IDENTITY) else without_birth_dates(found)

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page in the language of the person."""
        environment = self.application.environment(self.language)
        text = environment.get_template(template).render(asked=self, Right=Right, **values)
        return HTMLResponse(text, status_code=status)

    def back(self, path: str, **query: str) -> Response:
        """Return the way to another page, after something was sent."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, status_code=303)

    @property
    def language(self) -> str:
        """The language of the person, else that of the site."""
        return (self.account.language if self.account else None) or self.application.settings.language

    def signed_in(self, account: Account, session: Session | None) -> "Asked":
        """Return the same request of somebody who is known."""
        return replace(self, account=account, session=session)
