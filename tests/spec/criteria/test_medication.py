"""# Medication

Exposure to a drug, and wash-out from it: which records count, and for which days."""

BELIMUMAB = "1092437"
ASPIRIN = "1191"
THREE_WEEKS = {"medication": "rx_belimumab", "within": "3 weeks"}


def test_an_administration_counts_by_its_status(spec):
    """Given, or partly given; on hold and unknown leave it open; not done is a record against."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | code      | effective_datetime
            in_error   | {ASPIRIN} | 2026-11-01
        """,
        medication_administration=f"""
            patient_id  | code        | status           | effective_datetime
            completed   | {BELIMUMAB} | completed        | 2026-11-05
            in_progress | {BELIMUMAB} | in-progress      | 2026-11-05
            stopped     | {BELIMUMAB} | stopped          | 2026-11-05
            on_hold     | {BELIMUMAB} | on-hold          | 2026-11-05
            unsure      | {BELIMUMAB} | unknown          | 2026-11-05
            not_done    | {BELIMUMAB} | not-done         | 2026-11-05
            in_error    | {BELIMUMAB} | entered-in-error | 2026-11-05
        """,
        rule=THREE_WEEKS,
        expected="""
            patient_id  | truth   | reason
            completed   | true    | met
            in_progress | true    | met
            stopped     | true    | met
            on_hold     | unknown | tentative_record
            unsure      | unknown | tentative_record
            not_done    | false   | recorded_against
            in_error    | false   | absent
        """,
    )


def test_administrations_and_dispenses_are_their_own_days(spec):
    """Three weeks before 2026-11-20 is 2026-10-30; an infusion that runs into the window lies in it."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id  | code        | effective_datetime | effective_start | effective_end
            first_day   | {BELIMUMAB} | 2026-10-30         |                 |
            day_before  | {BELIMUMAB} | 2026-10-29         |                 |
            overnight   | {BELIMUMAB} |                    | 2026-10-29      | 2026-10-30
            shanghai    | {BELIMUMAB} | 2026-10-29T17:00:00Z |               |
        """,
        medication_dispense=f"""
            patient_id  | code        | handed_over | prepared
            handed_over | {BELIMUMAB} | 2026-10-30  | 2026-10-20
            prepared    | {BELIMUMAB} |             | 2026-10-30
            dispensed_before | {BELIMUMAB} | 2026-10-29 |
        """,
        rule=THREE_WEEKS,
        expected="""
            patient_id       | truth
            first_day        | true
            day_before       | false
            overnight        | true
            shanghai         | true
            handed_over      | true
            prepared         | true
            dispensed_before | false
        """,
    )


def test_a_statement_runs_from_its_start_to_its_end(spec):
    """Overlap with the window is enough; one that has only a day is that day."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id  | code        | status    | effective_start | effective_end | effective_datetime
            ran_into_it | {BELIMUMAB} | completed | 2026-01-01      | 2026-10-30    |
            ended       | {BELIMUMAB} | completed | 2026-01-01      | 2026-10-29    |
            across_it   | {BELIMUMAB} | active    | 2026-01-01      | 2027-01-01    |
            one_day     | {BELIMUMAB} | completed |                 |               | 2026-11-05
            old_day     | {BELIMUMAB} | active    |                 |               | 2026-01-05
            not_begun   | {BELIMUMAB} | active    | 2026-12-01      |               |
        """,
        rule={**THREE_WEEKS, "absence": "unknown"},
        expected="""
            patient_id  | truth   | reason
            ran_into_it | true    | met
            ended       | false   | outside_window
            across_it   | true    | met
            one_day     | true    | met
            old_day     | false   | outside_window
            not_begun   | unknown | no_data
        """,
    )


