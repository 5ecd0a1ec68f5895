"""# Windows

Calendar arithmetic, both ends included, and the day on which a window lets go of a record."""

import pytest

PCI, RITUXIMAB, BELIMUMAB = "415070008", "121191", "1092437"


@pytest.mark.parametrize(
    ("as_of", "window", "first_day", "day_before"),
    [
        ("2026-11-20", "6 months", "2026-05-20", "2026-05-19"),
        ("2026-08-31", "6 months", "2026-02-28", "2026-02-27"),
        ("2028-08-31", "6 months", "2028-02-29", "2028-02-28"),
        ("2028-02-29", "1 year", "2027-02-28", "2027-02-27"),
        ("2026-11-20", "3 weeks", "2026-10-30", "2026-10-29"),
        ("2026-11-20", "28 days", "2026-10-23", "2026-10-22"),
    ],
)
def test_the_first_day_of_a_window(spec, as_of, window, first_day, day_before):
    """A month that is too short gives its last day."""
    spec(
        as_of=as_of,
        procedure=f"""
            patient_id | code  | performed_datetime
            index_date | {PCI} | {as_of}
            first_day  | {PCI} | {first_day}
            day_before | {PCI} | {day_before}
        """,
        rule={"procedure": "px_pci", "within": window},
        expected="""
            patient_id | truth
            index_date | true
            first_day  | true
            day_before | false
        """,
    )


def test_a_wash_out_is_over_on_the_day_after_the_last_day_of_its_window(spec):
    """One month after 2026-11-01 is 2026-12-01, the first free day 2026-12-02."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id | code        | effective_datetime
            once       | {RITUXIMAB} | 2026-11-01
            twice      | {RITUXIMAB} | 2026-11-01
            twice      | {RITUXIMAB} | 2026-11-15
            free       | {RITUXIMAB} | 2026-10-19
        """,
        rule={"medication": "rx_rituximab", "within": "1 month"},
        kind="exclusion",
        expected="""
            patient_id | truth | changes_on
            once       | true  | 2026-12-02
            twice      | true  | 2026-12-16
            free       | false |
        """,
    )


def test_a_wash_out_in_weeks(spec):
    """Three weeks after 2026-11-01 is 2026-11-22; a course counts by its last day."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id | code        | effective_datetime
            infusion   | {BELIMUMAB} | 2026-11-01
        """,
        medication_statement=f"""
            patient_id | code        | status    | effective_start | effective_end
            course     | {BELIMUMAB} | completed | 2026-06-01      | 2026-11-01
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        kind="exclusion",
        expected="""
            patient_id | truth | changes_on
            infusion   | true  | 2026-11-23
            course     | true  | 2026-11-23
        """,
    )


def test_a_partial_date_stays_open_until_all_of_it_is_outside(spec):
    """Some day of October: certain again when 2026-10-31 is three weeks and a day ago."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id | code        | effective_datetime
            october    | {BELIMUMAB} | 2026-10
            september  | {BELIMUMAB} | 2026-09
            november   | {BELIMUMAB} | 2026-11
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth   | changes_on
            october    | unknown | 2026-11-22
            september  | false   |
            november   | true    | 2026-11-23
        """,
    )


def test_the_end_of_february_stays_in_the_window_until_the_end_of_august(spec):
    """Six months before 29, 30 and 31 August are all 28 February."""
    spec(
        as_of="2026-08-28",
        procedure=f"""
            patient_id | code  | performed_datetime
            february   | {PCI} | 2026-02-28
        """,
        rule={"procedure": "px_pci", "within": "6 months"},
        expected="""
            patient_id | truth | changes_on
            february   | true  | 2026-09-01
        """,
    )


def test_a_record_of_a_later_day_counts_from_that_day_on(spec):
    """The index date hides what begins after it."""
    spec(
        as_of="2026-11-20",
        procedure=f"""
            patient_id | code  | performed_datetime
            planned    | {PCI} | 2026-12-01
        """,
        rule={"procedure": "px_pci", "within": "6 months", "absence": "unknown"},
        expected="""
            patient_id | truth   | changes_on
            planned    | unknown | 2026-12-01
        """,
    )
