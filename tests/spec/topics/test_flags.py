"""# Flags that a rule raises

`flag_when` puts a word beside the verdict of those for whom its rule is true, and changes no verdict."""

UCUM = "http://unitsofmeasure.org"
MUSCLE = {"observation": "creatine_kinase", "above": "5 ULN"}


def test_a_flag_stands_beside_any_verdict_where_its_rule_is_true(spec):
    """Not where it is false, and not where it is unknown."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | code   | value | value_unit_code | value_unit_system | effective_datetime
            a1 | passes     | 1742-6 | 20    | U/L             | {UCUM}            | 2026-11-10
            c1 | passes     | 2157-6 | 2000  | U/L             | {UCUM}            | 2026-11-10
            a2 | fails      | 1742-6 | 900   | U/L             | {UCUM}            | 2026-11-10
            c2 | fails      | 2157-6 | 2000  | U/L             | {UCUM}            | 2026-11-10
            c3 | untested   | 2157-6 | 2000  | U/L             | {UCUM}            | 2026-11-10
            a4 | normal     | 1742-6 | 20    | U/L             | {UCUM}            | 2026-11-10
            c4 | normal     | 2157-6 | 100   | U/L             | {UCUM}            | 2026-11-10
            a5 | unknown    | 1742-6 | 20    | U/L             | {UCUM}            | 2026-11-10
        """,
        observation_range="""
            id | high | high_unit
            a1 | 40   | U/L
            a2 | 40   | U/L
            a4 | 40   | U/L
            a5 | 40   | U/L
            c1 | 200  | U/L
            c2 | 200  | U/L
            c3 | 200  | U/L
            c4 | 200  | U/L
        """,
        rule={"observation": "alt", "at_most": "3 ULN"},
        flag_when={"possible_muscle_origin": MUSCLE},
        expected="""
            patient_id | truth   | flags
            passes     | true    | possible_muscle_origin
            fails      | false   | possible_muscle_origin
            untested   | unknown | possible_muscle_origin
            normal     | true    |
            unknown    | true    |
        """,
    )


def test_a_combination_raises_a_flag_by_three_valued_logic(spec):
    """A flag needs its rule to be true: an unknown part raises nothing."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender
            woman      | female
            man        | male
            neither    |
        """,
        rule={"age": {"at_least": 18}},
        flag_when={"see_gender": {"not": {"sex": "male"}}},
        expected="""
            patient_id | truth | flags
            woman      | true  | see_gender
            man        | true  |
            neither    | true  |
        """,
    )
