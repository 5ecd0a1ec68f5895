"""What else a trial has: a comparison with the list before, next tests, the screening log and the criteria."""

import csv
import html
import io
import re
from collections.abc import Callable

from cohortfinder.review.lists.changes import changes
from cohortfinder.review.store.decisions import add_decision
from cohortfinder.settings import Settings
from review.running import TRIAL, Running

PATIENT = "sle-belimumab-order-only"


def test_what_turned_stands_before_what_is_only_told_otherwise(running: Running) -> None:
    now = running.snapshot.lists.verdicts(TRIAL, PATIENT)
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    other = {"I-AGE": {"reason": "told otherwise"}, "E-BELI": {"verdict": "pass"}, "I-HB": {}}
    before = [one._replace(**other.get(one.criterion_id, {})) for one in now if one.criterion_id != "E-TRIAL"]
    found = changes(listed.criteria, before, now)
    assert [(one.criterion.id, one.turned) for one in found] == [("E-BELI", True), ("E-TRIAL", True), ("I-AGE", False)]
    assert changes(listed.criteria, now, now) == ()


def test_a_patient_is_compared_with_the_list_before(store_of_its_own: Settings, serve: Callable[..., Running]) -> None:
    running = serve(store_of_its_own)
    page, anna = running.page_of(PATIENT), running.browser_of("anna")
    assert "There is no list to compare with" in anna.get(f"{page}/compare").text
    running.publish_again()
    assert "Nothing changed" in anna.get(f"{page}/compare?in=SLE").text
    assert "Compare with the list of" in anna.get(page).text


def test_next_tests_name_for_whom_first(running: Running) -> None:
    text = running.browser_of("anna").get(f"/trials/{TRIAL}/steps").text
    for step in running.snapshot.lists.clinic_steps(TRIAL):
        assert html.escape(step.label) in text
        assert running.page_of(step.whom.split("; ")[0]) in text


def test_next_tests_name_nobody_to_who_may_not_know(running: Running) -> None:
    text = running.browser_of("dora").get(f"/trials/{TRIAL}/steps").text
    assert not [one for one in running.patients() if one in text]


def test_the_screening_log_has_numbers_and_reasons(running: Running) -> None:
    anna = running.browser_of("anna")
    assert "Nothing is decided yet" in anna.get(f"/trials/{TRIAL}/log").text
    with running.database.writing() as connection:
        for patient, state, reason in ((PATIENT, "declined", "=1+1"), ("gone", "on_study", "")):
            add_decision(
                connection, TRIAL, patient, state, arm="SLE", reason=reason, account_id=running.account_id("anna"),
                at=running.clock(), run_id=running.snapshot.run_id, previous_id=0,
            )  # fmt: skip
    text, taken = anna.get(f"/trials/{TRIAL}/log").text, anna.get(f"/trials/{TRIAL}/log.csv")
    numbers = {one: running.application.keys.pseudonym(TRIAL, one) for one in (PATIENT, "gone")}
    assert re.findall(r'scope="row">(P-[^<]+)<', text) == sorted(numbers.values())
    assert PATIENT not in text
    assert taken.headers["content-type"].startswith("text/csv")
    rows = {row["screening_number"]: row for row in csv.DictReader(io.StringIO(taken.text))}
    assert rows[numbers[PATIENT]]["state"] == "declined"
    # a spreadsheet runs no reason
    assert rows[numbers[PATIENT]]["reason"] == "'=1+1"
    assert rows[numbers["gone"]]["status_on_the_list"] == ""


def test_every_criterion_of_the_trial_is_told_with_its_rule(running: Running) -> None:
    text = html.unescape(running.browser_of("dora").get(f"/trials/{TRIAL}/criteria").text)
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    for one in listed.trial.criteria:
        assert one.text in text
    assert text.count("<pre>") >= len([one for one in listed.trial.criteria if one.computed])


def test_a_page_tells_that_no_list_was_published(store_of_its_own: Settings, serve: Callable[..., Running]) -> None:
    running = serve(store_of_its_own)
    (running.store / "CURRENT").unlink()
    anna = running.browser_of("anna")
    assert "No list was published yet" in anna.get("/").text
    assert anna.get(f"/trials/{TRIAL}").status_code == 404


def test_the_language_of_a_person_is_kept(running: Running) -> None:
    anna = running.browser_of("anna")
    assert '<html lang="de">' in anna.send("/language", {"language": "de"}).text
    assert '<html lang="de">' in running.browser_of("anna").get(f"/trials/{TRIAL}").text
    assert anna.send("/language", {"language": "xx"}).status_code == 400
