"""# Observation

A laboratory value, vital sign or score, compared as an interval in the unit of its concept."""

import pytest

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
            month      | unknown | partial_date  |                    |
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


def test_a_range_is_an_interval(spec):
    """As valueRange or as text: 50 to 55 % settles "at least 50 %", 45 to 50 % does not."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id     | code    | range_low | range_low_unit | range_high | range_high_unit | value_string | effective_datetime
            above          | 10230-1 | 50        | %              | 55         | %               |              | 2026-11-01
            straddles      | 10230-1 | 45        | %              | 50         | %               |              | 2026-11-01
            below          | 10230-1 | 30        | %              | 40         | %               |              | 2026-11-01
            open_above     | 10230-1 | 50        | %              |            |                 |              | 2026-11-01
            text_above     | 10230-1 |           |                |            |                 | 55-60%       | 2026-11-01
            text_straddles | 10230-1 |           |                |            |                 | 45-50%       | 2026-11-01
            text_at_least  | 10230-1 |           |                |            |                 | ≥50%         | 2026-11-01
            prose          | 10230-1 |           |                |            |                 | normal       | 2026-11-01
        """,
        rule={"observation": "lvef", "at_least": "50 %"},
        expected="""
            patient_id     | truth   | reason
            above          | true    | met
            straddles      | unknown | comparator_straddles_threshold
            below          | false   | not_met
            open_above     | true    | met
            text_above     | true    | met
            text_straddles | unknown | comparator_straddles_threshold
            text_at_least  | true    | met
            prose          | unknown | not_numeric
        """,
    )


def test_pick_any_is_true_by_one_result(spec):
    """And false only when there is one and none is true or open."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id
            nothing
        """,
        observation=f"""
            patient_id | code   | value_comparator | value | value_unit_code | value_unit_system | effective_datetime
            one_high   | 8480-6 |                  | 170   | mm[Hg]          | {UCUM}            | 2026-07-01
            one_high   | 8480-6 |                  | 120   | mm[Hg]          | {UCUM}            | 2026-11-01
            none_high  | 8480-6 |                  | 120   | mm[Hg]          | {UCUM}            | 2026-07-01
            none_high  | 8480-6 |                  | 120   | mm[Hg]          | {UCUM}            | 2026-11-01
            one_open   | 8480-6 | >                | 150   | mm[Hg]          | {UCUM}            | 2026-07-01
            one_open   | 8480-6 |                  | 120   | mm[Hg]          | {UCUM}            | 2026-11-01
            too_old    | 8480-6 |                  | 170   | mm[Hg]          | {UCUM}            | 2026-01-01
        """,
        rule={"observation": "systolic_bp", "above": "160 mm[Hg]", "within": "6 months", "pick": "any"},
        expected="""
            patient_id | truth   | reason
            one_high   | true    | met
            none_high  | false   | not_met
            one_open   | unknown | comparator_straddles_threshold
            too_old    | unknown | out_of_window
            nothing    | unknown | no_data
        """,
    )


def test_pick_all_is_false_by_one_result(spec):
    """And true only when there is one and none is false or open."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code   | value_comparator | value | value_unit_code | value_unit_system | effective_datetime
            one_high   | 8480-6 |                  | 170   | mm[Hg]          | {UCUM}            | 2026-07-01
            one_high   | 8480-6 |                  | 120   | mm[Hg]          | {UCUM}            | 2026-11-01
            none_high  | 8480-6 |                  | 120   | mm[Hg]          | {UCUM}            | 2026-11-01
            one_open   | 8480-6 | >                | 150   | mm[Hg]          | {UCUM}            | 2026-07-01
            one_open   | 8480-6 |                  | 120   | mm[Hg]          | {UCUM}            | 2026-11-01
        """,
        rule={"observation": "systolic_bp", "at_most": "160 mm[Hg]", "within": "6 months", "pick": "all"},
        expected="""
            patient_id | truth   | reason
            one_high   | false   | not_met
            none_high  | true    | met
            one_open   | unknown | comparator_straddles_threshold
        """,
    )


