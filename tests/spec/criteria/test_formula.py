"""# Formula

A number computed from several results, as an interval."""

import pytest

UCUM = "http://unitsofmeasure.org"
LOCAL = "urn:cohortfinder:codesystem:observation"
PEOPLE = """
    patient_id | gender | birth_date
    woman_40   | female | 1986-01-01
    man_65     | male   | 1961-01-01
"""
RESULTS = f"""
    patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
    woman_40   | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
    woman_40   | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-01
    man_65     | 29463-7 | 50    | kg              | {UCUM}            | 2026-11-01
    man_65     | 2160-0  | 2.5   | mg/dL           | {UCUM}            | 2026-11-01
"""


@pytest.mark.parametrize(
    ("low", "high", "woman", "man"), [("47.2", "47.3", "true", "false"), ("20.8", "20.9", "false", "true")]
)
def test_cockcroft_gault_by_hand(spec, low, high, woman, man):
    """100 x 60 x 0.85 / (72 x 1.5) = 47.2 mL/min; 75 x 50 / (72 x 2.5) = 20.8 mL/min."""
    spec(
        as_of="2026-11-20",
        patient=PEOPLE,
        observation=RESULTS,
        rule={"formula": "cockcroft_gault", "between": [f"{low} mL/min", f"{high} mL/min"]},
        expected=f"""
            patient_id | truth
            woman_40   | {woman}
            man_65     | {man}
        """,
    )


def test_cockcroft_gault_takes_the_age_on_the_day_of_the_creatinine(spec):
    """39 on 2026-11-01 although 40 by now: 101 x 60 x 0.85 / 108 = 47.7."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            woman      | female | 1986-11-10
        """,
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
            woman      | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
            woman      | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-01
        """,
        rule={"formula": "cockcroft_gault", "between": ["47.6 mL/min", "47.8 mL/min"]},
        expected="""
            patient_id | truth
            woman      | true
        """,
    )


@pytest.mark.parametrize(("limit", "truth"), [("47", "true"), ("50", "unknown"), ("56", "false")])
def test_cockcroft_gault_without_a_known_sex_is_an_interval(spec, limit, truth):
    """From 47.2 for a woman to 55.6 for a man: it decides where both agree."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            someone    | other  | 1986-01-01
        """,
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
            someone    | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
            someone    | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-01
        """,
        rule={"formula": "cockcroft_gault", "at_least": f"{limit} mL/min"},
        expected=f"""
            patient_id | truth
            someone    | {truth}
        """,
    )


def test_cockcroft_gault_from_a_value_below_a_limit(spec):
    """Creatinine below 18 umol/L means a clearance above 348 mL/min in a woman of 40 with 60 kg."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            woman      | female | 1986-01-01
        """,
        observation=f"""
            patient_id | code    | value_comparator | value | value_unit_code | value_unit_system | effective_datetime
            woman      | 29463-7 |                  | 60    | kg              | {UCUM}            | 2026-11-01
            woman      | 2160-0  | <                | 18    | umol/L          | {UCUM}            | 2026-11-01
        """,
        rule={"formula": "cockcroft_gault", "at_least": "340 mL/min"},
        expected="""
            patient_id | truth
            woman      | true
        """,
    )


