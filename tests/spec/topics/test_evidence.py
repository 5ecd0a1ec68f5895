"""# Evidence

What decided: the resource, its date and value as sent, the value as compared; or what was searched and not found."""

UCUM = "http://unitsofmeasure.org"


def test_a_result_is_shown_as_sent_and_as_compared(spec):
    """In the unit of the source and in the unit of the concept."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id  | patient_id | code  | value | value_comparator | value_unit_code | value_unit_system | effective_datetime
            hb1 | exact      | 718-7 | 6.0   |                  | g/dL            | {UCUM}            | 2026-11-01T08:00:00+08:00
            hb2 | month      | 718-7 | 120   | >                | g/L             | {UCUM}            | 2026-11
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth
            exact      | true
            month      | true
        """,
        evidence="""
            patient_id | resource        | date                      | value      | compared
            exact      | Observation/hb1 | 2026-11-01T08:00:00+08:00 | 6 g/dL     | 60 g/L
            month      | Observation/hb2 | 2026-11                   | > 120 g/L  | > 120 to 260 g/L
        """,
    )


def test_a_number_is_shown_with_the_digits_that_were_sent(spec):
    """Those of the version that is stored; what is compared is the number."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id   | patient_id | version_id | component | code   | value | value_unit_code | value_unit_system | effective_datetime
            crp  | zeros      | 2          |           | 2160-0 | 1.2   | mg/dL           | {UCUM}            | 2026-11-01
            old  | older      | 2          |           | 2160-0 | 1.3   | mg/dL           | {UCUM}            | 2026-11-01
            same | plain      |            |           | 2160-0 | 1.4   | mg/dL           | {UCUM}            | 2026-11-01
            part | part       |            | 1         | 2160-0 | 1.5   | mg/dL           | {UCUM}            | 2026-11-01
        """,
        exact_number="""
            id   | version_id | component | value_sent
            crp  | 2          |           | 1.200
            crp  | 1          |           | 1.20
            old  | 1          |           | 1.30
            same |            |           | 1.50
            part |            | 0         | 1.50
            part |            | 1         | 15e-1
        """,
        rule={"observation": "creatinine_serum", "at_most": "2 mg/dL"},
        expected="""
            patient_id | truth
            zeros      | true
            older      | true
            plain      | true
            part       | true
        """,
        evidence="""
            patient_id | resource         | value
            zeros      | Observation/crp  | 1.200 mg/dL
            older      | Observation/old  | 1.3 mg/dL
            plain      | Observation/same | 1.4 mg/dL
            part       | Observation/part | 15e-1 mg/dL
        """,
    )


def test_a_multiple_of_a_limit_is_shown_with_the_limit(spec):
    """Value and limit in the same unit, whichever the comparison was made in."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | code   | value | value_unit_code | value_unit_system | effective_datetime
            a  | own        | 1975-2 | 1.6   | mg/dL           | {UCUM}            | 2026-11-01
            b  | assumed    | 1975-2 | 1     | mg/dL           | {UCUM}            | 2026-11-01
        """,
        observation_range="""
            id | high | high_unit
            a  | 1.1  | mg/dL
        """,
        rule={"observation": "bilirubin_total", "at_most": "1.5 ULN"},
        expected="""
            patient_id | truth
            own        | true
            assumed    | true
        """,
        evidence="""
            patient_id | value     | compared
            own        | 1.6 mg/dL | 1.6 mg/dL; uln 1.1
            assumed    | 1 mg/dL   | 17.104 umol/L; uln assumed 17 to 26
        """,
    )


def test_an_unusable_result_is_shown_with_what_is_wrong(spec):
    """So that it can be put right at its source."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code  | value | effective_datetime
            a  | unitless   | 718-7 | 12    | 2026-11-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth
            unitless   | unknown
        """,
        evidence="""
            patient_id | resource      | date       | value | compared
            unitless   | Observation/a | 2026-11-01 | 12    | unit_missing
        """,
    )


def test_an_event_is_shown_with_its_date_and_name(spec):
    """Only those that decided."""
    spec(
        as_of="2026-11-20",
        medication_administration="""
            id | patient_id | code    | code_text          | effective_datetime
            a  | treated    | 1092437 | Belimumab infusion | 2026-11-05
            b  | treated    | 1092437 | Belimumab infusion | 2026-01-05
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth
            treated    | true
        """,
        evidence="""
            patient_id | resource                   | date       | value
            treated    | MedicationAdministration/a | 2026-11-05 | Belimumab infusion
        """,
    )


