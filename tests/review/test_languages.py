"""The sentences of the pages: each is found for the catalogues, and told in each language with the same gaps."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import cohortfinder.review
from cohortfinder.review import words
from cohortfinder.review.languages import LANGUAGES, Spoken
from review.running import TRIAL, Running

PACKAGE = Path(cohortfinder.review.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]


def sentences() -> set[str | tuple[str, ...]]:
    """Return every sentence that stands in a template or is marked in a module."""
    found = extract_from_dir(
        PACKAGE,
        method_map=[("**.py", "python"), ("**.jinja", "jinja2")],
        options_map={"**.jinja": {"trim_blocks": "true", "lstrip_blocks": "true"}},
        keywords={"_": None, "marked": None, "ngettext": (1, 2)},
    )
    return {message for _, _, message, _, _ in found}


def catalogue(language: str) -> Catalog:
    with (PACKAGE / "locale" / f"{language}.po").open("rb") as stream:
        return read_po(stream, locale=language)


def gaps(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def told(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield each sentence with what it is in the language; of one with a plural, the plural."""
    for message in catalog:
        if message.id:
            plural = not isinstance(message.id, str)
            yield (message.id[-1], message.string[-1]) if plural else (message.id, message.string)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_told_in_every_language(language: str) -> None:
    known = {message.id for message in catalogue(language) if message.id and all(message.string)}
    assert sentences() - known == set()


@pytest.mark.parametrize("language", OTHERS)
def test_no_language_tells_what_no_page_says(language: str) -> None:
    assert {message.id for message in catalogue(language) if message.id} - sentences() == set()


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_has_the_same_gaps_in_every_language(language: str) -> None:
    assert [english for english, other in told(catalogue(language)) if gaps(english) != gaps(other)] == []


def test_every_word_that_is_chosen_by_what_it_names_is_marked() -> None:
    tables = (words.STATES, words.ANSWERS, words.MARKS, words.SORTS, words.GROUPS, words.KINDS, words.ROLES,
              words.STATUSES, words.VERDICTS, words.SAVED)  # fmt: skip
    assert {text for table in tables for text in table.values()} - sentences() == set()


def test_a_page_is_in_the_language_of_the_person_and_protocol_and_evidence_say_that_they_are_not(
    running: Running,
) -> None:
    anna = running.browser_of("anna")
    anna.send("/language", {"language": "de"})
    text = anna.get(running.page_of("sle-typical")).text
    assert "Von einer Person zu beurteilen" in text
    assert "For a person to judge" not in text
    assert '<blockquote lang="en">' in text
    assert anna.get(f"/trials/{TRIAL}").text.count("Geeignet") > 2


def test_dates_and_numbers_are_written_as_in_the_language_and_at_the_site() -> None:
    english, german = Spoken("en", "UTC"), Spoken("de", "Europe/Berlin")
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert (english.moment(late), german.moment(late)) == ("Nov 20, 2026, 23:30", "21.11.2026, 00:30")
    assert (english.day(date(2026, 1, 2)), german.day(date(2026, 1, 2)), german.day(None)) == (
        "Jan 2, 2026",
        "02.01.2026",
        "",
    )
    assert (english.number(1234.5), german.number(1234.5)) == ("1,234.5", "1.234,5")


@pytest.mark.parametrize(
    ("recorded", "written"),
    [
        ("2026", "2026"),
        ("2026-05", "2026-05"),
        ("2026-05-06", "06.05.2026"),
        ("2026-05-06T08:30:00+08:00", "06.05.2026, 08:30"),
        ("not a date at all", "not a date at all"),
        (None, ""),
    ],
)
def test_a_record_is_written_as_exact_as_it_is(recorded: str | None, written: str) -> None:
    assert Spoken("de", "UTC").recorded(recorded) == written


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_stands_once_in_a_catalogue(language: str) -> None:
    text = (PACKAGE / "locale" / f"{language}.po").read_text(encoding="utf-8")
    told = re.findall(r'^msgid ((?:".*"\n)+)', text, re.M)
    assert sorted(told) == sorted(set(told))
