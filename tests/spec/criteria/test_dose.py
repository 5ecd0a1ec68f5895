"""# Dose

The daily dose of a drug as an interval: what a dosage says, which records count on which day, and what stays open.

Unless a test says otherwise the patient takes the drug since 2026-10-01, by a statement of 2026-11-01."""

import pytest

PREDNISONE, METHYLPREDNISOLONE, DEXAMETHASONE = "8640", "6902", "3264"
METHOTREXATE, AZATHIOPRINE, MOFETIL, HYDROXYCHLOROQUINE = "6851", "1256", "68149", "5521"
ORAL, INTRAVENOUS, INTO_A_MUSCLE, ON_THE_SKIN = "26643006", "47625008", "78421000", "6064005"
GLUCOCORTICOID = {"dose": "rx_glucocorticoid_systemic", "as": "prednisone"}
AT_MOST_20 = {**GLUCOCORTICOID, "at_most": "20 mg/d"}
AT_LEAST_20 = {**GLUCOCORTICOID, "at_least": "20 mg/d"}
PULSE = {**GLUCOCORTICOID, "at_least": "500 mg/d", "within": "2 weeks"}
TWO_WEEKS_ON_END = {**GLUCOCORTICOID, "above": "500 mg/d", "within": "8 weeks", "for": "14 days"}
WEIGHT_60 = "patient_id | code | effective_datetime | value | value_unit_code\n p | 29463-7 | 2026-11-01 | 60 | kg"


@pytest.fixture
def taken(spec):
    """Ask of one patient, p, who takes `code` as the dosages say; the truth, and the dose as it was compared."""

    def check(rule, dosages, truth, compared=None, *, code=PREDNISONE, reason=None, **tables):
        rows = dosages.strip().splitlines()
        table = "\n".join([f"id | {rows[0]}", *(f"s | {row}" for row in rows[1:])])
        spec(
            as_of="2026-11-20",
            medication_statement=f"""
                patient_id | id | code   | effective_start | date_asserted
                p          | s  | {code} | 2026-10-01      | 2026-11-01
            """,
            medication_statement_dosage=table,
            rule=rule,
            expected=f"patient_id | truth\n p | {truth}"
            if reason is None
            else f"patient_id | truth | reason\n p | {truth} | {reason}",
            first_evidence=None if compared is None else f"patient_id | compared\n p | {compared}",
            **tables,
        )

    return check


ONCE_DAILY = "dose_value | dose_unit | frequency | period | period_unit\n"


def test_prednisone_20_mg_once_daily(taken):
    """At most 20 mg, and at least 20 mg: 20.0 itself is both."""
    taken(AT_MOST_20, ONCE_DAILY + "20 | mg | 1 | 1 | d", "true", "prednisone 20 mg/d = 20 mg/d prednisone")
    taken(AT_LEAST_20, ONCE_DAILY + "20.0 | mg | 1 | 1 | d", "true")
    taken(
        AT_MOST_20, ONCE_DAILY + "20.001 | mg | 1 | 1 | d", "false", "prednisone 20.001 mg/d = 20.001 mg/d prednisone"
    )
    taken({**GLUCOCORTICOID, "above": "20 mg/d"}, ONCE_DAILY + "20 | mg | 1 | 1 | d", "false")
    taken({**GLUCOCORTICOID, "below": "20 mg/d"}, ONCE_DAILY + "20 | mg | 1 | 1 | d", "false")
    taken({**GLUCOCORTICOID, "between": ["10 mg/d", "20 mg/d"]}, ONCE_DAILY + "20 | mg | 1 | 1 | d", "true")


def test_methylprednisolone_tablets_two_in_the_morning_and_one_in_the_evening(spec):
    """Two dosages of one sequence are taken together: 12 mg, which are 15 mg of prednisone. The product has the strength."""
    spec(
        as_of="2026-11-20",
        medication="""
            id | ingredient_system                           | ingredient_code | ingredient | strength_value | strength_unit | strength_per_value | strength_per_unit
            m  | http://www.nlm.nih.gov/research/umls/rxnorm | 6902            | 0          | 4              | mg            | 1                  | {tbl}
        """,
        medication_statement="""
            patient_id | id | code_system | medication_id | effective_start | date_asserted
            p          | s  |             | m             | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dosage | sequence | dose_value | dose_unit | when_code
            s  | 0      | 1        | 2          | {tbl}     | MORN
            s  | 1      | 1        | 1          | {tbl}     | EVE
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id | truth
            p          | true
        """,
        evidence="""
            patient_id | value                                | compared
            p          | 2 {tbl} MORN, then 1 {tbl} EVE | methylprednisolone 12 mg/d = 15 mg/d prednisone
        """,
    )


