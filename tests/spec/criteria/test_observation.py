"""# Observation

A laboratory value, vital sign or score, compared as an interval in the unit of its concept."""

UCUM = "http://unitsofmeasure.org"


def test_the_boundary_value_itself_counts(spec):
    """`at_least` includes its value; the unit is converted before it is compared."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            at         | 718-7 | 6.0   | g/dL            | {UCUM}            | 2026-11-01
            under      | 718-7 | 5.9   | g/dL            | {UCUM}            | 2026-11-01
            in_g_l     | 718-7 | 60    | g/L             | {UCUM}            | 2026-11-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth | reason
            at         | true  | met
            under      | false | not_met
            in_g_l     | true  | met
        """,
    )


def test_a_comparator_is_an_open_interval(spec):
    """Below 0.01 settles "at least 0.5", below 1.0 does not; above 1000 settles "at least 20"."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value_comparator | value | value_unit_code | value_unit_system | effective_datetime
            far_below  | 751-8 | <                | 0.5   | 10*9/L          | {UCUM}            | 2026-11-01
            straddles  | 751-8 | <                | 1.0   | 10*9/L          | {UCUM}            | 2026-11-01
            above      | 751-8 | >                | 100   | 10*9/L          | {UCUM}            | 2026-11-01
        """,
        rule={"observation": "absolute_neutrophil_count", "at_least": "0.5 10*9/L"},
        expected="""
            patient_id | truth   | reason
            far_below  | false   | not_met
            straddles  | unknown | comparator_straddles_threshold
            above      | true    | met
        """,
    )


def test_a_value_that_cannot_be_compared_is_unknown_with_its_reason(spec):
    """Never false, never guessed."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id  | code  | status      | value | value_unit_code | value_unit_system | data_absent_reason | effective_datetime
            no_unit     | 718-7 | final       | 12    |                 |                   |                    | 2026-11-01
            odd_unit    | 718-7 | final       | 12    | furlong         |                   |                    | 2026-11-01
            implausible | 718-7 | final       | 9999  | g/L             | {UCUM}            |                    | 2026-11-01
            preliminary | 718-7 | preliminary | 120   | g/L             | {UCUM}            |                    | 2026-11-01
            not_done    | 718-7 | final       |       |                 |                   | not-performed      | 2026-11-01
            in_error    | 718-7 | entered-in-error | 120 | g/L          | {UCUM}            |                    | 2026-11-01
            old         | 718-7 | final       | 120   | g/L             | {UCUM}            |                    | 2026-01-01
            tomorrow    | 718-7 | final       | 120   | g/L             | {UCUM}            |                    | 2026-11-21
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id  | truth   | reason             | changes_on
            no_unit     | unknown | unit_missing       |
            odd_unit    | unknown | unit_unconvertible |
            implausible | unknown | implausible        |
            preliminary | unknown | unusable_status    |
            not_done    | unknown | no_value           |
            in_error    | unknown | no_data            |
            old         | unknown | out_of_window      |
            tomorrow    | unknown | no_data            | 2026-11-21
        """,
    )


def test_the_window_includes_both_its_ends(spec):
    """90 days before 2026-11-20 is 2026-08-22; the day after that it is too old, and the verdict is open."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            first_day  | 718-7 | 120   | g/L             | {UCUM}            | 2026-08-22
            day_before | 718-7 | 120   | g/L             | {UCUM}            | 2026-08-21
            in_zone    | 718-7 | 120   | g/L             | {UCUM}            | 2026-08-21T20:00:00Z
            month      | 718-7 | 120   | g/L             | {UCUM}            | 2026-08
            this_month | 718-7 | 120   | g/L             | {UCUM}            | 2026-11
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason        | flags              | changes_on
            first_day  | true    | met           | stale_for_protocol | 2026-11-21
            day_before | unknown | out_of_window |                    |
            in_zone    | true    | met           | stale_for_protocol | 2026-11-21
            month      | unknown | partial_date  | stale_for_protocol |
            this_month | true    | met           |                    | 2027-01-31
        """,
    )


def test_the_newest_usable_result_decides(spec):
    """A newer unusable one is flagged; results of one time that contradict each other speak against the patient."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id    | code  | value | value_unit_code | value_unit_system | effective_datetime
            newer_wins    | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01
            newer_wins    | 718-7 | 50    | g/L             | {UCUM}            | 2026-11-02
            newer_no_unit | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01
            newer_no_unit | 718-7 | 50    |                 |                   | 2026-11-19
            contradictory | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01T08:00:00Z
            contradictory | 718-7 | 50    | g/L             | {UCUM}            | 2026-11-01T08:00:00Z
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id    | truth | flags
            newer_wins    | false |
            newer_no_unit | true  | newer_unusable stale
            contradictory | false | contradictory_results
        """,
    )