def test_a_list_of_concepts_is_an_order_of_preference(spec):
    """The first with a usable result in the window decides, unless a later one has a newer result that says the opposite."""
    serum, urine = "2118-8", "2106-3"
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id     | code    | status      | value_string | effective_datetime
            both_agree     | {serum} | final       | negative     | 2026-11-10
            both_agree     | {urine} | final       | negative     | 2026-11-15
            newer_opposite | {serum} | final       | negative     | 2026-11-10
            newer_opposite | {urine} | final       | positive     | 2026-11-15
            older_opposite | {serum} | final       | negative     | 2026-11-15
            older_opposite | {urine} | final       | positive     | 2026-11-10
            second_only    | {urine} | final       | positive     | 2026-11-10
            first_unusable | {serum} | preliminary | negative     | 2026-11-15
            first_unusable | {urine} | final       | positive     | 2026-11-10
            first_too_old  | {serum} | final       | negative     | 2026-01-10
            first_too_old  | {urine} | final       | positive     | 2026-11-10
        """,
        rule={"observation": ["pregnancy_test_serum", "pregnancy_test_urine"], "is": "positive"},
        expected="""
            patient_id     | truth   | reason
            both_agree     | false   | not_met
            newer_opposite | unknown | conflicting_results
            older_opposite | false   | not_met
            second_only    | true    | met
            first_unusable | true    | met
            first_too_old  | true    | met
        """,
    )


ANA = """
    patient_id     | code    | value_string | effective_datetime
    negative       | 42254-3 | negative     | 2026-11-01
    positive       | 42254-3 | positive     | 2026-11-01
    titre_negative | 5048-4  | negative     | 2026-11-01
