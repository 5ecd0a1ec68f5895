"""# Contact

On which days the data saw a patient, in the trial's time zone."""


def test_a_result_of_the_next_day_does_not_hide_one_of_today(spec):
    """2026-11-20T17:30Z is the 21st in Shanghai; the other result was there on the 20th."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value_string | effective_datetime
            seen       | 718-7 | clotted      | 2026-11-20T17:30:00Z
            seen       | 718-7 | clotted      | 2026-11-20T08:30:00+08:00
            in_utc     | 718-7 | clotted      | 2026-11-20T17:30:00Z
            in_utc     | 718-7 | clotted      | 2026-11-20T02:30:00Z
            tomorrow   | 718-7 | clotted      | 2026-11-20T17:30:00Z
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id | truth   | reason
            seen       | false   | absent
            in_utc     | false   | absent
            tomorrow   | unknown | no_data
        """,
    )
