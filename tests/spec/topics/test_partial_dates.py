"""# Partial dates

A date is the days on which something may lie. What a comparison of such dates cannot settle is unknown; where the
answer is the same on each of these days, the partial date changes nothing."""

SLE = "55464009"
BELIMUMAB = "1092437"


def test_a_confirming_test_of_a_month_does_not_speak_for_a_positive_screen_of_that_month(spec):
    """Nobody knows which of the two is newer; a screen of the month before is surely older."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id   | code    | value_string | effective_datetime
            same_month   | 5196-1  | reactive     | 2026-10-20
            same_month   | 65633-0 | negative     | 2026-10
            both_partial | 5196-1  | reactive     | 2026-10
            both_partial | 65633-0 | negative     | 2026-10
            month_before | 5196-1  | reactive     | 2026-09-20
            month_before | 65633-0 | negative     | 2026-10
        """,
        rule={"observation": "hbsag", "role": "confirm", "is": "negative"},
        expected="""
            patient_id   | truth   | reason
            same_month   | unknown | conflicting_results
            both_partial | unknown | conflicting_results
            month_before | true    | met
        """,
    )


def test_of_several_confirming_tests_the_negative_one_must_be_as_new_as_the_screen(spec):
    """`pick: any` takes an old negative test; it does not speak for what came after it."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_string | effective_datetime
            outdated   | 65633-0 | negative     | 2026-10-01
            outdated   | 5196-1  | reactive     | 2026-10-10
            outdated   | 65633-0 | positive     | 2026-10-20
        """,
        rule={"observation": "hbsag", "role": "confirm", "is": "negative", "pick": "any"},
        expected="""
            patient_id | truth   | reason
            outdated   | unknown | conflicting_results
        """,
    )


def test_a_partial_date_inside_the_window_is_not_the_reason(spec):
    """What is open is the result, not when it was."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value_string  | effective_datetime
            open       | 5196-1 | indeterminate | 2026-09
            straddles  | 5196-1 | reactive      | 2025-11
        """,
        rule={"observation": "hbsag", "is": "positive"},
        expected="""
            patient_id | truth   | reason
            open       | unknown | equivocal_result
            straddles  | unknown | partial_date
        """,
    )


def test_a_result_of_a_month_before_the_look_back_of_the_protocol_is_stale(spec):
    """All days of the month are older than 28 days."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value_string | effective_datetime
            stale      | 5196-1 | reactive     | 2026-09
            fresh      | 5196-1 | reactive     | 2026-11
        """,
        rule={"observation": "hbsag", "is": "positive"},
        expected="""
            patient_id | truth | flags
            stale      | true  | stale_for_protocol
            fresh      | true  |
        """,
    )


def test_a_diagnosis_begins_with_its_visit_as_exactly_as_that_is_dated(spec):
    """A visit of some day in the month is no visit on its first; one that was entered in error dates nothing."""
    spec(
        as_of="2026-11-20",
        encounter="""
            id | patient_id | status           | class_code | start_at
            e1 | day        | finished         | IMP        | 2026-06-01
            e2 | month      | finished         | IMP        | 2026-05
            e3 | in_error   | entered-in-error | IMP        | 2026-06-01
            e4 | outpatient | finished         | AMB        | 2026-06-01
            e5 | old_month  | finished         | AMB        | 2026-04
        """,
        condition=f"""
            patient_id | encounter_id | code  | category
            day        | e1           | {SLE} | encounter-diagnosis
            month      | e2           | {SLE} | encounter-diagnosis
            in_error   | e3           | {SLE} | encounter-diagnosis
            outpatient | e4           | {SLE} | encounter-diagnosis
            old_month  | e5           | {SLE} | encounter-diagnosis
        """,
        rule={"condition": "dx_sle", "within": "6 months"},
        expected="""
            patient_id | truth   | reason
            day        | true    | met
            month      | unknown | partial_date
            in_error   | unknown | partial_date
            outpatient | unknown | partial_date
            old_month  | false   | outside_window
        """,
    )


