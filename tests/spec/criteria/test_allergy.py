"""# Allergy

An allergy or intolerance to a drug or vaccine."""

CYCLOPHOSPHAMIDE = "3002"
ALLERGIC = {"allergy": "rx_lymphodepletion"}


def test_a_record_counts_unless_it_is_refuted_over_or_an_error(spec):
    """An unconfirmed one only suggests it; what was refuted or resolved says nothing."""
    spec(
        as_of="2026-11-20",
        allergy=f"""
            patient_id  | code               | clinical_status | verification_status
            bare        | {CYCLOPHOSPHAMIDE} |                 |
            active      | {CYCLOPHOSPHAMIDE} | active          | confirmed
            unconfirmed | {CYCLOPHOSPHAMIDE} | active          | unconfirmed
            inactive    | {CYCLOPHOSPHAMIDE} | inactive        | confirmed
            resolved    | {CYCLOPHOSPHAMIDE} | resolved        | confirmed
            refuted     | {CYCLOPHOSPHAMIDE} |                 | refuted
            in_error    | {CYCLOPHOSPHAMIDE} |                 | entered-in-error
            another     | 1191               | active          | confirmed
        """,
        rule=ALLERGIC,
        expected="""
            patient_id  | truth   | reason           | suggested
            bare        | true    | met              |
            active      | true    | met              |
            unconfirmed | unknown | tentative_record | yes
            inactive    | unknown | no_data          |
            resolved    | unknown | no_data          |
            refuted     | unknown | no_data          |
            in_error    | unknown | no_data          |
            another     | unknown | no_data          |
        """,
    )


def test_a_severe_one_says_so_itself(spec):
    """By its criticality or by a reaction; of any other nobody knows."""
    spec(
        as_of="2026-11-20",
        allergy=f"""
            patient_id | code               | criticality      | reaction_severity
            critical   | {CYCLOPHOSPHAMIDE} | high             |
            reacted    | {CYCLOPHOSPHAMIDE} | unable-to-assess | mild severe
            mild       | {CYCLOPHOSPHAMIDE} | low              | mild
            bare       | {CYCLOPHOSPHAMIDE} |                  |
        """,
        rule={**ALLERGIC, "severe": "yes"},
        expected="""
            patient_id | truth   | reason
            critical   | true    | met
            reacted    | true    | met
            mild       | unknown | severity_unclear
            bare       | unknown | severity_unclear
        """,
    )


def test_that_no_allergy_is_known_is_a_record_against(spec):
    """Unless there is one all the same."""
    spec(
        as_of="2026-11-20",
        allergy=f"""
            patient_id | code_system                                | code               | recorded_date
            none_known | http://snomed.info/sct                     | 716186003          | 2026-10-01
            no_drug    | http://snomed.info/sct                     | 409137002          | 2026-10-01
            later      | http://snomed.info/sct                     | 716186003          | 2026-12-01
            both       | http://snomed.info/sct                     | 716186003          | 2026-10-01
            both       | http://www.nlm.nih.gov/research/umls/rxnorm | {CYCLOPHOSPHAMIDE} | 2026-01-01
        """,
        rule=ALLERGIC,
        expected="""
            patient_id | truth | reason
            none_known | false | recorded_against
            no_drug    | false | recorded_against
            later      | false | recorded_against
            both       | true  | met
        """,
    )


def test_one_that_begins_later_does_not_exist_yet(spec):
    """When it was recorded does not matter."""
    spec(
        as_of="2026-11-20",
        allergy=f"""
            patient_id     | code               | onset_datetime | recorded_date
            later          | {CYCLOPHOSPHAMIDE} | 2026-11-21     | 2026-11-21
            recorded_later | {CYCLOPHOSPHAMIDE} |                | 2026-11-21
        """,
        rule=ALLERGIC,
        expected="""
            patient_id     | truth   | reason  | changes_on
            later          | unknown | no_data | 2026-11-21
            recorded_later | true    | met     |
        """,
    )


def test_with_absence_false_the_silence_of_a_chart_is_a_no(spec):
    """Where allergies are loaded and the patient was seen."""
    spec(
        as_of="2026-11-20",
        encounter="""
            patient_id | start_at
            seen       | 2026-11-01
        """,
        rule={**ALLERGIC, "absence": "false"},
        expected="""
            patient_id | truth | reason
            seen       | false | absent
        """,
    )
