"""Who uses the review application in these tests, and the site that they use."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

PASSWORD = "four words make one"
START_SECONDS = 400


@dataclass
class Site:
    """A running application, with its store and the demo account."""

    address: str
    store: Path
    login: str
    password: str
    config: Path
    _accounts: set[str] = field(default_factory=set)

    def account(self, login: str, role: str, trial: str = "NCT06983964") -> str:
        """Make an account with a role in a trial and the password that everybody has here; return its login."""
        if login not in self._accounts:
            _cohortfinder(
                self, "accounts", "add", login, "--name", login.capitalize(), "--password-stdin", said=PASSWORD
            )
            self._accounts.add(login)
        _cohortfinder(self, "accounts", "grant", login, "--trial", trial, "--role", role)
        return login


def _cohortfinder(site: Site, *arguments: str, said: str = "") -> str:
    command = [sys.executable, "-m", "cohortfinder", *arguments, "--config", str(site.config)]
    done = subprocess.run(command, input=said + "\n", capture_output=True, text=True, timeout=START_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Person:
    """Somebody with a browser window of their own; everything that the browser complains about is kept."""

    page: Page
    site: Site
    complaints: list[str]

    def go(self, path: str) -> None:
        """Open an address of the application."""
        self.page.goto(self.site.address + path)

    def sign_in(self, login: str, password: str = PASSWORD) -> None:
        """Sign in, and where the password was set by another, choose a new one, which is the old one with a mark."""
        self.go("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", password)
        self.page.click("main button")
        self.page.wait_for_load_state()