"""


def test_screening_dilution_reads_a_word_as_a_titre(spec):
    """Screened at 1:80, negative is below 80 and positive at least 80; at 1:100, a negative may still be 1:80."""
    for dilution, negative in (("80", "false"), ("100", "unknown")):
        spec(
            as_of="2026-11-20",
            observation=ANA,
            rule={
                "observation": ["ana_titer", "ana_presence"],
                "at_least": "1:80",
                "screening_dilution": dilution,
            },
            expected=f"""
                patient_id     | truth
                negative       | {negative}
                positive       | true
                titre_negative | {negative}
            """,
        )


def test_without_a_screening_dilution_a_word_is_no_titre(spec):
    """Nobody knows at which dilution it was negative."""
    spec(
        as_of="2026-11-20",
        observation=ANA,
        rule={"observation": ["ana_titer", "ana_presence"], "at_least": "1:80"},
        expected="""
            patient_id     | truth
            negative       | unknown
            positive       | unknown
            titre_negative | unknown
        """,
    )


def test_below_the_limit_of_detection_is_negative_where_the_rule_says_so(spec):
    """Else it stays open: laboratories write it also for detected but not quantified."""
    for reading, truth, reason, flags in (
        ("negative", "false", "not_met", "below_detection"),
        ("unknown", "unknown", "below_detection", ""),
    ):
        spec(
            as_of="2026-11-20",
            observation=f"""
                patient_id   | code    | value_comparator | value | value_unit_code | value_unit_system | value_string | effective_datetime
                below_20     | 42595-9 | <                | 20    | [IU]/mL         | {UCUM}            |              | 2026-11-01
                in_words     | 42595-9 |                  |       |                 |                   | 低于检测下限 | 2026-11-01
                not_detected | 42595-9 |                  |       |                 |                   | not detected | 2026-11-01
                traces       | 42595-9 |                  |       |                 |                   | <20 detected | 2026-11-01
                measured     | 42595-9 |                  | 5000  | [IU]/mL         | {UCUM}            |              | 2026-11-01
                at_least_0   | 42595-9 | >=               | 0     | [IU]/mL         | {UCUM}            |              | 2026-11-01
                above_0      | 42595-9 | >                | 0     | [IU]/mL         | {UCUM}            |              | 2026-11-01
            """,
            rule={"observation": "hbv_dna", "is": "positive", "below_detection": reading},
            expected=f"""
                patient_id   | truth   | reason   | flags
                below_20     | {truth} | {reason} | {flags}
                in_words     | {truth} | {reason} | {flags}
                not_detected | false   | not_met  |
                traces       | true    | met      |
                measured     | true    | met      |
                at_least_0   | unknown | no_polarity |
                above_0      | true    | met      |
            """,
        )


def test_a_confirming_test_is_asked_for_by_its_role(spec):
    """`role: confirm` reads only confirming codes, without it they do not decide."""
    results = """
        patient_id | code    | value_string | effective_datetime
        screen     | 56888-1 | positive     | 2026-11-01
        confirmed  | 5221-7  | positive     | 2026-11-01
    """
    for role, screen, confirmed in (({"role": "confirm"}, "unknown", "true"), ({}, "true", "unknown")):
        spec(
            as_of="2026-11-20",
            observation=results,
            rule={"observation": "hiv_antibody", "is": "positive", **role},
            expected=f"""
                patient_id | truth
                screen     | {screen}
                confirmed  | {confirmed}
            """,
        )


def test_absence_false_reads_only_no_data_as_false(spec):
    """An old or unusable result shows that there is something to know."""
    spec(
        as_of="2026-11-20",
        encounter="""
            patient_id | start_at
            untested   | 2026-11-01
            undated    | 2026-11-01
        """,
        observation="""
            patient_id | code    | status      | value_string | effective_datetime
            old        | 13955-0 | final       | positive     | 2025-01-01
            unusable   | 13955-0 | preliminary | positive     | 2026-11-01
            undated    | 13955-0 | final       | positive     |
        """,
        rule={"observation": "hcv_antibody", "is": "positive", "absence": "false"},
        expected="""
            patient_id | truth   | reason
            untested   | false   | absent
            old        | unknown | out_of_window
            unusable   | unknown | unusable_status
            undated    | unknown | no_date
        """,
    )


def test_ever_has_no_window(spec):
    """A result of long ago counts."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_string | effective_datetime
            long_ago   | 13955-0 | positive     | 1999-01-01
        """,
        rule={"observation": "hcv_antibody", "is": "positive", "ever": "yes"},
        expected="""
            patient_id | truth | changes_on
            long_ago   | true  |
        """,
    )


def test_an_indeterminate_result_can_be_asked_for(spec):
    """`is: equivocal` is true of just that."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id    | code    | value_string  | effective_datetime
            indeterminate | 71773-6 | indeterminate | 2026-11-01
            negative      | 71773-6 | negative      | 2026-11-01
        """,
        rule={"observation": "tb_igra", "is": "equivocal"},
        expected="""
            patient_id    | truth
            indeterminate | true
            negative      | false
        """,
    )


def test_below_the_lower_limit(spec):
    """By the result's own range, by what the laboratory said, or by an assumed limit where both its ends agree."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id      | code   | value | value_unit_code | value_unit_system | interpretation | effective_datetime
            a  | own_below       | 2465-3 | 6.9   | g/L             | {UCUM}            |                | 2026-11-01
            b  | own_at_limit    | 2465-3 | 7     | g/L             | {UCUM}            |                | 2026-11-01
            c  | called_low      | 2465-3 | 7.5   | g/L             | {UCUM}            | L              | 2026-11-01
            d  | called_normal   | 2465-3 | 7.5   | g/L             | {UCUM}            | N              | 2026-11-01
            e  | called_high     | 2465-3 | 7.5   | g/L             | {UCUM}            | H              | 2026-11-01
            f  | assumed_below   | 2465-3 | 6.5   | g/L             | {UCUM}            |                | 2026-11-01
            g  | assumed_between | 2465-3 | 7.5   | g/L             | {UCUM}            |                | 2026-11-01
            h  | assumed_above   | 2465-3 | 9     | g/L             | {UCUM}            |                | 2026-11-01
        """,
        observation_range="""
            id | low | low_unit
            a  | 7   | g/L
            b  | 7   | g/L
        """,
        rule={"observation": "igg", "below": "1 LLN"},
        expected="""
            patient_id      | truth   | reason             | flags
            own_below       | true    | met                |
            own_at_limit    | false   | not_met            |
            called_low      | true    | met                |
            called_normal   | false   | not_met            |
            called_high     | false   | not_met            |
            assumed_below   | true    | met                | assumed_lln
            assumed_between | unknown | no_reference_range |
            assumed_above   | false   | not_met            | assumed_lln
        """,
    )


def test_high_proves_more_than_the_limit_and_no_more(spec):
    """H without a number leaves "at most 3 x ULN" open and settles "above the limit"; N and L settle both."""
    for rule, high, normal in (
        ({"at_most": "3 ULN"}, "unknown", "true"),
        ({"above": "1 ULN"}, "true", "false"),
    ):
        spec(
            as_of="2026-11-20",
            observation="""
                patient_id | code   | interpretation | effective_datetime
                high       | 1742-6 | H              | 2026-11-01
                normal     | 1742-6 | N              | 2026-11-01
                low        | 1742-6 | L              | 2026-11-01
            """,
            rule={"observation": "alt", **rule},
            expected=f"""
                patient_id | truth
                high       | {high}
                normal     | {normal}
                low        | {normal}
            """,
        )


def test_a_range_that_is_text_is_read(spec):
    """121 U/L is above three times 40 and below three times 50; a text for men and women is read by the patient's sex."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender
            woman      | female
            man        | male
        """,
        observation=f"""
            id | patient_id | code   | value | value_unit_code | value_unit_system | effective_datetime
            a  | woman      | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            b  | man        | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            c  | dash       | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            d  | tilde      | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            e  | at_most    | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            f  | less_than  | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
        """,
        observation_range="""
            id | text
            a  | 男 9-50; 女 7-40
            b  | 男 9-50; 女 7-40
            c  | 0-40
            d  | 9~50
            e  | ≤40
            f  | <40
        """,
        rule={"observation": "alt", "at_most": "3 ULN"},
        expected="""
            patient_id | truth
            woman      | false
            man        | true
            dash       | false
            tilde      | true
            at_most    | false
            less_than  | false
        """,
    )


def test_only_applicable_normal_ranges_count(spec):
    """A range of treatment or of the other sex does not; of two that apply, both must agree."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id   | code   | value | value_unit_code | value_unit_system | effective_datetime
            a  | therapeutic  | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            b  | by_sex       | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            c  | two_disagree | 1742-6 | 121   | U/L             | {UCUM}            | 2026-11-01
            d  | two_agree    | 1742-6 | 119   | U/L             | {UCUM}            | 2026-11-01
        """,
        observation_range="""
            id | high | high_unit | type_code   | applies_to
            a  | 40   | U/L       | normal      |
            a  | 100  | U/L       | therapeutic |
            b  | 40   | U/L       |             | 248152002
            b  | 50   | U/L       |             | 248153007
            c  | 40   | U/L       |             |
            c  | 50   | U/L       |             |
            d  | 40   | U/L       |             |
            d  | 50   | U/L       |             |
        """,
        rule={"observation": "alt", "at_most": "3 ULN"},
        expected="""
            patient_id   | truth
            therapeutic  | false
            by_sex       | false
            two_disagree | unknown
            two_agree    | true
        """,
    )


def test_units_are_known_by_many_names(spec):
    """As code or as text, in the spellings of laboratories."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id   | code  | value | value_unit_code | value_unit | effective_datetime
            ucum         | 751-8 | 0.6   | 10*9/L          |            | 2026-11-01
            caret        | 751-8 | 0.6   |                 | 10^9/L     | 2026-11-01
            exponent     | 751-8 | 0.6   |                 | x10E9/L    | 2026-11-01
            superscript  | 751-8 | 0.6   |                 | ×10⁹/L     | 2026-11-01
            giga         | 751-8 | 0.6   |                 | G/L        | 2026-11-01
            thousands    | 751-8 | 0.6   |                 | K/uL       | 2026-11-01
            micro_sign   | 751-8 | 600   |                 | /µL        | 2026-11-01
            too_few      | 751-8 | 400   |                 | /uL        | 2026-11-01
            grams        | 751-8 | 0.6   |                 | g/L        | 2026-11-01
        """,
        rule={"observation": "absolute_neutrophil_count", "at_least": "0.5 10*9/L"},
        expected="""
            patient_id  | truth   | reason
            ucum        | true    | met
            caret       | true    | met
            exponent    | true    | met
            superscript | true    | met
            giga        | true    | met
            thousands   | true    | met
            micro_sign  | true    | met
            too_few     | false   | not_met
            grams       | unknown | unit_unconvertible
        """,
    )


def test_contradictory_results_speak_against_the_patient_in_an_exclusion_too(spec):
    """There the adverse truth is that the exclusion holds."""
    results = f"""
        patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
        both       | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01T08:00:00Z
        both       | 718-7 | 50    | g/L             | {UCUM}            | 2026-11-01T08:00:00Z
    """
    for kind, truth in (("inclusion", "false"), ("exclusion", "true")):
        spec(
            as_of="2026-11-20",
            observation=results,
            rule={"observation": "hemoglobin", "at_least": "60 g/L"},
            kind=kind,
            expected=f"""
                patient_id | truth   | flags
                both       | {truth} | contradictory_results
            """,
        )


def test_of_one_time_the_last_issued_counts_and_of_titres_the_highest(spec):
    """A correction is issued later; patterns are titrated side by side."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime   | issued
            corrected  | 718-7 | 50    | g/L             | {UCUM}            | 2026-11-01T08:00:00Z | 2026-11-01T09:00:00Z
            corrected  | 718-7 | 120   | g/L             | {UCUM}            | 2026-11-01T08:00:00Z | 2026-11-01T10:00:00Z
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth | flags
            corrected  | true  |
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value_string | effective_datetime
            patterns   | 5048-4 | 1:40         | 2026-11-01T08:00:00Z
            patterns   | 5048-4 | 1:320        | 2026-11-01T08:00:00Z
        """,
        rule={"observation": "ana_titer", "at_least": "1:80"},
        expected="""
            patient_id | truth | flags
            patterns   | true  |
        """,
    )


def test_the_clinical_time_of_every_form(spec):
    """A period counts with its end, open with its start; without an effective time the time of issue stands in."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_start | effective_end | effective_instant    | issued
            period     | 718-7 | 120   | g/L             | {UCUM}            | 2026-10-01      | 2026-10-23    |                      |
            ended      | 718-7 | 120   | g/L             | {UCUM}            | 2026-10-01      | 2026-10-22    |                      |
            open       | 718-7 | 120   | g/L             | {UCUM}            | 2026-10-23      |               |                      |
            instant    | 718-7 | 120   | g/L             | {UCUM}            |                 |               | 2026-10-22T16:00:00Z |
            issued     | 718-7 | 120   | g/L             | {UCUM}            |                 |               |                      | 2026-10-23T08:00:00+08:00
            undated    | 718-7 | 120   | g/L             | {UCUM}            |                 |               |                      |
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L", "within": "28 days"},
        expected="""
            patient_id | truth   | reason
            period     | true    | met
            ended      | unknown | out_of_window
            open       | true    | met
            instant    | true    | met
            issued     | true    | met
            undated    | unknown | no_date
        """,
    )


