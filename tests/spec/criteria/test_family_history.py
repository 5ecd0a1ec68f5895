"""# Family history

A condition of a relative."""

DYSTROPHY = "73297009"
FAMILIAL = {"family_history": "dx_myopathy_other_non_iim"}


def test_a_condition_of_a_relative_counts_by_the_status_of_the_record(spec):
    """Complete or not; where the health of the relative is not known, it stays open."""
    spec(
        as_of="2026-11-20",
        family_history=f"""
            patient_id | code        | status           | relationship | date
            mother     | {DYSTROPHY} | completed        | MTH          | 2020-01-01
            partly     | {DYSTROPHY} | partial          | FTH          |
            unknown    | {DYSTROPHY} | health-unknown   | MTH          |
            in_error   | {DYSTROPHY} | entered-in-error | MTH          |
            another    | 38341003    | completed        | MTH          |
            later_told | {DYSTROPHY} | completed        | MTH          | 2026-12-01
        """,
        rule=FAMILIAL,
        expected="""
            patient_id | truth   | reason
            mother     | true    | met
            partly     | true    | met
            unknown    | unknown | tentative_record
            in_error   | unknown | no_data
            another    | unknown | no_data
            later_told | true    | met
        """,
    )


def test_an_unspecific_code_leaves_it_open(spec):
    """I77.82 names no single vasculitis."""
    spec(
        as_of="2026-11-20",
        family_history="""
            patient_id | code_system                        | code
            p          | http://hl7.org/fhir/sid/icd-10-cm  | I77.82
        """,
        rule={"family_history": "dx_aav_unspecified"},
        expected="""
            patient_id | truth   | reason
            p          | unknown | unspecific_code
        """,
    )


def test_a_condition_of_the_patient_is_no_family_history(spec):
    """Nor the other way round."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code
            own        | {DYSTROPHY}
        """,
        rule=FAMILIAL,
        expected="""
            patient_id | truth   | reason
            own        | unknown | no_data
        """,
    )
    spec(
        as_of="2026-11-20",
        family_history=f"""
            patient_id | code
            relative   | {DYSTROPHY}
        """,
        rule={"condition": "dx_myopathy_other_non_iim", "ever": "yes", "absence": "unknown"},
        expected="""
            patient_id | truth   | reason
            relative   | unknown | no_data
        """,
    )


def test_with_absence_false_the_silence_of_a_chart_is_a_no(spec):
    """Where family histories are loaded and the patient was seen."""
    spec(
        as_of="2026-11-20",
        encounter="""
            patient_id | start_at
            seen       | 2026-11-01
        """,
        rule={**FAMILIAL, "absence": "false"},
        expected="""
            patient_id | truth | reason
            seen       | false | absent
        """,
        evidence="""
            patient_id | searched                 | found
            seen       | 0 family history records |
        """,
    )
