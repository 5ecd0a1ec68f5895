"""Where people answered against our verdict: what counts as one, by criterion and concept, and who may see it."""

import csv
import html
import re
from datetime import UTC, datetime
from io import StringIO

import pytest

from cohortfinder.review.disagreement import Group, Judged, by_code, by_concept, by_criterion, judge
from cohortfinder.review.store.answers import CLEARED, NO, NOT_SURE, YES, About, Answer, add_answer, answers_of
from review.running import TRIAL, Running

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def given(criterion: str, *said: tuple[str, str], patient: str = "p1") -> list[Answer]:
    """Answers to one criterion, one after the other: the word, and the verdict that the person saw."""
    return [
        Answer(number, About(TRIAL, patient, "", criterion), word, "", 1, AT, "run", verdict, number - 1)
        for number, (word, verdict) in enumerate(said, start=1)
    ]


@pytest.mark.parametrize(
    ("criterion", "word", "verdict", "outcome"),
    [
        ("I-AGE", YES, "pass", "agreed"), ("I-AGE", YES, "fail", "failed"), ("I-AGE", NO, "pass", "passed"), ("I-AGE", NO, "fail", "agreed"),
        ("I-AGE", YES, "unknown", "settled"), ("I-AGE", NOT_SURE, "pass", "unsure"),
        ("E-MAL", YES, "pass", "passed"), ("E-MAL", NO, "fail", "failed"), ("E-MAL", NO, "pass", "agreed"),
    ],
)  # fmt: skip
def test_an_answer_beside_our_verdict(running: Running, criterion: str, word: str, verdict: str, outcome: str) -> None:
    (one,) = _judged(running, given(criterion, (word, verdict)))
    assert (one.outcome, one.disagrees) == (outcome, outcome in ("passed", "failed"))


def test_the_last_word_counts_beside_the_verdict_that_no_answer_had_made(running: Running) -> None:
    """The second person saw the verdict that the first one had made; after it was cleared the data speak again."""
    (one,) = _judged(running, given("I-AGE", (NO, "pass"), (YES, "fail")))
    assert (one.verdict, one.outcome) == ("pass", "agreed")
    (one,) = _judged(running, given("I-AGE", (NO, "pass"), (CLEARED, "fail"), (YES, "fail")))
    assert (one.verdict, one.outcome) == ("fail", "failed")
    assert _judged(running, given("I-AGE", (NO, "pass"), (CLEARED, "fail"))) == ()
    assert _judged(running, given("I-OF-AN-EARLIER-PROTOCOL", (NO, "pass"))) == ()


def test_groups_come_with_the_most_disagreement_first(running: Running) -> None:
    answers = [
        *given("I-AGE", (YES, "pass")), *given("I-RENAL", (NO, "pass")), *given("I-RENAL", (NO, "pass"), patient="p2"),
        *given("I-RENAL", (NO, "fail"), patient="p3"),
    ]  # fmt: skip
    judged = _judged(running, answers)
    assert by_criterion(judged) == (Group("I-RENAL", agreed=1, passed=2), Group("I-AGE", agreed=1))
    assert by_criterion(judged)[0].share == pytest.approx(2 / 3)
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    assert "creatinine_serum" in {one.name for one in by_concept(listed.trial, judged) if one.passed == 2}


def test_the_data_team_sees_it_under_pseudonyms_and_a_coordinator_does_not(running: Running) -> None:
    patient = running.patients()[0]
    with running.database.writing() as connection:
        add_answer(
            connection, About(TRIAL, patient, "", "I-RENAL"), NO, note="canary-4711", at=AT, run_id="run",
            account_id=running.account_id("anna"), verdict="pass", previous_id=0,
        )  # fmt: skip
    path = f"/trials/{TRIAL}/disagreement"
    page, file = (running.browser_of("dora").get(one) for one in (path, f"{path}.csv"))
    assert (page.status_code, file.status_code) == (200, 200)
    assert "I-RENAL" in page.text
    (row,) = csv.DictReader(StringIO(file.content.decode("utf-8-sig")))
    assert (row["criterion_id"], row["verdict"], row["answer"], row["outcome"]) == ("I-RENAL", "pass", "no", "passed")
    assert row["patient"] == running.application.keys.pseudonym(TRIAL, patient)
    for text in (page.text, file.text):
        assert patient not in text
        assert "canary-4711" not in text
    assert [running.browser_of(who).get(path).status_code for who in ("anna", "fred", "ivan")] == [403, 404, 200]


def _judged(running: Running, answers: list[Answer]) -> tuple[Judged, ...]:
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    return judge(listed.trial, answers)


def test_the_codes_of_the_records_come_with_the_answer(running: Running) -> None:
    """What the verdict rested on is kept when somebody answers: its list may be gone when the data team looks."""
    patient = next(one for one in running.patients() if one.startswith("sle"))
    page = running.page_of(patient)
    browser = running.browser_of("anna")
    chart = browser.get(page).text
    form = chart[chart.index('id="c-I-SLE-DX"') :]
    given = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[: form.index("<div")]))
    answer = browser.session.post(f"{browser.url}{page.split('?')[0]}/answers", {**given, "word": "no"}, timeout=60)
    assert answer.status_code == 200
    with running.database.reading() as connection:
        (one,) = answers_of(connection, TRIAL, patient)
    assert one.verdict == "pass"
    assert any("|" in code and code.split("|")[1] for code in one.codes)
    judged = _judged(running, [one])
    assert {group.name for group in by_code(judged)} == {*one.codes}
    assert all(group.passed == 1 for group in by_code(judged))
    text = running.browser_of("dora").get(f"/trials/{TRIAL}/disagreement").text
    assert html.escape(one.codes[0]) in text
