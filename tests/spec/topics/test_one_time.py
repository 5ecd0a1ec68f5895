"""# Results of one time

Several results of one moment: what contradicts is decided against the patient, what is merely open stays open."""


def test_an_open_result_beside_a_clear_one_contradicts_nothing(spec):
    """Negative and indeterminate: nobody says positive. Negative and positive: one of them speaks against the patient."""
    for kind, contradiction in (("exclusion", "true"), ("inclusion", "false")):
        spec(
            as_of="2026-11-20",
            observation="""
                patient_id  | code   | value_string  | effective_datetime
                open        | 5196-1 | negative      | 2026-11-01
                open        | 5196-1 | indeterminate | 2026-11-01
                contradicts | 5196-1 | negative      | 2026-11-01
                contradicts | 5196-1 | reactive      | 2026-11-01
            """,
            kind=kind,
            rule={"observation": "hbsag", "is": "positive"},
            expected=f"""
                patient_id  | truth           | flags
                open        | unknown         |
                contradicts | {contradiction} | contradictory_results
            """,
        )