def test_codes_of_two_concepts_on_one_result_are_not_used(spec):
    """Two codes of one concept are."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id   | code    | value | value_unit_code | value_unit_system | effective_datetime
            a  | two_concepts | 718-7   | 120   | g/L             | {UCUM}            | 2026-11-01
            a  | two_concepts | 777-3   | 120   | g/L             | {UCUM}            | 2026-11-01
            b  | one_concept  | 718-7   | 120   | g/L             | {UCUM}            | 2026-11-01
            b  | one_concept  | 30313-1 | 120   | g/L             | {UCUM}            | 2026-11-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id   | truth   | reason
            two_concepts | unknown | conflicting_codes
            one_concept  | true    | met
        """,
    )


def test_a_value_with_a_reason_for_its_absence_is_not_used(spec):
    """The two exclude each other."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | data_absent_reason | effective_datetime
            both       | 718-7 | 120   | g/L             | {UCUM}            | error              | 2026-11-01
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason
            both       | unknown | no_value
        """,
    )


def test_whole_numbers_and_yes_or_no(spec):
    """valueInteger is a number, valueBoolean a polarity."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_integer | effective_datetime
            class_2    | 88020-3 | 2             | 2026-11-01
            class_3    | 88020-3 | 3             | 2026-11-01
        """,
        rule={"observation": "nyha_class", "at_most": "2"},
        expected="""
            patient_id | truth
            class_2    | true
            class_3    | false
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_boolean | effective_datetime
            yes        | 13955-0 | true          | 2026-11-01
            no         | 13955-0 | false         | 2026-11-01
        """,
        rule={"observation": "hcv_antibody", "is": "positive"},
        expected="""
            patient_id | truth
            yes        | true
            no         | false
        """,
    )


