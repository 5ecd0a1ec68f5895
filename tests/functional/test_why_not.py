"""`cohortfinder explain` of a patient who is no candidate: what to wait for, what to test, what never changes."""

import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.engine.screening import screen
from cohortfinder.gates import read_gates
from cohortfinder.jobs.screen import read_terminology, read_trial, screen_store
from cohortfinder.jobs.why_not import ask_why_not
from cohortfinder.model import Trial
from cohortfinder.report.why_not import WhyNots
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.trials.case_records import markers
from cohortfinder.trials.cases import parse_cases
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types

Run = Callable[..., Any]
AS_OF = date(2026, 11, 20)
TRIAL = """
trial: SMALL
title: Active lupus
time_zone: UTC
arms:
  SLE: {name: Lupus, entry: I-SLE}
inclusion:
  - {id: I-SLE, text: lupus, condition: dx_sle, ever: yes}
  - {id: I-AGE, text: 18 to 65 years old, age: {at_least: 18, at_most: 65}}
  - {id: I-ACT, text: SLEDAI of at least 8, observation: sledai_2k_total, at_least: 8}
  - id: I-TWO
    text: two of three measures
    need: 2
    of:
      - {observation: patient_global_activity_vas, at_least: 2}
      - {observation: physician_global_activity_vas, at_least: 2}
      - {observation: haq_di, at_least: 0.25}
exclusion:
  - {id: E-BELI, text: belimumab within 3 weeks, medication: rx_belimumab, within: 3 weeks}
  - {id: E-MI, text: had an infarction, condition: dx_myocardial_infarction, ever: yes}
  - id: E-HCQ
    text: not on hydroxychloroquine
    not: {medication: rx_hydroxychloroquine, active: yes}
  - {id: E-ACT, text: SLEDAI of at most 5, observation: sledai_2k_total, at_most: 5}
"""
CASES = """
trial: SMALL
as_of: 2026-11-20
everyone:
  gender: female
  birth: 1980-06-10
  records:
    lupus: {condition: ICD10 M32.1, on: 2019-05-02, recorded: 2019-05-02}
    sledai: {observation: urn:cohortfinder:codesystem:observation sledai-2k-total, value: "10 {score}", on: 2026-11-02}
    patient_vas: {observation: LOINC 75844-1, value: "3 {score}", on: 2026-11-02}
    physician_vas: {observation: LOINC 75846-6, value: "3 {score}", on: 2026-11-02}
    haq: {observation: LOINC 75874-8, value: "1 {score}", on: 2026-11-02}
    hcq: {medication: ATC P01BA02, from: 2024-01-07, recorded: 2026-11-02, status: active}
patients:
  - {id: quiet, records: {sledai: {value: "4 {score}"}}, expect: {status: excluded}}
  - id: everything
    records:
      sledai: {value: "4 {score}"}
      mi: {condition: ICD10 I21.4, on: 2019-12-01}
      beli: {medication: ATC L04AG04, as: administration, on: 2026-11-10}
    expect: {status: excluded}
  - {id: one-of-three, records: {patient_vas: {value: "1 {score}"}, haq: {value: "0 {score}"}}, expect: {status: excluded}}
  - {id: stopped, records: {hcq: {until: 2026-10-01, status: completed}}, expect: {status: excluded}}
  - {id: young, birth: 2009-02-14, expect: {status: excluded}}
  - id: soon-too-old
    birth: 1960-11-30
    records: {beli: {medication: ATC L04AG04, as: administration, on: 2026-11-10}}
    expect: {status: excluded}
  - id: later-too-old
    birth: 1961-01-15
    records: {beli: {medication: ATC L04AG04, as: administration, on: 2026-11-10}}
    expect: {status: excluded}
  - id: taking-it
    records: {beli: {medication: ATC L04AG04, from: 2026-01-10, recorded: 2026-11-10, status: active}}
    expect: {status: excluded}
  - {id: healthy, without: [lupus, haq, physician_vas], records: {sledai: {value: "4 {score}"}}, expect: {status: excluded}}
"""
EXPECTED = {
    # one test that two criteria ask for
    "quiet": """
        Would be a candidate for arm SLE if:
          test: SLEDAI-2K, total score at least 8 and SLEDAI-2K, total score above 5; today SLEDAI-2K, total score 4 on 2026-11-02 is below 8 and SLEDAI-2K, total score 4 on 2026-11-02 is at most 5 (I-ACT, E-ACT)
    """,
    "everything": """
        Will be no candidate for arm SLE, because of what neither time nor a new record changes:
          never: myocardial infarction (recorded as I21.4, dated 2019-12-01) is on record (E-MI)
        Besides, it would take:
          wait until 2026-12-02: the wash-out ends: belimumab (recorded as L04AG04, dated 2026-11-10) is more than 3 weeks ago (E-BELI)
          test: SLEDAI-2K, total score at least 8 and SLEDAI-2K, total score above 5; today SLEDAI-2K, total score 4 on 2026-11-02 is below 8 and SLEDAI-2K, total score 4 on 2026-11-02 is at most 5 (I-ACT, E-ACT)
    """,
    # a second of the three is enough
    "one-of-three": """
        Would be a candidate for arm SLE if:
          test: patient global disease activity, 0 to 10 at least 2; today patient global disease activity, 0 to 10: 1 on 2026-11-02 is below 2 (I-TWO)
    """,
    # under a `not`, a record is wanted and not an end
    "stopped": """
        Would be a candidate for arm SLE if:
          test: a record of hydroxychloroquine active on 2026-11-20; today hydroxychloroquine (recorded as P01BA02, dated 2024-01-07) is outside the required time (active on 2026-11-20) (E-HCQ)
    """,
    "young": """
        Would be a candidate for arm SLE from 2027-02-14 on if:
          wait until 2027-02-14: 18th birthday (I-AGE)
    """,
    # before the wash-out ends she is too old, and before that not washed out
    "soon-too-old": """
        Will be no candidate for arm SLE, because of what neither time nor a new record changes:
          never: 66th birthday on 2026-11-30 (I-AGE)
        Besides, it would take:
          wait until 2026-12-02: the wash-out ends: belimumab (recorded as L04AG04, dated 2026-11-10) is more than 3 weeks ago (E-BELI)
    """,
    "later-too-old": """
        Would be a candidate for arm SLE from 2026-12-02 on if:
          wait until 2026-12-02: the wash-out ends: belimumab (recorded as L04AG04, dated 2026-11-10) is more than 3 weeks ago (E-BELI)
          only until 2027-01-15: then I-AGE fails by time alone
    """,
    # what goes on does not end by waiting
    "taking-it": """
        Would be a candidate for arm SLE from 2026-12-12 on if:
          test: no belimumab within 3 weeks before 2026-12-12 (it counts from 2026-12-12 on); today belimumab (recorded as L04AG04, dated 2026-01-10) counts as within 3 weeks before 2026-11-20 (E-BELI)
    """,
    "healthy": """
        Would be a candidate for arm SLE if:
          test: a record of systemic lupus erythematosus; today no record of systemic lupus erythematosus among 0 conditions (I-SLE)
          test: SLEDAI-2K, total score at least 8 and SLEDAI-2K, total score above 5; today SLEDAI-2K, total score 4 on 2026-11-02 is below 8 and SLEDAI-2K, total score 4 on 2026-11-02 is at most 5 (I-ACT, E-ACT)
          still open then: I-TWO
    """,
}  # fmt: skip
UNLISTED = {"healthy"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the trial, the store of its patients, and a configuration that lists invented ones."""
    folder = tmp_path_factory.mktemp("why-not")
    (folder / "small.yaml").write_text(TRIAL, encoding="utf-8")
    config = f'store = "{folder / "store"}"\n[gates]\ntest_labels = "none"\n'
    (folder / "site.toml").write_text(config, encoding="utf-8")
    terminology = read_terminology(Settings())
    trial = read_trial(str(folder / "small.yaml"), terminology, Settings())
    cases = parse_cases(CASES, source="cases", trial=trial, systems=terminology.system_words)
    resources = [*markers(), *(one for case in cases.patients for one in case.resources)]
    (folder / "p.ndjson").write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    assert status_of(["load", str(folder / "p.ndjson"), "--config", str(folder / "site.toml")]) == 0
    return folder


def parts_of(site: Path) -> tuple[Settings, Terminology, Trial]:
    settings = Settings()
    settings = replace(settings, store=site / "store", gates=replace(settings.gates, test_labels=None))
    terminology = read_terminology(settings)
    return settings, terminology, read_trial(str(site / "small.yaml"), terminology, settings)


@pytest.fixture(scope="module")
def told(site: Path) -> Mapping[str, WhyNots]:
    """What would have to change, of every patient."""
    settings, terminology, trial = parts_of(site)
    found: dict[str, WhyNots] = {}

    def ask(connection: Any, screening: Any, loaded: Mapping[str, bool]) -> None:
        for one in {candidate.patient_id for candidate in screening.candidates}:
            listed = [] if one in UNLISTED else ["SLE"]
            found[one] = ask_why_not(
                connection, trial, terminology, screening.language, loaded=loaded, patient=one, arms=["SLE"], listed=listed
            )  # fmt: skip

    screen_store(trial, terminology, settings, as_of=AS_OF, everyone=True, in_full=0, then=ask)
    return found


@pytest.mark.parametrize("patient", EXPECTED)
def test_the_smallest_set_of_facts_is_told_as_waits_tests_and_never(told: Mapping[str, WhyNots], patient: str) -> None:
    assert [*told[patient].lines("SLE")] == textwrap.dedent(EXPECTED[patient]).strip().splitlines()


@pytest.mark.parametrize(("day", "failing"), [("2026-12-02", set()), ("2027-01-15", {"I-AGE"})])
def test_a_screening_on_the_day_that_is_told_fails_nothing_and_on_the_last_one_what_is_told(
    site: Path, day: str, failing: set[str]
) -> None:
    settings, terminology, trial = parts_of(site)
    with open_warehouse(settings.store, read_only=True) as connection:
        states = loaded_types(connection)
        screen(
            connection, trial, terminology, as_of=date.fromisoformat(day), loaded=dict.fromkeys(states, True),
            gates=read_gates(settings.gates), alone="later-too-old", horizon_years=0,
        )  # fmt: skip
        verdicts = connection.execute("SELECT patient_id, criterion_id FROM verdict WHERE verdict = 'fail'").fetchall()
    assert set(verdicts) == {("later-too-old", criterion) for criterion in failing}


def explained(run: Run, site: Path, patient: str, *more: object) -> Any:
    return run(
        "explain", site / "small.yaml", patient, "--config", site / "site.toml", "--as-of", AS_OF.isoformat(), *more
    )


def test_explain_of_one_whom_no_arm_lists_asks_everything(run: Run, site: Path) -> None:
    said = json.loads(explained(run, site, "healthy", "--json").out)
    assert (said["listed"], said["arms"][0]["entry"]["verdict"]) == (False, "fail")
    why_not = said["arms"][0]["why_not"]
    assert (why_not["possible"], why_not["from"], why_not["until"], why_not["open"]) == (True, "2026-11-20", None, ["I-TWO"])  # fmt: skip
    assert (why_not["waits"], why_not["never"], why_not["exact"]) == ([], [], True)
    assert why_not["tests"][0] == {
        "criteria": ["I-SLE"], "leaf": "I-SLE.1", "wanted": True, "date": "2026-11-20",
        "words": "a record of systemic lupus erythematosus",
        "today": "no record of systemic lupus erythematosus among 0 conditions",
    }  # fmt: skip


def test_a_person_may_answer_otherwise(run: Run, site: Path, tmp_path: Path) -> None:
    """An answer that excludes is a fact that a person can change, whatever the data say."""
    answers = tmp_path / "answers.csv"
    answers.write_text(
        "patient_id,arm,criterion_id,answer,by,at,note\nquiet,SLE,I-ACT,yes,Dr. Li,2026-11-18,\n"
        "quiet,SLE,E-MI,yes,Dr. Li,2026-11-18,told so\n", encoding="utf-8",
    )  # fmt: skip
    why_not = json.loads(explained(run, site, "quiet", "--json", "--answers", answers).out)["arms"][0]["why_not"]
    assert [(one["words"], one["today"], one["criteria"]) for one in why_not["tests"]] == [
        ("SLEDAI-2K, total score above 5", "SLEDAI-2K, total score 4 on 2026-11-02 is at most 5", ["E-ACT"]),
        ("another answer to E-MI in SLE", "Dr. Li answered yes on 2026-11-18: told so", ["E-MI"]),
    ]
