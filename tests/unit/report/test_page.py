"""report.html as a reader without a mouse, with a screen reader or on paper meets it."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from cohortfinder.model import Prior, Ranking
from cohortfinder.ranking.candidates import rank
from cohortfinder.report import html
from cohortfinder.report.html import report_html
from cohortfinder.report.screening import read_screening
from unit.report.screened import AS_OF, LABELS, a_trial, screened

TEMPLATES = Path(__file__).parents[3] / "src/cohortfinder/report/templates"
Tag = tuple[str, dict[str, str]]
A_SCREENING = read_screening(screened(), a_trial(), AS_OF, labels=LABELS)


class Tags(HTMLParser):
    """Gathers the opening tags of a page in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture(scope="module")
def page() -> str:
    return report_html(A_SCREENING).decode()


@pytest.fixture(scope="module")
def tags(page: str) -> list[Tag]:
    reader = Tags()
    reader.feed(page)
    return reader.found


def test_headings_go_down_one_step_at_a_time(tags: list[Tag]) -> None:
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert [pair for pair in pairwise(levels) if pair[1] - pair[0] > 1] == []


def test_every_table_has_a_name_and_every_header_cell_says_what_it_heads(page: str, tags: list[Tag]) -> None:
    tables = re.findall(r"<table[^>]*>.*?</table>", page, re.DOTALL)
    assert len(tables) > 4
    assert [table[:80] for table in tables if "<caption" not in table and "aria-labelledby" not in table[:80]] == []
    assert {attributes.get("scope") for tag, attributes in tags if tag == "th"} == {"row", "col"}


def test_a_link_inside_the_page_leads_somewhere_and_no_id_stands_twice(tags: list[Tag]) -> None:
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert {link for link in links if link.removeprefix("#") not in ids} == set()


def test_a_cell_of_a_table_that_becomes_cards_carries_its_name(page: str) -> None:
    """On a narrow screen the header row is not seen, so every cell says what it is; the roles keep it a table."""
    tables = re.findall(r"<table class=\"[^\"]*cards\".*?</table>", page, re.DOTALL)
    assert len(tables) == 3
    cells = [cell for table in tables for cell in re.findall(r"<(?:td|th scope=\"row\"|th role)[^>]*>", table)]
    assert len(cells) >= 6 * 3
    assert [cell for cell in cells if "data-label=" not in cell or "role=" not in cell] == []


def test_a_cell_of_the_list_says_on_a_narrow_screen_what_it_is(page: str) -> None:
    """The patient, the status and what is missing speak for themselves; the others get their column's name."""
    css = (TEMPLATES / "list.css").read_text(encoding="utf-8")
    assert re.findall(r"nth-child\((\d)\)::before\{content:\"(.+?) \"", css) == [
        ("1", "Rank"), ("3", "Arm"), ("5", "Chance"), ("7", "Pass / fail / unknown / judge"), ("8", "Settle first"),
        ("9", "Last contact"),
    ]  # fmt: skip
    head = re.search(r"<table class=\"list\".*?</thead>", page, re.DOTALL)
    assert head is not None
    assert re.findall(r"<th [^>]*>(.+?)</th>", head[0]) == [
        "Rank", "Patient", "Arm", "Status", "Chance", "Fails, missing and how many pass it",
        "Pass / fail / unknown / judge", "Settle first", "Last contact",
    ]  # fmt: skip


