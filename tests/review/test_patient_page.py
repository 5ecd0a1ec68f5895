"""The page of a patient: what it shows, and answering, deciding and writing notes by its forms."""

import html
import re
from collections.abc import Callable

import pytest
import requests

from cohortfinder.review.store.answers import answers_in, answers_of
from cohortfinder.review.store.decisions import decisions_of
from cohortfinder.review.store.notes import notes_of
from cohortfinder.settings import Settings
from review.running import TRIAL, Browser, Running


@pytest.fixture
def page(running: Running) -> str:
    return running.page_of("sle-belimumab-order-only")


def criterion(text: str, name: str) -> str:
    """Return what a page says of a criterion."""
    found = re.search(rf'<article class="criterion[^>]*id="c-{name}".*?</article>', text, re.S)
    assert found, name
    return found[0]


def answer(browser: Browser, page: str, name: str, word: str, **fields: str) -> requests.Response:
    """Answer a criterion with the form that stands beside it."""
    text = criterion(browser.get(page).text, name)
    given = dict(re.findall(r'name="(\w+)" value="([^"]*)"', text[: text.index("<div")]))
    action = html.unescape(re.findall(r'action="([^"]+)"', text)[0])
    return browser.session.post(browser.url + action, data={**given, "word": word, **fields}, timeout=60)


def test_every_criterion_stands_there_with_verdict_reason_and_the_words_of_the_protocol(
    running: Running, page: str
) -> None:
    text = running.browser_of("anna").get(page).text
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    (row,) = listed.rows_of["sle-belimumab-order-only"]
    verdicts = {one.criterion_id: one for one in running.snapshot.lists.verdicts(TRIAL, "sle-belimumab-order-only")}
    assert set(re.findall(r'id="c-([^"]+)"', text)) == set(verdicts)
    for one in listed.trial.criteria_of(row.arm):
        own = html.unescape(criterion(text, one.id))
        assert one.text in own
        assert verdicts[one.id].reason in own


def test_open_criteria_come_first_and_the_order_of_the_protocol_is_a_link_away(running: Running, page: str) -> None:
    anna = running.browser_of("anna")
    text = anna.get(page).text
    groups = re.findall(r'<details class="group (\w+)"( open)?>', text)
    assert groups == [("missing", " open"), ("judgement", " open"), ("passed", "")]
    shown = re.findall(r'id="c-([^"]+)"', anna.get(f"{page}?order=protocol").text)
    listed = running.snapshot.of(TRIAL)
    assert listed is not None
    assert shown == [one.id for one in listed.trial.criteria_of("SLE")]


def test_an_answer_is_kept_with_its_note_and_shown(running: Running, page: str) -> None:
    anna = running.browser_of("anna")
    told = answer(anna, page, "E-BELI", "no", note="mild, <b>no mask</b>\r\nseen in the letter")
    with running.database.reading() as connection:
        (kept,) = answers_of(connection, TRIAL, "sle-belimumab-order-only")
    assert (kept.word, kept.note, kept.verdict) == ("no", "mild, <b>no mask</b>\nseen in the letter", "unknown")
    assert kept.run_id == running.snapshot.run_id
    assert told.url.endswith("saved=answer#c-E-BELI")
    assert "Your answer is saved." in told.text
    own = criterion(told.text, "E-BELI")
    assert "Anna Example" in own
    assert "mild, &lt;b&gt;no mask&lt;/b&gt;" in own
    assert 'value="no" data-key="n" aria-pressed="true"' in own


def test_an_answer_is_changed_and_taken_back_and_the_history_keeps_all(running: Running, page: str) -> None:
    anna = running.browser_of("anna")
    for word in ("yes", "not_sure", "cleared"):
        last = answer(anna, page, "E-BELI", word)
    assert 'aria-pressed="true"' not in criterion(last.text, "E-BELI")
    history = last.text[last.text.index('id="history-title"') :]
    assert re.findall(r"E-BELI</a>: ([\w ]+)", history) == ["Answer taken back", "Not sure", "Yes"]