def test_the_question_as_of_an_earlier_day(spec):
    """`ago: 2 months`: the latest score on the day two months before, within its look-back of 90 days from there."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code_system                             | code            | value | effective_datetime
            high_then  | urn:cohortfinder:codesystem:observation | sledai-2k-total | 9     | 2026-09-20
            high_then  | urn:cohortfinder:codesystem:observation | sledai-2k-total | 4     | 2026-09-21
            low_then   | urn:cohortfinder:codesystem:observation | sledai-2k-total | 4     | 2026-09-01
            low_then   | urn:cohortfinder:codesystem:observation | sledai-2k-total | 12    | 2026-11-01
            too_new    | urn:cohortfinder:codesystem:observation | sledai-2k-total | 12    | 2026-09-21
            too_old    | urn:cohortfinder:codesystem:observation | sledai-2k-total | 12    | 2026-06-21
            last_day   | urn:cohortfinder:codesystem:observation | sledai-2k-total | 12    | 2026-06-22
        """,
        rule={"observation": "sledai_2k_total", "at_least": "8", "ago": "2 months"},
        expected="""
            patient_id | truth   | reason        | flags              | changes_on
            high_then  | true    | met           |                    | 2026-11-21
            low_then   | false   | not_met       |                    | 2027-01-01
            too_new    | unknown | no_data       |                    | 2026-11-21
            too_old    | unknown | out_of_window |                    |
            last_day   | true    | met           | stale_for_protocol | 2026-11-21
        """,
    )