def test_a_patient_without_a_dossier_has_what_fails_and_is_missing_in_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each missing criterion the share is told that the score is made of; who is not in full has no link."""
    monkeypatch.setattr(html, "IN_FULL", 1)
    rows = re.findall(r"<tr role=\"row\" class.*?</tr>", report_html(A_SCREENING).decode())
    cells = [re.findall(r"<td role=\"cell\">(.*?)</td>", row)[4] for row in rows]
    assert [re.sub(r"<[^>]+>", "", cell) for cell in cells] == [
        "–", "Missing I-RENAL 50 %", "Missing I-RENAL 50 %", "Fails I-RENALMissing I-DX 75 %",
    ]  # fmt: skip
    assert ["href" in row for row in rows] == [True, False, False, False]


def test_what_a_person_judges_is_not_missing_in_the_list() -> None:
    """It is open for everybody: its expected share is told with the patient."""
    ranking = Ranking(declared=True, criteria={"I-WILL": Prior(5, 5)})
    connection, trial = screened(), replace(a_trial(), ranking=ranking)
    rank(connection, trial, AS_OF)
    page = report_html(read_screening(connection, trial, AS_OF, labels=LABELS)).decode()
    rows = re.findall(r"<tr role=\"row\" class.*?</tr>", page)
    assert [re.findall(r"I-\w+", re.sub(r"<[^>]+>", " ", row)) for row in rows] == [
        [],
        ["I-RENAL"] * 2,
        ["I-RENAL"] * 2,
        ["I-RENAL", "I-DX", "I-DX"],
    ]
    assert "of what the trial file expects" in page
    assert "50 % expected" in page


def test_a_list_that_no_browser_would_open_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    assert "rows stand here" not in page
    monkeypatch.setattr("cohortfinder.report.list_rows.LISTED", 2)
    monkeypatch.setattr(html, "LISTED", 2)
    cut = report_html(A_SCREENING).decode()
    assert len(re.findall(r"<tr role=\"row\" class", cut)) == 2
    assert "The first 2 of 4 rows stand here; all are in candidates.csv" in cut


def test_a_test_for_the_clinic_says_what_it_ends_and_leads_to_those_whom_it_serves_best(page: str) -> None:
    """Both of the patients for whom it settles creatinine; the one whose question it ends for sure comes first."""
    section = page[page.index('<section id="steps"') : page.index("</section>", page.index('<section id="steps"'))]
    assert "Blood &lt;i&gt;chemistry&lt;/i&gt;" in section
    assert "<span>1.5 of 2</span>" in section
    assert re.findall(r"<rect width=\"([\d.]+)\"", section) == ["100.0", "33.3"]
    assert re.findall(r"href=\"(#p\d)\"><bdi>(.*?)</bdi>", section) == [("#p3", "p3"), ("#p2", "p2")]


def test_a_patient_is_told_what_to_do_next_and_what_no_test_settles(page: str) -> None:
    told = re.findall(r"<div class=\"next-steps\">(.*?)</div>", page)
    assert [re.sub(r"<[^>]+>", "", one) for one in told] == [
        "NextBlood &lt;i&gt;chemistry&lt;/i&gt;: settles I-RENAL; 50 % to end the question; 15 min",
        "NextBlood &lt;i&gt;chemistry&lt;/i&gt;: settles I-RENAL; ends the question; 15 minNo single test settles: I-DX",
    ]


def test_a_closed_group_of_criteria_is_a_text_until_it_is_opened_and_there_without_a_script(page: str) -> None:
    """A browser with scripts reads noscript as text, which report.js turns into elements."""
    closed = re.findall(r"<details class=\"group\"><summary>.*?</details>", page, re.DOTALL)
    assert len(closed) >= 8
    assert {bool(re.search(r"</summary><noscript>.*</noscript></details>", one, re.DOTALL)) for one in closed} == {True}
    assert "kept.textContent" in (TEMPLATES / "report.js").read_text(encoding="utf-8")


def test_a_bar_of_the_funnel_is_as_long_as_the_share_that_remains(page: str) -> None:
    """Of three listed in arm A one is removed at I-RENAL; all of the one in arm B remain, and so does everybody."""
    figures = page[page.index('id="funnels"') : page.index("</section>", page.index('id="funnels"'))]
    bars = re.findall(
        r"<span>(\d+)</span><svg [^>]*><rect width=\"([\d.]+)\" height=\"8\"/><rect width=\"([\d.]+)\"", figures
    )
    assert bars == [
        ("3", "100.0", "100.0"), ("3", "100.0", "33.3"), ("3", "100.0", "33.3"),
        ("3", "100.0", "66.7"), ("2", "66.7", "33.3"), ("2", "66.7", "33.3"),
        ("1", "100.0", "100.0"), ("1", "100.0", "0.0"), ("1", "100.0", "0.0"),
    ]  # fmt: skip


def test_the_way_of_an_arm_is_drawn_and_told(page: str) -> None:
    """Four live; three are listed in arm A and creatinine excludes one; each person of both arms counts once."""
    told = re.findall(r'aria-label="([^"]*: where patients drop out)\. ([^"]*)"', page)
    assert told == [
        (
            "The trial: where patients drop out",
            "Of 4 living patients 3 are listed; of them 0 are excluded, 0 are eligible and 3 possible.",
        ),
        (
            "A: where patients drop out",
            "Of 4 living patients 3 are listed; of them 1 are excluded, 0 are eligible and 2 possible.",
        ),
        (
            "B: where patients drop out",
            "Of 4 living patients 1 are listed; of them 0 are excluded, 0 are eligible and 1 possible.",
        ),
    ]
    assert re.findall(r">((?:Excluded|I-RENAL|fail only one criterion): \d+)<", page) == [
        "Excluded: 1", "I-RENAL: 1", "fail only one criterion: 1",
    ]  # fmt: skip


def test_paper_keeps_the_tables_that_a_narrow_screen_turns_into_cards() -> None:
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    assert re.findall(r"@media[^{]*max-width[^{]*", css) == [
        "@media screen and (max-width:60rem)", "@media screen and (max-width:44rem)"
    ]  # fmt: skip


def test_every_ink_is_read_on_every_ground() -> None:
    """4.5:1 at least. Source: WCAG 2.2, 1.4.3 (AA), https://www.w3.org/TR/WCAG22/#contrast-minimum."""
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{3,6})", css.split("}")[0]))
    inks = {name: colours[name] for name in ("ink", "soft", "accent", "good", "bad", "open")}
    grounds = {"paper": colours["paper"], "ground": colours["ground"], "warning": "#fff4d6", "bare": "#fbf5f0"}
    assert {ground for ground in grounds.values() if ground not in css} == set()
    ratios = {(i, g): contrast(ink, ground) for i, ink in inks.items() for g, ground in grounds.items()}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    shares = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_filter_announces_how_many_are_shown(tags: list[Tag]) -> None:
    assert [attributes["role"] for _, attributes in tags if attributes.get("id") == "shown"] == ["status"]


def test_the_data_team_sees_what_would_settle_most_and_what_the_patients_have(page: str) -> None:
    """The longest bar is what may settle most; who has it is drawn of those listed; what nobody has is named."""
    settle, have = page[page.index('id="settle"') : page.index('id="have"')], page[page.index('id="have"') :]
    assert re.findall(r"<rect width=\"([\d.]+)\"", settle) == ["100.0", "100.0", "100.0", "50.0"]
    assert "Unmapped code <code>KREA</code>" in settle
    assert "no data 1; unit missing 1" in settle
    assert re.findall(r"<rect width=\"([\d.]+)\"", have) == ["100.0", "100.0", "66.7", "66.7"]
    assert "Of 1 more, nobody has a record: Lung disease." in have