def test_an_open_statement_is_certain_for_180_days_after_it_was_asserted(spec):
    """Lists of drugs are rarely closed: later exposure is possible, no more."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id  | code        | status | effective_start | date_asserted | last_updated
            of_late     | {BELIMUMAB} | active | 2025-06-01      | 2026-10-01    |
            to_the_day  | {BELIMUMAB} | active | 2025-06-01      | 2026-05-03    |
            a_day_older | {BELIMUMAB} | active | 2025-06-01      | 2026-05-02    |
            updated     | {BELIMUMAB} | active | 2025-06-01      |               | 2026-10-01T08:00:00Z
            never_asked | {BELIMUMAB} | active | 2025-06-01      |               |
        """,
        rule=THREE_WEEKS,
        expected="""
            patient_id  | truth   | reason
            of_late     | true    | met
            to_the_day  | true    | met
            a_day_older | unknown | open_ended_record
            updated     | true    | met
            never_asked | unknown | open_ended_record
        """,
    )


def test_a_finished_statement_without_an_end_is_certain_on_its_first_day(spec):
    """And possible until the record was last updated."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id  | code        | status    | effective_start | last_updated
            began_in_it | {BELIMUMAB} | stopped   | 2026-11-05      | 2026-11-06T08:00:00Z
            closed_in_it | {BELIMUMAB} | completed | 2026-01-01     | 2026-11-10T08:00:00Z
            closed_old  | {BELIMUMAB} | completed | 2026-01-01      | 2026-02-01T08:00:00Z
        """,
        rule=THREE_WEEKS,
        expected="""
            patient_id   | truth   | reason
            began_in_it  | true    | met
            closed_in_it | unknown | open_ended_record
            closed_old   | false   | outside_window
        """,
    )


def test_a_statement_counts_by_its_status(spec):
    """Not taken is a record against; intended is a plan; an error says nothing."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | code        | status           | effective_datetime
            not_taken  | {BELIMUMAB} | not-taken        | 2026-11-05
            on_hold    | {BELIMUMAB} | on-hold          | 2026-11-05
            unsure     | {BELIMUMAB} | unknown          | 2026-11-05
            intended   | {BELIMUMAB} | intended         | 2026-11-05
            intended   | {ASPIRIN}   | active           | 2026-11-05
            in_error   | {BELIMUMAB} | entered-in-error | 2026-11-05
            in_error   | {ASPIRIN}   | active           | 2026-11-05
        """,
        rule=THREE_WEEKS,
        expected="""
            patient_id | truth   | reason
            not_taken  | false   | recorded_against
            on_hold    | unknown | tentative_record
            unsure     | unknown | tentative_record
            intended   | false   | absent
            in_error   | false   | absent
        """,
    )


def test_an_order_alone_does_not_prove_exposure_in_a_window(spec):
    """Unless an administration, dispense or statement confirms it; one that ended before the window is clear."""
    spec(
        as_of="2026-11-20",
        medication_request=f"""
            patient_id  | code        | status    | intent | authored_on | bounds_end | supply_days | do_not_perform
            ordered     | {BELIMUMAB} | active    | order  | 2026-11-05  |            |             |
            given       | {BELIMUMAB} | active    | order  | 2026-11-05  |            |             |
            ended       | {BELIMUMAB} | completed | order  | 2026-08-01  | 2026-09-01 |             |
            used_up     | {BELIMUMAB} | active    | order  | 2026-08-01  |            | 28          |
            forbidden   | {BELIMUMAB} | active    | order  | 2026-11-05  |            |             | true
            planned     | {BELIMUMAB} | active    | plan   | 2026-11-05  |            |             |
            drafted     | {BELIMUMAB} | draft     | order  | 2026-11-05  |            |             |
            cancelled   | {BELIMUMAB} | cancelled | order  | 2026-11-05  |            |             |
        """,
        medication_administration=f"""
            patient_id  | code        | effective_datetime
            given       | {BELIMUMAB} | 2026-11-06
        """,
        rule=THREE_WEEKS,
        expected="""
            patient_id | truth   | reason
            ordered    | unknown | order_unconfirmed
            given      | true    | met
            ended      | false   | outside_window
            used_up    | false   | outside_window
            forbidden  | false   | recorded_against
            planned    | false   | absent
            drafted    | false   | absent
            cancelled  | false   | absent
        """,
    )


