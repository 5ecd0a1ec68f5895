"""# Age

Completed years on the index date, from the birth date of the patient record."""


def test_both_bounds_are_included(spec):
    """A patient is 18 from the day of the 18th birthday until the day before the 66th."""
    spec(
        as_of="2025-06-15",
        patient="""
            patient_id  | birth_date
            turns_18    | 2007-06-15
            day_before  | 2007-06-16
            last_day    | 1959-06-16
            turns_66    | 1959-06-15
            no_birth    |
        """,
        rule={"age": {"at_least": 18, "at_most": 65}},
        expected="""
            patient_id  | truth   | reason        | changes_on
            turns_18    | true    | met           |
            day_before  | false   | not_met       | 2025-06-16
            last_day    | true    | met           | 2025-06-16
            turns_66    | false   | not_met       |
            no_birth    | unknown | no_birth_date |
        """,
    )


def test_a_partial_birth_date_is_an_interval(spec):
    """Only a bound that may lie inside it leaves the answer open."""
    spec(
        as_of="2025-06-15",
        patient="""
            patient_id | birth_date
            year_in    | 1990
            year_edge  | 2007
            month_edge | 2007-06
            month_out  | 2007-07
        """,
        rule={"age": {"at_least": 18}},
        expected="""
            patient_id | truth   | reason
            year_in    | true    | met
            year_edge  | unknown | partial_birth_date
            month_edge | unknown | partial_birth_date
            month_out  | false   | not_met
        """,
    )


def test_a_birthday_on_29_february_falls_on_the_28th(spec):
    """In years without a 29 February."""
    spec(
        as_of="2026-02-28",
        patient="""
            patient_id | birth_date
            leap       | 2008-02-29
        """,
        rule={"age": {"at_least": 18}},
        expected="""
            patient_id | truth
            leap       | true
        """,
    )


def test_without_a_birth_date_an_age_observation_is_aged_forward(spec):
    """17 years on a day two years ago is 18 or 19 today; 17 years half a year ago may be 17 or 18."""
    spec(
        as_of="2025-06-15",
        patient="""
            patient_id | birth_date
            long_ago   |
            of_late    |
        """,
        observation="""
            patient_id | code    | value | value_unit_code | value_unit_system             | effective_datetime
            long_ago   | 30525-0 | 17    | a               | http://unitsofmeasure.org     | 2023-06-01
            of_late    | 30525-0 | 17    | a               | http://unitsofmeasure.org     | 2025-01-01
        """,
        rule={"age": {"at_least": 18}},
        expected="""
            patient_id | truth
            long_ago   | true
            of_late    | unknown
        """,
    )


def test_without_a_birth_date_an_observation_of_it_counts(spec):
    """Before one of an age, and as an interval where it is partial."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | birth_date
            exact      |
            too_old    |
            partial    |
            text       |
            both       |
            prose      |
        """,
        observation="""
            patient_id | code    | value_datetime | value_string | value | value_unit_code | effective_datetime
            exact      | 21112-8 | 1960-11-21     |              |       |                 | 2020-01-01
            too_old    | 21112-8 | 1960-11-20     |              |       |                 | 2020-01-01
            partial    | 21112-8 | 1960-11        |              |       |                 | 2020-01-01
            text       | 21112-8 |                | 1980-05-17   |       |                 | 2020-01-01
            both       | 21112-8 | 1950-01-01     |              |       |                 | 2020-01-01
            both       | 30525-0 |                |              | 40    | a               | 2026-11-01
            prose      | 21112-8 |                | in spring    |       |                 | 2020-01-01
        """,
        rule={"age": {"at_least": 18, "at_most": 65}},
        expected="""
            patient_id | truth   | reason
            exact      | true    | met
            too_old    | false   | not_met
            partial    | unknown | partial_birth_date
            text       | true    | met
            both       | false   | not_met
            prose      | unknown | no_birth_date
        """,
    )
