"""# Change

How much a number has risen or fallen between two results."""

import pytest

MRSS = "urn:cohortfinder:codesystem:observation"
RISES = {"change": "mrss", "over": "6 months", "rises_by": "10 %"}
FVC = {"change": "fvc_percent_predicted", "over": "6 months", "falls_by": "10 %"}


def scores(text):
    """Skin scores: patient, day, value."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    head = "patient_id | code_system | code | effective_datetime | value\n"
    return head + "\n".join(f"{who} | {MRSS} | mrss-total | {day} | {value}" for who, day, value in lines)


def volumes(text, code="19872-1", unit="%"):
    """Lung function: patient, day, value."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    head = "patient_id | code | effective_datetime | value | value_unit\n"
    return head + "\n".join(f"{who} | {code} | {day} | {value} | {unit}" for who, day, value in lines)


def test_the_latest_result_is_compared_with_an_earlier_one(spec):
    """From 20 to 22 is a rise of ten percent; from 20 to 21 is none."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            ten_percent | 2026-06-01 | 20
            ten_percent | 2026-11-01 | 22
            less        | 2026-06-01 | 20
            less        | 2026-11-01 | 21
            fell        | 2026-06-01 | 20
            fell        | 2026-11-01 | 12
        """),
        rule=RISES,
        expected="""
            patient_id  | truth | reason
            ten_percent | true  | met
            less        | false | not_met
            fell        | false | not_met
        """,
    )


def test_a_fall_is_asked_for_by_its_own_word(spec):
    """From 80 to 72 percent of predicted is a fall by a tenth."""
    spec(
        as_of="2026-11-20",
        observation=volumes("""
            a_tenth | 2026-06-01 | 80
            a_tenth | 2026-11-01 | 72
            less    | 2026-06-01 | 80
            less    | 2026-11-01 | 72.1
            rose    | 2026-06-01 | 80
            rose    | 2026-11-01 | 90
        """),
        rule=FVC,
        expected="""
            patient_id | truth | reason
            a_tenth    | true  | met
            less       | false | not_met
            rose       | false | not_met
        """,
    )


@pytest.mark.parametrize(
    ("reading", "truth", "flags"),
    [("relative", "true", ""), ("absolute", "false", ""), ("both", "unknown", "relative_vs_absolute")],
)
def test_ten_percent_of_a_percentage_can_be_read_in_two_ways(spec, reading, truth, flags):
    """From 90 to 80 is a fall by ten points and by a tenth; from 80 to 72 only by a tenth."""
    spec(
        as_of="2026-11-20",
        observation=volumes("""
            both_ways     | 2026-06-01 | 90
            both_ways     | 2026-11-01 | 80
            only_relative | 2026-06-01 | 80
            only_relative | 2026-11-01 | 72
            neither       | 2026-06-01 | 80
            neither       | 2026-11-01 | 79
        """),
        rule={**FVC, "reading": reading},
        expected=f"""
            patient_id    | truth   | flags
            both_ways     | true    |
            only_relative | {truth} | {flags}
            neither       | false   |
        """,
    )


def test_an_amount_in_the_unit_of_the_concept_is_a_difference(spec):
    """300 mL of a volume in litres; a score has no unit."""
    spec(
        as_of="2026-11-20",
        observation=volumes(
            """
            fell_300 | 2026-06-01 | 2.5
            fell_300 | 2026-11-01 | 2.2
            fell_299 | 2026-06-01 | 2.5
            fell_299 | 2026-11-01 | 2.201
            """,
            code="19868-9",
            unit="L",
        ),
        rule={"change": "fvc_volume", "over": "6 months", "falls_by": "300 mL"},
        expected="""
            patient_id | truth
            fell_300   | true
            fell_299   | false
        """,
    )
    spec(
        as_of="2026-11-20",
        observation=scores("""
            up_5 | 2026-06-01 | 20
            up_5 | 2026-11-01 | 25
            up_4 | 2026-06-01 | 20
            up_4 | 2026-11-01 | 24
        """),
        rule={"change": "mrss", "over": "6 months", "rises_by": "5"},
        expected="""
            patient_id | truth
            up_5       | true
            up_4       | false
        """,
    )


def test_the_earliest_result_of_the_window_is_the_baseline_and_a_later_one_may_leave_it_open(spec):
    """Where the earliest one says no and a later one would say yes, a person decides."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            earliest_yes | 2026-06-01 | 20
            earliest_yes | 2026-08-01 | 24
            earliest_yes | 2026-11-01 | 22
            later_yes    | 2026-06-01 | 24
            later_yes    | 2026-08-01 | 20
            later_yes    | 2026-11-01 | 22
        """),
        rule=RISES,
        expected="""
            patient_id   | truth   | reason             | flags
            earliest_yes | true    | met                |
            later_yes    | unknown | baseline_dependent | baseline_dependent
        """,
    )


