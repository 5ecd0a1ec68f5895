"""# Derived results

A count that was not sent follows from others of the same time: mappings/derived.csv."""

import pytest

UCUM = "http://unitsofmeasure.org"
ANC = {"observation": "absolute_neutrophil_count", "at_least": "0.5 10*9/L"}
COUNT, WBC, PERCENT, SEGMENTED, BAND = "751-8", "6690-2", "770-8", "769-0", "764-1"
SEGMENTED_COUNT, BAND_COUNT = "768-2", "763-3"


def test_neutrophils_from_leukocytes_and_a_percentage(spec):
    """2.5 x 20 % is 0.5; the percentage may be a fraction, the leukocytes in another unit, both with a comparator."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code      | value_comparator | value | value_unit_code | value_unit_system | effective_datetime
            at         | {WBC}     |                  | 2.5   | 10*9/L          | {UCUM}            | 2026-11-01T08:00:00Z
            at         | {PERCENT} |                  | 20    | %               | {UCUM}            | 2026-11-01T08:00:00Z
            under      | {WBC}     |                  | 2.5   | 10*9/L          | {UCUM}            | 2026-11-01T08:00:00Z
            under      | {PERCENT} |                  | 19.9  | %               | {UCUM}            | 2026-11-01T08:00:00Z
            fraction   | {WBC}     |                  | 2500  | /uL             | {UCUM}            | 2026-11-01
            fraction   | {PERCENT} |                  | 0.20  | 1               | {UCUM}            | 2026-11-01
            below      | {WBC}     | <                | 2.5   | 10*9/L          | {UCUM}            | 2026-11-01
            below      | {PERCENT} |                  | 20    | %               | {UCUM}            | 2026-11-01
            straddles  | {WBC}     | <                | 2.6   | 10*9/L          | {UCUM}            | 2026-11-01
            straddles  | {PERCENT} |                  | 20    | %               | {UCUM}            | 2026-11-01
        """,
        rule=ANC,
        expected="""
            patient_id | truth   | reason
            at         | true    | met
            under      | false   | not_met
            fraction   | true    | met
            below      | false   | not_met
            straddles  | unknown | comparator_straddles_threshold
        """,
    )


def test_a_percentage_of_segmented_forms_needs_the_bands(spec):
    """With bands the sum counts; alone it is a lower bound that proves and never disproves. Counts likewise."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id      | code              | value | value_unit_code | value_unit_system | effective_datetime
            with_bands      | {WBC}             | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            with_bands      | {SEGMENTED}       | 20    | %               | {UCUM}            | 2026-11-01
            with_bands      | {BAND}            | 5     | %               | {UCUM}            | 2026-11-01
            few_with_bands  | {WBC}             | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            few_with_bands  | {SEGMENTED}       | 20    | %               | {UCUM}            | 2026-11-01
            few_with_bands  | {BAND}            | 4     | %               | {UCUM}            | 2026-11-01
            alone_enough    | {WBC}             | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            alone_enough    | {SEGMENTED}       | 25    | %               | {UCUM}            | 2026-11-01
            alone_few       | {WBC}             | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            alone_few       | {SEGMENTED}       | 24    | %               | {UCUM}            | 2026-11-01
            bands_alone     | {WBC}             | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            bands_alone     | {BAND}            | 90    | %               | {UCUM}            | 2026-11-01
            counts          | {SEGMENTED_COUNT} | 0.4   | 10*9/L          | {UCUM}            | 2026-11-01
            counts          | {BAND_COUNT}      | 0.1   | 10*9/L          | {UCUM}            | 2026-11-01
            count_alone     | {SEGMENTED_COUNT} | 0.4   | 10*9/L          | {UCUM}            | 2026-11-01
            count_enough    | {SEGMENTED_COUNT} | 0.5   | 10*9/L          | {UCUM}            | 2026-11-01
            impossible      | {WBC}             | 0.4   | 10*9/L          | {UCUM}            | 2026-11-01
            impossible      | {SEGMENTED}       | 90    | %               | {UCUM}            | 2026-11-01
            impossible      | {BAND}            | 60    | %               | {UCUM}            | 2026-11-01
        """,
        rule=ANC,
        expected="""
            patient_id     | truth   | reason
            with_bands     | true    | met
            few_with_bands | false   | not_met
            alone_enough   | true    | met
            alone_few      | unknown | comparator_straddles_threshold
            bands_alone    | unknown | no_data
            counts         | true    | met
            count_alone    | unknown | comparator_straddles_threshold
            count_enough   | true    | met
            impossible     | unknown | no_data
        """,
    )


def test_only_results_of_one_time_go_together(spec):
    """Another hour is another specimen; a preliminary, unusable or estimated result is no input."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id  | status      | code      | value | value_unit_code | value_unit_system | effective_datetime
            other_hour  | final       | {WBC}     | 4     | 10*9/L          | {UCUM}            | 2026-11-01T08:00:00Z
            other_hour  | final       | {PERCENT} | 50    | %               | {UCUM}            | 2026-11-01T09:00:00Z
            same_moment | final       | {WBC}     | 4     | 10*9/L          | {UCUM}            | 2026-11-01T08:00:00Z
            same_moment | final       | {PERCENT} | 50    | %               | {UCUM}            | 2026-11-01T16:00:00+08:00
            preliminary | preliminary | {WBC}     | 4     | 10*9/L          | {UCUM}            | 2026-11-01
            preliminary | final       | {PERCENT} | 50    | %               | {UCUM}            | 2026-11-01
            no_unit     | final       | {WBC}     | 4     |                 |                   | 2026-11-01
            no_unit     | final       | {PERCENT} | 50    | %               | {UCUM}            | 2026-11-01
            estimate    | final       | 49498-9   | 4     | 10*9/L          | {UCUM}            | 2026-11-01
            estimate    | final       | {PERCENT} | 50    | %               | {UCUM}            | 2026-11-01
        """,
        rule=ANC,
        expected="""
            patient_id  | truth   | reason
            other_hour  | unknown | no_data
            same_moment | true    | met
            preliminary | unknown | no_data
            no_unit     | unknown | no_data
            estimate    | unknown | no_data
        """,
    )


