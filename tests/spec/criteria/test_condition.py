"""# Condition

A diagnosis or state: which records count, when they began and ended, and what a window asks of them."""

SLE = "55464009"
INFARCTION = "22298006"


def test_a_record_counts_by_its_verification(spec):
    """Confirmed, or nothing said; a tentative record suggests, a refuted one speaks against, an error says nothing."""
    spec(
        as_of="2026-11-20",
        encounter="""
            patient_id | start_at
            in_error   | 2026-11-01
        """,
        condition=f"""
            patient_id   | code  | verification_status | recorded_date
            confirmed    | {SLE} | confirmed           | 2020-01-01
            unsaid       | {SLE} |                     | 2020-01-01
            provisional  | {SLE} | provisional         | 2020-01-01
            differential | {SLE} | differential        | 2020-01-01
            unconfirmed  | {SLE} | unconfirmed         | 2020-01-01
            refuted      | {SLE} | refuted             | 2020-01-01
            in_error     | {SLE} | entered-in-error    | 2020-01-01
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id   | truth   | reason           | suggested
            confirmed    | true    | met              |
            unsaid       | true    | met              |
            provisional  | unknown | tentative_record | yes
            differential | unknown | tentative_record | yes
            unconfirmed  | unknown | tentative_record | yes
            refuted      | false   | recorded_against |
            in_error     | false   | absent           |
        """,
    )


