"""# Judgement

What only a person can tell."""


def test_a_judgement_is_always_unknown(spec):
    """And stays so whatever the data say."""
    spec(
        as_of="2025-06-15",
        patient="""
            patient_id
            anyone
        """,
        rule={"judgement": "look at the echo report"},
        expected="""
            patient_id | truth   | reason             | changes_on
            anyone     | unknown | judgement_required |
        """,
    )