def test_methotrexate_15_mg_every_monday(taken):
    """A week's dose is compared with a week's bound, without a rounding that flips it."""
    monday = "dose_value | dose_unit | frequency | period | period_unit | day_of_week\n {} | mg | 1 | 1 | wk | mon"
    weekly = {"dose": "rx_methotrexate", "at_most": "20 mg/wk"}
    taken(weekly, monday.format(15), "true", "methotrexate 15 mg/wk", code=METHOTREXATE)
    taken(weekly, monday.format(20), "true", "methotrexate 20 mg/wk", code=METHOTREXATE)
    taken(weekly, monday.format("20.01"), "false", "methotrexate 20.01 mg/wk", code=METHOTREXATE)
    taken({"dose": "rx_methotrexate", "at_least": "20 mg/wk"}, monday.format(20), "true", code=METHOTREXATE)


def test_daily_methotrexate_is_a_mistake_until_somebody_looks(taken):
    """More than 50 mg a week is never taken for what it says."""
    weekly = {"dose": "rx_methotrexate", "at_most": "20 mg/wk"}
    daily = ONCE_DAILY + "{} | mg | 1 | 1 | d"
    taken(weekly, daily.format(15), "unknown", "methotrexate dose unknown", code=METHOTREXATE, reason="doubtful_dose")
    taken(weekly, daily.format("7.5"), "unknown", code=METHOTREXATE, reason="doubtful_dose")
    taken(weekly, daily.format("2.5"), "true", code=METHOTREXATE)


def test_azathioprine_50_mg_twice_daily_at_60_kg(taken):
    """1.67 mg per kg; without a weight nobody knows."""
    rule, twice = (
        {"dose": "rx_azathioprine", "at_most": "2 mg/kg/d"},
        "dose_value | dose_unit | timing_code\n {} | mg | BID",
    )
    words = "azathioprine 100 mg/d = 1.666667 mg/kg/d"
    taken(rule, twice.format(50), "true", words, code=AZATHIOPRINE, observation=WEIGHT_60)
    taken(rule, twice.format(60), "true", code=AZATHIOPRINE, observation=WEIGHT_60)
    taken(rule, twice.format(61), "false", code=AZATHIOPRINE, observation=WEIGHT_60)
    taken(rule, twice.format(50), "unknown", code=AZATHIOPRINE, reason="weight_missing")


def test_the_weight_is_the_latest_of_90_days(spec):
    """And not one that is older, or of tomorrow."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | id | code           | effective_start | date_asserted
            of_90_days | a  | {AZATHIOPRINE} | 2026-01-01      | 2026-11-01
            of_91_days | b  | {AZATHIOPRINE} | 2026-01-01      | 2026-11-01
            newer      | c  | {AZATHIOPRINE} | 2026-01-01      | 2026-11-01
            tomorrow   | d  | {AZATHIOPRINE} | 2026-01-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | frequency | period | period_unit
            a  | 120        | mg        | 1         | 1      | d
            b  | 120        | mg        | 1         | 1      | d
            c  | 120        | mg        | 1         | 1      | d
            d  | 120        | mg        | 1         | 1      | d
        """,
        observation="""
            patient_id | code    | effective_datetime | value | value_unit_code
            of_90_days | 29463-7 | 2026-08-22         | 60    | kg
            of_91_days | 29463-7 | 2026-08-21         | 60    | kg
            newer      | 29463-7 | 2026-08-22         | 60    | kg
            newer      | 29463-7 | 2026-11-02         | 59    | kg
            tomorrow   | 29463-7 | 2026-11-21         | 60    | kg
        """,
        rule={"dose": "rx_azathioprine", "at_most": "2 mg/kg/d"},
        expected="""
            patient_id | truth   | reason         | changes_on
            of_90_days | true    | met            | 2026-11-21
            of_91_days | unknown | weight_missing |
            newer      | false   | not_met        | 2027-02-01
            tomorrow   | unknown | weight_missing | 2026-11-21
        """,
    )