def test_cockcroft_gault_takes_the_weight_nearest_to_the_creatinine(spec):
    """60 kg of two days before, not 90 kg of today."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            woman      | female | 1986-01-01
        """,
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
            woman      | 29463-7 | 60    | kg              | {UCUM}            | 2026-10-30
            woman      | 29463-7 | 90    | kg              | {UCUM}            | 2026-11-20
            woman      | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-01
        """,
        rule={"formula": "cockcroft_gault", "between": ["47.2 mL/min", "47.3 mL/min"]},
        expected="""
            patient_id | truth
            woman      | true
        """,
    )


def test_a_missing_input_is_named(spec):
    """A weight older than 180 days, or a creatinine outside its look-back, is missing."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id     | gender | birth_date
            no_creatinine  | female | 1986-01-01
            no_weight      | female | 1986-01-01
            old_weight     | female | 1986-01-01
            old_creatinine | female | 1986-01-01
            no_birth_date  | female |
        """,
        observation=f"""
            patient_id     | code    | value | value_unit_code | value_unit_system | effective_datetime
            no_creatinine  | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
            no_weight      | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-01
            old_weight     | 29463-7 | 60    | kg              | {UCUM}            | 2026-01-01
            old_weight     | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-01
            old_creatinine | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
            old_creatinine | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-01-01
            no_birth_date  | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
            no_birth_date  | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-01
        """,
        rule={"formula": "cockcroft_gault", "at_least": "30 mL/min"},
        expected="""
            patient_id     | truth   | reason
            no_creatinine  | unknown | missing_creatinine
            no_weight      | unknown | missing_weight
            old_weight     | unknown | missing_weight
            old_creatinine | unknown | missing_creatinine
            no_birth_date  | unknown | missing_age
        """,
    )


def test_cockcroft_gault_without_a_birth_date_takes_an_age_that_was_written_down(spec):
    """Aged forward to the creatinine: 40 on 2026-06-01 is 40 or 41 on 2026-11-01, 46.7 to 47.2 mL/min."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            woman      | female |
        """,
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
            woman      | 30525-0 | 40    | a               | {UCUM}            | 2026-06-01
            woman      | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
            woman      | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-01
        """,
        rule={"formula": "cockcroft_gault", "between": ["46.7 mL/min", "47.3 mL/min"]},
        expected="""
            patient_id | truth
            woman      | true
        """,
    )


def test_sledai_activity(spec):
    """At least 8 points, and without points for serology or at least 6 clinical ones; an item not sent is 0 or 2."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id       | component | code_system | code                     | value | effective_datetime
            a  | twelve           |           | {LOCAL}     | sledai-2k-total          | 12    | 2026-11-01
            b  | ten              |           | {LOCAL}     | sledai-2k-total          | 10    | 2026-11-01
            c  | eight            |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
            d  | eight_serology_4 |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
            d  | eight_serology_4 | 0         | {LOCAL}     | sledai-2k-low-complement | 2     | 2026-11-01
            d  | eight_serology_4 | 1         | {LOCAL}     | sledai-2k-dsdna          | 2     | 2026-11-01
            e  | eight_serology_2 |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
            e2 | eight_serology_2 |           | {LOCAL}     | sledai-2k-low-complement | 2     | 2026-11-01
            e3 | eight_serology_2 |           | {LOCAL}     | sledai-2k-dsdna          | 0     | 2026-11-01
            f  | nine_serology_4  |           | {LOCAL}     | sledai-2k-total          | 9     | 2026-11-01
            f  | nine_serology_4  | 0         | {LOCAL}     | sledai-2k-low-complement | 2     | 2026-11-01
            f  | nine_serology_4  | 1         | {LOCAL}     | sledai-2k-dsdna          | 2     | 2026-11-01
            g  | eight_clinical_6 |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
            g  | eight_clinical_6 | 0         | {LOCAL}     | sledai-2k-clinical       | 6     | 2026-11-01
            h  | seven            |           | {LOCAL}     | sledai-2k-total          | 7     | 2026-11-01
        """,
        rule={
            "all": [
                {"observation": "sledai_2k_total", "at_least": "8"},
                {
                    "any": [
                        {"formula": "sledai_serology_points", "at_most": "0"},
                        {"formula": "sledai_clinical_points", "at_least": "6"},
                    ]
                },
            ]
        },
        expected="""
            patient_id       | truth
            twelve           | true
            ten              | true
            eight            | unknown
            eight_serology_4 | false
            eight_serology_2 | true
            nine_serology_4  | false
            eight_clinical_6 | true
            seven            | false
        """,
    )