def test_components_of_one_observation_go_together(spec):
    """A blood count as one Observation with its parts, dated to a month inside the window."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | component | code      | value | value_unit_code | value_unit_system | effective_datetime
            a  | panel      | 0         | {WBC}     | 4     | 10*9/L          | {UCUM}            | 2026-10
            a  | panel      | 1         | {PERCENT} | 10    | %               | {UCUM}            | 2026-10
        """,
        rule=ANC,
        expected="""
            patient_id | truth | reason
            panel      | false | not_met
        """,
    )


def test_a_measured_count_of_the_same_time_goes_before_a_derived_one(spec):
    """A newer derived one goes before an older measured one, and an unusable measured one is no hindrance."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code      | value | value_unit_code | value_unit_system | effective_datetime
            measured   | {COUNT}   | 0.6   | 10*9/L          | {UCUM}            | 2026-11-01
            measured   | {WBC}     | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            measured   | {PERCENT} | 20    | %               | {UCUM}            | 2026-11-01
            newer      | {COUNT}   | 0.6   | 10*9/L          | {UCUM}            | 2026-10-01
            newer      | {WBC}     | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            newer      | {PERCENT} | 20    | %               | {UCUM}            | 2026-11-01
            older      | {COUNT}   | 0.6   | 10*9/L          | {UCUM}            | 2026-11-01
            older      | {WBC}     | 2.0   | 10*9/L          | {UCUM}            | 2026-10-01
            older      | {PERCENT} | 20    | %               | {UCUM}            | 2026-10-01
            unusable   | {COUNT}   | 0.6   |                 |                   | 2026-11-01
            unusable   | {WBC}     | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            unusable   | {PERCENT} | 20    | %               | {UCUM}            | 2026-11-01
            total_first | {WBC}    | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            total_first | {PERCENT} | 26   | %               | {UCUM}            | 2026-11-01
            total_first | {SEGMENTED} | 20 | %               | {UCUM}            | 2026-11-01
        """,
        rule=ANC,
        expected="""
            patient_id  | truth | flags
            measured    | true  |
            newer       | false |
            older       | true  |
            unusable    | false |
            total_first | true  |
        """,
    )


def test_two_derivations_of_one_time_that_contradict_each_other(spec):
    """Two leukocyte counts of the day, dated to the day: the one that speaks against the patient, flagged."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code      | value | value_unit_code | value_unit_system | effective_datetime
            twice      | {WBC}     | 2.0   | 10*9/L          | {UCUM}            | 2026-11-01
            twice      | {WBC}     | 4.0   | 10*9/L          | {UCUM}            | 2026-11-01
            twice      | {PERCENT} | 20    | %               | {UCUM}            | 2026-11-01
        """,
        rule=ANC,
        expected="""
            patient_id | truth | flags
            twice      | false | contradictory_results
        """,
    )


def test_the_evidence_names_every_result_that_it_was_derived_from(spec):
    """The percentage stands for the count, with the count as compared; the others follow as they were sent."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | code        | value | value_unit_code | value_unit_system | effective_datetime
            w  | someone    | {WBC}       | 3.2   | 10*9/L          | {UCUM}            | 2026-11-01
            s  | someone    | {SEGMENTED} | 20    | %               | {UCUM}            | 2026-11-01
            b  | someone    | {BAND}      | 5     | %               | {UCUM}            | 2026-11-01
        """,
        rule=ANC,
        expected="""
            patient_id | truth | changes_on
            someone    | true  | 2027-01-31
        """,
        evidence="""
            patient_id | concept                  | resource      | date       | value      | compared
            someone    | absolute_neutrophil_count | Observation/s | 2026-11-01 | 20 %       | 0.8 10*9/L
            someone    | leukocyte_count          | Observation/w | 2026-11-01 | 3.2 10*9/L |
            someone    | neutrophils_band_percent | Observation/b | 2026-11-01 | 5 %        |
        """,
    )


@pytest.mark.parametrize(("percent", "truth"), [("10", "false"), ("90", "unknown")])
def test_a_derived_count_outside_the_plausible_range_is_not_used(spec, percent, truth):
    """200 x 90 % is 180 and no count of neutrophils that anyone believes."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code      | value | value_unit_code | value_unit_system | effective_datetime
            someone    | {WBC}     | 200   | 10*9/L          | {UCUM}            | 2026-11-01
            someone    | {PERCENT} | {percent} | %           | {UCUM}            | 2026-11-01
        """,
        rule={"observation": "absolute_neutrophil_count", "at_most": "10 10*9/L"},
        expected=f"""
            patient_id | truth
            someone    | {truth}
        """,
    )
