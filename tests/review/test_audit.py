"""The audit log: every look at a patient is in it, and whoever changes it is seen."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, select, update

from cohortfinder.review.store.audit import faults
from cohortfinder.review.store.head import Head
from cohortfinder.review.store.tables import AUDIT
from review.running import TRIAL, Running

Tampering = Callable[[Connection], object]


def told(running: Running) -> list[str]:
    """Return what is wrong with the log."""
    with running.database.reading() as connection:
        return [*faults(connection, running.application.keys, running.application.head)]


def looked(running: Running, times: int = 3) -> str:
    """Let somebody look at patients, and return the first of them."""
    patients = running.patients()
    browser = running.browser_of("anna")
    for patient in patients[:times]:
        browser.get(running.page_of(patient))
    return patients[0]


def test_every_look_at_a_patient_is_written_down(running: Running) -> None:
    patient = looked(running)
    with running.database.reading() as connection:
        asked = select(AUDIT).where(AUDIT.c.action == "view").order_by(AUDIT.c.id)
        rows = connection.execute(asked).mappings().all()

    assert len(rows) == 3
    shown = {name: rows[0][name] for name in ("login", "role", "trial", "candidate")}
    assert shown == {"login": "anna", "role": "coordinator", "trial": TRIAL, "candidate": running.candidate(patient)}
    assert all(patient not in str(dict(row)) for row in rows)
    assert told(running) == []


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda c: c.execute(update(AUDIT).where(AUDIT.c.id == 2).values(login="ben")), "entry 2: it was changed"),
        (lambda c: c.execute(update(AUDIT).where(AUDIT.c.id == 2).values(candidate="x")), "entry 2: it was changed"),
        (lambda c: c.execute(delete(AUDIT).where(AUDIT.c.id == 2)), "before entry 3: something was taken out, or put in"),
        (lambda c: c.execute(delete(AUDIT).where(AUDIT.c.id == 1)), "before entry 2: something was taken out, or put in"),
        (lambda c: c.execute(delete(AUDIT).where(AUDIT.c.id >= 3)), "after entry 2: entries up to 3 were cut off"),
        (lambda c: c.execute(delete(AUDIT)), "after entry 0: entries up to 3 were cut off"),
    ],
)  # fmt: skip
def test_tampering_shows(running: Running, tamper: Tampering, said: str) -> None:
    looked(running)
    with running.database.writing() as connection:
        tamper(connection)

    assert said in told(running)
    assert "The log is not as it was written" in running.browser_of("adam").get("/admin/audit").text
    looked(running, 4)
    assert told(running) != []


def test_entries_put_in_by_somebody_without_the_key_show(running: Running) -> None:
    looked(running)
    with running.database.writing() as connection:
        last = dict(connection.execute(select(AUDIT).where(AUDIT.c.id == 3)).mappings().one())
        forged = {**last, "id": 4, "previous_hash": last["hash"], "hash": "0" * 64, "login": "ben"}
        connection.execute(AUDIT.insert().values(**forged))

    assert told(running) == ["entry 4: it was changed"]


def test_a_head_that_is_set_back_shows(running: Running) -> None:
    """Whoever cuts off the end of the log must also change the file beside it, which needs the key."""
    looked(running)
    head = running.application.head
    assert isinstance(head, Head)
    number, _, rest = head.file.read_text().partition(" ")
    head.file.write_text(f"{int(number) - 1:020d} {rest}")

    assert told(running) == [f"{head.file}: it was changed"]
    head.file.unlink()
    assert [one.partition(": ")[2][:15] for one in told(running)] == ["it is not there"]


def test_a_head_that_is_one_behind_is_no_fault(running: Running) -> None:
    """A process may be killed between the entry and the head."""
    looked(running)
    head = running.application.head
    assert isinstance(head, Head)
    before = head.file.read_text()
    looked(running, 1)
    head.file.write_text(before)

    assert told(running) == []


def test_who_looked_at_a_patient(running: Running) -> None:
    patient = looked(running)
    running.browser_of("ivan").get(running.page_of(patient))
    adam = running.browser_of("adam")

    found = adam.send("/admin/audit/patient", {"trial": TRIAL, "patient": patient}, page="/admin/audit")

    assert patient not in found.url
    rows = [row for row in found.text.split("<tr>") if "<td>view</td>" in row]
    assert [("anna" in row, "ivan" in row) for row in rows] == [(False, True), (True, False)]
    team = running.browser_of("ben").get(f"{running.page_of(patient)}/looks").text
    assert ("Anna Example" in team, "Ivan Example" in team) == (True, True)


def test_the_log_is_exported_and_that_is_in_it(running: Running) -> None:
    looked(running)
    adam = running.browser_of("adam")

    as_csv = adam.get("/admin/audit/export?kind=csv&action=view")
    as_lines = adam.get("/admin/audit/export?kind=ndjson")

    rows = [*csv.DictReader(io.StringIO(as_csv.content.decode("utf-8-sig")))]
    assert [(row["login"], row["action"]) for row in rows] == [("anna", "view")] * 3
    lines = [json.loads(line) for line in as_lines.text.splitlines()]
    assert lines[0]["action"] == "audit exported"
    assert lines[0]["detail"] == "3 entries as csv"
    assert len(lines) == 4


def test_a_login_that_is_a_formula_is_text_in_the_export(running: Running) -> None:
    adam = running.browser_of("adam")
    adam.submit(
        "/admin/accounts", "/admin/accounts", login="=1+1", name="x", password="correct horse battery", email=""
    )
    running.signed_in("=1+1")

    text = adam.get("/admin/audit/export?kind=csv").content.decode("utf-8-sig")

    assert "'=1+1" in {row["login"] for row in csv.DictReader(io.StringIO(text))}


def test_where_nothing_can_be_written_down_nothing_is_shown(running: Running) -> None:
    """An entry that cannot be written is a look that is not allowed."""
    browser = running.browser_of("anna")
    with running.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO taken_away")

    answer = browser.get(running.page_of(running.patients()[0]))

    assert answer.status_code >= 500
    assert "criterion" not in answer.text.lower()
