"""# Combinations

`all`, `any`, `not` and `need` by Kleene's logic: unknown stays unknown unless the others decide."""

UCUM = "http://unitsofmeasure.org"
MAN, ADULT = {"sex": "male"}, {"age": {"at_least": 18}}
# the truths of the two questions, in this order, are the names
PEOPLE = """
    patient_id      | gender | birth_date
    true_true       | male   | 1980-01-01
    true_unknown    | male   |
    true_false      | male   | 2020-01-01
    unknown_true    |        | 1980-01-01
    unknown_unknown |        |
    unknown_false   |        | 2020-01-01
    false_true      | female | 1980-01-01
    false_unknown   | female |
    false_false     | female | 2020-01-01
"""


def test_all(spec):
    """False by one false child; the reasons are those of the false ones, else of the unknown ones, else of all."""
    spec(
        as_of="2026-11-20",
        patient=PEOPLE,
        rule={"all": [MAN, ADULT]},
        expected="""
            patient_id      | truth   | reason
            true_true       | true    | met met
            true_unknown    | unknown | no_birth_date
            true_false      | false   | not_met
            unknown_true    | unknown | no_gender
            unknown_unknown | unknown | no_gender no_birth_date
            unknown_false   | false   | not_met
            false_true      | false   | not_met
            false_unknown   | false   | not_met
            false_false     | false   | not_met not_met
        """,
    )


def test_any(spec):
    """True by one true child; the reasons are those of the true ones, else of the unknown ones, else of all."""
    spec(
        as_of="2026-11-20",
        patient=PEOPLE,
        rule={"any": [MAN, ADULT]},
        expected="""
            patient_id      | truth   | reason
            true_true       | true    | met met
            true_unknown    | true    | met
            true_false      | true    | met
            unknown_true    | true    | met
            unknown_unknown | unknown | no_gender no_birth_date
            unknown_false   | unknown | no_gender
            false_true      | true    | met
            false_unknown   | unknown | no_birth_date
            false_false     | false   | not_met not_met
        """,
    )


def test_not(spec):
    """Turns true and false, and leaves unknown unknown."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender
            man        | male
            woman      | female
            unstated   |
        """,
        rule={"not": MAN},
        expected="""
            patient_id | truth   | reason
            man        | false   | met
            woman      | true    | not_met
            unstated   | unknown | no_gender
        """,
    )


def test_need(spec):
    """Two of three, the third unknown: true with two, false when two are out of reach."""
    spec(
        as_of="2026-11-20",
        patient=PEOPLE,
        rule={"need": 2, "of": [MAN, ADULT, {"judgement": "ask"}]},
        expected="""
            patient_id      | truth   | reason
            true_true       | true    | met met
            true_unknown    | unknown | no_birth_date judgement_required
            true_false      | unknown | judgement_required
            unknown_true    | unknown | no_gender judgement_required
            unknown_unknown | unknown | no_gender no_birth_date judgement_required
            unknown_false   | unknown | no_gender judgement_required
            false_true      | unknown | judgement_required
            false_unknown   | unknown | no_birth_date judgement_required
            false_false     | false   | not_met not_met
        """,
    )


def test_combinations_nest(spec):
    """Not (man or adult): only a girl."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            girl       | female | 2020-01-01
            woman      | female | 1980-01-01
            unstated   |        | 2020-01-01
        """,
        rule={"all": [{"not": {"any": [MAN, ADULT]}}, {"sex": "female"}]},
        expected="""
            patient_id | truth
            girl       | true
            woman      | false
            unstated   | unknown
        """,
    )


OLD_HEMOGLOBIN = f"""
    patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
    woman      | 718-7 | 120   | g/L             | {UCUM}            | 2026-09-01
"""
HEMOGLOBIN = {"observation": "hemoglobin", "at_least": "60 g/L"}


def test_flags_come_from_the_children_that_decide(spec):
    """A value that is old for the protocol is flagged where it counts."""
    for rule, truth, flags in (
        ({"any": [HEMOGLOBIN, {"judgement": "ask"}]}, "true", "stale_for_protocol"),
        ({"all": [HEMOGLOBIN, MAN]}, "false", ""),
    ):
        spec(
            as_of="2026-11-20",
            observation=OLD_HEMOGLOBIN,
            rule=rule,
            expected=f"""
                patient_id | truth   | flags
                woman      | {truth} | {flags}
            """,
        )


def test_hepatitis_b_needs_both_tests(spec):
    """A negative surface antigen decides without DNA; DNA below its limit is read as the rule says, and flagged."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id   | code    | value_string | value_comparator | value | value_unit_code | value_unit_system | effective_datetime
            negative     | 5195-3  | negative     |                  |       |                 |                   | 2026-11-01
            without_dna  | 5195-3  | positive     |                  |       |                 |                   | 2026-11-01
            below_20     | 5195-3  | positive     |                  |       |                 |                   | 2026-11-01
            below_20     | 42595-9 |              | <                | 20    | [IU]/mL         | {UCUM}            | 2026-11-01
            replicating  | 5195-3  | positive     |                  |       |                 |                   | 2026-11-01
            replicating  | 42595-9 |              |                  | 20000 | [IU]/mL         | {UCUM}            | 2026-11-01
        """,
        rule={
            "all": [
                {"observation": "hbsag", "is": "positive"},
                {"observation": "hbv_dna", "is": "positive", "below_detection": "negative"},
            ]
        },
        kind="exclusion",
        expected="""
            patient_id  | truth   | reason  | flags
            negative    | false   | not_met |
            without_dna | unknown | no_data |
            below_20    | false   | not_met | below_detection
            replicating | true    | met met |
        """,
    )