def test_mofetil_500_to_1000_mg_every_12_hours(taken):
    """An interval, all of it at most 2 g; a bound inside it stays open."""
    every_12_hours = "dose_low | dose_low_unit | dose_high | dose_high_unit | frequency | period | period_unit\n 500 | mg | 1000 | mg | 1 | 12 | h"
    words = "mycophenolate 1000 to 2000 mg/d = 1000 to 2000 mg/d mycophenolate mofetil"
    taken({"dose": "rx_mycophenolate", "at_most": "2 g/d"}, every_12_hours, "true", words, code=MOFETIL)
    taken(
        {"dose": "rx_mycophenolate", "at_most": "1.5 g/d"}, every_12_hours, "unknown", code=MOFETIL, reason="dose_range"
    )
    taken({"dose": "rx_mycophenolate", "below": "1 g/d"}, every_12_hours, "false", code=MOFETIL)


def test_720_mg_of_mycophenolic_acid_are_1_g_of_mofetil(taken):
    """The cap of 2 g is 1.44 g of the acid."""
    twice, rule = (
        "dose_value | dose_unit | timing_code\n {} | mg | BID",
        {"dose": "rx_mycophenolate", "at_most": "2 g/d"},
    )
    taken(rule, twice.format(720), "true", "mycophenolate 1440 mg/d = 2000 mg/d mycophenolate mofetil", code="7145")
    taken(rule, twice.format(721), "false", code="7145")


AS_NEEDED = """dose_low | dose_low_unit | dose_high | dose_high_unit | frequency | frequency_max | period | period_unit | as_needed | most_value | most_unit | most_period | most_period_unit
    5 | mg | 10 | mg | 1 | 4 | 1 | d | true | {}
"""


def test_prednisone_5_to_10_mg_as_needed_at_most_20_mg_a_day(taken):
    """Nothing to 20 mg."""
    words = "prednisone at most 20 mg/d = at most 20 mg/d prednisone"
    taken(AT_MOST_20, AS_NEEDED.format("20 | mg | 1 | d"), "true", words)
    taken(AT_LEAST_20, AS_NEEDED.format("20 | mg | 1 | d"), "unknown", reason="as_needed")
    taken(AT_MOST_20, AS_NEEDED.format(" | | | "), "unknown", reason="as_needed")
    only_most = "as_needed | most_value | most_unit | most_period | most_period_unit\n true | 20 | mg | 1 | d"
    taken(AT_MOST_20, only_most, "true")


def test_hydroxychloroquine_twice_on_four_days_of_the_week(taken):
    """228.6 mg a day on average, 400 mg on the days on which it is taken."""
    dosage = "dose_value | dose_unit | frequency | period | period_unit | day_of_week\n 200 | mg | 2 | 1 | d | mon wed fri sun"
    words = "hydroxychloroquine 228.571429 mg/d"
    taken({"dose": "rx_hydroxychloroquine", "at_most": "400 mg/d"}, dosage, "true", words, code=HYDROXYCHLOROQUINE)


def test_a_dose_in_words_is_shown_and_decides_nothing(taken):
    """One amount and one word for how often are read and shown; more than that is not."""
    for text, said in (
        ("泼尼松 30mg 每日1次", "prednisone dose unknown, by its text 30 mg/d"),
        ("10 mg twice daily", "prednisone dose unknown, by its text 20 mg/d"),
    ):
        taken(AT_MOST_20, f"dosage_text\n {text}", "unknown", said, reason="text_dose")
    for text in (
        "take as directed",
        "40 mg daily, then taper to 20 mg",
        "5 mg daily prn",
        "1 mg/kg daily",
        "10 mg daily or weekly",
    ):
        taken(AT_MOST_20, f"dosage_text\n {text}", "unknown", "prednisone dose unknown", reason="dose_unknown")


def test_tablets_of_an_unknown_strength(taken):
    """Two tablets may be anything."""
    taken(AT_MOST_20, ONCE_DAILY + "2 | tablet | 1 | 1 | d", "unknown", reason="strength_unknown")


def test_a_strength_in_the_name_of_the_product(spec):
    """ "methotrexate 2.5 MG Oral Tablet": six of them are 15 mg. Two amounts in a name, or one per ml, are no strength."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | id | code           | code_text                       | effective_start | date_asserted
            named      | a  | {METHOTREXATE} | methotrexate 2.5 MG Oral Tablet | 2026-10-01      | 2026-11-01
            per_ml     | b  | {METHOTREXATE} | methotrexate 25 MG/ML Injection | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | frequency | period | period_unit
            a  | 6          | tablet    | 1         | 1      | wk
            b  | 1          | tablet    | 1         | 1      | wk
        """,
        rule={"dose": "rx_methotrexate", "at_most": "20 mg/wk"},
        expected="""
            patient_id | truth   | reason
            named      | true    | met
            per_ml     | unknown | strength_unknown
        """,
    )