def test_absence_says_what_was_searched(spec):
    """How many records of that kind the patient has, and since when."""
    spec(
        as_of="2026-11-20",
        condition="""
            patient_id | code     | recorded_date
            healthy    | 38341003 | 2019-04-02
            healthy    | 44054006 | 2026-11-01
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id | truth
            healthy    | false
        """,
        evidence="""
            patient_id | resource | searched     | since
            healthy    |          | 2 conditions | 2019-04-02
        """,
    )


def test_a_missing_result_says_what_was_searched(spec):
    """The concept, and the first day of the window."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id
            untested
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L", "within": "28 days"},
        expected="""
            patient_id | truth
            untested   | unknown
        """,
        evidence="""
            patient_id | resource | searched            | since
            untested   |          | Hemoglobin in blood | 2026-10-23
        """,
    )


def test_a_combination_shows_the_evidence_of_what_decided(spec):
    """A false child of `all` is enough."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            a  | woman      | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01
        """,
        rule={"all": [{"observation": "hemoglobin", "at_least": "60 g/L"}, {"sex": "male"}]},
        expected="""
            patient_id | truth
            woman      | false
        """,
        evidence="""
            patient_id | resource      | value
            woman      | Patient/woman | female
        """,
    )


def test_what_decided_comes_first_and_names_its_concept(spec):
    """Of several results, of several concepts in order of preference, and of several lines of a series."""
    readings = f"""
        id  | patient_id | code   | value | value_unit_code | value_unit_system | effective_datetime
        old | high_once  | 8480-6 | 170   | mm[Hg]          | {UCUM}            | 2026-09-01
        new | high_once  | 8480-6 | 120   | mm[Hg]          | {UCUM}            | 2026-11-01
    """
    spec(
        as_of="2026-11-20",
        observation=readings,
        rule={"observation": "systolic_bp", "above": "160 mm[Hg]", "within": "6 months", "pick": "any"},
        expected="""
            patient_id | truth
            high_once  | true
        """,
        first_evidence="""
            patient_id | resource        | concept
            high_once  | Observation/old | systolic_bp
        """,
    )
    spec(
        as_of="2026-11-20",
        observation=readings,
        rule={"observation": "systolic_bp", "at_most": "160 mm[Hg]", "within": "6 months", "pick": "all"},
        expected="""
            patient_id | truth
            high_once  | false
        """,
        first_evidence="""
            patient_id | resource
            high_once  | Observation/old
        """,
    )


def test_a_partial_date_does_not_come_before_the_exact_one_that_decided(spec):
    """Though it may be newer."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id    | patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            month | both       | 718-7 | 130   | g/L             | {UCUM}            | 2026-11
            day   | both       | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-10
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth
            both       | true
        """,
        first_evidence="""
            patient_id | resource
            both       | Observation/day
        """,
    )


def test_the_line_of_a_series_and_the_test_of_a_list_are_named(spec):
    """By the concept of the result that decided."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id  | patient_id | code   | value | value_unit_code | value_unit_system | effective_datetime
            low | diastolic  | 8462-4 | 101   | mm[Hg]          | {UCUM}            | 2026-11-01
        """,
        rule={
            "series": [
                {"observation": "systolic_bp", "above": "160 mm[Hg]"},
                {"observation": "diastolic_bp", "above": "100 mm[Hg]"},
            ],
            "within": "6 months",
            "recent": "28 days",
            "days": 2,
        },
        expected="""
            patient_id | truth
            diastolic  | true
        """,
        evidence="""
            patient_id | resource        | concept
            diastolic  | Observation/low | diastolic_bp
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value_string | effective_datetime
            u  | urine      | 2106-3 | negative     | 2026-11-15
        """,
        rule={"observation": ["hcg_quantitative", "pregnancy_test_serum", "pregnancy_test_urine"], "is": "negative"},
        expected="""
            patient_id | truth
            urine      | true
        """,
        evidence="""
            patient_id | resource      | concept
            urine      | Observation/u | pregnancy_test_urine
        """,
    )
