"""The review application as it runs for a test: a real server on a free port, and browsers without a screen."""

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import requests
import uvicorn
from sqlalchemy import Table

from cohortfinder.jobs.review import application_of
from cohortfinder.review.access.accounts import account_of, add_account, give_role
from cohortfinder.review.access.roles import Role
from cohortfinder.review.access.sessions import begin_session
from cohortfinder.review.app import make_app
from cohortfinder.review.application import Application
from cohortfinder.review.lists.published import Snapshot
from cohortfinder.review.routing import cookie_name
from cohortfinder.review.store.database import Database, open_database
from cohortfinder.review.store.head import Head
from cohortfinder.review.store.tables import METADATA
from cohortfinder.review_settings import DEFAULT_LISTEN
from cohortfinder.runs.snapshots import make_current, snapshot_folder
from cohortfinder.secret import Secret
from cohortfinder.settings import Settings

TRIAL, OTHER_TRIAL = "NCT06983964", "T2D-EXAMPLE"
PASSWORD = "correct horse battery"
# who there is: login, name, what in which trial; `fred` has a role in the other trial alone, `nora` in none
PEOPLE: dict[str, tuple[str, dict[str, Role]]] = {
    "anna": ("Anna Example", {TRIAL: Role.COORDINATOR}),
    "ben": ("Ben Example", {TRIAL: Role.COORDINATOR, OTHER_TRIAL: Role.COORDINATOR}),
    "ivan": ("Ivan Example", {TRIAL: Role.INVESTIGATOR}),
    "dora": ("Dora Example", {TRIAL: Role.DATA}),
    "fred": ("Fred Example", {OTHER_TRIAL: Role.COORDINATOR}),
    "nora": ("Nora Example", {}),
    "adam": ("Adam Example", {}),
}
ADMINISTRATOR = "adam"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def fill(database: Database) -> None:
    """Add everybody of PEOPLE."""
    with database.writing() as connection:
        for login, (name, roles) in PEOPLE.items():
            account = add_account(
                connection, login, name, at=datetime.now(UTC), password=PASSWORD, email=f"{login}@hospital.example",
                administrator=login == ADMINISTRATOR,
            )  # fmt: skip
            for trial, role in roles.items():
                give_role(connection, account, trial, role)


@dataclass
class Clock:
    """What time it is for the application: as it is, plus what the test lets pass."""

    passed: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.passed

    def let_pass(self, **time: float) -> None:
        """Let time pass, as `minutes=16`."""
        self.passed += timedelta(**time)


