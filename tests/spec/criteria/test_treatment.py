"""# Treatment

How long a drug was taken, alone or beside another, until when, and what was reached under it. The lengths of the worked
examples are those of the definition: from the first day to the last, so that 1 to 31 January are 30 days."""

PREDNISONE, HYDROXYCHLOROQUINE, AZATHIOPRINE, METHOTREXATE = "8640", "5521", "1256", "6851"
MYCOPHENOLATE, CYCLOPHOSPHAMIDE, RITUXIMAB, BELIMUMAB = "68149", "3002", "121191", "1092437"
ATC = "http://www.whocc.no/atc"
INDEX = "2026-11-22"
GLUCOCORTICOID = "rx_glucocorticoid_systemic"
HALF_A_YEAR = {"treatment": "rx_azathioprine", "for": "180 days"}
STABLE = {"treatment": "rx_azathioprine", "for": "180 days", "until": "14 days"}


def test_a_treatment_is_as_long_as_its_last_day_is_after_its_first(spec):
    """From 1 January to 30 June are 180 days; whether it was long ago does not matter."""
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id | code           | status    | effective_start | effective_end
            days_180   | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-06-30
            days_179   | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-06-29
            long_ago   | {AZATHIOPRINE} | completed | 2019-01-01      | 2019-06-30
            going_on   | {AZATHIOPRINE} | active    | 2026-05-26      | 2027-05-01
            too_new    | {AZATHIOPRINE} | active    | 2026-05-27      | 2027-05-01
            other_drug | {METHOTREXATE} | completed | 2026-01-01      | 2026-06-30
        """,
        rule=HALF_A_YEAR,
        expected="""
            patient_id | truth   | reason
            days_180   | true    | met
            days_179   | false   | not_met
            long_ago   | true    | met
            going_on   | true    | met
            too_new    | false   | not_met
            other_drug | unknown | no_data
        """,
    )


def test_gaps_of_up_to_thirty_days_belong_to_the_treatment(spec):
    """From 31 March to 30 April are 30 days: one era of 180 days. A day more, and there are two, of 89 and 60 days."""
    courses = f"""
        patient_id | code           | status    | effective_start | effective_end
        gap_30     | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-03-31
        gap_30     | {AZATHIOPRINE} | completed | 2026-04-30      | 2026-06-30
        gap_31     | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-03-31
        gap_31     | {AZATHIOPRINE} | completed | 2026-05-01      | 2026-06-30
    """
    spec(
        as_of=INDEX,
        medication_statement=courses,
        rule={"treatment": "rx_azathioprine", "for": "150 days"},
        expected="""
            patient_id | truth
            gap_30     | true
            gap_31     | false
        """,
    )
    spec(
        as_of=INDEX,
        medication_statement=courses,
        rule={"treatment": "rx_azathioprine", "for": "149 days", "gaps": "1 week"},
        expected="""
            patient_id | truth
            gap_30     | true
            gap_31     | true
        """,
    )


def test_until_asks_for_one_era_that_reaches_to_the_index_date(spec):
    """Fourteen days before 2026-11-22 is 2026-11-08. Two eras do not add up."""
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id  | code           | status    | effective_start | effective_end
            ended_14    | {AZATHIOPRINE} | completed | 2026-05-12      | 2026-11-08
            ended_15    | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-11-07
            days_179    | {AZATHIOPRINE} | completed | 2026-05-13      | 2026-11-08
            interrupted | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-06-30
            interrupted | {AZATHIOPRINE} | active    | 2026-09-01      | 2026-12-31
        """,
        rule=STABLE,
        expected="""
            patient_id  | truth
            ended_14    | true
            ended_15    | false
            days_179    | false
            interrupted | false
        """,
    )


def test_a_stable_regimen_of_the_definition(spec):
    """Prednisone since 10 January, 316 days, asserted on 1 November; hydroxychloroquine ordered again and again, 294 days."""
    for drug, days in ((GLUCOCORTICOID, 316), ("rx_hydroxychloroquine", 294)):
        for length, truth in ((days, "true"), (days + 1, "false")):
            spec(
                as_of=INDEX,
                medication_statement=f"""
                    patient_id | code         | status | effective_start | date_asserted
                    p1         | {PREDNISONE} | active | 2026-01-10      | 2026-11-01
                """,
                medication_request=f"""
                    patient_id | code                 | status    | authored_on | bounds_end
                    p1         | {HYDROXYCHLOROQUINE} | completed | 2026-02-01  | 2026-06-15
                    p1         | {HYDROXYCHLOROQUINE} | active    | 2026-06-20  |
                    p1         | {HYDROXYCHLOROQUINE} | active    | 2026-10-20  |
                """,
                rule={"treatment": drug, "for": f"{length} days", "until": "14 days"},
                expected=f"""
                    patient_id | truth
                    p1         | {truth}
                """,
            )


