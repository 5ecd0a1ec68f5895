"""# Units

A value is compared in the unit of its concept. What cannot be converted without a doubt is not compared."""


def test_a_factor_belongs_to_a_substance(spec):
    """1.5 mg/dL of creatinine are 132.6 umol/L, of bilirubin 25.7 umol/L: each has its own molar mass."""
    for concept, code, limit, truth in (
        ("creatinine_serum", "2160-0", "132.6 umol/L", "true"),
        ("creatinine_serum", "2160-0", "132.5 umol/L", "false"),
        ("bilirubin_total", "1975-2", "25.7 umol/L", "true"),
        ("bilirubin_total", "1975-2", "25.6 umol/L", "false"),
    ):
        spec(
            as_of="2026-11-20",
            observation=f"""
                patient_id | code   | value | value_unit_code | effective_datetime
                p          | {code} | 1.5   | mg/dL           | 2026-11-10
            """,
            rule={"observation": concept, "at_most": limit},
            expected=f"""
                patient_id | truth
                p          | {truth}
            """,
        )


def test_the_bound_may_be_written_in_any_unit_of_the_concept(spec):
    """6 g/dL and 60 g/L are the same bound; 3.8 mmol/L are more than either."""
    for bound in ("6 g/dL", "60 g/L"):
        spec(
            as_of="2026-11-20",
            observation="""
                patient_id | code  | value | value_unit_code | effective_datetime
                equal      | 718-7 | 60    | g/L             | 2026-11-10
                less       | 718-7 | 5.99  | g/dL            | 2026-11-10
                molar      | 718-7 | 3.8   | mmol/L          | 2026-11-10
            """,
            rule={"observation": "hemoglobin", "at_least": bound},
            expected="""
                patient_id | truth
                equal      | true
                less       | false
                molar      | true
            """,
        )


def test_without_a_unit_a_number_says_nothing(spec):
    """12 may be g/dL or mmol/L, and 130 g/L; nothing is guessed from the size of the number."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value | value_unit_code | value_unit | effective_datetime
            none       | 718-7 | 12    |                 |            | 2026-11-10
            none_large | 718-7 | 130   |                 |            | 2026-11-10
            unheard_of | 718-7 | 12    | furlong         | furlong    | 2026-11-10
            no_mass    | 718-7 | 12    | mm/h            | mm/h       | 2026-11-10
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason
            none       | unknown | unit_missing
            none_large | unknown | unit_missing
            unheard_of | unknown | unit_unconvertible
            no_mass    | unknown | unit_unconvertible
        """,
    )


def test_what_has_no_dimension_needs_no_unit(spec):
    """A ratio, a score and a class are numbers as they stand."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value | value_unit_code | effective_datetime
            bare       | 6301-6 | 1.4   |                 | 2026-11-10
            one        | 6301-6 | 1.4   | 1               | 2026-11-10
            named      | 6301-6 | 1.4   | {INR}           | 2026-11-10
        """,
        rule={"observation": "inr", "below": "1.5"},
        expected="""
            patient_id | truth
            bare       | true
            one        | true
            named      | true
        """,
    )


def test_a_conversion_may_have_an_offset(spec):
    """HbA1c: 48 mmol/mol are 6.54 %, by the master equation and not by a factor."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value | value_unit_code | effective_datetime
            ngsp       | 4548-4  | 6.5   | %               | 2026-11-10
            ifcc       | 59261-8 | 48    | mmol/mol        | 2026-11-10
            lower      | 59261-8 | 47    | mmol/mol        | 2026-11-10
        """,
        rule={"observation": "hba1c", "at_least": "6.5 %"},
        expected="""
            patient_id | truth
            ngsp       | true
            ifcc       | true
            lower      | false
        """,
    )


def test_the_code_of_a_unit_goes_before_its_text(spec):
    """The text is for people; where there is no code, or one that is a text, it is read."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value | value_unit_code | value_unit | effective_datetime
            code       | 718-7 | 6.5   | g/dL            | g/L        | 2026-11-10
            text       | 718-7 | 6.5   |                 | g/dl       | 2026-11-10
            chinese    | 718-7 | 65    |                 | 克/升      | 2026-11-10
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth
            code       | true
            text       | true
            chinese    | true
        """,
    )


def test_what_no_person_has_is_a_mistake(spec):
    """120 g/dL are 1200 g/L: most likely g/L with the wrong unit, and not used. The limits are those after the conversion."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code  | value | value_unit_code | effective_datetime
            mistaken   | 718-7 | 120   | g/dL            | 2026-11-10
            right      | 718-7 | 120   | g/L             | 2026-11-10
            negative   | 718-7 | -1    | g/L             | 2026-11-10
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason
            mistaken   | unknown | implausible
            right      | true    | met
            negative   | unknown | implausible
        """,
    )


def test_enzymes_in_katal(spec):
    """1 ukat/L is 60 U/L; an international unit of an enzyme is its unit."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value | value_unit_code | effective_datetime
            katal      | 1742-6 | 2     | ukat/L          | 2026-11-10
            more       | 1742-6 | 2.01  | ukat/L          | 2026-11-10
            units      | 1742-6 | 120   | U/L             | 2026-11-10
            iu         | 1742-6 | 120   | [IU]/L          | 2026-11-10
        """,
        rule={"observation": "alt", "at_most": "120 U/L"},
        expected="""
            patient_id | truth
            katal      | true
            more       | false
            units      | true
            iu         | true
        """,
    )


def test_a_limit_in_another_unit_than_its_value(spec):
    """1.6 mg/dL beside a limit of 17.1 umol/L: both are converted. A limit in an unknown unit is none."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value | value_unit_code | effective_datetime
            a  | below      | 1975-2 | 1.4   | mg/dL           | 2026-11-10
            b  | over       | 1975-2 | 1.6   | mg/dL           | 2026-11-10
        """,
        observation_range="""
            id | high | high_unit
            a  | 17.1 | umol/L
            b  | 17.1 | umol/L
        """,
        rule={"observation": "bilirubin_total", "at_most": "1.5 ULN"},
        expected="""
            patient_id | truth
            below      | true
            over       | false
        """,
    )
