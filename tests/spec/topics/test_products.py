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