def test_a_restarted_drug_of_the_definition(spec):
    """Mycophenolate from 1 June to 15 August and again since 5 September: a gap of 21 days, one era of 174 days."""
    for length, truth in (("60 days", "true"), ("174 days", "true"), ("175 days", "false"), ("180 days", "false")):
        spec(
            as_of=INDEX,
            medication_request=f"""
                patient_id | code            | status    | authored_on | bounds_end
                p1         | {MYCOPHENOLATE} | completed | 2026-06-01  | 2026-08-15
                p1         | {MYCOPHENOLATE} | active    | 2026-09-05  |
            """,
            rule={"treatment": "rx_mycophenolate", "for": length, "until": "14 days"},
            expected=f"""
                patient_id | truth
                p1         | {truth}
            """,
        )


SCLERODERMA = {
    "medication_statement": f"""
        patient_id | code            | status    | effective_start | effective_end | date_asserted
        p1         | {PREDNISONE}    | completed | 2025-01-01      | 2026-06-30    |
        p1         | {MYCOPHENOLATE} | active    | 2025-08-01      |               | 2026-11-01
    """,
    "medication_administration": f"""
        patient_id | code               | effective_datetime | route_code
        p1         | {CYCLOPHOSPHAMIDE} | 2025-02-01         | 47625008
        p1         | {CYCLOPHOSPHAMIDE} | 2025-03-01         | 47625008
        p1         | {CYCLOPHOSPHAMIDE} | 2025-04-01         | 47625008
        p1         | {CYCLOPHOSPHAMIDE} | 2025-05-01         | 47625008
        p1         | {CYCLOPHOSPHAMIDE} | 2025-06-01         | 47625008
        p1         | {CYCLOPHOSPHAMIDE} | 2025-07-01         | 47625008
    """,
}


def test_concurrent_treatment_of_the_definition(spec):
    """Prednisone overlaps mycophenolate for 333 days, and six infusions of cyclophosphamide, which act for 30 days, for 180."""
    for drug, length, truth in (
        ("rx_mycophenolate", "333 days", "true"),
        ("rx_mycophenolate", "334 days", "false"),
        ("rx_cyclophosphamide", "180 days", "true"),
        ("rx_cyclophosphamide", "181 days", "false"),
    ):
        spec(
            as_of=INDEX,
            **SCLERODERMA,
            rule={"treatment": drug, "with": GLUCOCORTICOID, "for": length},
            expected=f"""
                patient_id | truth
                p1         | {truth}
            """,
        )


