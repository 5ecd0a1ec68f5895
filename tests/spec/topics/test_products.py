"""# Products

A medication record names its drug by codes, by a text, or by a product with a code and ingredients."""

IVIG, UNSPECIFIED, SUBCUTANEOUS = "87", "14", "J06BA01"
CVX, ATC = "http://hl7.org/fhir/sid/cvx", "http://www.whocc.no/atc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def test_the_codes_of_one_name_are_synonyms(spec):
    """One of another drug beside one of this drug leaves it open; beside an unspecific one it settles that it is the other."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            id | patient_id | code_system | code           | effective_datetime
            a1 | agrees     | {CVX}       | {IVIG}         | 2026-11-05
            a1 | agrees     | {CVX}       | {UNSPECIFIED}  | 2026-11-05
            a2 | conflicts  | {CVX}       | {IVIG}         | 2026-11-05
            a2 | conflicts  | {ATC}       | {SUBCUTANEOUS} | 2026-11-05
            a3 | another    | {CVX}       | {UNSPECIFIED}  | 2026-11-05
            a3 | another    | {ATC}       | {SUBCUTANEOUS} | 2026-11-05
        """,
        rule={"medication": "rx_ivig", "within": "3 weeks", "absence": "unknown"},
        expected="""
            patient_id | truth   | reason
            agrees     | true    | met
            conflicts  | unknown | conflicting_codes
            another    | unknown | no_data
        """,
    )


def test_an_order_not_to_give_speaks_for_its_own_time(spec):
    """One that is over says nothing of today; one that stands does."""
    spec(
        as_of="2026-11-20",
        medication_request="""
            patient_id | code    | status    | authored_on | do_not_perform
            over       | 1092437 | completed | 2025-11-05  | true
            stands     | 1092437 | active    | 2025-11-05  | true
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks", "absence": "unknown"},
        expected="""
            patient_id | truth   | reason
            over       | unknown | no_data
            stands     | false   | recorded_against
        """,
    )


def test_a_product_is_shown_by_the_ingredient_that_was_asked_for(spec):
    """Not by another part of it."""
    spec(
        as_of="2026-11-20",
        medication=f"""
            id | ingredient_system | ingredient_code | ingredient_text
            m1 | {RXNORM}          | 1191            | Aspirin
            m1 | {RXNORM}          | 1092437         | Belimumab 120 mg
        """,
        medication_administration="""
            patient_id | medication_id | effective_datetime
            treated    | m1            | 2026-11-05
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth
            treated    | true
        """,
        evidence="""
            patient_id | date       | value
            treated    | 2026-11-05 | Belimumab 120 mg
        """,
    )


def test_a_record_that_names_no_drug_may_be_any(spec):
    """Its product is not loaded, or it says nothing at all: within the window it leaves a drug open, outside it is passed over."""
    spec(
        as_of="2026-11-20",
        medication="""
            id     | code_system | code
            loaded | ATC         | N02BE01
            silent |             |
        """.replace("ATC", ATC),
        medication_administration="""
            patient_id | medication_id | code_text | status    | effective_datetime
            lost       | nowhere       |           | completed | 2026-11-05
            empty      |               |           | completed | 2026-11-05
            without    | silent        |           | completed | 2026-11-05
            first_day  | nowhere       |           | completed | 2026-10-30
            before     | nowhere       |           | completed | 2026-10-29
            month      | nowhere       |           | completed | 2026-10
            undated    | nowhere       |           | completed |
            later      | nowhere       |           | completed | 2026-11-21
            another    | loaded        |           | completed | 2026-11-05
            said       | nowhere       | Aspirin   | completed | 2026-11-05
            not_given  | nowhere       |           | not-done  | 2026-11-05
        """,
        encounter="""
            patient_id | start_at
            lost       | 2026-11-19
            empty      | 2026-11-19
            without    | 2026-11-19
            first_day  | 2026-11-19
            before     | 2026-11-19
            month      | 2026-11-19
            undated    | 2026-11-19
            later      | 2026-11-19
            another    | 2026-11-19
            said       | 2026-11-19
            not_given  | 2026-11-19
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth   | reason       | suggested
            lost       | unknown | unnamed_drug |
            empty      | unknown | unnamed_drug |
            without    | unknown | unnamed_drug |
            first_day  | unknown | unnamed_drug |
            before     | false   | absent       |
            month      | unknown | unnamed_drug |
            undated    | unknown | unnamed_drug |
            later      | unknown | not_observed |
            another    | false   | absent       |
            said       | false   | absent       |
            not_given  | false   | absent       |
        """,
    )


def test_a_record_that_names_no_drug_may_be_a_vaccine(spec):
    """Where a vaccine is asked for among the medications."""
    spec(
        as_of="2026-11-20",
        medication_administration="""
            patient_id | code | medication_id | effective_datetime
            lost       |      | nowhere       | 2026-11-05
        """,
        rule={"medication": "vx_live", "within": "6 weeks"},
        expected="""
            patient_id | truth   | reason
            lost       | unknown | unnamed_drug
        """,
    )


def test_a_record_that_names_no_drug_changes_nothing_beside_one_that_does(spec):
    spec(
        as_of="2026-11-20",
        medication_administration="""
            patient_id | code    | medication_id | status    | effective_datetime
            given      | 1092437 |               | completed | 2026-11-05
            given      |         | nowhere       | completed | 2026-11-06
            long_ago   | 1092437 |               | completed | 2024-11-05
            long_ago   |         | nowhere       | completed | 2024-11-06
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth | reason
            given      | true  | met
            long_ago   | false | outside_window
        """,
    )
