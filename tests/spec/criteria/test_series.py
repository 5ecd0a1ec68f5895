"""# Series

Readings over time, judged by the day: uncontrolled blood pressure."""

MM_HG = "http://unitsofmeasure.org"
PRESSURE = {
    "series": [
        {"observation": "systolic_bp", "above": "160 mm[Hg]"},
        {"observation": "diastolic_bp", "above": "100 mm[Hg]"},
    ],
    "within": "6 months",
    "recent": "28 days",
    "days": "2",
}


def test_the_latest_day_or_several_days_beyond_the_limit(spec):
    """One isolated high day that is not the latest stays open; the limit itself is not beyond."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id  | code   | value | value_unit_code | value_unit_system | effective_datetime
            latest_high | 8480-6 | 162   | mm[Hg]          | {MM_HG}           | 2026-11-01
            latest_high | 8480-6 | 120   | mm[Hg]          | {MM_HG}           | 2026-10-31
            two_days    | 8480-6 | 162   | mm[Hg]          | {MM_HG}           | 2026-07-01
            two_days    | 8462-4 | 101   | mm[Hg]          | {MM_HG}           | 2026-08-01
            two_days    | 8480-6 | 120   | mm[Hg]          | {MM_HG}           | 2026-11-01
            one_day     | 8480-6 | 162   | mm[Hg]          | {MM_HG}           | 2026-07-01
            one_day     | 8462-4 | 88    | mm[Hg]          | {MM_HG}           | 2026-07-01
            one_day     | 8480-6 | 130   | mm[Hg]          | {MM_HG}           | 2026-08-01
            one_day     | 8480-6 | 130   | mm[Hg]          | {MM_HG}           | 2026-11-01
            at_limit    | 8480-6 | 160   | mm[Hg]          | {MM_HG}           | 2026-11-01
            at_limit    | 8462-4 | 100   | mm[Hg]          | {MM_HG}           | 2026-11-01
        """,
        rule=PRESSURE,
        expected="""
            patient_id  | truth   | reason
            latest_high | true    | met
            two_days    | true    | met
            one_day     | unknown | single_day_beyond
            at_limit    | false   | not_met
        """,
    )


def test_a_day_is_the_mean_of_its_readings(spec):
    """170 and 140 on one day are 155; two high readings of one day are one day."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code   | value | value_unit_code | value_unit_system | effective_datetime
            calmed     | 8480-6 | 170   | mm[Hg]          | {MM_HG}           | 2026-11-01T08:00:00+08:00
            calmed     | 8480-6 | 140   | mm[Hg]          | {MM_HG}           | 2026-11-01T09:00:00+08:00
            same_day   | 8480-6 | 170   | mm[Hg]          | {MM_HG}           | 2026-07-01T08:00:00+08:00
            same_day   | 8480-6 | 180   | mm[Hg]          | {MM_HG}           | 2026-07-01T09:00:00+08:00
            same_day   | 8480-6 | 130   | mm[Hg]          | {MM_HG}           | 2026-11-01T09:00:00+08:00
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth
            calmed     | false
            same_day   | unknown
        """,
    )


def test_the_readings_of_a_panel_are_its_components(spec):
    """Each has its own code."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | component | code    | value | value_unit_code | value_unit_system | effective_datetime
            a  | diastolic  |           | 85354-9 |       |                 |                   | 2026-11-01
            a  | diastolic  | 0         | 8480-6  | 150   | mm[Hg]          | {MM_HG}           | 2026-11-01
            a  | diastolic  | 1         | 8462-4  | 105   | mm[Hg]          | {MM_HG}           | 2026-11-01
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth | reason
            diastolic  | true  | met
        """,
    )


def test_without_a_recent_reading_nothing_is_known_about_today(spec):
    """An old normal reading is out of the window, no reading is no data."""
    spec(
        as_of="2026-11-20",
        patient="""
            patient_id
            never
        """,
        observation=f"""
            patient_id  | code   | value | value_unit_code | value_unit_system | effective_datetime
            first_day   | 8480-6 | 120   | mm[Hg]          | {MM_HG}           | 2026-10-23
            day_before  | 8480-6 | 120   | mm[Hg]          | {MM_HG}           | 2026-10-22
            last_winter | 8480-6 | 180   | mm[Hg]          | {MM_HG}           | 2026-01-15
        """,
        rule=PRESSURE,
        expected="""
            patient_id  | truth   | reason
            first_day   | false   | not_met
            day_before  | unknown | out_of_window
            last_winter | unknown | out_of_window
            never       | unknown | no_data
        """,
    )


def test_what_could_change_the_answer_leaves_it_open(spec):
    """A partial date, or a comparator whose value may be on both sides."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code   | value_comparator | value | value_unit_code | value_unit_system | effective_datetime
            some_day   | 8480-6 |                  | 170   | mm[Hg]          | {MM_HG}           | 2026-10
            some_day   | 8480-6 |                  | 120   | mm[Hg]          | {MM_HG}           | 2026-11-01
            straddles  | 8480-6 | >                | 150   | mm[Hg]          | {MM_HG}           | 2026-11-01
            above      | 8480-6 | >                | 165   | mm[Hg]          | {MM_HG}           | 2026-11-01
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth   | reason
            some_day   | unknown | partial_date
            straddles  | unknown | comparator_straddles_threshold
            above      | true    | met
        """,
    )


def test_a_high_day_loses_its_weight_with_time(spec):
    """28 days after 2026-11-01 is 2026-11-29; the day after, it is a single old one."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code   | value | value_unit_code | value_unit_system | effective_datetime
            high       | 8480-6 | 170   | mm[Hg]          | {MM_HG}           | 2026-11-01
            normal     | 8480-6 | 120   | mm[Hg]          | {MM_HG}           | 2026-11-01
        """,
        rule=PRESSURE,
        expected="""
            patient_id | truth | changes_on
            high       | true  | 2026-11-30
            normal     | false | 2026-11-30
        """,
    )