def test_a_class_in_codes_or_words_is_a_number(spec):
    """NYHA II is 2, as a LOINC answer, a SNOMED code, in English or in Chinese; a word that is no class says nothing."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_code_system       | value_code | value_text | value_string | effective_datetime
            answer_2   | 88020-3 | http://loinc.org        | LA28405-1  |            |              | 2026-11-01
            answer_3   | 88020-3 | http://loinc.org        | LA28406-9  |            |              | 2026-11-01
            snomed_1   | 88020-3 | http://snomed.info/sct  | 420300004  |            |              | 2026-11-01
            worded     | 88020-3 |                         |            | NYHA II    |              | 2026-11-01
            chinese    | 88020-3 |                         |            |            | 心功能III级   | 2026-11-01
            between    | 88020-3 |                         |            |            | II-III       | 2026-11-01
        """,
        rule={"observation": "nyha_class", "at_most": "2"},
        expected="""
            patient_id | truth   | reason
            answer_2   | true    | met
            answer_3   | false   | not_met
            snomed_1   | true    | met
            worded     | true    | met
            chinese    | false   | not_met
            between    | unknown | not_numeric
        """,
    )


def test_a_number_has_a_polarity_where_the_concept_gives_its_limits(spec):
    """hCG below 5 IU/L is negative, above 25 positive, between them equivocal."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
            below      | 19080-1 | 4.9   | [IU]/L          | {UCUM}            | 2026-11-01
            between    | 19080-1 | 5     | [IU]/L          | {UCUM}            | 2026-11-01
            above      | 19080-1 | 25.1  | [IU]/L          | {UCUM}            | 2026-11-01
        """,
        rule={"observation": "hcg_quantitative", "is": "positive"},
        expected="""
            patient_id | truth   | reason
            below      | false   | not_met
            between    | unknown | equivocal_result
            above      | true    | met
        """,
    )


