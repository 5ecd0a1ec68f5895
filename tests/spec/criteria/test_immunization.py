"""# Immunization

A vaccine that was given."""

MMR = "03"
SIX_WEEKS = {"immunization": "vx_live", "within": "6 weeks"}


def test_an_immunization_counts_by_its_status(spec):
    """Given counts; not given is a record against; one entered in error says nothing."""
    spec(
        as_of="2026-11-20",
        immunization=f"""
            patient_id | code  | status           | occurrence_datetime
            given      | {MMR} | completed        | 2026-11-01
            not_given  | {MMR} | not-done         | 2026-11-01
            in_error   | {MMR} | entered-in-error | 2026-11-01
        """,
        rule=SIX_WEEKS,
        expected="""
            patient_id | truth   | reason
            given      | true    | met
            not_given  | false   | recorded_against
            in_error   | unknown | no_data
        """,
    )


def test_the_window_ends_on_the_index_date_and_the_day_is_told_on_which_it_is_over(spec):
    """Six weeks before 2026-11-20 is 2026-10-09; one of then has left the window on the next day."""
    spec(
        as_of="2026-11-20",
        immunization=f"""
            patient_id | code  | occurrence_datetime
            first_day  | {MMR} | 2026-10-09
            day_before | {MMR} | 2026-10-08
            today      | {MMR} | 2026-11-20
            tomorrow   | {MMR} | 2026-11-21
            edge_month | {MMR} | 2026-10
            in_words   | {MMR} |
        """,
        rule=SIX_WEEKS,
        expected="""
            patient_id | truth   | reason         | changes_on
            first_day  | true    | met            | 2026-11-21
            day_before | false   | outside_window |
            today      | true    | met            | 2027-01-02
            tomorrow   | unknown | no_data        | 2026-11-21
            edge_month | unknown | partial_date   | 2026-12-13
            in_words   | unknown | no_date        |
        """,
    )


def test_a_text_in_place_of_the_day_is_no_date(spec):
    """It was given at some time, and nobody knows when."""
    records = f"""
        patient_id | code  | occurrence_string
        in_words   | {MMR} | as a child
    """
    for rule, truth, reason in (
        ({"immunization": "vx_live", "ever": "yes"}, "true", "met"),
        (SIX_WEEKS, "unknown", "no_date"),
    ):
        spec(
            as_of="2026-11-20",
            immunization=records,
            rule=rule,
            expected=f"""
                patient_id | truth   | reason
                in_words   | {truth} | {reason}
            """,
            evidence="""
                patient_id | date       | value
                in_words   | as a child | 03
            """,
        )


def test_an_inactivated_vaccine_is_none_of_the_live_ones(spec):
    """CVX 10 is the inactivated polio vaccine, 02 the oral one."""
    spec(
        as_of="2026-11-20",
        immunization="""
            patient_id  | code | occurrence_datetime
            inactivated | 10   | 2026-11-01
            oral        | 02   | 2026-11-01
        """,
        rule=SIX_WEEKS,
        expected="""
            patient_id  | truth   | reason
            inactivated | unknown | no_data
            oral        | true    | met
        """,
    )


def test_no_record_means_unknown_where_the_trial_says_nothing(spec):
    """Vaccines are given elsewhere. With `absence: false` the patient must have been seen, which a vaccine does not show."""
    records = {
        "encounter": """
            patient_id | start_at
            seen       | 2026-11-01
        """,
        "immunization": """
            patient_id | code | occurrence_datetime
            seen       | 10   | 2026-10-20
            only_this  | 10   | 2026-10-20
        """,
    }
    spec(
        as_of="2026-11-20",
        **records,
        rule=SIX_WEEKS,
        expected="""
            patient_id | truth   | reason
            seen       | unknown | no_data
            only_this  | unknown | no_data
        """,
    )
    spec(
        as_of="2026-11-20",
        **records,
        rule={**SIX_WEEKS, "absence": "false"},
        expected="""
            patient_id | truth   | reason
            seen       | false   | absent
            only_this  | unknown | no_data
        """,
        evidence="""
            patient_id | searched        | since      | found
            seen       | 1 immunizations | 2026-10-20 |
            only_this  | 1 immunizations | 2026-10-20 |
        """,
    )
    spec(
        as_of="2026-11-20",
        **records,
        loaded=("Patient", "Encounter"),
        rule={**SIX_WEEKS, "absence": "false"},
        expected="""
            patient_id | truth   | reason
            seen       | unknown | not_loaded
            only_this  | unknown | not_loaded
        """,
    )


def test_a_vaccine_may_be_kept_as_a_medication(spec):
    """ATC J07BD52 is the live vaccine against measles, mumps and rubella."""
    spec(
        as_of="2026-11-20",
        medication_administration="""
            patient_id | code_system            | code    | effective_datetime
            injected   | http://www.whocc.no/atc | J07BD52 | 2026-11-01
        """,
        rule={"any": [SIX_WEEKS, {"medication": "vx_live", "within": "6 weeks"}]},
        expected="""
            patient_id | truth
            injected   | true
        """,
    )
