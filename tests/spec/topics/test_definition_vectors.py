"""# The vectors of the trial definition

Values and the answers that the definition of NCT06983964 gives them, each asked of the criterion as the trial file has it."""

ANA, DSDNA, SM = "8061-4", "31348-6", "11090-8"
LOCAL = "urn:cohortfinder:codesystem:observation"
ANTIBODIES = {"criterion": "I-SLE-AB"}


def test_antinuclear_antibodies(spec):
    """A full-width colon is one; a dilution that was not done leaves it open; three negatives are no."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id  | code  | value_string | ratio_numerator | ratio_denominator | effective_datetime
            full_width  | {ANA} | 1：320       |                 |                   | 2026-11-10
            alone_at_40 | {ANA} |              | 1               | 40                | 2026-11-10
            below_100   | {ANA} | <1:100       |                 |                   | 2026-11-10
        """,
        rule=ANTIBODIES,
        expected="""
            patient_id  | truth
            full_width  | true
            alone_at_40 | unknown
            below_100   | unknown
        """,
    )
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code    | value_string | effective_datetime
            negative   | {ANA}   | Negative     | 2026-11-10
            negative   | {DSDNA} | Negative     | 2026-11-10
            negative   | {SM}    | Negative     | 2026-11-10
        """,
        rule={**ANTIBODIES, "parameters": {"ana_screen_dilution": "1:80"}},
        expected="""
            patient_id | truth
            negative   | false
        """,
    )


def test_activity_of_lupus(spec):
    """Eight points without the single items stay open; eight of which four are serology are four clinical ones."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code_system | code                     | value | effective_datetime
            twelve     | {LOCAL}     | sledai-2k-total          | 12    | 2026-11-10
            eight      | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-10
            serology   | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-10
            serology   | {LOCAL}     | sledai-2k-low-complement | 2     | 2026-11-10
            serology   | {LOCAL}     | sledai-2k-dsdna          | 2     | 2026-11-10
            seven      | {LOCAL}     | sledai-2k-total          | 7     | 2026-11-10
        """,
        rule={"criterion": "I-SLE-ACT"},
        expected="""
            patient_id | truth
            twelve     | true
            eight      | unknown
            serology   | false
            seven      | false
        """,
    )


def test_blood_counts(spec):
    """What lies on one side of a comparator settles it; 5.9 g/dL are 59 g/L; 12 of nobody knows what says nothing."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value_comparator | value | value_unit_code | effective_datetime
            over_1000  | 777-3 | >                | 1000  | 10*9/L          | 2026-11-10
        """,
        rule={"criterion": "I-PLT"},
        expected="""
            patient_id | truth
            over_1000  | true
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value_comparator | value | value_unit_code | effective_datetime
            below_05   | 751-8 | <                | 0.5   | 10*9/L          | 2026-11-10
            below_1    | 751-8 | <                | 1.0   | 10*9/L          | 2026-11-10
        """,
        rule={"criterion": "I-ANC"},
        expected="""
            patient_id | truth
            below_05   | false
            below_1    | unknown
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value | value_unit_code | effective_datetime
            low        | 718-7 | 5.9   | g/dL            | 2026-11-10
            no_unit    | 718-7 | 12    |                 | 2026-11-10
        """,
        rule={"criterion": "I-HB"},
        expected="""
            patient_id | truth   | reason
            low        | false   | not_met
            no_unit    | unknown | unit_missing
        """,
    )


def test_liver_and_coagulation(spec):
    """121 is 3.03 times 40; a letter alone is no multiple; 1.4 is below one and a half times the lowest usual limit."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value | value_unit_code | interpretation | effective_datetime
            a  | just_over  | 1742-6 | 121   | U/L             |                | 2026-11-10
            b  | high       | 1742-6 |       |                 | H              | 2026-11-10
        """,
        observation_range="""
            id | low | low_unit | high | high_unit
            a  | 0   | U/L      | 40   | U/L
        """,
        rule={"criterion": "I-ALT"},
        expected="""
            patient_id | truth
            just_over  | false
            high       | unknown
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value | effective_datetime
            no_range   | 6301-6 | 1.4   | 2026-11-10
        """,
        rule={"criterion": "I-INR"},
        expected="""
            patient_id | truth
            no_range   | true
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value | value_unit_code | effective_datetime
            a  | below_1_65 | 1975-2 | 1.6   | mg/dL           | 2026-11-10
        """,
        observation_range="""
            id | high | high_unit
            a  | 1.1  | mg/dL
        """,
        rule={"criterion": "I-TBIL"},
        expected="""
            patient_id | truth
            below_1_65 | true
        """,
    )


def test_kidneys(spec):
    """150 umol/L are more than 1.5 times 90, the highest usual limit of a woman: then her clearance decides."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            heavy      | female | 1986-01-01
            light      | female | 1936-01-01
            unweighed  | female | 1986-01-01
        """,
        observation="""
            patient_id | code    | value | value_unit_code | effective_datetime
            heavy      | 14682-9 | 150   | umol/L          | 2026-11-10
            heavy      | 29463-7 | 80    | kg              | 2026-11-10
            light      | 14682-9 | 150   | umol/L          | 2026-11-10
            light      | 29463-7 | 40    | kg              | 2026-11-10
            unweighed  | 14682-9 | 150   | umol/L          | 2026-11-10
        """,
        rule={"criterion": "I-RENAL"},
        expected="""
            patient_id | truth
            heavy      | true
            light      | false
            unweighed  | unknown
        """,
    )


def test_heart_and_lungs(spec):
    """A saturation on oxygen says nothing of room air; a range counts with both its ends."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value | value_unit_code | effective_datetime
            on_oxygen  | 59408-5 | 93    | %               | 2026-11-10T08:00:00+08:00
            on_oxygen  | 3151-8  | 2     | L/min           | 2026-11-10T08:00:00+08:00
        """,
        rule={"criterion": "I-SPO2"},
        expected="""
            patient_id | truth   | reason
            on_oxygen  | unknown | on_oxygen
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_string | effective_datetime
            from_50    | 10230-1 | 50-55%       | 2026-11-10
            from_45    | 10230-1 | 45-50%       | 2026-11-10
        """,
        rule={"criterion": "I-LVEF"},
        expected="""
            patient_id | truth
            from_50    | true
            from_45    | unknown
        """,
    )


def test_blood_pressure(spec):
    """One day above the limit among five that are not, and not the latest: a second day would decide."""
    days = "\n".join(
        f"once | {code} | {value} | mm[Hg] | 2026-{day}"
        for day, systolic, diastolic in [
            ("06-01", 130, 80), ("07-01", 162, 88), ("08-01", 130, 80), ("09-01", 130, 80), ("10-01", 130, 80), ("11-10", 130, 80),
        ]
        for code, value in (("8480-6", systolic), ("8462-4", diastolic))
    )  # fmt: skip
    spec(
        as_of="2026-11-20",
        observation="patient_id | code | value | value_unit_code | effective_datetime\n" + days,
        rule={"criterion": "E-BP"},
        kind="exclusion",
        expected="""
            patient_id | truth   | reason
            once       | unknown | single_day_beyond
        """,
    )


def test_hepatitis_b(spec):
    """Both must be positive; below the limit of detection counts as negative here, with a flag."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id   | code    | value_string | value_comparator | value | value_unit_code | effective_datetime
            no_antigen   | 5196-1  | Negative     |                  |       |                 | 2026-11-10
            antigen_only | 5196-1  | Positive     |                  |       |                 | 2026-11-10
            undetected   | 5196-1  | Positive     |                  |       |                 | 2026-11-10
            undetected   | 42595-9 |              | <                | 20    | [IU]/mL         | 2026-11-10
        """,
        rule={"criterion": "E-HBV"},
        kind="exclusion",
        expected="""
            patient_id   | truth   | flags
            no_antigen   | false   |
            antigen_only | unknown |
            undetected   | false   | below_detection
        """,
    )


def test_syphilis_and_tuberculosis(spec):
    """TPPA counts at any titre; RPR alone stays open; an indeterminate interferon test as well."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_string  | effective_datetime
            tppa       | 24312-1 | 1:80 positive | 2026-11-10
            rpr_only   | 31147-2 | 1:8           | 2026-11-10
        """,
        rule={"criterion": "E-SYPH"},
        kind="exclusion",
        expected="""
            patient_id | truth
            tppa       | true
            rpr_only   | unknown
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id    | code    | value_string  | effective_datetime
            indeterminate | 71773-6 | Indeterminate | 2026-11-10
        """,
        rule={"criterion": "E-TB"},
        kind="exclusion",
        expected="""
            patient_id    | truth
            indeterminate | unknown
        """,
    )


def test_activity_of_the_other_diseases(spec):
    """A total of twelve domains below 5 cannot hide a part of 5; a total of 7 can."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code_system | code         | value | effective_datetime
            four       | {LOCAL}     | essdai-total | 4     | 2026-11-10
            seven      | {LOCAL}     | essdai-total | 7     | 2026-11-10
        """,
        rule={"criterion": "I-SS-ACT"},
        expected="""
            patient_id | truth
            four       | false
            seven      | unknown
        """,
    )


def test_measures_of_myositis(spec):
    """0.25 is as much as is asked of the HAQ-DI; with one more measure it is two of five."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id  | code    | value | value_unit_code | effective_datetime
            quarter     | 75874-8 | 0.25  | {score}         | 2026-11-10
            quarter     | 2157-6  | 400   | U/L             | 2026-11-10
            less        | 75874-8 | 0.24  | {score}         | 2026-11-10
            less        | 2157-6  | 400   | U/L             | 2026-11-10
        """,
        rule={
            "need": 2,
            "of": [
                {"observation": "haq_di", "at_least": "0.25"},
                {"observation": "creatine_kinase", "above": "300 U/L"},
            ],
        },
        expected="""
            patient_id | truth
            quarter    | true
            less       | false
        """,
    )


def test_progress_of_systemic_sclerosis(spec):
    """20 to 22 are 10 % more; 2.50 to 2.30 L are 8 % less, which with 16 % of the diffusing capacity is enough."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code_system | code       | value | effective_datetime
            skin       | {LOCAL}     | mrss-total | 20    | 2026-06-10
            skin       | {LOCAL}     | mrss-total | 22    | 2026-11-10
        """,
        rule={"criterion": "I-SSC-ACT"},
        expected="""
            patient_id | truth
            skin       | true
        """,
    )
    spec(
        as_of="2026-11-20",
        condition="""
            patient_id | code      | onset_datetime
            lungs      | 233703007 | 2024-01-01
        """,
        observation="""
            patient_id | code    | value | value_unit_code    | effective_datetime
            lungs      | 19868-9 | 2.50  | L                  | 2026-06-10
            lungs      | 19868-9 | 2.30  | L                  | 2026-11-10
            lungs      | 19911-7 | 25    | mL/min/mm[Hg]      | 2026-06-10
            lungs      | 19911-7 | 21    | mL/min/mm[Hg]      | 2026-11-10
        """,
        rule={"criterion": "I-SSC-ACT"},
        expected="""
            patient_id | truth
            lungs      | true
        """,
    )


def test_what_was_entered_in_error_and_what_may_be_too_old(spec):
    """A record in error is none; a year may lie in the window or before it."""
    spec(
        as_of="2025-06-01",
        observation="""
            patient_id | code  | status           | value | value_unit_code | effective_datetime
            in_error   | 777-3 | entered-in-error | 30    | 10*9/L          | 2025-05-20
            some_day   | 777-3 | final            | 30    | 10*9/L          | 2025
        """,
        rule={"criterion": "I-PLT"},
        expected="""
            patient_id | truth   | reason
            in_error   | unknown | no_data
            some_day   | unknown | partial_date
        """,
    )