def test_any_baseline_is_enough_where_the_trial_says_so(spec):
    """`baseline: any` is true when one of the earlier results says yes, and false when all say no."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            later_yes | 2026-06-01 | 24
            later_yes | 2026-08-01 | 20
            later_yes | 2026-11-01 | 22
            none      | 2026-06-01 | 24
            none      | 2026-08-01 | 21
            none      | 2026-11-01 | 22
        """),
        rule={**RISES, "baseline": "any"},
        expected="""
            patient_id | truth | reason
            later_yes  | true  | met
            none       | false | not_met
        """,
    )


def test_the_baseline_lies_in_the_window_and_is_some_weeks_older(spec):
    """Six months before 2026-11-20 is 2026-05-20; 28 days before 2026-11-01 is 2026-10-04."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            first_day   | 2026-05-20 | 20
            first_day   | 2026-11-01 | 30
            day_before  | 2026-05-19 | 20
            day_before  | 2026-11-01 | 30
            28_days     | 2026-10-04 | 20
            28_days     | 2026-11-01 | 30
            27_days     | 2026-10-05 | 20
            27_days     | 2026-11-01 | 30
            only_one    | 2026-11-01 | 30
        """),
        rule=RISES,
        expected="""
            patient_id | truth   | reason           | changes_on
            first_day  | true    | met              | 2026-11-21
            day_before | unknown | baseline_missing |
            28_days    | true    | met              | 2027-01-31
            27_days    | unknown | baseline_missing |
            only_one   | unknown | baseline_missing |
        """,
    )
    spec(
        as_of="2026-11-20",
        observation=scores("""
            a_week | 2026-10-25 | 20
            a_week | 2026-11-01 | 30
        """),
        rule={**RISES, "apart": "1 week"},
        expected="""
            patient_id | truth
            a_week     | true
        """,
    )


def test_the_latest_result_is_not_older_than_its_look_back(spec):
    """A score counts for 90 days and for 28 of the protocol; `recent` says otherwise."""
    records = scores("""
        fresh  | 2026-06-01 | 20
        fresh  | 2026-10-23 | 30
        stale  | 2026-06-01 | 20
        stale  | 2026-10-22 | 30
        edge   | 2026-06-01 | 20
        edge   | 2026-08-22 | 30
        older  | 2026-06-01 | 20
        older  | 2026-08-21 | 30
    """)
    spec(
        as_of="2026-11-20",
        observation=records,
        rule=RISES,
        expected="""
            patient_id | truth   | reason        | flags
            fresh      | true    | met           |
            stale      | true    | met           | stale_for_protocol
            edge       | true    | met           | stale_for_protocol
            older      | unknown | out_of_window |
        """,
    )
    spec(
        as_of="2026-11-20",
        observation=records,
        rule={**RISES, "recent": "28 days"},
        expected="""
            patient_id | truth   | reason        | flags
            fresh      | true    | met           |
            stale      | unknown | out_of_window |
            edge       | unknown | out_of_window |
            older      | unknown | out_of_window |
        """,
    )


def test_a_baseline_of_nothing_has_no_tenth(spec):
    """From 0 to 3 is no rise in percent; from 0 to 0 nothing rose."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            from_nothing | 2026-06-01 | 0
            from_nothing | 2026-11-01 | 3
            stayed_there | 2026-06-01 | 0
            stayed_there | 2026-11-01 | 0
        """),
        rule=RISES,
        expected="""
            patient_id   | truth   | reason
            from_nothing | unknown | undefined_change
            stayed_there | false   | not_met
        """,
    )


def test_both_results_are_intervals(spec):
    """Below 70 after 80: at least a tenth. Below 75 after 80: nobody knows. Below 75 after more than 90: at least."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id  | code    | effective_datetime | value | value_comparator | value_unit
            sure        | 19872-1 | 2026-06-01         | 80    |                  | %
            sure        | 19872-1 | 2026-11-01         | 72    | <=               | %
            open        | 19872-1 | 2026-06-01         | 80    |                  | %
            open        | 19872-1 | 2026-11-01         | 75    | <                | %
            both        | 19872-1 | 2026-06-01         | 90    | >                | %
            both        | 19872-1 | 2026-11-01         | 75    | <                | %
            surely_not  | 19872-1 | 2026-06-01         | 80    | <                | %
            surely_not  | 19872-1 | 2026-11-01         | 72    |                  | %
        """,
        rule=FVC,
        expected="""
            patient_id | truth   | reason
            sure       | true    | met
            open       | unknown | comparator_straddles_threshold
            both       | true    | met
            surely_not | false   | not_met
        """,
    )


