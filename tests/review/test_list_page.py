"""The candidate list of a trial, through HTTP."""

import re

from cohortfinder.review.store.decisions import add_decision
from cohortfinder.review.store.tables import APPEARANCE
from review.running import OTHER_TRIAL, TRIAL, Running

LIST = f"/trials/{TRIAL}"


def names(text: str) -> list[str]:
    """Return the patients of a page of the list, in order."""
    return re.findall(r'<th role="rowheader" scope="row"><a href="[^"]+"><bdi>([^<]+)</bdi>', text)


def test_the_list_shows_the_best_first_and_fifty_a_page(running: Running) -> None:
    anna, listed = running.browser_of("anna"), running.patients()
    first, second = anna.get(LIST).text, anna.get(f"{LIST}?page=2").text
    assert len(names(first)) == 50
    assert (
        list(dict.fromkeys([*names(first), *names(second)]))
        == listed[: len(dict.fromkeys([*names(first), *names(second)]))]
    )
    assert "page 1 of" in first


def test_a_page_that_is_none_is_the_first_or_the_last_one(running: Running) -> None:
    anna = running.browser_of("anna")
    assert names(anna.get(f"{LIST}?page=-3").text) == names(anna.get(LIST).text)
    assert names(anna.get(f"{LIST}?page=999999").text)
    assert names(anna.get(f"{LIST}?page=%C2%B2").text) == names(anna.get(LIST).text)


def test_filters_show_those_that_fit(running: Running) -> None:
    anna = running.browser_of("anna")
    text = anna.get(f"{LIST}?status=eligible&arm=SLE").text
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    assert names(text) == [row.patient_id for row in listed.rows if (row.status, row.arm) == ("eligible", "SLE")][:50]


def test_a_search_is_sent_and_not_addressed(running: Running) -> None:
    anna, patient = running.browser_of("anna"), running.patients()[5]
    found = anna.send(f"{LIST}/search", {"text": patient.upper()}, page=LIST)
    assert patient in names(found.text)
    assert all(patient in one for one in names(found.text))
    assert patient not in "".join(re.findall(r'(?:href|action)="([^"]*)"', found.text))


def test_who_may_not_know_who_it_is_sees_and_finds_pseudonyms(running: Running) -> None:
    dora, patient = running.browser_of("dora"), running.patients()[0]
    pseudonym = running.application.keys.pseudonym(TRIAL, patient)
    text = dora.get(LIST).text
    assert names(text)[0] == pseudonym
    assert not [one for one in running.patients() if one in text]
    assert names(dora.send(f"{LIST}/search", {"text": pseudonym}, page=LIST).text) == [pseudonym]
    assert names(dora.send(f"{LIST}/search", {"text": patient}, page=LIST).text) == []


def test_nobody_who_fits_is_said_so(running: Running) -> None:
    text = running.browser_of("anna").get(f"{LIST}?arm=none").text
    assert "Nobody fits what you chose" in text


def test_a_patient_of_another_trial_too_is_marked(running: Running) -> None:
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    text = running.browser_of("anna").get(f"{LIST}?mark=other_trial").text
    both = {*running.patients()} & {*running.patients(OTHER_TRIAL)}
    assert {*names(text)} == both


def test_who_came_since_the_last_visit_is_new(running: Running) -> None:
    anna, patient = running.browser_of("anna"), running.patients()[3]
    assert "Your last visit" not in anna.get(LIST).text
    running.clock.let_pass(minutes=5)
    with running.database.writing() as connection:
        connection.execute(
            APPEARANCE.insert().values(trial=TRIAL, patient_id=patient, run_id="run", at=running.clock())
        )
    running.clock.let_pass(minutes=5)
    again = running.browser_of("anna")
    assert "Your last visit" in again.get(LIST).text
    assert set(names(again.get(f"{LIST}?mark=new").text)) == {patient}
    assert "New" in again.get("/").text


def test_who_is_decided_and_left_the_list_is_still_found(running: Running) -> None:
    with running.database.writing() as connection:
        add_decision(
            connection, TRIAL, "left-long-ago", "on_study", account_id=running.account_id("ben"), at=running.clock(),
            run_id="20260101T000000-001", previous_id=0,
        )  # fmt: skip
    anna = running.browser_of("anna")
    assert "left-long-ago" in anna.get(LIST).text
    page = anna.get(running.page_of("left-long-ago"))
    assert page.status_code == 200
    assert "Not on this list any more" in page.text
    assert "on the list of Jan 1, 2026" in page.text
