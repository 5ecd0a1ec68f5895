"""# Eligible from

The first day on which no criterion of an arm fails, with no new data."""

from datetime import date, timedelta

from length import AT_LENGTH

AS_OF = date(2026, 3, 1)
RULES = {
    "E-BELI": {"medication": "rx_belimumab", "within": "10 days"},
    "E-TELI": {"medication": "rx_telitacicept", "within": "13 days"},
    "E-MI": {"condition": "dx_myocardial_infarction", "within": "20 days"},
}
ARMS = {"ONE": ("E-BELI",), "TWO": ("E-BELI", "E-TELI"), "ALL": ("E-BELI", "E-TELI", "E-MI")}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
TABLES = {
    "medication_administration": f"""
        patient_id | code_system | code    | code_text    | effective_datetime
        waits      | {RXNORM}    | 1092437 |              | 2026-02-26
        waits      |             |         | telitacicept | 2026-02-27
        again      | {RXNORM}    | 1092437 |              | 2026-02-25
        again      | {RXNORM}    | 1092437 |              | 2026-03-09
        again      |             |         | telitacicept | 2026-02-25
        twice      | {RXNORM}    | 1092437 |              | 2026-02-25
        twice      | {RXNORM}    | 1092437 |              | 2026-03-06
        twice      |             |         | telitacicept | 2026-03-15
        undated    | {RXNORM}    | 1092437 |              | 2026-02-25
        undated    |             |         | telitacicept | 2026-02
    """,
    "condition": """
        patient_id | code      | onset_datetime | recorded_date
        waits      | 22298006  | 2026-03-10     | 2026-03-10
        again      | 22298006  | 2026-02-20     | 2026-02-20
        twice      | 22298006  | 2026-02-28     | 2026-02-28
    """,
}


def test_it_is_the_day_on_which_the_last_failing_criterion_has_changed(screened_arms):
    """What changes again before that day counts, and each arm of a patient has a day of its own."""
    found = {key: day for key, (day, _) in screened_arms(AS_OF, RULES, ARMS, **TABLES).items()}
    assert found[("waits", "ONE")] == date(2026, 3, 9)
    assert found[("waits", "TWO")] == date(2026, 3, 13)
    assert found[("waits", "ALL")] == date(2026, 3, 31), "an infarction of 10 March is on file already"
    assert found[("again", "ONE")] == date(2026, 3, 8), "on that one day nothing fails"
    assert found[("again", "TWO")] == date(2026, 3, 20), "on 11 March, when telitacicept has gone, belimumab is back"


def test_it_is_the_same_day_as_one_finds_by_asking_day_by_day(screened_arms):
    """With no new data: the same store is asked again as of each later day."""
    screened = screened_arms(AS_OF, RULES, ARMS, **TABLES)
    found = {key: day for key, (day, _) in screened.items()}
    failing = {key for key, (_, verdicts) in screened.items() if "fail" in verdicts.values()}
    by_day: dict[tuple[str, str], date] = {}
    last = AS_OF + timedelta(days=40 if AT_LENGTH else 20)
    for number in range(1, (last - AS_OF).days + 1):
        day = AS_OF + timedelta(days=number)
        for key, (_, verdicts) in screened_arms(day, RULES, ARMS, horizon_years=0, **TABLES).items():
            if key in failing and "fail" not in verdicts.values():
                by_day.setdefault(key, day)
    assert {key: day for key, day in found.items() if day and day <= last} == by_day
    assert len(by_day) > 5