@pytest.mark.parametrize(
    ("rule", "result", "truth"),
    [
        ({"observation": "platelet_count", "at_least": "20 10*9/L"}, "777-3 | | >1000 10*9/L | | ", "true"),
        ({"observation": "platelet_count", "at_least": "20 10*9/L"}, "777-3 | | >1000 | | ", "unknown"),
        ({"observation": "inr", "at_most": "1.5 ULN"}, "6301-6 | 1.4 | | | ", "true"),
        ({"observation": "inr", "at_most": "1.5 ULN"}, "6301-6 | 1.7 | | | ", "unknown"),
        ({"observation": "inr", "at_most": "1.5 ULN"}, "6301-6 | 2.0 | | | ", "false"),
        ({"observation": "creatinine_serum", "at_most": "1.5 ULN"}, "2160-0 | 150 | | umol/L | ", "false"),
        ({"observation": "tb_igra", "is": "positive"}, "71773-6 | | indeterminate | | ", "unknown"),
        ({"observation": "treponemal_antibody", "is": "positive"}, "8041-6 | | 1:80 | | POS", "true"),
        ({"observation": "treponemal_antibody", "is": "positive"}, "20507-0 | | 1:8 | | POS", "unknown"),
        ({"observation": "haq_di", "at_least": "0.25"}, "75874-8 | 0.25 | | | ", "true"),
    ],
)
def test_single_results_of_the_protocol(spec, rule, result, truth):
    """Values as laboratories send them without a range, and what the trial's sentences make of them."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code | value | value_string | value_unit_code | interpretation | effective_datetime
            someone    | {result} | 2026-11-01
        """,
        rule=rule,
        expected=f"""
            patient_id | truth
            someone    | {truth}
        """,
    )


def test_a_year_that_is_not_over_does_not_say_whether_it_is_in_the_window(spec):
    """ "2025" on 2025-06-01."""
    spec(
        as_of="2025-06-01",
        observation=f"""
            patient_id | code  | value | value_unit_code | value_unit_system | effective_datetime
            this_year  | 718-7 | 120   | g/L             | {UCUM}            | 2025
        """,
        rule={"observation": "hemoglobin", "at_least": "60 g/L"},
        expected="""
            patient_id | truth   | reason
            this_year  | unknown | partial_date
        """,
    )


def test_a_confirming_test_does_not_speak_for_a_newer_positive_screen(spec):
    """It settles the screen before it or of its own day; a later reactive one opens the question again."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id    | code    | value_string | effective_datetime
            same_day      | 5196-1  | reactive     | 2026-11-01T08:00:00+08:00
            same_day      | 65633-0 | negative     | 2026-11-01
            before        | 5196-1  | reactive     | 2026-10-01
            before        | 65633-0 | negative     | 2026-11-01
            newer_screen  | 65633-0 | negative     | 2026-11-01
            newer_screen  | 5196-1  | reactive     | 2026-11-02
            newer_clear   | 65633-0 | negative     | 2026-11-01
            newer_clear   | 5196-1  | non-reactive | 2026-11-02
            maybe_newer   | 65633-0 | negative     | 2026-11-01
            maybe_newer   | 5196-1  | reactive     | 2026-11
            screen_to_come | 65633-0 | negative    | 2026-11-01
            screen_to_come | 5196-1  | reactive    | 2026-11-25
        """,
        rule={"observation": "hbsag", "role": "confirm", "is": "negative"},
        expected="""
            patient_id     | truth   | reason              | changes_on
            same_day       | true    | met                 | 2027-11-02
            before         | true    | met                 | 2027-11-02
            newer_screen   | unknown | conflicting_results |
            newer_clear    | true    | met                 | 2027-11-02
            maybe_newer    | unknown | conflicting_results |
            screen_to_come | true    | met                 | 2026-11-25
        """,
    )