def test_a_taper_without_days_and_one_with_them(taken):
    """Steps of different sequence follow each other: without days 20 to 40 mg, with them what holds on the day."""
    steps = "dosage | sequence | dose_value | dose_unit | timing_code | bounds_start | bounds_end\n 0 | 1 | 40 | mg | QD | {} \n 1 | 2 | 20 | mg | QD | {}"
    without, november = steps.format(" | ", " | "), steps.format("2026-10-01 | 2026-11-09", "2026-11-10 | 2026-11-30")
    taken(
        AT_MOST_20,
        without,
        "unknown",
        "prednisone 20 to 40 mg/d = 20 to 40 mg/d prednisone",
        reason="taper_without_bounds",
    )
    taken(AT_MOST_20, november, "true", "prednisone 20 mg/d = 20 mg/d prednisone")
    taken(AT_MOST_20, steps.format("2026-10-01 | 2026-11-25", "2026-11-26 | 2026-12-31"), "false")


def test_every_other_day_and_other_timings(taken):
    """40 mg every two days are 20 mg a day on average."""
    taken(AT_MOST_20, ONCE_DAILY + "40 | mg | 1 | 2 | d", "true", "prednisone 20 mg/d = 20 mg/d prednisone")
    for timing, amount in (
        ("QD", 20),
        ("AM", 20),
        ("PM", 20),
        ("BED", 20),
        ("BID", 10),
        ("TID", 5),
        ("QID", 5),
        ("QOD", 40),
        ("Q4H", 2),
        ("Q6H", 5),
        ("Q8H", 5),
        ("WK", 140),
    ):
        taken(AT_MOST_20, f"dose_value | dose_unit | timing_code\n {amount} | mg | {timing}", "true")
    taken(AT_MOST_20, "dose_value | dose_unit | time_of_day\n 10 | mg | 08:00:00 20:00:00", "true")
    taken(
        AT_MOST_20, "dose_value | dose_unit | time_of_day | day_of_week\n 35 | mg | 08:00:00 | mon tue wed thu", "true"
    )
    taken(AT_MOST_20, "dose_value | dose_unit | frequency\n 5 | mg | 2", "unknown", reason="timing_unknown")
    taken(AT_MOST_20, "dose_value | dose_unit | period | period_unit\n 20 | mg | 1 | d", "true")


def test_methylprednisolone_1_mg_per_kg_at_62_kg(taken):
    """62 mg, which are 77.5 mg of prednisone; without a weight unknown."""
    weight = WEIGHT_60.replace("| 60 |", "| 62 |")
    dosage = "dose_value | dose_unit | frequency | period | period_unit | route_code\n 1 | mg/kg | 1 | 1 | d | 26643006"
    words = "methylprednisolone 1 mg/kg/d = 77.5 mg/d prednisone"
    rule = {**GLUCOCORTICOID, "at_most": "77.5 mg/d"}
    taken(rule, dosage, "true", words, code=METHYLPREDNISOLONE, observation=weight)
    taken({**GLUCOCORTICOID, "at_least": "77.51 mg/d"}, dosage, "false", code=METHYLPREDNISOLONE, observation=weight)
    taken(rule, dosage, "unknown", code=METHYLPREDNISOLONE, reason="weight_missing")


def test_a_dosage_per_kg_meets_a_bound_per_kg_without_a_weight(taken):
    """2 mg per kg are at most 2 mg per kg in everyone."""
    rule, dosage = {"dose": "rx_azathioprine", "at_most": "2 mg/kg/d"}, ONCE_DAILY + "{} | mg/kg | 1 | 1 | d"
    taken(rule, dosage.format(2), "true", code=AZATHIOPRINE)
    taken(rule, dosage.format("2.5"), "false", code=AZATHIOPRINE)


def test_a_unit_that_is_missing_or_means_nothing(taken):
    """Without a unit 20 may be mg or tablets; mg per m2 needs what no record has."""
    taken(AT_MOST_20, ONCE_DAILY + "20 |  | 1 | 1 | d", "unknown", "prednisone dose unknown", reason="unit_missing")
    taken(AT_MOST_20, ONCE_DAILY + "20 | mg/m2 | 1 | 1 | d", "unknown", reason="unit_unconvertible")
    taken(AT_MOST_20, ONCE_DAILY + "0.02 | g | 1 | 1 | d", "true")
    taken(
        AT_MOST_20,
        "dose_value | dose_comparator | dose_unit | timing_code\n 20 | < | mg | QD",
        "unknown",
        reason="dose_unknown",
    )