def test_clear_my_answers_takes_back_mine_alone(running: Running, page: str) -> None:
    anna, ben = running.browser_of("anna"), running.browser_of("ben")
    answer(anna, page, "E-BELI", "no")
    answer(ben, page, "I-ECG", "yes")
    form = anna.submit(page, f"{page}/clear?in=SLE")
    assert "Your answers are taken back." in form.text
    with running.database.reading() as connection:
        assert [one.about.criterion_id for one in answers_in(connection, TRIAL)] == ["I-ECG"]


def test_an_answer_against_our_verdict_is_marked(running: Running, page: str) -> None:
    anna = running.browser_of("anna")
    assert "the opposite of our verdict" in criterion(answer(anna, page, "I-AGE", "no").text, "I-AGE")
    assert "the opposite of our verdict" not in criterion(answer(anna, page, "I-HB", "yes").text, "I-HB")


def test_the_later_of_two_people_sees_the_answer_of_the_other_before_saving(running: Running, page: str) -> None:
    anna, ben = running.browser_of("anna"), running.browser_of("ben")
    seen_by_ben = criterion(ben.get(page).text, "E-BELI")
    given = dict(re.findall(r'name="(\w+)" value="([^"]*)"', seen_by_ben[: seen_by_ben.index("<div")]))
    answer(anna, page, "E-BELI", "no", note="no mask")
    refused = ben.session.post(
        f"{ben.url}{page}/answers?in=SLE", data={**given, "word": "yes", "note": "mask"}, timeout=60
    )
    assert refused.status_code == 409
    assert "Somebody was quicker" in refused.text
    assert "Anna Example" in refused.text
    assert "no mask" in refused.text
    with running.database.reading() as connection:
        assert [one.word for one in answers_of(connection, TRIAL, "sle-belimumab-order-only")] == ["no"]
    # the page that tells it has a form that follows what ben has seen now
    mine = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', refused.text.split(">Yours<")[1]))
    assert ben.session.post(f"{ben.url}{page}/answers?in=SLE", data=mine, timeout=60).status_code == 200
    with running.database.reading() as connection:
        kept = answers_of(connection, TRIAL, "sle-belimumab-order-only")
    assert [(one.word, one.note) for one in kept] == [("no", "no mask"), ("yes", "mask")]


def test_a_decision_is_kept_with_its_reason(running: Running, page: str) -> None:
    anna = running.browser_of("anna")
    told = anna.submit(page, f"{page}/decision?in=SLE", state="declined", reason="does not want to travel")
    assert "Your decision is saved." in told.text
    with running.database.reading() as connection:
        (kept,) = decisions_of(connection, TRIAL, "sle-belimumab-order-only")
    assert (kept.state, kept.reason, kept.arm) == ("declined", "does not want to travel", "SLE")
    listed = anna.get(f"/trials/{TRIAL}?decision=declined").text
    assert f"{page}?in=SLE" in listed


def test_a_decision_that_needs_a_reason_is_not_kept_without_one(running: Running, page: str) -> None:
    told = running.browser_of("anna").submit(page, f"{page}/decision?in=SLE", state="ineligible", reason="  ")
    assert told.status_code == 422
    assert "Not saved: this decision needs a reason." in told.text
    assert '<option value="ineligible" selected>' in told.text
    with running.database.reading() as connection:
        assert decisions_of(connection, TRIAL, "sle-belimumab-order-only") == ()


def test_the_later_of_two_people_sees_the_decision_of_the_other(running: Running, page: str) -> None:
    anna, ben = running.browser_of("anna"), running.browser_of("ben")
    token = ben.token(page)
    anna.submit(page, f"{page}/decision?in=SLE", state="screening", reason="visit on Monday")
    fields = {"csrf": token, "state": "candidate", "reason": "", "arm": "SLE", "previous": "0", "run": ""}
    refused = ben.session.post(f"{ben.url}{page}/decision?in=SLE", data=fields, timeout=60)
    assert refused.status_code == 409
    assert "visit on Monday" in refused.text


def test_a_private_note_is_for_nobody_else(running: Running, page: str) -> None:
    anna, ben = running.browser_of("anna"), running.browser_of("ben")
    anna.submit(page, f"{page}/notes?in=SLE", text="call the clinic")
    told = anna.submit(page, f"{page}/notes?in=SLE", text="my own thought", private="yes")
    assert "my own thought" in told.text
    theirs = ben.get(page).text
    assert "call the clinic" in theirs
    assert "my own thought" not in theirs