def test_the_most_specific_row_of_the_concept_decides(spec):
    """M32 is lupus, M32.0 drug-induced lupus, which is not; dots, marks and national extensions do not matter."""
    icd = "http://hl7.org/fhir/sid/icd-10"
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id   | code_system            | code        | recorded_date
            organ        | {icd}                  | M32.1       | 2026-11-01
            no_dot       | {icd}                  | M321        | 2026-11-01
            dagger       | {icd}                  | M32.1†      | 2026-11-01
            chinese      | {icd}                  | M32.900x001 | 2026-11-01
            american     | {icd}-cm               | M32.10      | 2026-11-01
            by_oid       | urn:oid:2.16.840.1.113883.6.3 | M32.1 | 2026-11-01
            drug_induced | {icd}                  | M32.0       | 2026-11-01
            cutaneous    | {icd}                  | L93.0       | 2026-11-01
            unspecific   | http://snomed.info/sct | 200936003   | 2026-11-01
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id   | truth   | reason          | suggested
            organ        | true    | met             |
            no_dot       | true    | met             |
            dagger       | true    | met             |
            chinese      | true    | met             |
            american     | true    | met             |
            by_oid       | true    | met             |
            drug_induced | false   | absent          |
            cutaneous    | false   | absent          |
            unspecific   | unknown | unspecific_code | yes
        """,
    )


def test_codings_of_one_record_are_synonyms(spec):
    """One definite code is enough, unless another code of the same record is an exclude of the concept."""
    icd = "http://hl7.org/fhir/sid/icd-10"
    spec(
        as_of="2026-11-20",
        condition=f"""
            id | patient_id | code_system            | code      | recorded_date
            a  | agreeing   | {icd}                  | M32.1     | 2026-11-01
            a  | agreeing   | http://snomed.info/sct | {SLE}     | 2026-11-01
            b  | with_local | urn:the-hospital       | lupus     | 2026-11-01
            b  | with_local | {icd}                  | M32.1     | 2026-11-01
            c  | at_odds    | {icd}                  | M32.1     | 2026-11-01
            c  | at_odds    | {icd}                  | M32.0     | 2026-11-01
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id | truth   | reason
            agreeing   | true    | met
            with_local | true    | met
            at_odds    | unknown | conflicting_codes
        """,
    )


def test_one_of_several_concepts_is_enough(spec):
    """A list of concepts means any of them."""
    spec(
        as_of="2026-11-20",
        condition="""
            patient_id | code       | recorded_date
            gpa        | 195353004  | 2026-11-01
            mpa        | 1144805008 | 2026-11-01
            other      | 55464009   | 2026-11-01
        """,
        rule={"condition": ["dx_gpa", "dx_mpa"], "ever": "yes"},
        expected="""
            patient_id | truth
            gpa        | true
            mpa        | true
            other      | false
        """,
    )


def test_a_record_that_starts_later_does_not_exist(spec):
    """It counts from its first day on."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code  | onset_datetime
            tomorrow   | {SLE} | 2026-11-21
            today      | {SLE} | 2026-11-20
        """,
        rule={"condition": "dx_sle", "ever": "yes", "absence": "unknown"},
        expected="""
            patient_id | truth   | reason  | changes_on
            tomorrow   | unknown | no_data | 2026-11-21
            today      | true    | met     |
        """,
    )


def test_within_asks_for_the_start(spec):
    """An onset is an interval as precise as it was sent; only one that may lie on both sides leaves the answer open."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code         | onset_datetime | onset_start | onset_string
            first_day  | {INFARCTION} | 2026-05-20     |             |
            day_before | {INFARCTION} | 2026-05-19     |             |
            edge_month | {INFARCTION} | 2026-05        |             |
            this_year  | {INFARCTION} | 2026           |             |
            last_year  | {INFARCTION} | 2025           |             |
            june       | {INFARCTION} | 2026-06        |             |
            period     | {INFARCTION} |                | 2026-06-01  |
            said_year  | {INFARCTION} |                |             | heart attack in 2019
            two_years  | {INFARCTION} |                |             | 2019 or 2020
        """,
        rule={"condition": "dx_myocardial_infarction", "within": "6 months"},
        expected="""
            patient_id | truth   | reason
            first_day  | true    | met
            day_before | false   | outside_window
            edge_month | unknown | partial_date
            this_year  | unknown | partial_date
            last_year  | false   | outside_window
            june       | true    | met
            period     | true    | met
            said_year  | false   | outside_window
            two_years  | unknown | partial_date
        """,
    )


def test_without_an_onset_the_record_date_is_the_latest_possible_start(spec):
    """Except at an admission or in an emergency, where the diagnosis starts with its encounter."""
    spec(
        as_of="2026-11-20",
        encounter="""
            id | patient_id | class_code | start_at
            e1 | admitted   | IMP        | 2026-10-01
            e2 | emergency  | EMER       | 2026-10-01
            e3 | outpatient | AMB        | 2026-10-01
            e4 | problem    | IMP        | 2026-10-01
            e5 | visit_old  | AMB        | 2026-01-01
        """,
        condition=f"""
            patient_id  | code         | encounter_id | category            | recorded_date
            recorded    | {INFARCTION} |              |                     | 2026-10-01
            recorded_old | {INFARCTION} |             |                     | 2026-01-01
            admitted    | {INFARCTION} | e1           | encounter-diagnosis |
            emergency   | {INFARCTION} | e2           | encounter-diagnosis | 2026-10-02
            outpatient  | {INFARCTION} | e3           | encounter-diagnosis |
            problem     | {INFARCTION} | e4           | problem-list-item   |
            visit_old   | {INFARCTION} | e5           | encounter-diagnosis |
        """,
        rule={"condition": "dx_myocardial_infarction", "within": "6 months"},
        expected="""
            patient_id   | truth   | reason
            recorded     | unknown | partial_date
            recorded_old | false   | outside_window
            admitted     | true    | met
            emergency    | true    | met
            outpatient   | unknown | partial_date
            problem      | unknown | partial_date
            visit_old    | false   | outside_window
        """,
    )


def test_an_age_at_onset_is_an_interval_around_the_birthday(spec):
    """Born in January 1980, ill at 40: between 2019 and early 2021; at 46 the onset may be of this year."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id | birth_date
            at_40      | 1980-01-01
            at_46      | 1980-01-01
        """,
        condition=f"""
            patient_id | code         | onset_age | onset_age_unit
            at_40      | {INFARCTION} | 40        | a
            at_46      | {INFARCTION} | 46        | a
        """,
        rule={"condition": "dx_myocardial_infarction", "within": "6 months"},
        expected="""
            patient_id | truth
            at_40      | false
            at_46      | unknown
        """,
    )


def test_before_asks_that_the_start_is_at_least_that_long_ago(spec):
    """The day that is twelve months ago counts; a start that lies later comes to count with time."""
    spec(
        as_of="2026-11-20",
        condition="""
            patient_id  | code      | onset_datetime | recorded_date
            to_the_day  | 161712005 | 2025-11-20     |
            a_day_short | 161712005 | 2025-11-21     |
            recorded    | 161712005 |                | 2025-01-01
            noted_late  | 161712005 |                | 2026-06-30
        """,
        rule={"condition": "st_menopause", "before": "12 months"},
        expected="""
            patient_id  | truth   | reason         | changes_on
            to_the_day  | true    | met            |
            a_day_short | false   | outside_window | 2026-11-21
            recorded    | true    | met            |
            noted_late  | unknown | partial_date   | 2027-06-30
        """,
    )


def test_active_goes_by_the_clinical_status(spec):
    """Active, recurrence and relapse, unless it has ended; an end in the past beats the status."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code  | clinical_status | onset_datetime | abatement_datetime
            active     | {SLE} | active          | 2020-01-01     |
            recurring  | {SLE} | recurrence      | 2020-01-01     |
            relapsing  | {SLE} | relapse         | 2020-01-01     |
            resolved   | {SLE} | resolved        | 2020-01-01     |
            inactive   | {SLE} | inactive        | 2020-01-01     |
            ended      | {SLE} | active          | 2020-01-01     | 2026-11-19
            ends_today | {SLE} | active          | 2020-01-01     | 2026-11-20
            ends_later | {SLE} | active          | 2020-01-01     | 2026-12-01
        """,
        rule={"condition": "dx_sle", "active": "yes"},
        expected="""
            patient_id | truth | changes_on
            active     | true  |
            recurring  | true  |
            relapsing  | true  |
            resolved   | false |
            inactive   | false |
            ended      | false |
            ends_today | true  | 2026-11-21
            ends_later | true  | 2026-12-02
        """,
    )


def test_without_a_status_a_chronic_concept_is_active_and_an_event_for_90_days(spec):
    """Lupus stays; an infarction of 2026-08-22 is 90 days old on 2026-11-20."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code         | onset_datetime
            chronic    | {SLE}        | 2010-01-01
            fresh      | {INFARCTION} | 2026-11-01
            last_day   | {INFARCTION} | 2026-08-22
            past       | {INFARCTION} | 2026-08-21
        """,
        rule={"condition": ["dx_sle", "dx_myocardial_infarction"], "active": "yes"},
        expected="""
            patient_id | truth | changes_on
            chronic    | true  |
            fresh      | true  | 2027-01-31
            last_day   | true  | 2026-11-21
            past       | false |
        """,
    )


def test_active_within_asks_for_some_active_day_in_the_window(spec):
    """A disease that is over by now may still have been active in the window."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id  | code  | clinical_status | onset_datetime | abatement_datetime
            still       | {SLE} | active          | 2020-01-01     |
            ended_in_it | {SLE} | resolved        | 2020-01-01     | 2026-05-20
            ended_before | {SLE} | resolved       | 2020-01-01     | 2026-05-19
            began_in_it | {SLE} | active          | 2026-11-01     |
            sometime    | {SLE} | resolved        | 2020-01-01     |
        """,
        rule={"condition": "dx_sle", "active": "yes", "within": "6 months"},
        expected="""
            patient_id   | truth   | reason
            still        | true    | met
            ended_in_it  | true    | met
            ended_before | false   | outside_window
            began_in_it  | true    | met
            sometime     | unknown | partial_date
        """,
    )


def test_a_later_refuted_record_contradicts_a_firm_one(spec):
    """An earlier refuted one does not."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id    | code  | verification_status | recorded_date
            refuted_later | {SLE} | confirmed           | 2026-01-01
            refuted_later | {SLE} | refuted             | 2026-06-01
            confirmed_later | {SLE} | refuted           | 2026-01-01
            confirmed_later | {SLE} | confirmed         | 2026-06-01
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id      | truth   | reason
            refuted_later   | unknown | contradicted_by_refuted
            confirmed_later | true    | met
        """,
    )


def test_a_firm_record_in_the_window_beats_every_other(spec):
    """A tentative or an old one beside it changes nothing."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code         | verification_status | onset_datetime
            firm       | {INFARCTION} | confirmed           | 2026-10-01
            firm       | {INFARCTION} | provisional         | 2026-11-01
            firm       | {INFARCTION} | confirmed           | 2015-01-01
            suspected  | {INFARCTION} | provisional         | 2026-11-01
            suspected  | {INFARCTION} | confirmed           | 2015-01-01
        """,
        rule={"condition": "dx_myocardial_infarction", "within": "6 months"},
        expected="""
            patient_id | truth   | reason           | suggested
            firm       | true    | met              |
            suspected  | unknown | tentative_record | yes
        """,
    )