def test_a_multiple_of_the_upper_limit_uses_the_results_own_range(spec):
    """1.6 mg/dL against an own limit of 1.1 is below 1.5 x ULN = 1.65; without a range an assumed limit decides only where both its ends agree."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id     | code   | value | value_unit_code | value_unit_system | interpretation | effective_datetime
            a  | own_range      | 1975-2 | 1.6   | mg/dL           | {UCUM}            |                | 2026-11-01
            b  | own_at_limit   | 1975-2 | 1.65  | mg/dL           | {UCUM}            |                | 2026-11-01
            c  | own_above      | 1975-2 | 1.66  | mg/dL           | {UCUM}            |                | 2026-11-01
            d  | assumed_low    | 1975-2 | 20    | umol/L          | {UCUM}            |                | 2026-11-01
            e  | assumed_between | 1975-2 | 30   | umol/L          | {UCUM}            |                | 2026-11-01
            f  | called_normal  | 1975-2 | 30    | umol/L          | {UCUM}            | N              | 2026-11-01
            g  | unitless       | 1975-2 | 1.6   |                 |                   |                | 2026-11-01
        """,
        observation_range="""
            id | high | high_unit
            a  | 1.1  | mg/dL
            b  | 1.1  | mg/dL
            c  | 1.1  | mg/dL
            g  | 1.1  |
        """,
        rule={"observation": "bilirubin_total", "at_most": "1.5 ULN"},
        expected="""
            patient_id      | truth   | reason             | flags
            own_range       | true    | met                |
            own_at_limit    | true    | met                |
            own_above       | false   | not_met            |
            assumed_low     | true    | met                | assumed_uln
            assumed_between | unknown | no_reference_range |
            called_normal   | true    | met                |
            unitless        | true    | met                |
        """,
    )


def test_a_titre_in_every_form(spec):
    """1:320 as ratio, text, full-width text, number; several patterns count with their highest."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value | ratio_numerator | ratio_denominator | value_string                    | effective_datetime
            ratio      | 5048-4 |       | 1               | 320               |                                 | 2026-11-01
            low_ratio  | 5048-4 |       | 1               | 40                |                                 | 2026-11-01
            wide       | 5048-4 |       |                 |                   | 1：320                          | 2026-11-01
            patterns   | 5048-4 |       |                 |                   | 1:40 homogeneous, 1:320 speckled | 2026-11-01
            below      | 5048-4 |       |                 |                   | <1:100                          | 2026-11-01
            number     | 5048-4 | 80    |                 |                   |                                 | 2026-11-01
            fraction   | 5048-4 | 0.003125 |              |                   |                                 | 2026-11-01
        """,
        rule={"observation": "ana_titer", "at_least": "1:80"},
        expected="""
            patient_id | truth   | reason
            ratio      | true    | met
            low_ratio  | false   | not_met
            wide       | true    | met
            patterns   | true    | met
            below      | unknown | comparator_straddles_threshold
            number     | true    | met
            fraction   | true    | met
        """,
    )


def test_positive_and_negative_in_every_form(spec):
    """A coded result, a word, the laboratory's interpretation, a number against its own range."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code    | value_code_system       | value_code | value_string | interpretation | value | effective_datetime
            a  | coded      | 13955-0 | http://snomed.info/sct  | 10828004   |              |                |       | 2026-11-01
            b  | word       | 13955-0 |                         |            | Non-Reactive |                |       | 2026-11-01
            c  | chinese    | 13955-0 |                         |            | 阳性         |                |       | 2026-11-01
            d  | called     | 13955-0 |                         |            |              | POS            |       | 2026-11-01
            e  | measured   | 13955-0 |                         |            |              |                | 2.5   | 2026-11-01
            f  | weak       | 13955-0 |                         |            | ±            |                |       | 2026-11-01
            g  | disagrees  | 13955-0 |                         |            | negative     | POS            |       | 2026-11-01
            h  | prose      | 13955-0 |                         |            | see comment  |                |       | 2026-11-01
        """,
        observation_range="""
            id | high
            e  | 1
        """,
        rule={"observation": "hcv_antibody", "is": "positive"},
        expected="""
            patient_id | truth   | reason
            coded      | true    | met
            word       | false   | not_met
            chinese    | true    | met
            called     | true    | met
            measured   | true    | met
            weak       | unknown | equivocal_result
            disagrees  | unknown | interpretation_disagrees
            prose      | unknown | no_polarity
        """,
    )