def test_a_note_is_taken_back_by_who_wrote_it(running: Running, page: str) -> None:
    anna, ben = running.browser_of("anna"), running.browser_of("ben")
    anna.submit(page, f"{page}/notes?in=SLE", text="wrong chart")
    with running.database.reading() as connection:
        (note,) = notes_of(connection, TRIAL, "sle-belimumab-order-only", running.account_id("anna"))
    assert ben.send(f"{page}/notes/withdraw", {"note": str(note.id)}, page=page).status_code == 404
    assert "wrong chart" not in anna.submit(page, f"{page}/notes/withdraw?in=SLE").text


def test_a_decision_on_a_list_that_was_replaced_meanwhile_says_so(
    store_of_its_own: Settings, serve: Callable[..., Running]
) -> None:
    running = serve(store_of_its_own)
    page, anna, old = running.page_of("sle-belimumab-order-only"), running.browser_of("anna"), running.snapshot.run_id
    form = {"state": "screening", "reason": "", "arm": "SLE", "previous": "0", "run": old}
    token = anna.token(page)
    running.publish_again()
    told = anna.session.post(f"{anna.url}{page}/decision?in=SLE", data={**form, "csrf": token}, timeout=60)
    assert told.status_code == 200
    assert "a newer one was published meanwhile" in told.text
    assert "on the list of" in told.text
    with running.database.reading() as connection:
        assert [one.run_id for one in decisions_of(connection, TRIAL, "sle-belimumab-order-only")] == [old]


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("answers", {"criterion": "NONE", "arm": "SLE", "word": "yes", "previous": "0"}),
        ("answers", {"criterion": "E-BELI", "arm": "XXX", "word": "yes", "previous": "0"}),
        ("answers", {"criterion": "E-BELI", "arm": "SLE", "word": "maybe", "previous": "0"}),
        ("answers", {"criterion": "E-BELI", "arm": "SLE", "word": "yes", "previous": "-1"}),
        ("answers", {"criterion": "E-BELI", "arm": "SLE", "word": "yes", "previous": "9" * 400}),
        ("answers", {"criterion": "E-BELI", "arm": "SLE", "word": "yes", "previous": "0", "note": "x" * 10_001}),
        ("decision", {"state": "dead", "previous": "0"}),
        ("decision", {"state": "candidate", "previous": "0", "arm": "XXX"}),
        ("notes/withdraw", {"note": "one"}),
    ],
)
def test_what_no_form_of_ours_sends_is_refused(running: Running, page: str, part: str, fields: dict[str, str]) -> None:
    assert running.browser_of("anna").send(f"{page}/{part}", fields, page=page).status_code == 400
    with running.database.reading() as connection:
        assert answers_of(connection, TRIAL, "sle-belimumab-order-only") == ()
        assert decisions_of(connection, TRIAL, "sle-belimumab-order-only") == ()


def test_a_run_that_is_no_list_is_taken_as_the_one_that_holds(running: Running, page: str) -> None:
    told = answer(running.browser_of("anna"), page, "E-BELI", "no", run="../../../etc")
    assert told.status_code == 200
    with running.database.reading() as connection:
        (kept,) = answers_of(connection, TRIAL, "sle-belimumab-order-only")
    assert kept.run_id == running.snapshot.run_id


def test_who_may_not_know_who_it_is_sees_no_id_and_no_form(running: Running, page: str) -> None:
    text = running.browser_of("dora").get(page).text
    assert "sle-belimumab-order-only" not in text
    assert running.application.keys.pseudonym(TRIAL, "sle-belimumab-order-only") in text
    assert "Belimumab-Order" not in text
    assert "<textarea" not in text
    assert f"{page}/" not in re.sub(r'href="[^"]*"', "", text)


def test_who_may_not_know_who_it_is_does_not_see_the_day_of_birth(running: Running, page: str) -> None:
    """It alone may tell a patient; the year stays, which the age is made of."""
    named = html.unescape(criterion(running.browser_of("anna").get(page).text, "I-AGE"))
    (born,) = set(re.findall(r"born (\d{4}-\d{2}-\d{2})", named))
    text = running.browser_of("dora").get(page).text
    assert born not in text
    assert f"born {born[:4]}" in criterion(text, "I-AGE")
    assert "birthday" not in text