def test_results_of_one_time_must_agree(spec):
    """Two latest results, or two of the earliest day."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            agree         | 2026-06-01 | 20
            agree         | 2026-11-01 | 22
            agree         | 2026-11-01 | 30
            two_latest    | 2026-06-01 | 20
            two_latest    | 2026-11-01 | 22
            two_latest    | 2026-11-01 | 21
            two_baselines | 2026-06-01 | 20
            two_baselines | 2026-06-01 | 21
            two_baselines | 2026-11-01 | 22
        """),
        rule=RISES,
        expected="""
            patient_id    | truth   | reason
            agree         | true    | met
            two_latest    | unknown | conflicting_results
            two_baselines | unknown | conflicting_results
        """,
    )


def test_a_partial_date_counts_where_it_changes_nothing(spec):
    """A month inside the window is a baseline; one across its edge may be none, and one that may be newest must agree."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            inside      | 2026-07    | 20
            inside      | 2026-11-01 | 30
            across      | 2026-05    | 20
            across      | 2026-11-01 | 30
            newer_same  | 2026-06-01 | 20
            newer_same  | 2026-10-20 | 30
            newer_same  | 2026-11    | 29
            newer_other | 2026-06-01 | 20
            newer_other | 2026-10-20 | 30
            newer_other | 2026-11    | 21
            first_same  | 2026-06    | 21
            first_same  | 2026-06-15 | 20
            first_same  | 2026-11-01 | 30
            first_other | 2026-06    | 30
            first_other | 2026-06-15 | 20
            first_other | 2026-11-01 | 30
            later       | 2026-06-15 | 20
            later       | 2026-07    | 30
            later       | 2026-11-01 | 30
        """),
        rule=RISES,
        expected="""
            patient_id  | truth   | reason
            inside      | true    | met
            across      | unknown | partial_date
            newer_same  | true    | met
            newer_other | unknown | partial_date
            first_same  | true    | met
            first_other | unknown | partial_date
            later       | true    | met
        """,
    )


def test_what_cannot_be_used_does_not_decide(spec):
    """A preliminary result alone leaves it open; beside a usable one it is a flag."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id  | code_system | code       | effective_datetime | value | status
            alone       | {MRSS}      | mrss-total | 2026-06-01         | 20    | final
            alone       | {MRSS}      | mrss-total | 2026-11-01         | 30    | preliminary
            newer       | {MRSS}      | mrss-total | 2026-06-01         | 20    | final
            newer       | {MRSS}      | mrss-total | 2026-11-01         | 30    | final
            newer       | {MRSS}      | mrss-total | 2026-11-10         | 20    | preliminary
            implausible | {MRSS}      | mrss-total | 2026-11-01         | 80    | final
            nothing     | {MRSS}      | mrss-total | 2026-11-01         | 20    | cancelled
            future      | {MRSS}      | mrss-total | 2026-12-01         | 20    | final
        """,
        rule=RISES,
        expected="""
            patient_id  | truth   | reason          | flags
            alone       | unknown | unusable_status |
            newer       | true    | met             | newer_unusable
            implausible | unknown | implausible     |
            nothing     | unknown | no_data         |
            future      | unknown | no_data         |
        """,
    )


def test_two_results_are_always_of_one_concept(spec):
    """The percentage goes before the volume, where there are two of it."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | effective_datetime | value | value_unit
            percent    | 19872-1 | 2026-06-01         | 80    | %
            percent    | 19872-1 | 2026-11-01         | 79    | %
            percent    | 19868-9 | 2026-06-01         | 3     | L
            percent    | 19868-9 | 2026-11-01         | 2     | L
            volume     | 19872-1 | 2026-11-01         | 79    | %
            volume     | 19868-9 | 2026-06-01         | 3     | L
            volume     | 19868-9 | 2026-11-01         | 2     | L
            mixed      | 19872-1 | 2026-11-01         | 79    | %
            mixed      | 19868-9 | 2026-06-01         | 3     | L
        """,
        rule={**FVC, "change": ["fvc_percent_predicted", "fvc_volume"]},
        expected="""
            patient_id | truth   | reason
            percent    | false   | not_met
            volume     | true    | met
            mixed      | unknown | baseline_missing
        """,
    )


def test_the_evidence_is_the_latest_result_and_its_baseline(spec):
    """The latest one first; results between them decide nothing and are not shown."""
    spec(
        as_of="2026-11-20",
        observation=scores("""
            p | 2026-06-01 | 20
            p | 2026-08-01 | 21
            p | 2026-11-01 | 22
        """),
        rule=RISES,
        expected="""
            patient_id | truth
            p          | true
        """,
        first_evidence="""
            patient_id | resource                  | date       | value | compared
            p          | Observation/observation-3 | 2026-11-01 | 22    | 22 {score}
        """,
        evidence="""
            patient_id | resource                  | date       | value
            p          | Observation/observation-3 | 2026-11-01 | 22
            p          | Observation/observation-1 | 2026-06-01 | 20
        """,
    )
