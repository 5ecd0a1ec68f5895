"""# Procedure

Something done to the patient."""

PCI = "415070008"
SIX_MONTHS = {"procedure": "px_pci", "within": "6 months"}


def test_a_procedure_counts_by_its_status(spec):
    """Done or under way; stopped and unknown are tentative; not done is a record against; a plan says nothing."""
    spec(
        as_of="2026-11-20",
        encounter="""
            patient_id  | start_at
            preparation | 2026-11-01
            on_hold     | 2026-11-01
            in_error    | 2026-11-01
        """,
        procedure=f"""
            patient_id  | code  | status           | performed_datetime
            completed   | {PCI} | completed        | 2026-10-01
            in_progress | {PCI} | in-progress      | 2026-10-01
            stopped     | {PCI} | stopped          | 2026-10-01
            unsure      | {PCI} | unknown          | 2026-10-01
            not_done    | {PCI} | not-done         | 2026-10-01
            preparation | {PCI} | preparation      | 2026-10-01
            on_hold     | {PCI} | on-hold          | 2026-10-01
            in_error    | {PCI} | entered-in-error | 2026-10-01
        """,
        rule=SIX_MONTHS,
        expected="""
            patient_id  | truth   | reason
            completed   | true    | met
            in_progress | true    | met
            stopped     | unknown | tentative_record
            unsure      | unknown | tentative_record
            not_done    | false   | recorded_against
            preparation | false   | absent
            on_hold     | false   | absent
            in_error    | false   | absent
        """,
    )


def test_a_period_counts_with_its_whole_span(spec):
    """Six months before 2026-11-20 is 2026-05-20."""
    spec(
        as_of="2026-11-20",
        procedure=f"""
            patient_id  | code  | performed_datetime | performed_start | performed_end
            first_day   | {PCI} | 2026-05-20         |                 |
            day_before  | {PCI} | 2026-05-19         |                 |
            ran_into_it | {PCI} |                    | 2026-01-01      | 2026-05-20
            ended       | {PCI} |                    | 2026-01-01      | 2026-05-19
            edge_month  | {PCI} | 2026-05            |                 |
        """,
        rule=SIX_MONTHS,
        expected="""
            patient_id  | truth   | reason
            first_day   | true    | met
            day_before  | false   | outside_window
            ran_into_it | true    | met
            ended       | false   | outside_window
            edge_month  | unknown | partial_date
        """,
    )


def test_a_procedure_without_a_date_holds_for_ever_and_leaves_a_window_open(spec):
    """A description of the time is no date."""
    records = f"""
        patient_id | code  | performed_string
        undated    | {PCI} |
        described  | {PCI} | before the holidays
    """
    for rule, truth, reason in (
        ({"procedure": "px_pci", "ever": "yes"}, "true", "met"),
        (SIX_MONTHS, "unknown", "no_date"),
    ):
        spec(
            as_of="2026-11-20",
            procedure=records,
            rule=rule,
            expected=f"""
                patient_id | truth   | reason
                undated    | {truth} | {reason}
                described  | {truth} | {reason}
            """,
        )


def test_a_status_code_only_suggests_the_procedure(spec):
    """Z95.5, presence of a coronary stent, says that one was placed, not when, and not that it was this one."""
    spec(
        as_of="2026-11-20",
        procedure="""
            patient_id | code_system                     | code  | performed_datetime
            stent      | http://hl7.org/fhir/sid/icd-10  | Z95.5 | 2026-10-01
        """,
        rule={"procedure": "px_pci", "ever": "yes"},
        expected="""
            patient_id | truth   | reason          | suggested
            stent      | unknown | unspecific_code | yes
        """,
    )
