"""# Sex

The administrative gender of the patient record."""


def test_a_missing_gender_is_unknown(spec):
    """`other` is recorded and is not the asked one; `unknown` says nothing."""
    spec(
        as_of="2025-06-15",
        patient="""
            patient_id | gender
            man        | male
            woman      | female
            other      | other
            unstated   | unknown
            missing    |
        """,
        rule={"sex": "male"},
        expected="""
            patient_id | truth   | reason
            man        | true    | met
            woman      | false   | not_met
            other      | false   | not_met
            unstated   | unknown | no_gender
            missing    | unknown | no_gender
        """,
    )


def test_absence_false_reads_a_missing_gender_as_another(spec):
    """So that a rule for women is not skipped for a patient whose gender nobody wrote down."""
    spec(
        as_of="2025-06-15",
        patient="""
            patient_id | gender
            unstated   | unknown
            missing    |
        """,
        rule={"sex": "male", "absence": "false"},
        expected="""
            patient_id | truth
            unstated   | false
            missing    | false
        """,
    )


def test_a_gender_that_the_sex_at_birth_contradicts_is_not_taken_for_granted(spec):
    """Who was born female may become pregnant: nobody passes as a man by the gender alone."""
    for absence, contradicted in (("unknown", "unknown"), ("false", "false")):
        spec(
            as_of="2026-11-20",
            patient="""
                patient_id | gender | birth_sex
                agrees     | male   | M
                differs    | male   | F
                not_known  | male   | UNK
                absent     | male   |
            """,
            rule={"sex": "male", "absence": absence},
            expected=f"""
                patient_id | truth          | reason
                agrees     | true           | met
                differs    | {contradicted} | no_gender
                not_known  | true           | met
                absent     | true           | met
            """,
        )