def test_sledai_serology_points(spec):
    """The points of the two items, or what the clinical points leave of the total."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id
            no_score
        """,
        observation=f"""
            id | patient_id   | component | code_system | code                     | value | effective_datetime
            a  | both_zero    |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
            a  | both_zero    | 0         | {LOCAL}     | sledai-2k-low-complement | 0     | 2026-11-01
            a  | both_zero    | 1         | {LOCAL}     | sledai-2k-dsdna          | 0     | 2026-11-01
            b  | one_item     |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
            b  | one_item     | 0         | {LOCAL}     | sledai-2k-low-complement | 2     | 2026-11-01
            c  | all_clinical |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
            c  | all_clinical | 0         | {LOCAL}     | sledai-2k-clinical       | 8     | 2026-11-01
            d  | total_only   |           | {LOCAL}     | sledai-2k-total          | 8     | 2026-11-01
        """,
        rule={"formula": "sledai_serology_points", "at_most": "0"},
        expected="""
            patient_id   | truth   | reason
            both_zero    | true    | met
            one_item     | false   | not_met
            all_clinical | true    | met
            total_only   | unknown | missing_items
            no_score     | unknown | missing_total
        """,
    )


def test_oxygen_saturation_in_room_air(spec):
    """Oxygen can only raise it: a low value decides however it was measured, a high one only in room air."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id    | component | code    | value | value_string | value_unit_code | value_unit_system | effective_datetime
            a  | fio2_21       |           | 59408-5 | 95    |              | %               | {UCUM}            | 2026-11-01
            a  | fio2_21       | 0         | 3150-0  | 21    |              | %               | {UCUM}            | 2026-11-01
            b  | no_flow       |           | 59408-5 | 95    |              | %               | {UCUM}            | 2026-11-01
            b  | no_flow       | 0         | 3151-8  | 0     |              | L/min           | {UCUM}            | 2026-11-01
            c  | two_litres    |           | 59408-5 | 93    |              | %               | {UCUM}            | 2026-11-01
            c  | two_litres    | 0         | 3151-8  | 2     |              | L/min           | {UCUM}            | 2026-11-01
            d  | not_stated    |           | 59408-5 | 95    |              | %               | {UCUM}            | 2026-11-01
            e  | low           |           | 59408-5 | 91    |              | %               | {UCUM}            | 2026-11-01
            f  | low_on_oxygen |           | 59408-5 | 91    |              | %               | {UCUM}            | 2026-11-01
            f  | low_on_oxygen | 0         | 3150-0  | 40    |              | %               | {UCUM}            | 2026-11-01
            g  | same_time     |           | 59408-5 | 92    |              | %               | {UCUM}            | 2026-11-01T08:00:00Z
            g2 | same_time     |           | 88658-0 |       | no           |                 |                   | 2026-11-01T08:00:00Z
        """,
        rule={"formula": "spo2_room_air", "at_least": "92 %"},
        expected="""
            patient_id    | truth   | reason
            fio2_21       | true    | met
            no_flow       | true    | met
            two_litres    | unknown | on_oxygen
            not_stated    | unknown | room_air_not_stated
            low           | false   | not_met
            low_on_oxygen | false   | not_met
            same_time     | true    | met
        """,
    )


CLEARANCE = {"formula": "cockcroft_gault", "at_least": "30 mL/min"}


def test_a_creatinine_that_changes_by_more_than_half_within_a_week_is_not_steady(spec):
    """From 80 to 120 is just half, to 121 more; from 160 to 80 just half, to 79 more; eight days before is another time."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
            half_up    | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-03
            half_up    | 2160-0  | 120   | umol/L          | {UCUM}            | 2026-11-10
            half_up    | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
            more_up    | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-03
            more_up    | 2160-0  | 121   | umol/L          | {UCUM}            | 2026-11-10
            more_up    | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
            half_down  | 2160-0  | 160   | umol/L          | {UCUM}            | 2026-11-03
            half_down  | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-10
            half_down  | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
            more_down  | 2160-0  | 160   | umol/L          | {UCUM}            | 2026-11-03
            more_down  | 2160-0  | 79    | umol/L          | {UCUM}            | 2026-11-10
            more_down  | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
            day_eight  | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-02
            day_eight  | 2160-0  | 160   | umol/L          | {UCUM}            | 2026-11-10
            day_eight  | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
        """,
        rule=CLEARANCE,
        expected="""
            patient_id | truth   | reason              | flags
            half_up    | true    | met                 |
            more_up    | unknown | creatinine_unstable | creatinine_unstable
            half_down  | true    | met                 |
            more_down  | unknown | creatinine_unstable | creatinine_unstable
            day_eight  | true    | met                 |
        """,
    )