def test_a_refuted_record_contests_what_it_may_be_newer_than(spec):
    """On the same day, in the same month, or without any date nobody knows which of the two was noted last."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id    | code  | verification_status | recorded_date
            same_day      | {SLE} | confirmed           | 2026-05-20
            same_day      | {SLE} | refuted             | 2026-05-20
            refuted_month | {SLE} | confirmed           | 2026-05-20
            refuted_month | {SLE} | refuted             | 2026-05
            firm_month    | {SLE} | confirmed           | 2026-05
            firm_month    | {SLE} | refuted             | 2026-05-20
            undated       | {SLE} | confirmed           | 2026-05-20
            undated       | {SLE} | refuted             |
            month_before  | {SLE} | confirmed           | 2026-05-20
            month_before  | {SLE} | refuted             | 2026-04
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id    | truth   | reason
            same_day      | unknown | contradicted_by_refuted
            refuted_month | unknown | contradicted_by_refuted
            firm_month    | unknown | contradicted_by_refuted
            undated       | unknown | contradicted_by_refuted
            month_before  | true    | met
        """,
    )


def test_an_open_statement_is_certain_for_180_days_after_the_first_day_of_a_partial_assertion(spec):
    """Asserted in May may be the first of May."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | code        | status | effective_start | date_asserted
            may        | {BELIMUMAB} | active | 2025-06-01      | 2026-05
            year       | {BELIMUMAB} | active | 2025-06-01      | 2026
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth   | reason
            may        | unknown | open_ended_record
            year       | unknown | open_ended_record
        """,
    )


def test_a_statement_without_a_start_began_by_the_day_on_which_it_was_asserted(spec):
    """What was completed when it was asserted lies before that."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | code        | status    | date_asserted
            completed  | {BELIMUMAB} | completed | 2026-08-01
            of_late    | {BELIMUMAB} | completed | 2026-11-10
        """,
        rule={"medication": "rx_belimumab", "within": "3 weeks"},
        expected="""
            patient_id | truth   | reason
            completed  | false   | outside_window
            of_late    | unknown | no_date
        """,
        evidence="""
            patient_id | resource                                   | date
            completed  | MedicationStatement/medication_statement-1 | 2026-08-01
            of_late    | MedicationStatement/medication_statement-2 | 2026-11-10
        """,
    )


PRESSURE = {
    "series": [{"observation": "systolic_bp", "above": "160 mm[Hg]"}],
    "within": "6 months",
    "recent": "28 days",
}


def test_a_reading_of_a_month_may_be_of_the_latest_day(spec):
    """It may change the mean of that day, or be of a later one; a reading of an earlier month cannot."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value | value_unit | effective_datetime
            may_change | 8480-6 | 165   | mmHg       | 2026-11-10
            may_change | 8480-6 | 120   | mmHg       | 2026-11
            cannot     | 8480-6 | 165   | mmHg       | 2026-11-10
            cannot     | 8480-6 | 120   | mmHg       | 2026-10
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth   | reason
            may_change | unknown | partial_date
            cannot     | true    | met
        """,
    )


def test_a_positive_screen_of_a_partial_date_is_not_newer_than_the_index_date(spec):
    """What would begin after the index date does not exist yet: on the next day it may be newer than the confirming test."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_string | effective_datetime
            today      | 5196-1  | reactive     | 2026
            today      | 65633-0 | negative     | 2026-11-20
        """,
        rule={"observation": "hbsag", "role": "confirm", "is": "negative"},
        expected="""
            patient_id | truth | reason | changes_on
            today      | true  | met    | 2026-11-21
        """,
    )


def test_a_date_that_may_lie_outside_changes_nothing_where_another_says_the_same_inside(spec):
    """A month inside the window decides; what the year says agrees with it."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code   | value_string | effective_datetime
            agrees     | 5196-1 | negative     | 2026-11
            agrees     | 5196-1 | negative     | 2026
            differs    | 5196-1 | negative     | 2026-11
            differs    | 5196-1 | reactive     | 2026
        """,
        rule={"observation": "hbsag", "is": "negative", "within": "28 days"},
        expected="""
            patient_id | truth   | reason
            agrees     | true    | met
            differs    | unknown | partial_date
        """,
    )


def test_a_result_of_the_next_concept_that_may_be_newer_leaves_the_answer_open(spec):
    """The preferred one is of some day of the month, the opposite one of a day in it."""
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id   | code    | value_string | effective_datetime
            may_be_newer | 5196-1  | negative     | 2026-10
            may_be_newer | 11597-2 | reactive     | 2026-10-20
            older        | 5196-1  | negative     | 2026-10
            older        | 11597-2 | reactive     | 2026-09-20
        """,
        rule={"observation": ["hbsag", "treponemal_antibody"], "is": "positive"},
        expected="""
            patient_id   | truth   | reason
            may_be_newer | unknown | conflicting_results
            older        | false   | not_met
        """,
    )
