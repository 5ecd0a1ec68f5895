"""A trial in plain English."""

from cohortfinder.trials.description import describe_trial
from unit.trials.trial_text import TERMINOLOGY, read, with_rule

TEXT = with_rule(
    """\
all:
  - age: {at_least: 18, at_most: 65}
  - not: {sex: female}
  - need: 1
    of:
      - {observation: ana_titer, at_least: "1:80", within: 1 month}
      - {observation: [hba1c, fasting_glucose], pick: any, above: 2 ULN}
      - {observation: hbsag, role: confirm, is: positive, ever: yes}
  - {formula: cockcroft_gault, between: [30 mL/min, 90 mL/min]}
note: how it is read""",
    """\
exclusion:
  - id: E-1
    text: a treatment
    certainty: proxy
    any:
      - {medication: rx_belimumab, within: 3 weeks}
      - {condition: dx_sle, before: 6 months}
      - {immunization: vx_live, within: 6 weeks}
      - {allergy: rx_lymphodepletion, severe: yes}
      - {study: interventional, within: 3 months, except: T-1}
      - {family_history: dx_sle}
      - {treatment: rx_belimumab, for: 180 days, until: 14 days}
      - treatment: rx_azathioprine
        with: rx_glucocorticoid_systemic
        for: 90 days
        reaching:
          observation: bvas_v3_total
          at_most: 0
          while: {dose: rx_glucocorticoid_systemic, as: prednisone, at_most: 7.5 mg/d}
      - {change: mrss, over: 6 months, rises_by: 10 %}
      - {change: fvc_percent_predicted, over: 6 months, falls_by: 10 %, reading: both, baseline: any, recent: 28 days}
      - series: [{observation: systolic_bp, above: "140 mm[Hg]"}]
        within: 6 months
        recent: 28 days
  - {id: E-2, text: willing, certainty: judgement, judgement: ask the patient}
  - {id: E-3, text: later, computed: no}
""",
)
EXPECTED = """\
T-1: A small trial
Time zone UTC.

Arms:
  A: The only arm; a patient is listed by I-1

Inclusion criteria

I-1 (all arms; exact)
  "a sentence"
  all of:
  - age in completed years from 18 to 65
  - not:
    - sex recorded as female
  - at least 1 of:
    - the latest ana_titer is at least 1:80, within 1 month
    - any hba1c or fasting_glucose is above 2 x ULN
    - the latest confirming hbsag is positive, ever
  - computed cockcroft gault is from 30 mL/min to 90 mL/min
  Note: how it is read

Exclusion criteria

E-1 (all arms; proxy)
  "a treatment"
  any of:
  - medication Belimumab, within 3 weeks
  - condition dx_sle, since at least 6 months
  - immunization vx_live, within 6 weeks
  - severe allergy to rx_lymphodepletion
  - part in an interventional study other than T-1, within 3 months
  - family history of dx_sle
  - treatment with Belimumab for at least 180 days on end, up to 14 days before the index date or later (gaps of up to 30 days count)
  - treatment with rx_azathioprine together with rx_glucocorticoid_systemic for at least 90 days in all (gaps of up to 30 days count), and from then on under it bvas_v3_total at most 0 while the dose of rx_glucocorticoid_systemic, counted as prednisone, is at most 7.5 mg/d (never, when 2 results show none)
  - mrss rises by at least 10 % of the earlier value within 6 months, against the earliest result at least 28 days before
  - fvc_percent_predicted falls by at least 10 % of the earlier value and in points alike within 6 months, latest within 28 days, against an earlier result at least 28 days before
  - mean of the day: systolic_bp above 140 mm[Hg], on the latest day within 28 days or on 2 days within 6 months

E-2 (all arms; judgement)
  "willing"
  a person decides: ask the patient

E-3 (all arms; exact)
  "later"
  Not computed yet: unknown for everybody.

Of 4 criteria 2 are computed from data, 1 only a person can judge, and 1 are not computed yet and unknown for everybody.
"""


def test_every_kind_of_leaf_has_its_words() -> None:
    assert describe_trial(read(TEXT), {"rx_belimumab": "Belimumab"}) == EXPECTED


def test_notes_arms_flags_and_parameters_are_told() -> None:
    text = with_rule(
        "arms: [A]\nflags: [check]\nage: {at_least: '${low}'}",
        "parameters:\n  low: {default: 18, why: Adults.}\n",
    )
    words = describe_trial(read(text + "notes: [A draft.]\n"), {})
    assert "\n- A draft.\n" in words
    assert "\nParameters:\n  low = 18. Adults.\n" in words
    assert "\n  Flags: check\n" in words


def test_the_labels_of_the_terminology_are_used() -> None:
    labels = {name: concept.label for name, concept in TERMINOLOGY.clinical_concepts.items()}
    words = describe_trial(read(with_rule("condition: dx_sle\nactive: yes")), labels)
    assert f"condition {labels['dx_sle']}, active" in words