def test_an_order_counts_for_ever(spec):
    """Treatment history goes by what was ordered."""
    spec(
        as_of="2026-11-20",
        medication_request=f"""
            patient_id | code        | status    | intent   | authored_on
            ordered    | {BELIMUMAB} | completed | order    | 2015-11-05
            proposed   | {BELIMUMAB} | active    | proposal | 2026-11-05
        """,
        rule={"medication": "rx_belimumab", "ever": "yes"},
        expected="""
            patient_id | truth
            ordered    | true
            proposed   | false
        """,
    )


def test_active_asks_for_the_index_date(spec):
    """A drug that ended yesterday is not active; an order gives at most unknown."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | code        | status | effective_start | effective_end | date_asserted
            ongoing    | {BELIMUMAB} | active | 2026-01-01      |               | 2026-11-01
            last_day   | {BELIMUMAB} | active | 2026-01-01      | 2026-11-20    | 2026-11-01
            yesterday  | {BELIMUMAB} | active | 2026-01-01      | 2026-11-19    | 2026-11-01
        """,
        medication_request=f"""
            patient_id | code        | authored_on
            ordered    | {BELIMUMAB} | 2026-11-01
        """,
        rule={"medication": "rx_belimumab", "active": "yes"},
        expected="""
            patient_id | truth   | reason
            ongoing    | true    | met
            last_day   | true    | met
            yesterday  | false   | outside_window
            ordered    | unknown | order_unconfirmed
        """,
    )


def test_the_drug_is_found_through_its_product(spec):
    """By a code of the referenced Medication or of one of its active ingredients."""
    rxnorm, atc = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
    spec(
        as_of="2026-11-20",
        medication=f"""
            id | code_system | code    | ingredient_system | ingredient_code | ingredient_active
            m1 | {atc}       | L04AG04 |                   |                 |
            m2 |             |         | {rxnorm}          | {BELIMUMAB}     |
            m3 | {atc}       | N02BE01 | {rxnorm}          | {BELIMUMAB}     | false
        """,
        medication_administration=f"""
            patient_id | code_system | code    | medication_id | effective_datetime
            atc        | {atc}       | L04AG04 |               | 2026-11-05
            old_atc    | {atc}       | L04AA26 |               | 2026-11-05
            product    |             |         | m1            | 2026-11-05
            ingredient |             |         | m2            | 2026-11-05
            inactive   |             |         | m3            | 2026-11-05
        """,
        rule=THREE_WEEKS,
        expected="""
            patient_id | truth
            atc        | true
            old_atc    | true
            product    | true
            ingredient | true
            inactive   | false
        """,
    )


def test_a_text_rule_of_the_concept_finds_a_drug_without_a_code(spec):
    """Telitacicept has none yet: its names in the text, or in the display of the reference, stand for it."""
    spec(
        as_of="2026-11-20",
        medication_statement="""
            patient_id | code_text            | medication_display     | effective_datetime
            chinese    | 注射用泰它西普 80mg  |                        | 2026-11-05
            english    |                      | Telitacicept injection | 2026-11-05
            other      | prednisone           |                        | 2026-11-05
        """,
        rule={"medication": "rx_telitacicept", "within": "3 weeks"},
        expected="""
            patient_id | truth
            chinese    | true
            english    | true
            other      | false
        """,
    )


def test_a_record_without_a_date_holds_for_ever_and_leaves_a_window_open(spec):
    """Nobody knows when it was."""
    records = f"""
        patient_id | code
        undated    | {BELIMUMAB}
    """
    for rule, truth, reason in (
        ({"medication": "rx_belimumab", "ever": "yes"}, "true", "met"),
        (THREE_WEEKS, "unknown", "no_date"),
    ):
        spec(
            as_of="2026-11-20",
            medication_administration=records,
            rule=rule,
            expected=f"""
                patient_id | truth   | reason
                undated    | {truth} | {reason}
            """,
        )
