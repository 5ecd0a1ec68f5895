"""# Intervals

Every number is an interval: what a value may be. A comparison that holds for all of it is true, one that holds for none of
it is false, and one that holds for a part of it is unknown."""

import pytest

FIVE = """
    patient_id | code  | value_comparator | value | value_unit_code | effective_datetime
    below      | 777-3 | <                | 5     | 10*9/L          | 2026-11-10
    up_to      | 777-3 | <=               | 5     | 10*9/L          | 2026-11-10
    exactly    | 777-3 |                  | 5     | 10*9/L          | 2026-11-10
    from       | 777-3 | >=               | 5     | 10*9/L          | 2026-11-10
    over       | 777-3 | >                | 5     | 10*9/L          | 2026-11-10
"""


@pytest.mark.parametrize(
    ("words", "below", "up_to", "exactly", "upwards", "over"),
    [
        ("at_least", "false", "unknown", "true", "true", "true"),
        ("above", "false", "false", "false", "unknown", "true"),
        ("at_most", "true", "true", "true", "unknown", "false"),
        ("below", "true", "unknown", "false", "false", "false"),
    ],
)
def test_each_comparator_meets_each_bound(spec, words, below, up_to, exactly, upwards, over):
    """The bound is 5, and so is the number that was sent: only the signs differ."""
    spec(
        as_of="2026-11-20",
        observation=FIVE,
        rule={"observation": "platelet_count", words: "5 10*9/L"},
        expected=f"""
            patient_id | truth
            below      | {below}
            up_to      | {up_to}
            exactly    | {exactly}
            from       | {upwards}
            over       | {over}
        """,
    )


def test_a_range_holds_with_both_its_ends(spec):
    """45 to 50 % is at most 50 %, may be at least 50 %, and is not above 50 %."""
    measured = """
        patient_id | code    | range_low | range_low_unit | range_high | range_high_unit | effective_datetime
        p          | 10230-1 | 45        | %              | 50         | %               | 2026-11-10
    """
    for words, truth in (("at_most", "true"), ("at_least", "unknown"), ("above", "false"), ("below", "unknown")):
        spec(
            as_of="2026-11-20",
            observation=measured,
            rule={"observation": "lvef", words: "50 %"},
            expected=f"""
                patient_id | truth
                p          | {truth}
            """,
        )


def test_between_asks_for_both_bounds(spec):
    """An interval that reaches over one of them is open; one beyond them is out whatever its other end."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_string | effective_datetime
            inside     | 10230-1 | 45-50%       | 2026-11-10
            on_both    | 10230-1 | 40-55%       | 2026-11-10
            over_one   | 10230-1 | 50-60%       | 2026-11-10
            over_both  | 10230-1 | 30-60%       | 2026-11-10
            outside    | 10230-1 | 56-60%       | 2026-11-10
        """,
        rule={"observation": "lvef", "between": ["40 %", "55 %"]},
        expected="""
            patient_id | truth
            inside     | true
            on_both    | true
            over_one   | unknown
            over_both  | unknown
            outside    | false
        """,
    )


def test_an_open_end_reaches_as_far_as_is_plausible(spec):
    """Above 95 % of saturation is at most 100 %; nobody has less than none."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_comparator | value | value_unit_code | effective_datetime
            high       | 59408-5 | >                | 95    | %               | 2026-11-10
            low        | 59408-5 | <                | 95    | %               | 2026-11-10
        """,
        rule={"observation": "spo2", "at_most": "100 %"},
        expected="""
            patient_id | truth
            high       | true
            low        | true
        """,
    )


def test_both_ends_are_converted(spec):
    """Below 6 g/dL is below 60 g/L; up to 6 g/dL may be 60 g/L."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value_comparator | value | value_unit_code | effective_datetime
            below      | 718-7 | <                | 6     | g/dL            | 2026-11-10
            up_to      | 718-7 | <=               | 6     | g/dL            | 2026-11-10
            over       | 718-7 | >                | 6     | g/dL            | 2026-11-10
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason
            below      | false   | not_met
            up_to      | unknown | comparator_straddles_threshold
            over       | true    | met
        """,
    )


def test_what_is_open_stays_open_when_it_is_negated(spec):
    """`not` turns true and false, and leaves unknown."""
    spec(
        as_of="2026-11-20",
        observation=FIVE,
        rule={"not": {"observation": "platelet_count", "at_least": "5 10*9/L"}},
        expected="""
            patient_id | truth
            below      | true
            up_to      | unknown
            exactly    | false
            from       | false
            over       | false
        """,
    )


def test_a_multiple_of_a_limit_is_an_interval_too(spec):
    """Below 120 is at most three times 40; above 100 may be more or less."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value_comparator | value | value_unit_code | effective_datetime
            a  | below      | 1742-6 | <                | 120   | U/L             | 2026-11-10
            b  | over       | 1742-6 | >                | 100   | U/L             | 2026-11-10
            c  | far_over   | 1742-6 | >                | 120   | U/L             | 2026-11-10
        """,
        observation_range="""
            id | high | high_unit
            a  | 40   | U/L
            b  | 40   | U/L
            c  | 40   | U/L
        """,
        rule={"observation": "alt", "at_most": "3 ULN"},
        expected="""
            patient_id | truth
            below      | true
            over       | unknown
            far_over   | false
        """,
    )
