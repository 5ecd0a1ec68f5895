"""# A rule of one arm

`by_arm` gives an arm a rule of its own; the other arms keep that of the criterion."""

from datetime import date

AS_OF = date(2026, 3, 1)
ARMS = {"ONE": ("E-DRUG",), "TWO": ("E-DRUG",)}
RULES = {"E-DRUG": {"medication": "rx_belimumab", "within": "10 days"}}
BY_ARM = {"E-DRUG": {"TWO": {"medication": "rx_belimumab", "within": "20 days"}}}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
GIVEN = f"""
    patient_id | code_system | code    | effective_datetime
    last_week  | {RXNORM}    | 1092437 | 2026-02-24
    in_between | {RXNORM}    | 1092437 | 2026-02-14
    before     | {RXNORM}    | 1092437 | 2026-01-01
"""


def test_each_arm_has_the_verdict_of_its_own_rule(screened_arms):
    """Belimumab 15 days ago excludes where 20 days are asked for."""
    found = screened_arms(AS_OF, RULES, ARMS, by_arm=BY_ARM, medication_administration=GIVEN)
    verdicts = {key: said["E-DRUG"] for key, (_, said) in found.items()}
    assert verdicts == {
        ("last_week", "ONE"): "fail", ("last_week", "TWO"): "fail",
        ("in_between", "ONE"): "pass", ("in_between", "TWO"): "fail",
        ("before", "ONE"): "pass", ("before", "TWO"): "pass",
    }  # fmt: skip


def test_each_arm_has_its_own_day_of_change(screened_arms):
    """Eleven days after the last dose in one arm, twenty-one in the other."""
    found = screened_arms(AS_OF, RULES, ARMS, by_arm=BY_ARM, medication_administration=GIVEN)
    assert found["last_week", "ONE"][0] == date(2026, 3, 7)
    assert found["last_week", "TWO"][0] == date(2026, 3, 17)
    assert found["in_between", "TWO"][0] == date(2026, 3, 7)