def test_several_drugs_are_one_treatment_whose_days_count_once(spec):
    """Cyclophosphamide 180 days, and mycophenolate 333 from the next day; a day of both counts once, a gap not at all."""
    rule = {"treatment": ["rx_cyclophosphamide", "rx_mycophenolate"], "with": GLUCOCORTICOID}
    spec(as_of=INDEX, **SCLERODERMA, rule={**rule, "for": "514 days"}, expected="patient_id | truth\np1 | true")
    spec(as_of=INDEX, **SCLERODERMA, rule={**rule, "for": "515 days"}, expected="patient_id | truth\np1 | false")
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id | code           | status    | effective_start | effective_end
            both       | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-03-31
            both       | {METHOTREXATE} | completed | 2026-02-01      | 2026-04-30
            next_day   | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-03-31
            next_day   | {METHOTREXATE} | completed | 2026-04-01      | 2026-04-30
            pause      | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-03-31
            pause      | {METHOTREXATE} | completed | 2026-04-02      | 2026-05-01
        """,
        rule={"treatment": ["rx_azathioprine", "rx_methotrexate"], "for": "119 days"},
        expected="""
            patient_id | truth
            both       | true
            next_day   | true
            pause      | false
        """,
    )


def test_an_effect_that_depends_on_the_route_is_certain_where_the_route_is_known(spec):
    """Cyclophosphamide acts for 30 days by vein, and not beyond its day by mouth."""
    spec(
        as_of=INDEX,
        medication_administration=f"""
            patient_id | code               | effective_datetime | route_code | route_text
            by_vein    | {CYCLOPHOSPHAMIDE} | 2026-02-01         | 47625008   |
            in_words   | {CYCLOPHOSPHAMIDE} | 2026-02-01         |            | Intravenous infusion
            by_mouth   | {CYCLOPHOSPHAMIDE} | 2026-02-01         | 26643006   |
            unsaid     | {CYCLOPHOSPHAMIDE} | 2026-02-01         |            |
        """,
        rule={"treatment": "rx_cyclophosphamide", "for": "30 days"},
        expected="""
            patient_id | truth   | reason
            by_vein    | true    | met
            in_words   | true    | met
            by_mouth   | false   | not_met
            unsaid     | unknown | duration_unclear
        """,
    )


def test_an_infusion_of_rituximab_is_a_treatment_of_half_a_year(spec):
    """Of the definition: prednisone and one infusion on 15 March; its 180 days end on 11 September."""
    for length, truth in (("90 days", "true"), ("180 days", "true"), ("181 days", "false")):
        spec(
            as_of=INDEX,
            medication_statement=f"""
                patient_id | code         | status    | effective_start | effective_end
                p1         | {PREDNISONE} | completed | 2026-01-01      | 2026-11-20
            """,
            medication_administration=f"""
                patient_id | code        | effective_datetime
                p1         | {RITUXIMAB} | 2026-03-15
            """,
            rule={"treatment": "rx_rituximab", "with": GLUCOCORTICOID, "for": length},
            expected=f"""
                patient_id | truth
                p1         | {truth}
            """,
        )


def test_two_codes_of_one_drug_are_one_treatment(spec):
    """By ATC until June, by RxNorm since; the same days on two records count once."""
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id | code_system | code           | status    | effective_start | effective_end
            one_drug   | {ATC}       | L04AX01        | completed | 2026-01-01      | 2026-04-30
            twice      | {ATC}       | L04AX01        | completed | 2026-01-01      | 2026-04-30
        """,
        medication_request=f"""
            patient_id | code           | status    | authored_on | bounds_end
            one_drug   | {AZATHIOPRINE} | completed | 2026-05-10  | 2026-06-30
            twice      | {AZATHIOPRINE} | completed | 2026-01-15  | 2026-04-30
        """,
        rule=HALF_A_YEAR,
        expected="""
            patient_id | truth
            one_drug   | true
            twice      | false
        """,
    )


def test_an_order_counts_and_an_open_end_is_certain_for_half_a_year(spec):
    """An order is certain until 180 days after it was written, a statement after it was asserted; a dispense never is."""
    spec(
        as_of=INDEX,
        medication_request=f"""
            patient_id  | code           | status    | authored_on | bounds_end | last_updated
            order       | {AZATHIOPRINE} | completed | 2026-01-01  | 2026-06-30 |
            open_order  | {AZATHIOPRINE} | active    | 2026-02-01  |            |
            ended_when  | {AZATHIOPRINE} | stopped   | 2026-02-01  |            | 2026-10-01T10:00:00+08:00
            on_hold     | {AZATHIOPRINE} | on-hold   | 2026-01-01  | 2026-06-30 |
        """,
        medication_statement=f"""
            patient_id  | code           | status | effective_start | effective_datetime | date_asserted
            asserted    | {AZATHIOPRINE} | active | 2026-01-01      |                    | 2026-01-01
            not_since   | {AZATHIOPRINE} | active | 2025-12-31      |                    | 2025-12-01
            single_days | {AZATHIOPRINE} | active |                 | 2026-05-10         |
            single_days | {AZATHIOPRINE} | active |                 | 2026-06-05         |
        """,
        medication_dispense=f"""
            patient_id  | code           | handed_over
            dispensed   | {AZATHIOPRINE} | 2026-05-10
            dispensed   | {AZATHIOPRINE} | 2026-06-05
        """,
        rule={"treatment": "rx_azathioprine", "for": "180 days"},
        expected="""
            patient_id  | truth   | reason
            order       | true    | met
            open_order  | true    | met
            ended_when  | unknown | open_ended_record
            on_hold     | unknown | tentative_record
            asserted    | true    | met
            not_since   | unknown | open_ended_record
            single_days | false   | not_met
            dispensed   | false   | not_met
        """,
    )
    spec(
        as_of=INDEX,
        medication_dispense=f"""
            patient_id | code           | handed_over
            dispensed  | {AZATHIOPRINE} | 2026-05-10
            dispensed  | {AZATHIOPRINE} | 2026-06-05
        """,
        rule={"treatment": "rx_azathioprine", "for": "26 days"},
        expected="""
            patient_id | truth   | reason
            dispensed  | unknown | duration_unclear
        """,
    )


