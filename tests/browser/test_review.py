"""What people do in the review application, in real Chromium."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from people import START_SECONDS, TRIAL, Person, Site
from playwright.sync_api import Page, expect

People = Callable[..., Person]
Violations = Callable[[Page], list[str]]
LIST = f"/trials/{TRIAL}"


def answers(site: Site, login: str) -> list[dict[str, str]]:
    """What somebody has answered, from the review store, oldest first."""
    return site.rows(
        "SELECT patient_id, criterion_id, word, note FROM answer JOIN account ON account.id = account_id "
        "WHERE login = ? ORDER BY answer.id",
        login,
    )


def test_a_coordinator_signs_in(person: People, violations: Violations) -> None:
    anna = person()
    anna.go("/")
    assert anna.page.url.endswith("/sign-in")
    assert violations(anna.page) == []
    anna.sign_in(anna.site.login, anna.site.password)
    expect(anna.page.locator("h1")).to_have_text("My trials")
    assert anna.complaints == []


def test_a_password_that_another_has_set_must_be_changed(person: People) -> None:
    nina = person()
    nina.site.account("nina", "coordinator", change=False)
    nina.sign_in("nina")
    assert nina.page.url.endswith("/password")
    nina.go(LIST)
    assert nina.page.url.endswith("/password")
    nina.change_password("another four good words")
    nina.go(LIST)
    expect(nina.page.locator("tbody tr").first).to_be_visible()


def test_ten_candidates_are_reviewed_without_a_mouse(person: People) -> None:
    """Open the list, its first patient, answer what is open with one key each, and go on to the next one."""
    kay = person()
    kay.sign_in(kay.site.account("kay", "coordinator"))
    kay.go(LIST)
    kay.page.keyboard.press("j")
    kay.page.keyboard.press("Enter")
    kay.page.wait_for_url("**/candidates/*")
    seen = []
    for number in range(10):
        seen.append(kay.page.locator("h1").inner_text())
        for key in ("j", "yun"[number % 3]):
            kay.page.keyboard.press(key)
        kay.page.wait_for_url("**saved=answer*")
        expect(kay.page.get_by_role("status")).to_be_visible()
        kay.page.keyboard.press("l")
        kay.page.wait_for_url(lambda url: "saved=" not in url)
    given = answers(kay.site, "kay")
    assert [one["word"] for one in given] == [{"y": "yes", "u": "not_sure", "n": "no"}["yun"[n % 3]] for n in range(10)]
    assert len({one["patient_id"] for one in given}) == len(set(seen)) == 10
    assert kay.complaints == []


def test_the_later_of_two_people_sees_what_the_other_has_answered(person: People, violations: Violations) -> None:
    first, second = person(), person()
    first.sign_in(first.site.account("first", "coordinator"))
    second.sign_in(second.site.account("second", "investigator"))
    patient = first.candidate(LIST, 11)
    for one in (first, second):
        one.page.goto(patient)
    criterion = first.page.locator("[data-criterion]").first.get_attribute("id") or ""
    first.answer(criterion, "yes", note="seen in the letter of March")
    second.answer(criterion, "no")
    assert violations(second.page) == []
    expect(second.page.locator("main")).to_contain_text("First")
    expect(second.page.locator("main")).to_contain_text("seen in the letter of March")
    assert [one["word"] for one in answers(second.site, "second")] == []
    second.page.get_by_role("button", name="Save mine after theirs").click()
    second.page.wait_for_url("**saved=answer*")
    assert [one["word"] for one in answers(second.site, "second")] == ["no"]
    history = second.page.locator(".history")
    expect(history).to_contain_text("First")
    expect(history).to_contain_text("Second")


def test_the_data_team_sees_no_name_and_answers_nothing(person: People, violations: Violations) -> None:
    dora = person()
    dora.sign_in(dora.site.account("dora", "data"))
    anna = person()
    anna.sign_in(anna.site.login, anna.site.password)
    anna.go(LIST)
    names = [text for text in anna.page.locator("tbody th").all_inner_texts() if text]
    dora.go(LIST)
    shown = dora.page.content()
    assert [name for name in names if name.split()[0] in shown] == []
    dora.page.goto(dora.candidate(LIST, 0))
    expect(dora.page.locator("h1")).to_have_text(re.compile(r"^P-[A-Z2-7]{4}-[A-Z2-7]{4}$"))
    expect(dora.page.locator("form.answer")).to_have_count(0)
    assert violations(dora.page) == []


def test_who_has_no_role_in_a_trial_does_not_learn_whether_it_is_there(person: People, violations: Violations) -> None:
    olga = person()
    olga.sign_in(olga.site.account("olga", "coordinator", trial="T2D-EXAMPLE"))
    told = []
    for trial in (TRIAL, "NCT99999999"):
        answer = olga.page.goto(f"{olga.site.address}/trials/{trial}")
        assert answer is not None
        told.append((answer.status, olga.page.locator("main").inner_text()))
    assert told[0] == told[1]
    assert told[0][0] == 404
    assert violations(olga.page) == []


def test_an_answer_to_a_list_that_was_replaced_says_so(person: People) -> None:
    """A night publishes while somebody has a patient open: what was answered is kept, and says of which list it was."""
    walter = person()
    walter.sign_in(walter.site.account("walter", "coordinator"))
    walter.page.goto(walter.candidate(LIST, 12))
    night = [
        sys.executable,
        "-m",
        "cohortfinder",
        "nightly",
        "--config",
        str(walter.site.config),
        "--as-of",
        "2026-11-20",
    ]
    done = subprocess.run(night, capture_output=True, text=True, timeout=START_SECONDS)
    assert done.returncode in (0, 3), done.stderr
    walter.answer(walter.page.locator("[data-criterion]").first.get_attribute("id") or "", "yes")
    expect(walter.page.get_by_role("status")).to_contain_text("a newer one was published")
    assert [one["word"] for one in answers(walter.site, "walter")] == ["yes"]
    walter.go(LIST)
    expect(walter.page.locator("tbody tr").first).to_be_visible()
    assert walter.complaints == []


def test_everything_works_without_our_script(person: People) -> None:
    paul = person(java_script_enabled=False)
    paul.sign_in(paul.site.account("paul", "coordinator"))
    paul.page.goto(paul.candidate(LIST, 13))
    paul.answer(paul.page.locator("[data-criterion]").first.get_attribute("id") or "", "not_sure", note="ask the ward")
    assert [(one["word"], one["note"]) for one in answers(paul.site, "paul")] == [("not_sure", "ask the ward")]


def test_the_pages_speak_german(person: People, violations: Violations) -> None:
    greta = person()
    greta.sign_in(greta.site.account("greta", "coordinator"))
    greta.page.locator('button[name="language"][value="de"]').click()
    expect(greta.page.locator("html")).to_have_attribute("lang", "de")
    expect(greta.page.locator("h1")).to_have_text("Meine Studien")
    greta.page.goto(greta.candidate(LIST, 0))
    assert violations(greta.page) == []


@pytest.mark.parametrize("width", [390, 800, 1280])
@pytest.mark.parametrize("path", ["/", LIST, "patient", f"{LIST}/steps", f"{LIST}/log", f"{LIST}/criteria"])
def test_every_page_is_for_everybody(person: People, violations: Violations, path: str, width: int) -> None:
    """WCAG 2.2 AA as axe-core finds it, nothing to scroll sideways, and nothing that the browser complains about."""
    anna = person(width)
    anna.sign_in(anna.site.login, anna.site.password)
    anna.page.goto(anna.candidate(LIST, 0)) if path == "patient" else anna.go(path)
    assert violations(anna.page) == []
    assert anna.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert anna.complaints == []


def test_a_link_for_a_colleague_shows_one_patient_until_it_ends(person: People, violations: Violations) -> None:
    anna, colleague = person(), person()
    anna.sign_in(anna.site.login, anna.site.password)
    patient = anna.candidate(LIST, 3)
    anna.page.goto(f"{patient.split('?')[0]}/shares")
    assert violations(anna.page) == []
    anna.page.get_by_role("button", name="Make a link").click()
    link, passcode = anna.page.locator(".made code").all_inner_texts()
    assert violations(anna.page) == []
    colleague.page.goto(link)
    assert violations(colleague.page) == []
    colleague.open_with(passcode)
    expect(colleague.page.locator("h1")).to_have_text(re.compile(r"^P-[A-Z2-7]{4}-[A-Z2-7]{4}$"))
    assert violations(colleague.page) == []
    colleague.go(LIST)
    assert colleague.page.url.endswith("/sign-in")
    anna.site.change("UPDATE share SET expires_at = '2026-01-01 00:00:00.000000'")
    colleague.page.goto(link)
    colleague.open_with(passcode)
    expect(colleague.page.get_by_role("alert")).to_contain_text("the link does not hold any more")
    expect(colleague.page.locator("main")).not_to_contain_text("I-AGE")
    assert violations(colleague.page) == []


@pytest.mark.parametrize("path", [f"{LIST}/messages", "/subscriptions", f"{LIST}/disagreement"])
def test_the_pages_of_a_team_are_for_everybody(person: People, violations: Violations, path: str) -> None:
    ines = person(390)
    ines.sign_in(ines.site.account("ines", "investigator"))
    ines.sees(path)
    assert violations(ines.page) == []


@pytest.mark.parametrize("path", ["/admin/accounts", "/admin/audit"])
def test_the_pages_of_an_administrator_are_for_everybody(person: People, violations: Violations, path: str) -> None:
    root = person(390)
    root.sign_in(root.site.administrator("root"))
    root.sees(path)
    assert violations(root.page) == []
    root.go("/")
    expect(root.page.locator("main")).not_to_contain_text(TRIAL)
