"""# Odd records

What hospitals send and no specification foresees: it never decides by accident."""

UCUM = "http://unitsofmeasure.org"


def test_birth_dates_that_nobody_has(spec):
    """An impossible one says nothing; one far away is taken as it stands."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | birth_date
            old        | 1880-01-01
            future     | 2030-01-01
            no_month   | 1980-13
            none       |
        """,
        rule={"age": {"at_least": 18}},
        expected="""
            patient_id | truth   | reason        | flags
            old        | true    | met           |
            future     | false   | not_met       |
            no_month   | unknown | no_birth_date |
            none       | unknown | no_birth_date |
        """,
    )


def test_times_that_no_clock_shows(spec):
    """Midnight at the end of a day is one, without a zone the one of the site counts; a time or a day that does not exist is none."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            no_seconds | 718-7 | 90    | g/L             | {UCUM}            | 2026-11-01T10:00
            no_zone    | 718-7 | 90    | g/L             | {UCUM}            | 2026-11-01T10:00:00
            hour_24    | 718-7 | 90    | g/L             | {UCUM}            | 2026-11-01T24:00:00Z
            second_60  | 718-7 | 90    | g/L             | {UCUM}            | 2026-11-01T10:00:60Z
            no_day     | 718-7 | 90    | g/L             | {UCUM}            | 2026-02-30
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L", "within": "28 days"},
        expected="""
            patient_id | truth   | reason
            no_seconds | true    | met
            no_zone    | true    | met
            hour_24    | true    | met
            second_60  | unknown | no_date
            no_day     | unknown | no_date
        """,
    )


def test_a_period_that_ends_before_it_begins(spec):
    """Its end counts, as of every period."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_start | effective_end
            turned     | 718-7 | 90    | g/L             | {UCUM}            | 2026-11-10      | 2026-11-01
            before     | 718-7 | 90    | g/L             | {UCUM}            | 2026-11-10      | 2026-01-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L", "within": "28 days"},
        expected="""
            patient_id | truth   | reason        | flags
            turned     | true    | met           |
            before     | unknown | out_of_window |
        """,
    )


def test_numbers_in_words(spec):
    """A comparator and a unit are read; a decimal comma is not, and what is no number says nothing."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value_string | effective_datetime
            comma      | 718-7 | 65,1 g/L     | 2026-11-01
            bare       | 718-7 | 65,1         | 2026-11-01
            at_least   | 718-7 | >=90 g/L     | 2026-11-01
            below      | 718-7 | <5 g/L       | 2026-11-01
            number     | 718-7 | 90 g/L       | 2026-11-01
            word       | 718-7 | neg          | 2026-11-01
            nan        | 718-7 | NaN          | 2026-11-01
            infinity   | 718-7 | Infinity g/L | 2026-11-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason
            comma      | unknown | unit_unconvertible
            bare       | unknown | unit_unconvertible
            at_least   | true    | met
            below      | unknown | implausible
            number     | true    | met
            word       | unknown | not_numeric
            nan        | unknown | not_numeric
            infinity   | unknown | not_numeric
        """,
    )


def test_a_status_that_no_list_holds(spec):
    """It counts as little as one that was cancelled."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | status    | value | value_unit_code | value_unit_system | effective_datetime
            invented   | 718-7 | weird     | 90    | g/L             | {UCUM}            | 2026-11-01
            cancelled  | 718-7 | cancelled | 90    | g/L             | {UCUM}            | 2026-11-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason
            invented   | unknown | no_data
            cancelled  | unknown | no_data
        """,
    )


def test_a_unit_of_another_system(spec):
    """A code that is a known unit counts under any address; one that is none leaves it to the text."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value | value_unit_code | value_unit | value_unit_system   | effective_datetime
            other      | 718-7 | 90    | g/L             | g/L        | http://site.example | 2026-11-01
            conflict   | 718-7 | 90    | g/dL            | g/L        | http://site.example | 2026-11-01
            own_code   | 718-7 | 90    | 4711            | g/L        | http://site.example | 2026-11-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason      | flags
            other      | true    | met         |
            conflict   | unknown | implausible |
            own_code   | true    | met         |
        """,
    )


def test_codes_under_a_name_in_place_of_an_address(spec):
    """The usual names are known; without any system a code says nothing."""
    spec(
        as_of="2026-11-20",
        condition="""
            patient_id | code_system | code
            name       | SNOMED      | 55464009
            no_system  |             | 55464009
        """,
        observation=f"""
            patient_id | code_system | code  | value | value_unit_code | value_unit_system | effective_datetime
            loinc      | LOINC       | 718-7 | 90    | g/L             | {UCUM}            | 2026-11-01
        """,
        rule={"any": [{"condition": "dx_sle", "ever": "yes"}, {"observation": "hemoglobin", "at_least": "60 g/L"}]},
        expected="""
            patient_id | truth   | reason
            loinc      | true    | met
            name       | true    | met
            no_system  | unknown | no_data no_data
        """,
    )
