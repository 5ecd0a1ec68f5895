"""A chart takes facts as long as they do not contradict each other."""

from datetime import date
from decimal import Decimal

from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.facts import BEGINNING, Born, Coding, Dose, Gender, NoRecord, Record, Result, Results
from cohortfinder.dummy.numbers import NONE, Span

TODAY, BEFORE = date(2026, 6, 1), date(2026, 3, 1)
DRUG = Coding("http://www.nlm.nih.gov/research/umls/rxnorm", "8640")
LOW, HIGH = (Span(high=Decimal(20)),), (Span(low=Decimal(15)),)


def empty() -> Chart:
    """A chart to which every code of a drug is one of rx_a, and no other."""
    return Chart(lambda concept, coding: concept == "rx_a" and coding == DRUG)


def statement(start: date, end: date | None = None) -> Record:
    return Record("medication", "rx_a", DRUG, start, end, form="statement")


def test_results_of_one_day_are_one_result_that_is_both() -> None:
    chart = empty().with_facts([Result("inr", TODAY, LOW), Result("inr", TODAY, HIGH)])
    assert chart is not None
    assert [result.values for result in chart.results.values()] == [(Span(Decimal(15), Decimal(20)),)]


def test_a_result_that_cannot_be_both_is_refused() -> None:
    high = (Span(low=Decimal(30)),)
    assert empty().with_facts([Result("inr", TODAY, LOW), Result("inr", TODAY, high)]) is None


def test_what_holds_for_all_results_of_some_days_holds_for_those_before_and_after_it_was_said() -> None:
    limit = Results("inr", BEFORE, TODAY, LOW)
    for facts in ([Result("inr", BEFORE, HIGH), limit], [limit, Result("inr", BEFORE, HIGH)]):
        chart = empty().with_facts(facts)
        assert chart is not None
        assert {result.values for result in chart.results.values()} == {(Span(Decimal(15), Decimal(20)),)}


def test_no_result_forbids_usable_ones_only() -> None:
    nothing = Results("inr", BEGINNING, TODAY, NONE)
    assert empty().with_facts([nothing, Result("inr", BEFORE, LOW)]) is None
    assert empty().with_facts([nothing, Result("inr", BEFORE, LOW, defect="no_value")]) is not None


def test_no_record_forbids_those_that_touch_its_days() -> None:
    nothing = NoRecord("medication", "rx_a", BEFORE, TODAY)
    assert empty().with_facts([nothing, statement(date(2026, 1, 1))]) is None
    assert empty().with_facts([statement(date(2026, 1, 1), date(2026, 2, 28)), nothing]) is not None
    refuted = Record("medication", "rx_a", DRUG, BEFORE, standing="against", form="statement")
    assert empty().with_facts([nothing, refuted]) is not None


def test_a_dose_is_asked_of_every_record_of_its_days() -> None:
    asked = Dose("rx_a", BEFORE, TODAY, LOW, Decimal(10))
    chart = empty().with_facts([statement(BEFORE), asked])
    assert chart is not None
    assert chart.dose_of(chart.records[0]) == (LOW, Decimal(10), False)
    pulse = Record("medication", "rx_a", DRUG, TODAY, TODAY, form="administration", amount=Decimal(500))
    assert chart.with_facts([pulse]) is None


def test_a_person_is_born_once_and_has_one_gender() -> None:
    young, old = Born(date(1990, 1, 1), TODAY, TODAY), Born(BEGINNING, date(1980, 1, 1), BEGINNING)
    assert empty().with_facts([young, old]) is None
    assert empty().with_facts([Gender("male"), Gender("female")]) is None
    assert empty().with_facts([Gender("male"), Gender("male")]) is not None
