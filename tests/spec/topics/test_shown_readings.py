"""# Readings

What a series shows of its readings, and what a comparator says of one."""

PRESSURE = {
    "series": [{"observation": "systolic_bp", "above": "160 mm[Hg]"}],
    "within": "6 months",
    "recent": "28 days",
}


def test_more_than_the_limit_is_beyond_it(spec):
    """`> 160` is above 160, `>= 160` may be 160."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value_comparator | value | value_unit | effective_datetime
            above      | 8480-6 | >                | 160   | mmHg       | 2026-11-10
            at_least   | 8480-6 | >=               | 160   | mmHg       | 2026-11-10
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth   | reason
            above      | true    | met
            at_least   | unknown | comparator_straddles_threshold
        """,
    )


def test_readings_that_cannot_be_used_are_shown_as_such(spec):
    """A series without a usable reading has not searched in vain."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value | value_unit | effective_datetime
            b1 | unitless   | 8480-6 | 165   |            | 2026-11-10
            b2 | older      | 8480-6 | 165   | mmHg       | 2026-01-10
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth   | reason
            unitless   | unknown | unit_missing
            older      | unknown | out_of_window
        """,
        evidence="""
            patient_id | resource       | date       | value
            unitless   | Observation/b1 | 2026-11-10 | 165
            older      | Observation/b2 | 2026-01-10 | 165 mmHg
        """,
    )


def test_readings_of_one_month_are_not_the_mean_of_one_day(spec):
    """One of them alone is beyond the limit, and nobody knows whether they are of the same day."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value | value_unit | effective_datetime
            monthly    | 8480-6 | 120   | mmHg       | 2026-11-18
            monthly    | 8480-6 | 170   | mmHg       | 2026-10
            monthly    | 8480-6 | 110   | mmHg       | 2026-10
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth   | reason
            monthly    | unknown | partial_date
        """,
    )
