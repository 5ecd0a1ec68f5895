"""# People

Who counts: the living, each once."""

UCUM = "http://unitsofmeasure.org"
WOMAN = {"sex": "female"}


def test_the_deceased_are_left_out(spec):
    """Who died after the index date was alive on it."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id  | gender | deceased | deceased_at
            alive       | female |          |
            not_dead    | female | false    |
            dead        | female | true     |
            died_before | female |          | 2026-11-19
            died_today  | female |          | 2026-11-20
            died_later  | female |          | 2026-11-21
        """,
        rule=WOMAN,
        expected="""
            patient_id | truth
            alive      | true
            not_dead   | true
            died_later | true
        """,
    )


def test_the_records_of_a_replaced_patient_count_for_the_survivor(spec):
    """Also along a chain; the replaced records are not people of their own."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | replaced_by
            survivor   | female |
            duplicate  | female | survivor
            older      | male   | duplicate
        """,
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            older      | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01
        """,
        rule={"all": [WOMAN, {"observation": "hemoglobin", "at_least": "60 g/L"}]},
        expected="""
            patient_id | truth
            survivor   | true
        """,
    )


def test_a_record_may_be_replaced_without_knowing_it(spec):
    """Only the survivor says so. What a record says of itself goes before what another one says of it."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | replaced_by | replaces
            survivor   | female |             | one two
            one        | male   |             |
            two        | male   | other       |
            other      | female |             |
        """,
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            one        | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01
            two        | 718-7 | 50    | g/L             | {UCUM}            | 2026-11-01
        """,
        rule={"all": [WOMAN, {"observation": "hemoglobin", "at_least": "60 g/L"}]},
        expected="""
            patient_id | truth
            survivor   | true
            other      | false
        """,
    )


def test_a_patient_replaced_by_itself_counts(spec):
    """The link says nothing."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | replaced_by
            oneself    | female | oneself
        """,
        rule=WOMAN,
        expected="""
            patient_id | truth
            oneself    | true
        """,
    )


def test_records_that_replace_each_other_are_left_out(spec):
    """Nobody can tell which one counts; the others are not held up."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | replaced_by
            this       | female | that
            that       | female | this
            other      | female |
        """,
        rule=WOMAN,
        expected="""
            patient_id | truth
            other      | true
        """,
    )


def test_a_patient_replaced_by_an_unknown_record_counts(spec):
    """The survivor was not delivered."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | replaced_by
            duplicate  | female | elsewhere
        """,
        rule=WOMAN,
        expected="""
            patient_id | truth
            duplicate  | true
        """,
    )