@dataclass
class Browser:
    """Somebody at a browser: keeps cookies, follows what is answered, and sends forms as the page gives them."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **more: Any) -> requests.Response:
        """Look at a page."""
        return self.session.get(self.url + path, timeout=60, **more)

    def send(
        self, path: str, fields: dict[str, str] | None = None, *, page: str = "/", **more: Any
    ) -> requests.Response:
        """Send a form with the token that stands on `page`."""
        given = {"csrf": self.token(page), **(fields or {})}
        return self.session.post(self.url + path, data=given, timeout=60, **more)

    def submit(self, page: str, action: str, /, **fields: str) -> requests.Response:
        """Send the form of `page` that goes to `action`, with all that its fields hold, and some filled in anew."""
        found = [form for form in forms_of(self.get(page).text) if form.action == action]
        assert found, f"{page} has no form to {action}"
        return self.session.post(self.url + action, data={**found[0].fields, **fields}, timeout=60)

    def token(self, page: str = "/") -> str:
        """Return the token that the forms of a page bear, '' where it has none."""
        found = _CSRF.search(self.get(page).text)
        return found[1] if found else ""

    def sign_in(self, login: str, password: str = PASSWORD) -> requests.Response:
        """Sign in by the form."""
        given = {"login": login, "password": password}
        return self.session.post(f"{self.url}/sign-in", data=given, timeout=60)


@dataclass
class Form:
    """A form of a page: where it goes, and what its fields hold."""

    action: str
    fields: dict[str, str]


def forms_of(text: str) -> list[Form]:
    """Return the forms of a page."""
    reader = _Forms()
    reader.feed(text)
    return reader.forms


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._text_of: str | None = None
        self._choice_of: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(own.get("action", ""), {}))
        elif not self.forms:
            return
        fields, name = self.forms[-1].fields, own.get("name", "")
        if tag == "input" and name and (own.get("type") not in ("checkbox", "radio") or "checked" in own):
            fields[name] = own.get("value", "")
        elif tag == "button" and name:
            fields.setdefault(name, own.get("value", ""))
        elif tag == "textarea" and name:
            fields[name], self._text_of = "", name
        elif tag == "select":
            self._choice_of = name
        elif tag == "option" and self._choice_of and ("selected" in own or self._choice_of not in fields):
            fields[self._choice_of] = own.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._text_of is not None:
            self.forms[-1].fields[self._text_of] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text_of = None
        elif tag == "select":
            self._choice_of = None


@dataclass
class Running:
    """The application that runs: its address and parts, the clock that a test may turn, and the lines of its log."""

    url: str
    application: Application
    clock: Clock
    store: Path
    log: list[dict[str, object]]

    def browser(self) -> Browser:
        """Open a browser in which nobody is signed in."""
        return Browser(self.url)

    def signed_in(self, login: str, password: str = PASSWORD) -> Browser:
        """Open a browser in which somebody of PEOPLE is signed in."""
        browser = self.browser()
        assert browser.sign_in(login, password).status_code == 200
        assert browser.session.cookies, f"{login} is not signed in"
        return browser

    def browser_of(self, login: str) -> Browser:
        """Open a browser with a session of somebody, begun without the form, which takes its time on purpose."""
        browser = self.browser()
        with self.database.writing() as connection:
            session_id = begin_session(connection, self.account_id(login), "password", self.clock())
        browser.session.cookies.set(cookie_name(self.application), session_id)
        return browser

    @property
    def database(self) -> Database:
        """The review store."""
        return self.application.database

    @property
    def snapshot(self) -> Snapshot:
        """The list that holds."""
        found = self.application.published.current()
        assert found is not None
        return found

    @staticmethod
    def tables() -> list[Table]:
        """Return the tables of the review store."""
        return [*METADATA.sorted_tables]

    def account_id(self, login: str) -> int:
        """Return the number of somebody's account."""
        with self.database.reading() as connection:
            found = account_of(connection, login)
        assert found is not None
        return found.id

    def patients(self, trial: str = TRIAL) -> list[str]:
        """Return who is listed, the best first."""
        listed = self.snapshot.of(trial)
        assert listed is not None
        return list(dict.fromkeys(row.patient_id for row in listed.rows))

    def candidate(self, patient_id: str, trial: str = TRIAL) -> str:
        """Return the name of a patient in addresses."""
        return self.application.keys.candidate(trial, patient_id)

    def publish_again(self) -> None:
        """Publish the list that holds as that of a later run; of a store of the test's own."""
        old, new = self.snapshot.run_id, "29991231T030000-001"
        folder = snapshot_folder(self.store, new)
        shutil.copytree(snapshot_folder(self.store, old), folder)
        manifest = folder / "manifest.json"
        manifest.chmod(0o600)
        manifest.write_text(manifest.read_text().replace(old, new))
        make_current(self.store, new)

    def page_of(self, patient_id: str, trial: str = TRIAL) -> str:
        """Return the address of a patient's page."""
        return f"/trials/{trial}/candidates/{self.candidate(patient_id, trial)}"


@contextmanager
def serving(settings: Settings, database_url: str, head: Path) -> Iterator[Running]:
    """Serve a store on a free port of the loopback, with what people say in a database of its own.

    `head` is the file that names the end of the audit log.
    """
    url = Secret(value=database_url, place="the test")
    settings = replace(settings, review=replace(settings.review, database_url=url))
    database = open_database(settings.store, settings.review)
    application, clock = application_of(settings, database), Clock()
    application.clock = clock
    # beside its database: tests share the folder of the store
    application.head = Head(head, application.keys)
    log: list[dict[str, object]] = []
    application.log = lambda message, **more: log.append({"message": message, **more})
    # a provider of accounts must know the address before
    asked = settings.review.listen
    port = 0 if asked == DEFAULT_LISTEN else int(asked.rpartition(":")[2])
    config = uvicorn.Config(make_app(application), host="127.0.0.1", port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            threading.Event().wait(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Running(f"http://127.0.0.1:{port}", application, clock, settings.store, log)
    finally:
        server.should_exit = True
        thread.join(30)
        database.close()
