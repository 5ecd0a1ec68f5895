"""# Absence

What it means that there is no record: `absence: false` only where one would be seen."""

import pytest

PCI, ASPIRIN, BELIMUMAB = "415070008", "1191", "1092437"
SIX_MONTHS = {"procedure": "px_pci", "within": "6 months"}
SEEN = """
    patient_id | start_at
    seen       | 2026-11-01
"""


def test_no_record_of_an_observed_patient_is_false(spec):
    """And unknown for one who was not seen in the last twelve months; being seen wears off with time."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id
            nothing
        """,
        encounter="""
            patient_id | start_at
            last_day   | 2025-11-20
            day_before | 2025-11-19
            of_late    | 2026-11-01
            tomorrow   | 2026-11-21
        """,
        condition="""
            patient_id | code     | onset_datetime | recorded_date
            recorded   | 38341003 | 2010-01-01     | 2026-11-01
            onset      | 38341003 | 2026-11-01     |
        """,
        observation="""
            patient_id | code  | value | effective_datetime
            tested     | 718-7 | 12    | 2026-11-01
        """,
        medication_statement=f"""
            patient_id | code      | effective_datetime
            treated    | {ASPIRIN} | 2026-11-01
        """,
        rule=SIX_MONTHS,
        expected="""
            patient_id | truth   | reason       | changes_on
            last_day   | false   | absent       | 2026-11-21
            day_before | unknown | not_observed |
            of_late    | false   | absent       | 2027-11-02
            tomorrow   | unknown | no_data      | 2026-11-21
            recorded   | false   | absent       | 2027-11-02
            onset      | false   | absent       | 2027-11-02
            tested     | false   | absent       | 2027-11-02
            treated    | false   | absent       | 2027-11-02
            nothing    | unknown | no_data      |
        """,
    )


def test_a_longer_window_asks_for_an_observation_in_the_window(spec):
    """Two years of history are known of a patient seen in them; for `ever`, any day will do."""
    encounters = """
        patient_id | start_at
        in_window  | 2025-01-01
        long_ago   | 2015-01-01
    """
    for window, long_ago in (({"within": "2 years"}, "unknown"), ({"ever": "yes"}, "false")):
        spec(
            as_of="2026-11-20",
            encounter=encounters,
            rule={"procedure": "px_pci", **window},
            expected=f"""
                patient_id | truth
                in_window  | false
                long_ago   | {long_ago}
            """,
        )


@pytest.mark.parametrize(
    "store",
    [{"loaded": ("Patient", "Encounter")}, {"incomplete": ("Procedure",)}],
    ids=["none", "incomplete"],
)
def test_no_record_is_unknown_when_the_type_is_not_completely_loaded(spec, store):
    """No such resource in the store, or a pull of it that failed."""
    spec(
        as_of="2026-11-20",
        encounter=SEEN,
        rule=SIX_MONTHS,
        expected="""
            patient_id | truth   | reason
            seen       | unknown | not_loaded
        """,
        **store,
    )


def test_for_drugs_some_medication_must_be_recorded(spec):
    """A patient without any drug record may be treated elsewhere."""
    spec(
        as_of="2026-11-20",
        encounter=SEEN,
        medication_request=f"""
            patient_id | code      | authored_on
            old_drug   | {ASPIRIN} | 2015-11-01
            new_drug   | {ASPIRIN} | 2026-11-01
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth   | reason
            seen       | unknown | not_observed
            old_drug   | unknown | not_observed
            new_drug   | false   | absent
        """,
    )


@pytest.mark.parametrize("absence", ["false", "unknown"])
def test_a_dated_record_outside_the_window_is_no_absence(spec, absence):
    """It shows that the source records this: false under both settings, also when nothing else is known."""
    spec(
        as_of="2026-11-20",
        procedure=f"""
            patient_id | code  | performed_datetime
            long_ago   | {PCI} | 2015-01-01
        """,
        rule={**SIX_MONTHS, "absence": absence},
        expected="""
            patient_id | truth | reason         | changes_on
            long_ago   | false | outside_window |
        """,
    )


def test_absence_unknown_never_infers(spec):
    """However well the patient is known."""
    spec(
        as_of="2026-11-20",
        encounter=SEEN,
        rule={**SIX_MONTHS, "absence": "unknown"},
        expected="""
            patient_id | truth   | reason
            seen       | unknown | no_data
        """,
    )


def test_an_old_laboratory_value_proves_nothing_about_today(spec):
    """Unlike an old event."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value | value_unit_code | effective_datetime
            old        | 718-7 | 120   | g/L             | 2015-01-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L", "absence": "false"},
        expected="""
            patient_id | truth   | reason
            old        | unknown | out_of_window
        """,
    )