def test_only_a_titre_of_an_antibody_is_a_number(spec):
    """An index or a concentration is not compared with a dilution, whatever its size; it is positive by its own range only."""
    rule = {"observation": ["ana_titer", "ana_presence"], "at_least": "1:80"}
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value | value_unit_code | value_string          | ratio_numerator | ratio_denominator | effective_datetime
            index      | 47383-5 | 120   |                 |                       |                 |                   | 2026-11-01
            low_index  | 47383-5 | 1.2   |                 |                       |                 |                   | 2026-11-01
            units      | 27200-5 | 300   | U/mL            |                       |                 |                   | 2026-11-01
            words      | 8061-4  |       |                 | Positive 1:320 speckled |               |                   | 2026-11-01
            ratio      | 8061-4  |       |                 |                       | 1               | 40                | 2026-11-01
            dilution   | 8061-4  | 320   | {titer}         |                       |                 |                   | 2026-11-01
        """,
        rule=rule,
        expected="""
            patient_id | truth   | reason
            index      | unknown | not_numeric
            low_index  | unknown | not_numeric
            units      | unknown | not_numeric
            words      | true    | met
            ratio      | false   | not_met
            dilution   | true    | met
        """,
    )


def test_a_treponemal_titre_without_a_range_is_read_by_the_usual_cut_off(spec):
    """1:80 is positive, below the laboratory's 1:80 negative, 1:40 neither; the own range and words go first; an index is no titre."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code    | value | value_string | effective_datetime
            a  | at         | 71793-4 |       | 1:80         | 2026-11-01
            b  | high       | 71793-4 |       | 1:1280       | 2026-11-01
            c  | below      | 71793-4 |       | <1:80        | 2026-11-01
            d  | between    | 71793-4 |       | 1:40         | 2026-11-01
            e  | own_range  | 71793-4 |       | 1:80         | 2026-11-01
            f  | index      | 63464-2 | 95    |              | 2026-11-01
        """,
        observation_range="""
            id | text
            e  | <1:160
        """,
        rule={"observation": "treponemal_antibody", "is": "positive"},
        expected="""
            patient_id | truth   | reason
            at         | true    | met
            high       | true    | met
            below      | false   | not_met
            between    | unknown | equivocal_result
            own_range  | false   | not_met
            index      | unknown | no_polarity
        """,
    )


def test_words_after_a_number_are_no_unit_of_its_range(spec):
    """A range without a unit belongs to a value without one; a unit that nobody knows is compared only with itself."""
    spec(
        as_of="2026-11-20",
        observation="""
            id | patient_id | code   | value_string         | value | value_unit_code | effective_datetime
            a  | bare       | 1920-8 | 25                   |       |                 | 2026-11-01
            b  | prose      | 1920-8 | 25 repeated, now 900 |       |                 | 2026-11-01
            c  | odd_unit   | 1920-8 |                      | 25    | furlong         | 2026-11-01
            d  | same_unit  | 1920-8 |                      | 25    | furlong         | 2026-11-01
        """,
        observation_range="""
            id | high | high_unit
            a  | 40   |
            b  | 40   |
            c  | 40   |
            d  | 40   | furlong
        """,
        rule={"observation": "ast", "at_most": "3 ULN"},
        expected="""
            patient_id | truth   | reason
            bare       | true    | met
            prose      | unknown | unit_unconvertible
            odd_unit   | unknown | unit_unconvertible
            same_unit  | true    | met
        """,
    )
