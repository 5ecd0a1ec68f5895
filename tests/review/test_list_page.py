"""The candidate list of a trial, through HTTP."""

import re

from cohortfinder.review.store.decisions import add_decision
from cohortfinder.review.store.tables import APPEARANCE
from review.running import OTHER_TRIAL, TRIAL, Running

LIST = f"/trials/{TRIAL}"


def names(running: Running, text: str) -> list[str]:
    """Return the patients of a page of the list, in order."""
    patients = {running.candidate(one): one for one in running.patients()}
    shown = re.findall(r'<th role="rowheader" scope="row"><a href="[^"]+/candidates/(\w+)[^"]*">', text)
    return [patients[one] for one in shown]


def test_the_list_shows_the_best_first_and_fifty_a_page(running: Running) -> None:
    anna, listed = running.browser_of("anna"), running.patients()
    first, second = anna.get(LIST).text, anna.get(f"{LIST}?page=2").text
    assert len(names(running, first)) == 50
    assert (
        list(dict.fromkeys([*names(running, first), *names(running, second)]))
        == listed[: len(dict.fromkeys([*names(running, first), *names(running, second)]))]
    )
    assert "page 1 of" in first


def test_a_page_that_is_none_is_the_first_or_the_last_one(running: Running) -> None:
    anna = running.browser_of("anna")
    assert names(running, anna.get(f"{LIST}?page=-3").text) == names(running, anna.get(LIST).text)
    assert names(running, anna.get(f"{LIST}?page=999999").text)
    assert names(running, anna.get(f"{LIST}?page=%C2%B2").text) == names(running, anna.get(LIST).text)


def test_filters_show_those_that_fit(running: Running) -> None:
    anna = running.browser_of("anna")
    text = anna.get(f"{LIST}?status=eligible&arm=SLE").text
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    assert (
        names(running, text)
        == [row.patient_id for row in listed.rows if (row.status, row.arm) == ("eligible", "SLE")][:50]
    )


def test_a_search_is_sent_and_not_addressed(running: Running) -> None:
    anna, patient = running.browser_of("anna"), running.patients()[5]
    found = anna.send(f"{LIST}/search", {"text": patient.upper()}, page=LIST)
    assert patient in names(running, found.text)
    assert patient not in "".join(re.findall(r'(?:href|action)="([^"]*)"', found.text))


def test_who_may_know_who_it_is_finds_people_by_name(running: Running) -> None:
    anna = running.browser_of("anna")
    identity = running.snapshot.identities["sle-typical"]
    for text in (identity.name, identity.name.upper(), "sle-typical"):
        found = anna.send(f"{LIST}/search", {"text": text}, page=LIST).text
        assert names(running, found) == ["sle-typical"]
        assert f"<bdi>{identity.name}</bdi>" in found


def test_who_may_not_know_who_it_is_sees_and_finds_pseudonyms(running: Running) -> None:
    dora, patient = running.browser_of("dora"), running.patients()[0]
    pseudonym = running.application.keys.pseudonym(TRIAL, patient)
    text = dora.get(LIST).text
    assert f"<bdi>{pseudonym}</bdi>" in text
    assert not [one for one in running.patients() if one in text]
    assert "Test-Sle" not in text
    assert names(running, dora.send(f"{LIST}/search", {"text": pseudonym}, page=LIST).text) == [patient]
    assert names(running, dora.send(f"{LIST}/search", {"text": patient}, page=LIST).text) == []


def test_nobody_who_fits_is_said_so(running: Running) -> None:
    text = running.browser_of("anna").get(f"{LIST}?arm=none").text
    assert "Nobody fits what you chose" in text


def test_a_patient_of_another_trial_too_is_marked(running: Running) -> None:
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    text = running.browser_of("anna").get(f"{LIST}?mark=other_trial").text
    both = {*running.patients()} & {*running.patients(OTHER_TRIAL)}
    assert {*names(running, text)} == both


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
    assert set(names(running, again.get(f"{LIST}?mark=new").text)) == {patient}
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