def test_dialysis_leaves_the_clearance_open(spec):
    """As a procedure or as a status, in the 90 days before; one that was not done says nothing."""
    people = ("dialysed", "status", "day_91", "not_done")
    rows = "\n".join(
        f"{name} | {code} | {value} | {unit} | {UCUM} | 2026-11-10"
        for name in people
        for code, value, unit in (("2160-0", "80", "umol/L"), ("29463-7", "60", "kg"))
    )
    spec(
        as_of="2026-11-20",
        observation=f"patient_id | code | value | value_unit_code | value_unit_system | effective_datetime\n{rows}",
        procedure="""
            patient_id | code      | status    | performed_datetime
            dialysed   | 302497006 | completed | 2026-08-22
            day_91     | 302497006 | completed | 2026-08-21
            not_done   | 302497006 | not-done  | 2026-11-10
        """,
        condition="""
            patient_id | code_system                          | code  | clinical_status | onset_datetime
            status     | http://hl7.org/fhir/sid/icd-10-cm    | Z99.2 | active          | 2020-01-01
        """,
        rule=CLEARANCE,
        expected="""
            patient_id | truth   | reason   | flags    | changes_on
            dialysed   | unknown | dialysis | dialysis | 2026-11-21
            status     | unknown | dialysis | dialysis |
            day_91     | true    | met      |          | 2027-02-09
            not_done   | true    | met      |          | 2027-02-09
        """,
    )


def test_a_reported_clearance_stands_in_where_ours_cannot_be_computed(spec):
    """Within seven days of the creatinine; where ours can be computed it decides, and a difference above 20 % is flagged."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id  | gender | birth_date
            no_age      | female |
            last_day    | female | 1986-01-01
            day_eight   | female | 1986-01-01
            low         | female | 1986-01-01
            by_seconds  | female | 1986-01-01
            indexed     | female | 1986-01-01
            no_creatinine | female | 1986-01-01
            ours        | female | 1986-01-01
            near_ours   | female | 1986-01-01
        """,
        observation=f"""
            patient_id  | code    | value | value_unit_code | value_unit_system | effective_datetime
            no_age      | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            no_age      | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
            no_age      | 35591-7 | 45    | mL/min          | {UCUM}            | 2026-11-10
            last_day    | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            last_day    | 35591-7 | 30    | mL/min          | {UCUM}            | 2026-11-17
            day_eight   | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            day_eight   | 35591-7 | 30    | mL/min          | {UCUM}            | 2026-11-18
            low         | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            low         | 35591-7 | 29.9  | mL/min          | {UCUM}            | 2026-11-10
            by_seconds  | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            by_seconds  | 35591-7 | 0.5   | mL/s            | {UCUM}            | 2026-11-10
            indexed     | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            indexed     | 35592-5 | 45    | mL/min          | {UCUM}            | 2026-11-10
            no_creatinine | 35591-7 | 45  | mL/min          | {UCUM}            | 2026-11-10
            ours        | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            ours        | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
            ours        | 35591-7 | 25    | mL/min          | {UCUM}            | 2026-11-10
            near_ours   | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-10
            near_ours   | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-10
            near_ours   | 35591-7 | 40    | mL/min          | {UCUM}            | 2026-11-10
        """,
        rule=CLEARANCE,
        expected="""
            patient_id  | truth   | reason         | flags
            no_age      | true    | met            | reported_clearance_used
            last_day    | true    | met            | reported_clearance_used
            day_eight   | unknown | missing_weight |
            low         | false   | not_met        | reported_clearance_used
            by_seconds  | true    | met            | reported_clearance_used
            indexed     | unknown | missing_weight |
            no_creatinine | unknown | missing_creatinine |
            ours        | true    | met            | reported_clearance_differs
            near_ours   | true    | met            |
        """,
    )


