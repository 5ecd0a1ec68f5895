"""Who uses the review application in these tests, and the site that they use."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

from cohortfinder.jobs import accounts
from cohortfinder.review.access.roles import Role
from cohortfinder.settings import Settings

PASSWORD = "four words make one"
START_SECONDS = 400
TRIAL = "NCT06983964"


@dataclass
class Site:
    """A running application, with its store and the demo account."""

    address: str
    store: Path
    login: str
    password: str
    config: Path
    _accounts: set[str] = field(default_factory=set)

    def account(self, login: str, role: str, trial: str = TRIAL, *, change: bool = True) -> str:
        """Make an account with a role in a trial and the password that everybody has here, and return its login.

        With `change` it has been changed already since somebody else has set it.
        """
        settings = Settings(store=self.store)
        if login not in self._accounts:
            accounts.add(settings, login, login.capitalize(), PASSWORD, must_change=not change)
            self._accounts.add(login)
        accounts.grant(settings, login, trial, Role(role))
        return login

    def administrator(self, login: str) -> str:
        """Make an account that may give roles and has none, and return its login."""
        if login not in self._accounts:
            accounts.add(Settings(store=self.store), login, login, PASSWORD, administrator=True, must_change=False)
            self._accounts.add(login)
        return login

    def rows(self, query: str, *values: str) -> list[dict[str, str]]:
        """Ask the review store."""
        with closing(sqlite3.connect(self.store / "review" / "review.sqlite")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def change(self, statement: str, *values: str) -> None:
        """Change the review store behind the back of the application."""
        with closing(sqlite3.connect(self.store / "review" / "review.sqlite", timeout=20)) as connection, connection:
            connection.execute(statement, values)


@dataclass(frozen=True)
class Person:
    """Somebody with a browser window of their own; everything that the browser complains about is kept."""

    page: Page
    site: Site
    complaints: list[str]

    def go(self, path: str) -> None:
        """Open an address of the application."""
        self.page.goto(self.site.address + path)

    def sees(self, path: str) -> None:
        """Open an address that answers well, and does not scroll sideways."""
        answer = self.page.goto(self.site.address + path)
        assert answer is not None
        assert answer.status == 200
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def open_with(self, passcode: str) -> None:
        """Enter the passcode of a shared link."""
        self.page.fill("#passcode", passcode)
        self.page.locator("main form button").first.click()
        self.page.wait_for_load_state()

    def sign_in(self, login: str, password: str = PASSWORD) -> None:
        """Sign in with a password."""
        self.go("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", password)
        self.page.locator("main form button").first.click()
        self.page.wait_for_url(lambda url: not url.endswith("/sign-in"))

    def change_password(self, password: str) -> None:
        """Choose another password, where one is asked for."""
        fields = self.page.locator('main input[type="password"]')
        for number, text in enumerate((PASSWORD, password, password)):
            fields.nth(number).fill(text)
        self.page.locator("main form button").first.click()
        self.page.wait_for_url(lambda url: not url.endswith("/password"))

    def candidate(self, path: str, number: int) -> str:
        """Return the address of a patient on a list, from the first on, which is 0."""
        self.go(path)
        found = self.page.locator("tbody th a").nth(number).get_attribute("href")
        assert found is not None
        return self.site.address + found

    def answer(self, criterion: str, word: str, note: str = "") -> None:
        """Answer a criterion by mouse, with a note; `criterion` is the id of its place in the page."""
        place = self.page.locator(f"#{criterion}")
        if note:
            place.locator("details.with-note summary").click()
            place.locator("textarea").fill(note)
        place.locator(f'button[name="word"][value="{word}"]').click()
        self.page.wait_for_load_state()
