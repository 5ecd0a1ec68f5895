"""# Disagreement

A word and the laboratory's interpretation of it that contradict each other say nothing, whatever is asked."""

import pytest


@pytest.mark.parametrize(("word", "interpretation"), [("positive", "NEG"), ("negative", "POS"), ("negative", "H")])
def test_a_screen_that_its_interpretation_contradicts_is_no_titre(spec, word, interpretation):
    """Read as below or from the screening dilution it would decide what nobody knows."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id  | code    | value_string | interpretation   | effective_datetime
            contradicts | 42254-3 | {word}       | {interpretation} | 2026-11-01
            agrees      | 42254-3 | positive     | POS              | 2026-11-01
        """,
        rule={"observation": ["ana_titer", "ana_presence"], "at_least": "1:80", "screening_dilution": "1:80"},
        expected="""
            patient_id  | truth   | reason
            contradicts | unknown | interpretation_disagrees
            agrees      | true    | met
        """,
    )