def test_a_measured_weight_goes_before_a_stated_one(spec):
    """Although the stated one is nearer: 60 kg and not 90 kg. Alone it counts, flagged."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | gender | birth_date
            both       | female | 1986-01-01
            stated     | female | 1986-01-01
        """,
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | effective_datetime
            both       | 29463-7 | 60    | kg              | {UCUM}            | 2026-10-02
            both       | 3142-7  | 90    | kg              | {UCUM}            | 2026-11-01
            both       | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-01
            stated     | 3142-7  | 60    | kg              | {UCUM}            | 2026-11-01
            stated     | 2160-0  | 132.6 | umol/L          | {UCUM}            | 2026-11-01
        """,
        rule={"formula": "cockcroft_gault", "between": ["47.2 mL/min", "47.3 mL/min"]},
        expected="""
            patient_id | truth | flags
            both       | true  |
            stated     | true  | stated_weight
        """,
    )


def test_a_formula_flags_what_is_old_or_uncertain_in_its_inputs(spec):
    """A creatinine before the protocol's 28 days, a weight more than 30 days from it, a newer creatinine without a unit."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id     | code    | value | value_unit_code | value_unit_system | effective_datetime
            day_28         | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-10-23
            day_28         | 29463-7 | 60    | kg              | {UCUM}            | 2026-09-23
            day_29         | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-10-22
            day_29         | 29463-7 | 60    | kg              | {UCUM}            | 2026-10-22
            old_weight     | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-01
            old_weight     | 29463-7 | 60    | kg              | {UCUM}            | 2026-10-01
            newer_unusable | 2160-0  | 80    | umol/L          | {UCUM}            | 2026-11-01
            newer_unusable | 2160-0  | 900   |                 |                   | 2026-11-16
            newer_unusable | 29463-7 | 60    | kg              | {UCUM}            | 2026-11-01
        """,
        rule=CLEARANCE,
        expected="""
            patient_id     | truth | flags
            day_28         | true  |
            day_29         | true  | stale_for_protocol
            old_weight     | true  | stale_for_protocol
            newer_unusable | true  | newer_unusable stale
        """,
    )


@pytest.mark.parametrize(
    ("rule", "code", "unit", "extra"),
    [
        (CLEARANCE, "2160-0", "umol/L", "29463-7 | 60 | kg | "),
        ({"formula": "sledai_clinical_points", "at_least": "6"}, "sledai-2k-total", "{score}", ""),
    ],
)
def test_a_partial_date_that_may_be_newer_leaves_a_formula_open(spec, rule, code, unit, extra):
    """November may be after the 1st of November; October is not."""
    system = LOCAL if code.startswith("sledai") else "http://loinc.org"
    good, bad = ("80", "900") if unit == "umol/L" else ("12", "4")
    weights = (
        "\n".join(f"{name} | http://loinc.org | {extra}{UCUM} | 2026-11-01" for name in ("newer", "older"))
        if extra
        else ""
    )
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code_system | code   | value  | value_unit_code | value_unit_system | effective_datetime
            newer      | {system}    | {code} | {good} | {unit}          | {UCUM}            | 2026-11-01
            newer      | {system}    | {code} | {bad}  | {unit}          | {UCUM}            | 2026-11
            older      | {system}    | {code} | {good} | {unit}          | {UCUM}            | 2026-11-01
            older      | {system}    | {code} | {bad}  | {unit}          | {UCUM}            | 2026-10
            {weights}
        """,
        rule=rule,
        expected="""
            patient_id | truth   | reason
            newer      | unknown | partial_date
            older      | true    | met
        """,
    )


def test_a_partial_date_inside_the_window_counts_where_it_is_the_only_one(spec):
    """A month that holds the first day of the window does not."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | method_text | effective_datetime
            inside     | 59408-5 | 95    | %               | {UCUM}            | room air    | 2026-10
            straddles  | 59408-5 | 95    | %               | {UCUM}            | room air    | 2026-08
            two        | 59408-5 | 95    | %               | {UCUM}            | room air    | 2026-10
            two        | 59408-5 | 85    | %               | {UCUM}            | room air    | 2026-09
        """,
        rule={"formula": "spo2_room_air", "at_least": "92 %"},
        expected="""
            patient_id | truth   | reason
            inside     | true    | met
            straddles  | unknown | partial_date
            two        | unknown | partial_date
        """,
    )
