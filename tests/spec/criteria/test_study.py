"""# Study

Taking part in another study."""

THREE_MONTHS = {"study": "interventional", "within": "3 months"}
STUDIES = """
    id      | identifier  | title         | category       | phase   | purpose
    TRIAL   | NCT01234567 | A drug trial  | INTERVENTIONAL |         |
    WATCHED | NCT02       | A registry    | Observational  |         |
    NONINT  | NCT03       | A cohort      | non-interventional |     |
    BY_PHASE | NCT04      | A phase study |                | phase-2 |
    BY_AIM  | NCT05       | A treatment   |                | n-a     | treatment
    UNCLEAR | NCT06       | A study       |                | n-a     |
    THIS    | NCT06983964 | This trial    | interventional |         |
"""


def test_a_part_in_a_study_counts_by_its_status(spec):
    """On study and in follow-up take part; screening is a plan; a candidate is nothing yet."""
    spec(
        as_of="2026-11-20",
        research_study=STUDIES,
        research_subject="""
            patient_id | study_id | status                | period_start | period_end
            on_study   | TRIAL    | on-study              | 2025-01-01   |
            treated    | TRIAL    | on-study-intervention | 2025-01-01   |
            followed   | TRIAL    | follow-up             | 2025-01-01   |
            undated    | TRIAL    | on-study              |              |
            left       | TRIAL    | off-study             | 2025-01-01   | 2026-09-01
            withdrew   | TRIAL    | withdrawn             | 2025-01-01   | 2026-09-01
            screened   | TRIAL    | screening             | 2026-11-01   |
            pending    | TRIAL    | pending-on-study      |              |
            candidate  | TRIAL    | candidate             | 2026-11-01   |
            ineligible | TRIAL    | ineligible            | 2026-11-01   |
        """,
        rule=THREE_MONTHS,
        expected="""
            patient_id | truth   | reason
            on_study   | true    | met
            treated    | true    | met
            followed   | true    | met
            undated    | true    | met
            left       | true    | met
            withdrew   | true    | met
            screened   | unknown | planned_participation
            pending    | unknown | planned_participation
            candidate  | unknown | no_data
            ineligible | unknown | no_data
        """,
    )


def test_a_part_that_is_over_counts_for_its_period(spec):
    """Three months before 2026-11-20 is 2026-08-20."""
    spec(
        as_of="2026-11-20",
        research_study=STUDIES,
        research_subject="""
            patient_id  | study_id | status    | period_start | period_end | last_updated
            last_day    | TRIAL    | off-study | 2025-01-01   | 2026-08-20 |
            day_before  | TRIAL    | off-study | 2025-01-01   | 2026-08-19 |
            edge_month  | TRIAL    | off-study | 2025-01-01   | 2026-08    |
            no_end      | TRIAL    | off-study | 2025-01-01   |            |
            over_by     | TRIAL    | off-study | 2025-01-01   |            | 2026-06-01T08:00:00Z
            began       | TRIAL    | off-study | 2026-09-01   |            |
            no_period   | TRIAL    | off-study |              |            |
            ended_on    | TRIAL    | on-study  | 2025-01-01   | 2026-08-19 |
            future      | TRIAL    | on-study  | 2026-12-01   |            |
        """,
        rule=THREE_MONTHS,
        expected="""
            patient_id | truth   | reason                    | changes_on
            last_day   | true    | met                       | 2026-11-21
            day_before | false   | outside_window            |
            edge_month | unknown | partial_date              | 2026-12-01
            no_end     | unknown | participation_end_unknown |
            over_by    | false   | outside_window            |
            began      | true    | met                       | 2026-12-02
            no_period  | unknown | no_date                   |
            ended_on   | false   | outside_window            |
            future     | unknown | no_data                   | 2026-12-01
        """,
    )


def test_whether_a_study_intervenes_is_told_by_its_category_phase_or_purpose(spec):
    """One that only observes does not count; one that says nothing, or was never sent, is unknown."""
    spec(
        as_of="2026-11-20",
        research_study=STUDIES,
        research_subject="""
            patient_id | study_id
            trial      | TRIAL
            watched    | WATCHED
            nonint     | NONINT
            by_phase   | BY_PHASE
            by_aim     | BY_AIM
            unclear    | UNCLEAR
            never_sent | LOST
        """,
        rule=THREE_MONTHS,
        expected="""
            patient_id | truth   | reason
            trial      | true    | met
            watched    | unknown | no_data
            nonint     | unknown | no_data
            by_phase   | true    | met
            by_aim     | true    | met
            unclear    | unknown | study_kind_unclear
            never_sent | unknown | study_kind_unclear
        """,
    )


def test_any_study_is_asked_for_by_its_own_word(spec):
    """Also one that only observes."""
    spec(
        as_of="2026-11-20",
        research_study=STUDIES,
        research_subject="""
            patient_id | study_id
            watched    | WATCHED
            never_sent | LOST
        """,
        rule={"study": "any", "active": "yes"},
        expected="""
            patient_id | truth
            watched    | true
            never_sent | true
        """,
    )


def test_this_trial_itself_does_not_count(spec):
    """By an identifier of the study or by its id, in capitals or not."""
    spec(
        as_of="2026-11-20",
        research_study=STUDIES,
        research_subject="""
            patient_id | study_id
            this       | THIS
            by_id      | nct06983964
            another    | TRIAL
        """,
        rule={**THREE_MONTHS, "except": "NCT06983964"},
        expected="""
            patient_id | truth   | reason
            this       | unknown | no_data
            by_id      | unknown | no_data
            another    | true    | met
        """,
    )


def test_the_evidence_names_the_study(spec):
    """By its title, with the day on which the part began."""
    spec(
        as_of="2026-11-20",
        research_study=STUDIES,
        research_subject="""
            patient_id | study_id | period_start
            p          | TRIAL    | 2026-01-01
        """,
        rule=THREE_MONTHS,
        expected="""
            patient_id | truth
            p          | true
        """,
        evidence="""
            patient_id | resource                            | date       | value
            p          | ResearchSubject/research_subject-1  | 2026-01-01 | A drug trial
        """,
    )
