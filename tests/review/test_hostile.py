"""Forty hostile inputs in every field of every form: nothing runs, nothing breaks, and what was kept is kept as it is.

The forms are those of the pages that somebody with every right sees, found by reading them, so that a new one is tried
by itself.
"""

import re
from html.parser import HTMLParser
from urllib.parse import quote

import requests

from cohortfinder.review.access.accounts import give_role, set_administrator
from cohortfinder.review.access.roles import Role
from cohortfinder.review.pages.registry import PAGES
from cohortfinder.review.routing import ANYBODY
from cohortfinder.review.store.tables import SIGN_IN
from review.running import TRIAL, Browser, Form, Running, forms_of

CANARY = "canary7"
INPUTS = (
    f"<script>{CANARY}()</script>", f"\"><img src=x onerror={CANARY}()>", f"'><svg/onload={CANARY}()>",
    f"javascript:{CANARY}()", f"</textarea><script>{CANARY}()</script>", f"</title><script>{CANARY}()</script>",
    f"<!--<script>{CANARY}()", f"]]><script>{CANARY}()</script>", f"<iframe srcdoc='<script>{CANARY}()</script>'>",
    f"<style>@import '//{CANARY}.example'</style>", f"<base href=//{CANARY}.example>", "{{ 7 * 191 }}", "{% include 'x' %}",
    "${7*191}", "#{7*191}", "<%= 7*191 %>", "'; DROP TABLE account; --", "' OR '1'='1", "\") OR 1=1 --", "1; SELECT pg_sleep(9)",
    "%00", "\x00", "\x01\x02\x1b[31m", "\U0001f600\u200d\u2764", "\ud800", "\u202egnp.exe", "\ufeff", "a" * 60_000, "\r\nSet-Cookie: x=1",
    "%0d%0aLocation: //evil.example", "../../../etc/passwd", "..\\..\\windows", "//evil.example", "=HYPERLINK(\"//evil.example\")",
    "+cmd|' /C calc'!A0", "@SUM(1)", "-1", "9" * 400, "NaN", "1e400", "null",
)  # fmt: skip


class _Active(HTMLParser):
    """Collects what a browser would run or fetch of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if tag in ("iframe", "object", "embed", "base", "style", "svg", "img") or any(
            name.startswith("on") for name in own
        ):
            self.found.append(f"<{tag}>")
        if tag == "script" and own.get("src") != "/static/review.js":
            self.found.append(f"<script {own}>")
        for name in ("href", "src", "action", "formaction"):
            if (own.get(name) or "").lower().startswith(("javascript:", "data:", "//")):
                self.found.append(f"{name}={own[name]}")


def active(text: str) -> list[str]:
    """Return what a browser would run or fetch of a page that is not ours."""
    reader = _Active()
    reader.feed(text)
    return reader.found


def everything(running: Running) -> Browser:
    """Open a browser of somebody with every right."""
    with running.database.writing() as connection:
        ben = running.account_id("ben")
        give_role(connection, ben, TRIAL, Role.INVESTIGATOR)
        set_administrator(connection, ben, True)
    return running.browser_of("ben")


def pages(running: Running) -> list[str]:
    """Return the pages with a form, or where something that was sent shows."""
    patient = running.candidate(running.patients()[0])
    given = {"trial": TRIAL, "candidate": patient, "number": str(running.account_id("anna"))}
    asked = [page.path for page in PAGES if not page.sends and page.needs != ANYBODY and "export" not in page.path]
    return [path.format(**given) for path in asked if {*re.findall(r"{(\w+)", path)} <= {*given}]


def fields_of(form: Form) -> list[str]:
    return [name for name in form.fields if name != "csrf"]


def test_hostile_inputs_in_every_field_of_every_form(running: Running) -> None:
    browser, tried = everything(running), 0
    seen: set[tuple[str, str]] = set()
    for page in pages(running):
        for form in forms_of(browser.get(page).text):
            if form.action.startswith(("/sign-out", "/admin/accounts")) and not fields_of(form):
                continue
            for field in fields_of(form):
                # a page has one form for each criterion, which are alike
                if (form.action, field) in seen:
                    continue
                seen.add((form.action, field))
                for hostile in INPUTS:
                    tried += 1
                    answer = sent(running, browser, form, field, hostile)
                    case = (form.action, field, hostile[:40], answer.status_code)
                    assert answer.status_code < 500, case
                    assert active(answer.text) == [], case
                    assert "1337" not in re.sub(r'value="[^"]*"', "", answer.text), case
    for page in pages(running):
        answer = browser.get(page)
        assert (answer.status_code, active(answer.text)) == (200, []), page
    assert tried >= 40 * 15


def sent(running: Running, browser: Browser, form: Form, field: str, hostile: str) -> requests.Response:
    """Send a form with one hostile field; where that has ended the session, a new one begins."""
    fields = {
        **form.fields,
        field: hostile,
    }
    if form.action == "/password":
        with running.database.writing() as connection:
            connection.execute(SIGN_IN.delete())
    text = {name: value.encode("utf-8", "surrogatepass") for name, value in fields.items()}
    return browser.session.post(running.url + form.action, data=text, timeout=60)


def test_hostile_inputs_in_addresses(running: Running) -> None:
    browser = everything(running)
    patient = running.page_of(running.patients()[0])
    asked = 0
    for hostile in INPUTS:
        if len(hostile) > 2000:
            continue
        for path, query in (
            ("/admin/audit", "login"), ("/admin/audit", "action"), ("/admin/audit", "before"), ("/admin/audit/export", "kind"),
            (f"/trials/{TRIAL}", "search"), (f"/trials/{TRIAL}", "arm"), (f"/trials/{TRIAL}", "sort"),
            (f"/trials/{TRIAL}", "page"), (f"/trials/{TRIAL}", "status"), (f"/trials/{TRIAL}", "missing"), (patient, "run"),
        ):  # fmt: skip
            asked += 1
            answer = browser.get(path, params={query: hostile.encode("utf-8", "surrogatepass")})
            assert answer.status_code < 500, (path, query, hostile)
            assert active(answer.text) == [], (path, query, hostile)
        for path in (
            "/trials/{}",
            f"/trials/{TRIAL}/candidates/{{}}",
            "/shared/{}",
            "/admin/accounts/{}",
            "/static/{}",
        ):
            asked += 1
            answer = browser.get(path.format(quote(hostile.encode("utf-8", "surrogatepass"), safe="")))
            assert answer.status_code in (200, 400, 404), (path, hostile)
            assert active(answer.text) == [], (path, hostile)
    assert asked > 500


def test_a_text_that_was_kept_is_what_was_sent(running: Running) -> None:
    """Nothing is lost: what is taken comes back letter by letter, only that lines end as a form sends them."""
    browser, page = everything(running), f"/trials/{TRIAL}/messages"
    kept = [one for one in INPUTS if len(one) <= 4000 and "\x00" not in one and one.strip() == one and one.isascii()]
    for hostile in kept:
        browser.send(page, {"text": hostile})
    with running.database.reading() as connection:
        found = connection.exec_driver_sql("SELECT text FROM message ORDER BY id").scalars().all()

    assert found == kept