def test_what_was_ordered_goes_before_what_was_computed(taken):
    """Of two doses of one dosage the one that says so; else the first."""
    doses = (
        "dose_order | dose_type | dose_value | dose_unit | timing_code\n 0 | {} | 40 | mg | QD \n 1 | {} | 20 | mg | QD"
    )
    taken(AT_MOST_20, doses.format("calculated", "ordered"), "true")
    taken(AT_MOST_20, doses.format("ordered", "calculated"), "false")


INFUSION = "patient_id | code | effective_datetime | dose_value | dose_unit | route_code\n"


def test_a_pulse_is_at_least_500_mg_of_prednisone_on_one_day(spec):
    """400 mg of methylprednisolone are a pulse, 399 mg are none; those of one day are summed, those of two are not."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id     | code                 | effective_datetime | dose_value | dose_unit | route_code
            exactly        | {METHYLPREDNISOLONE} | 2026-11-10         | 400        | mg        | {INTRAVENOUS}
            below          | {METHYLPREDNISOLONE} | 2026-11-10         | 399        | mg        | {INTRAVENOUS}
            first_day      | {METHYLPREDNISOLONE} | 2026-11-06         | 0.5        | g         | {INTRAVENOUS}
            day_before     | {METHYLPREDNISOLONE} | 2026-11-05         | 500        | mg        | {INTRAVENOUS}
            twice_a_day    | {METHYLPREDNISOLONE} | 2026-11-10T08:00:00+08:00 | 200 | mg       | {INTRAVENOUS}
            twice_a_day    | {METHYLPREDNISOLONE} | 2026-11-10T20:00:00+08:00 | 200 | mg       | {INTRAVENOUS}
            on_two_days    | {METHYLPREDNISOLONE} | 2026-11-10         | 200        | mg        | {INTRAVENOUS}
            on_two_days    | {METHYLPREDNISOLONE} | 2026-11-11         | 200        | mg        | {INTRAVENOUS}
            two_drugs      | {METHYLPREDNISOLONE} | 2026-11-10         | 200        | mg        | {INTRAVENOUS}
            two_drugs      | {DEXAMETHASONE}      | 2026-11-10         | 37.5       | mg        | {INTRAVENOUS}
            dexamethasone  | {DEXAMETHASONE}      | 2026-11-10         | 75         | mg        | {INTRAVENOUS}
            by_rate        | {METHYLPREDNISOLONE} | 2026-11-10         |            |           | {INTRAVENOUS}
            not_given      | {METHYLPREDNISOLONE} | 2027-11-10         | 400        | mg        | {INTRAVENOUS}
        """,
        encounter="""
            patient_id | start_at
            not_given  | 2026-11-10
        """,
        rule=PULSE,
        kind="exclusion",
        expected="""
            patient_id    | truth   | reason       | changes_on
            exactly       | true    | met          | 2026-11-25
            below         | false   | not_met      |
            first_day     | true    | met          | 2026-11-21
            day_before    | false   | outside_window |
            twice_a_day   | true    | met          | 2026-11-25
            on_two_days   | false   | not_met      |
            two_drugs     | true    | met          | 2026-11-25
            dexamethasone | true    | met          | 2026-11-25
            by_rate       | unknown | dose_unknown | 2026-11-25
            not_given     | unknown | not_observed | 2027-11-10
        """,
    )


def test_only_what_reaches_the_whole_body_counts(spec):
    """Cream and eye drops are a dose of 0. Without a route a drug that has local forms stays open, unless its code or its tablets tell."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | id | code_system              | code    | effective_start | date_asserted
            cream      | a  | http://www.nlm.nih.gov/research/umls/rxnorm | 5492 | 2026-10-01 | 2026-11-01
            in_words   | b  | http://www.nlm.nih.gov/research/umls/rxnorm | 5492 | 2026-10-01 | 2026-11-01
            not_said   | c  | http://www.nlm.nih.gov/research/umls/rxnorm | 5492 | 2026-10-01 | 2026-11-01
            tablets    | d  | http://www.nlm.nih.gov/research/umls/rxnorm | 5492 | 2026-10-01 | 2026-11-01
            by_class   | e  | http://www.whocc.no/atc  | H02AB09 | 2026-10-01      | 2026-11-01
            swallowed  | f  | http://www.nlm.nih.gov/research/umls/rxnorm | 5492 | 2026-10-01 | 2026-11-01
            only_oral  | g  | http://www.nlm.nih.gov/research/umls/rxnorm | {PREDNISONE} | 2026-10-01 | 2026-11-01
        """,
        medication_statement_dosage=f"""
            id | dose_value | dose_unit | timing_code | route_code    | route_text
            a  | 500        | mg        | QD          | {ON_THE_SKIN} |
            b  | 500        | mg        | QD          |               | Eye drops
            c  | 100        | mg        | QD          |               |
            d  | 100        | tablet    | QD          |               |
            e  | 100        | mg        | QD          |               |
            f  | 100        | mg        | QD          | {ORAL}        |
            g  | 25         | mg        | QD          |               |
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id | truth   | reason
            cream      | true    | met
            in_words   | true    | met
            not_said   | unknown | route_unknown
            tablets    | unknown | strength_unknown
            by_class   | false   | not_met
            swallowed  | false   | not_met
            only_oral  | false   | not_met
        """,
    )


