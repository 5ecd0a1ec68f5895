"""# Limits

Multiples of a result's own reference range, and what a number without a unit still says."""


def test_a_comparator_without_a_unit_is_held_against_a_range_without_one(spec):
    """`< 40` beside an upper limit of 35 is at most three times the limit, in whatever unit."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value_comparator | value | effective_datetime
            a  | less       | 1742-6 | <                | 40    | 2026-11-01
            b  | more       | 1742-6 | >                | 140   | 2026-11-01
            c  | exact      | 1742-6 |                  | 40    | 2026-11-01
        """,
        observation_range="""
            id | high
            a  | 35
            b  | 35
            c  | 35
        """,
        rule={"observation": "alt", "at_most": "3 ULN"},
        expected="""
            patient_id | truth | reason
            less       | true  | met
            more       | false | not_met
            exact      | true  | met
        """,
    )


def test_a_number_of_copies_without_a_unit_is_neither_positive_nor_negative(spec):
    """Zero may be a logarithm."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value | value_unit_code | value_unit_system         | effective_datetime
            zero       | 11258-1 | 0     |                 |                           | 2026-11-01
            some       | 11258-1 | 3     |                 |                           | 2026-11-01
            copies     | 11258-1 | 0     | [IU]/mL         | http://unitsofmeasure.org | 2026-11-01
        """,
        rule={"observation": "hbv_dna", "is": "positive"},
        expected="""
            patient_id | truth
            zero       | unknown
            some       | unknown
            copies     | false
        """,
    )