def test_partial_dates_make_days_possible(spec):
    """From some day of January to some day of July are 151 days at least and 211 at most."""
    for length, truth in (
        ("151 days", "true"),
        ("152 days", "unknown"),
        ("211 days", "unknown"),
        ("212 days", "false"),
    ):
        spec(
            as_of=INDEX,
            medication_statement=f"""
                patient_id | code           | status    | effective_start | effective_end
                p1         | {AZATHIOPRINE} | completed | 2026-01         | 2026-07
            """,
            rule={"treatment": "rx_azathioprine", "for": length},
            expected=f"""
                patient_id | truth
                p1         | {truth}
            """,
        )


def test_days_on_which_it_was_not_taken_are_not_certain(spec):
    """The order says 180 days. A pause of up to 30 days is none; not taken alone is no treatment and no absence."""
    spec(
        as_of=INDEX,
        medication_request=f"""
            patient_id | code           | status    | authored_on | bounds_end
            weeks      | {AZATHIOPRINE} | completed | 2026-01-01  | 2026-06-30
            months     | {AZATHIOPRINE} | completed | 2026-01-01  | 2026-06-30
            other      | {AZATHIOPRINE} | completed | 2026-01-01  | 2026-06-30
        """,
        medication_statement=f"""
            patient_id | code           | status    | effective_start | effective_end
            weeks      | {AZATHIOPRINE} | not-taken | 2026-03-01      | 2026-03-21
            months     | {AZATHIOPRINE} | not-taken | 2026-03-01      | 2026-04-30
            other      | {METHOTREXATE} | not-taken | 2026-03-01      | 2026-04-30
            never      | {AZATHIOPRINE} | not-taken | 2026-03-01      | 2026-04-30
        """,
        rule=HALF_A_YEAR,
        expected="""
            patient_id | truth   | reason
            weeks      | true    | met
            months     | unknown | not_taken_recorded
            other      | true    | met
            never      | unknown | no_data
        """,
    )


def test_what_is_on_record_and_too_short_is_no_absence(spec):
    """Of two drugs the one alone may be too short; when it is not, silence of the other leaves it open."""
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id | code           | status    | effective_start | effective_end
            too_short  | {PREDNISONE}   | completed | 2026-01-01      | 2026-02-28
            one_alone  | {PREDNISONE}   | completed | 2026-01-01      | 2026-09-30
            apart      | {PREDNISONE}   | completed | 2026-01-01      | 2026-04-30
            apart      | {AZATHIOPRINE} | completed | 2026-05-15      | 2026-09-30
            others     | {METHOTREXATE} | completed | 2026-01-01      | 2026-09-30
            nameless   |                | completed | 2026-01-01      | 2026-09-30
        """,
        rule={"treatment": "rx_azathioprine", "with": GLUCOCORTICOID, "for": "90 days"},
        expected="""
            patient_id | truth   | reason
            too_short  | false   | not_met
            one_alone  | unknown | no_data
            apart      | false   | not_met
            others     | unknown | no_data
            nameless   | unknown | unnamed_drug
        """,
    )


def test_silence_is_a_no_only_where_the_rule_says_so(spec):
    """With `absence: false`, of a patient who was seen and has some medication record."""
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id | code           | status    | effective_start | effective_end
            seen       | {METHOTREXATE} | completed | 2026-01-01      | 2026-09-30
        """,
        condition="""
            patient_id | code     | recorded_date
            no_drugs   | 55464009 | 2026-10-01
        """,
        rule={**HALF_A_YEAR, "absence": "false"},
        expected="""
            patient_id | truth   | reason
            seen       | false   | absent
            no_drugs   | unknown | not_observed
        """,
    )