def test_a_depot_has_no_daily_dose_and_some_drugs_no_equivalent(spec):
    """Triamcinolone and methylprednisolone into a muscle are depots; vamorolone and cloprednol have no accepted factor."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id     | id | code                 | effective_start | date_asserted
            triamcinolone  | a  | 10759                | 2026-10-01      | 2026-11-01
            methyl         | b  | {METHYLPREDNISOLONE} | 2026-10-01      | 2026-11-01
            dexamethasone  | c  | {DEXAMETHASONE}      | 2026-10-01      | 2026-11-01
            cloprednol     | d  | 21285                | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage=f"""
            id | dose_value | dose_unit | timing_code | route_code
            a  | 4          | mg        | QD          | {INTO_A_MUSCLE}
            b  | 4          | mg        | QD          | {INTO_A_MUSCLE}
            c  | 3          | mg        | QD          | {INTO_A_MUSCLE}
            d  | 3          | mg        | QD          | {ORAL}
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id    | truth   | reason
            triamcinolone | unknown | depot_injection
            methyl        | unknown | depot_injection
            dexamethasone | true    | met
            cloprednol    | unknown | no_equivalence
        """,
    )


def test_betamethasone_is_between_two_tables(taken):
    """0.6 or 0.75 mg are 5 mg of prednisone: near a bound that stays open."""
    oral = "dose_value | dose_unit | timing_code | route_code\n {} | mg | QD | 26643006"
    taken(AT_MOST_20, oral.format("2.4"), "true", "betamethasone 2.4 mg/d = 16 to 20 mg/d prednisone", code="1514")
    taken(AT_MOST_20, oral.format("2.7"), "unknown", code="1514", reason="dose_range")
    taken(AT_MOST_20, oral.format("3.1"), "false", code="1514")


def test_the_most_trusted_type_of_record_counts_and_types_are_never_summed(spec):
    """Administration before dispense before statement before order; what was given on the day is what was taken."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id | code         | effective_datetime | dose_value | dose_unit
            given      | {PREDNISONE} | 2026-11-20         | 30         | mg
            yesterday  | {PREDNISONE} | 2026-11-19         | 30         | mg
        """,
        medication_statement=f"""
            patient_id | id | code         | effective_start | date_asserted
            given      | a  | {PREDNISONE} | 2026-10-01      | 2026-11-01
            yesterday  | b  | {PREDNISONE} | 2026-10-01      | 2026-11-01
            told       | c  | {PREDNISONE} | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | timing_code
            a  | 15         | mg        | QD
            b  | 15         | mg        | QD
            c  | 15         | mg        | QD
        """,
        medication_request=f"""
            patient_id | id | code         | authored_on
            told       | r  | {PREDNISONE} | 2026-11-01
        """,
        medication_request_dosage="""
            id | dose_value | dose_unit | timing_code
            r  | 40         | mg        | QD
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id | truth
            given      | false
            yesterday  | true
            told       | true
        """,
        evidence="""
            patient_id | compared
            given      | prednisone 30 mg/d = 30 mg/d prednisone
            yesterday  | prednisone 15 mg/d = 15 mg/d prednisone
            told       | prednisone 15 mg/d = 15 mg/d prednisone
        """,
    )


def test_an_order_that_nothing_confirms_is_taken_or_not(spec):
    """15 mg are at most 20 mg either way; 40 mg may be 0. In a window it is never a pulse, and never none."""
    tables = {
        "medication_request": f"""
            patient_id | id | code         | authored_on
            small      | a  | {PREDNISONE} | 2026-11-10
            large      | b  | {PREDNISONE} | 2026-11-10
            huge       | c  | {PREDNISONE} | 2026-11-10
        """,
        "medication_request_dosage": """
            id | dose_value | dose_unit | timing_code
            a  | 15         | mg        | QD
            b  | 40         | mg        | QD
            c  | 1000       | mg        | QD
        """,
    }
    spec(
        as_of="2026-11-20",
        rule=AT_MOST_20,
        expected="""
            patient_id | truth   | reason
            small      | true    | met
            large      | unknown | order_unconfirmed
            huge       | unknown | order_unconfirmed
        """,
        **tables,
    )
    spec(
        as_of="2026-11-20",
        rule=PULSE,
        expected="""
            patient_id | truth   | reason
            small      | false   | not_met
            large      | false   | not_met
            huge       | unknown | order_unconfirmed
        """,
        **tables,
    )


def test_statements_of_different_doses_are_summed_and_of_the_same_dose_are_one(spec):
    """15 mg in the morning on one record and 10 mg on another are 25 mg; twice the same 15 mg are a double entry."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | id | code         | effective_start | date_asserted
            two        | a  | {PREDNISONE} | 2026-10-01      | 2026-11-01
            two        | b  | {PREDNISONE} | 2026-10-01      | 2026-11-01
            double     | c  | {PREDNISONE} | 2026-10-01      | 2026-11-01
            double     | d  | {PREDNISONE} | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | timing_code
            a  | 15         | mg        | QD
            b  | 10         | mg        | QD
            c  | 15         | mg        | QD
            d  | 15         | mg        | QD
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id | truth
            two        | false
            double     | true
        """,
    )


def test_what_only_may_be_taken_may_add_its_dose(spec):
    """An open record after 180 days, and one that is on hold; a record that names no drug may be any dose of any."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | id | code         | status  | effective_start | date_asserted
            small_open | a  | {PREDNISONE} | active  | 2025-01-01      | 2025-02-01
            large_open | b  | {PREDNISONE} | active  | 2025-01-01      | 2025-02-01
            on_hold    | c  | {PREDNISONE} | on-hold | 2026-10-01      | 2026-11-01
            nameless   | d  |              | active  | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | timing_code
            a  | 15         | mg        | QD
            b  | 40         | mg        | QD
            c  | 40         | mg        | QD
            d  | 1          | mg        | QD
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id | truth   | reason
            small_open | true    | met
            large_open | unknown | open_ended_record
            on_hold    | unknown | tentative_record
            nameless   | unknown | unnamed_drug
        """,
    )


def test_a_dispense_without_a_dosage_shows_an_average_only(spec):
    """30 tablets of 10 mg for 30 days: 10 mg a day at best, and only where nothing else covers the day."""
    spec(
        as_of="2026-11-20",
        medication_dispense=f"""
            patient_id | id | code         | code_text                   | handed_over | supply_days | quantity_value | quantity_unit
            alone      | a  | {PREDNISONE} | prednisone 10 MG Oral Tablet | 2026-11-10 | 30          | 30             | {{tbl}}
            over       | b  | {PREDNISONE} | prednisone 10 MG Oral Tablet | 2026-10-01 | 30          | 30             | {{tbl}}
            told       | c  | {PREDNISONE} | prednisone 10 MG Oral Tablet | 2026-11-10 | 30          | 30             | {{tbl}}
            instructed | d  | {PREDNISONE} |                              | 2026-11-20 | 30          |                |
        """,
        medication_dispense_dosage="""
            id | dose_value | dose_unit | timing_code
            d  | 30         | mg        | QD
        """,
        medication_statement=f"""
            patient_id | id | code         | effective_start | date_asserted
            told       | s  | {PREDNISONE} | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | timing_code
            s  | 15         | mg        | QD
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id | truth   | reason         | changes_on
            alone      | unknown | supply_only    | 2026-12-10
            over       | true    | outside_window |
            told       | true    | met            |
            instructed | false   | not_met        | 2026-11-21
        """,
        evidence="""
            patient_id | compared
            alone      | prednisone dose unknown, by its supply 10 mg/d
            over       | prednisone dose unknown, by its supply 10 mg/d
            told       | prednisone 15 mg/d = 15 mg/d prednisone
            instructed | prednisone 30 mg/d = 30 mg/d prednisone
        """,
    )


def test_a_stopped_drug_is_a_dose_of_0(spec):
    """Where the records would show it: one that has ended, one that says not taken, none in an observed patient with drugs."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | code         | status    | effective_start | effective_end
            ended      | {PREDNISONE} | completed | 2026-01-01      | 2026-11-19
            not_taken  | {PREDNISONE} | not-taken | 2026-10-01      |
            other_drug | 1191         | active    | 2026-10-01      |
        """,
        encounter="""
            patient_id | start_at
            no_drug    | 2026-11-01
        """,
        rule=AT_MOST_20,
        expected="""
            patient_id | truth   | reason
            ended      | true    | outside_window
            not_taken  | true    | recorded_against
            other_drug | true    | absent
            no_drug    | unknown | not_observed
        """,
    )
    spec(
        as_of="2026-11-20",
        medication_statement="""
            patient_id | code | status | effective_start
            other_drug | 1191 | active | 2026-10-01
        """,
        rule={**AT_MOST_20, "absence": "unknown"},
        expected="""
            patient_id | truth   | reason
            other_drug | unknown | no_data
        """,
    )


def test_fourteen_consecutive_days(spec):
    """A gap of a day begins the count again; a day of 500 mg is not above 500 mg; an open dose may fill the gap."""
    infusions = [
        *(("in_a_row", f"2026-11-{day:02}", 600) for day in range(1, 15)),
        *(("thirteen", f"2026-11-{day:02}", 600) for day in range(1, 14)),
        *(("gap", f"2026-11-{day:02}", 600) for day in range(1, 16) if day != 8),
        *(("low_day", f"2026-11-{day:02}", 500 if day == 8 else 600) for day in range(1, 16)),
        *(("open_day", f"2026-11-{day:02}", "" if day == 8 else 600) for day in range(1, 15)),
    ]
    rows = "\n".join(f"{who} | {PREDNISONE} | {day} | {mg} | {'mg' if mg else ''}" for who, day, mg in infusions)
    spec(
        as_of="2026-11-20",
        medication_administration=f"patient_id | code | effective_datetime | dose_value | dose_unit\n{rows}",
        rule=TWO_WEEKS_ON_END,
        expected="""
            patient_id | truth   | reason       | changes_on
            in_a_row   | true    | met          | 2026-12-28
            thirteen   | false   | not_met      |
            gap        | false   | not_met      |
            low_day    | false   | not_met      |
            open_day   | unknown | dose_unknown | 2026-12-28
        """,
    )


def test_a_run_of_days_that_goes_on_becomes_long_enough(spec):
    """From 2026-11-10 on, fourteen days are full on 2026-11-23, if the record says that it goes on."""
    spec(
        as_of="2026-11-20",
        medication_statement=f"""
            patient_id | id | code         | effective_start | date_asserted
            goes_on    | a  | {PREDNISONE} | 2026-11-10      | 2026-11-11
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | timing_code
            a  | 600        | mg        | QD
        """,
        rule=TWO_WEEKS_ON_END,
        expected="""
            patient_id | truth | changes_on
            goes_on    | false | 2026-11-23
        """,
    )


def test_methotrexate_that_was_given_counts_for_its_week(spec):
    """15 mg on Monday are 15 mg a week until Sunday; two injections within a week are 30 mg."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id | code           | effective_datetime | dose_value | dose_unit
            this_week  | {METHOTREXATE} | 2026-11-16         | 15         | mg
            seventh    | {METHOTREXATE} | 2026-11-14         | 25         | mg
            eighth     | {METHOTREXATE} | 2026-11-12         | 25         | mg
            twice      | {METHOTREXATE} | 2026-11-16         | 15         | mg
            twice      | {METHOTREXATE} | 2026-11-19         | 15         | mg
            oncology   | {METHOTREXATE} | 2026-11-16         | 1000       | mg
        """,
        rule={"dose": "rx_methotrexate", "at_most": "20 mg/wk"},
        expected="""
            patient_id | truth   | reason         | changes_on
            this_week  | true    | met            |
            seventh    | false   | not_met        | 2026-11-21
            eighth     | true    | outside_window |
            twice      | false   | not_met        | 2026-11-23
            oncology   | unknown | doubtful_dose  | 2026-11-23
        """,
    )


def test_a_partial_date_leaves_the_day_open(spec):
    """Given some day of November: no day is certain, and the pulse is not excluded."""
    spec(
        as_of="2026-11-20",
        medication_administration=f"""
            patient_id | code                 | effective_datetime | dose_value | dose_unit | route_code
            november   | {METHYLPREDNISOLONE} | 2026-11            | 500        | mg        | {INTRAVENOUS}
            small      | {METHYLPREDNISOLONE} | 2026-11            | 300        | mg        | {INTRAVENOUS}
        """,
        rule=PULSE,
        expected="""
            patient_id | truth   | reason
            november   | unknown | partial_date
            small      | false   | not_met
        """,
    )
