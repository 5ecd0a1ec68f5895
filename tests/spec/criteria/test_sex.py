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