def test_a_truth_changes_on_the_day_on_which_the_treatment_is_long_enough_or_over(spec):
    """Since 1 June, 180 days are full on 28 November. An era that ended on 10 November counts until 24 November."""
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id | code           | status    | effective_start | effective_end
            going_on   | {AZATHIOPRINE} | active    | 2026-06-01      | 2027-03-31
            over       | {AZATHIOPRINE} | completed | 2026-03-01      | 2026-11-10
            long       | {AZATHIOPRINE} | active    | 2026-03-01      | 2027-03-31
        """,
        rule=STABLE,
        expected="""
            patient_id | truth | changes_on
            going_on   | false | 2026-11-28
            over       | true  | 2026-11-25
            long       | true  | 2027-04-15
        """,
    )
    spec(
        as_of=INDEX,
        medication_statement=f"""
            patient_id | code           | status | effective_start | effective_end | date_asserted
            going_on   | {AZATHIOPRINE} | active | 2026-06-01      | 2027-03-31    |
            perhaps    | {AZATHIOPRINE} | active | 2026-06-01      |               | 2026-05-01
        """,
        rule=HALF_A_YEAR,
        expected="""
            patient_id | truth   | changes_on
            going_on   | false   | 2026-11-28
            perhaps    | false   | 2026-11-28
        """,
    )


VASCULITIS = f"""
    patient_id  | code           | status    | effective_start | effective_end
    {{name}} | {PREDNISONE}   | completed | 2026-01-01      | 2026-09-30
    {{name}} | {AZATHIOPRINE} | completed | 2026-01-01      | 2026-08-31
"""
REMISSION = {
    "treatment": "rx_azathioprine",
    "with": GLUCOCORTICOID,
    "for": "90 days",
    "reaching": {"observation": "bvas_v3_total", "at_most": "0"},
}


def under_treatment(*names):
    """Each of the patients has both drugs from January until August."""
    header, *rows = VASCULITIS.strip().splitlines()
    return "\n".join([header, *(row.format(name=name) for name in names for row in rows)])


def test_a_value_counts_from_the_day_on_which_the_treatment_is_long_enough_until_it_ends(spec):
    """Ninety days after 1 January is 1 April; azathioprine ends on 31 August. Never needs two results."""
    spec(
        as_of=INDEX,
        medication_statement=under_treatment(
            "first_day", "day_before", "last_day", "day_after", "never", "one_result", "no_result"
        ),
        observation="""
            patient_id | code_system                            | code             | value      | effective_datetime
            first_day  | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0          | 2026-04-01
            day_before | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0          | 2026-03-31
            last_day   | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0          | 2026-08-31
            day_after  | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0          | 2026-09-01
            never      | urn:cohortfinder:codesystem:observation | bvas-v3-total | 4          | 2026-05-01
            never      | urn:cohortfinder:codesystem:observation | bvas-v3-total | 2          | 2026-08-01
            one_result | urn:cohortfinder:codesystem:observation | bvas-v3-total | 4          | 2026-05-01
        """,
        rule=REMISSION,
        expected="""
            patient_id | truth   | reason
            first_day  | true    | met
            day_before | unknown | too_few_results
            last_day   | true    | met
            day_after  | unknown | too_few_results
            never      | false   | not_met
            one_result | unknown | too_few_results
            no_result  | unknown | too_few_results
        """,
    )


def test_the_dose_of_the_day_of_the_result_counts(spec):
    """Remission is BVAS 0 on at most 7.5 mg of prednisone a day; on more it is none, on an unknown dose nobody knows."""
    spec(
        as_of=INDEX,
        medication_statement=under_treatment("low", "high", "unsaid", "stopped"),
        medication_administration=f"""
            patient_id | code         | effective_datetime | dose_value | dose_unit | route_code
            low        | {PREDNISONE} | 2026-05-01         | 7.5        | mg        | 26643006
            high       | {PREDNISONE} | 2026-05-01         | 8          | mg        | 26643006
            high       | {PREDNISONE} | 2026-06-01         | 8          | mg        | 26643006
        """,
        observation="""
            patient_id | code_system                             | code          | value | effective_datetime
            low        | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0     | 2026-05-01
            high       | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0     | 2026-05-01
            high       | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0     | 2026-06-01
            unsaid     | urn:cohortfinder:codesystem:observation | bvas-v3-total | 0     | 2026-05-01
        """,
        rule={
            **REMISSION,
            "reaching": {
                **REMISSION["reaching"],
                "while": {"dose": GLUCOCORTICOID, "as": "prednisone", "at_most": "7.5 mg/d"},
            },
        },
        expected="""
            patient_id | truth   | reason
            low        | true    | met
            high       | false   | not_met
            unsaid     | unknown | dose_then_unknown
            stopped    | unknown | too_few_results
        """,
        first_evidence="""
            patient_id | resource                              | compared
            low        | Observation/observation-1             | {score}
            high       | Observation/observation-3             | {score}
            unsaid     | Observation/observation-4             | {score}
            stopped    | MedicationStatement/medication_statement-7 | 2026-01-01 to 2026-09-30
        """,
    )
