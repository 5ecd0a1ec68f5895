"""What to do next for the candidates of a small hospital, by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.model import Answer, Prior, Ranking, Trial
from cohortfinder.ranking.candidates import rank, read_candidates
from cohortfinder.ranking.next_step import NextSteps, find_steps, read_steps
from cohortfinder.report.step_words import step_words, unsettled_words
from properties.engine import screened, terminology
from properties.trials import trial_of

AS_OF = date(2026, 11, 20)
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RULES: list[dict[str, Any]] = [
    {"condition": "dx_sle", "ever": "yes"},
    {"observation": "hemoglobin", "at_least": "60 g/L"},
    {"observation": "platelet_count", "at_least": "50 10*9/L"},
    {"observation": "inr", "below": "1.6"},
    {"any": [{"observation": "lvef", "at_least": "50 %"}, {"observation": "alt", "at_most": "40 U/L"}]},
    {"judgement": "the chart"},
]
GOOD = {
    "718-7": (120, "g/L"),
    "777-3": (200, "10*9/L"),
    "6301-6": (1, "{INR}"),
    "1742-6": (20, "U/L"),
}
HB, PLT, INR, ALT = GOOD
# what each patient has; who has no ALT has no LVEF either
PATIENTS = {
    "everything": (HB, PLT, INR, ALT), "no_inr": (HB, PLT, ALT), "no_count": (INR, ALT), "no_inr_no_plt": (HB, ALT),
    "no_alt": (HB, PLT, INR), "nothing": (), "low": (HB,),
}  # fmt: skip


def a_trial(*, prior: bool = False, **certainty: Any) -> Trial:
    trial = trial_of(RULES, ["inclusion"] * len(RULES))
    last = replace(trial.criteria[-1], certainty=certainty.get("certainty", "judgement"))
    own = {"C6": Prior(3, 1)} if prior else {}
    return replace(trial, criteria=(*trial.criteria[:-1], last), ranking=Ranking(declared=prior, criteria=own))


def records() -> list[dict[str, Any]]:
    return [record for patient, codes in PATIENTS.items() for record in _records(patient, codes)]


def _records(patient: str, codes: tuple[str, ...]) -> list[dict[str, Any]]:
    subject = {"reference": f"Patient/{patient}"}
    sle = {"coding": [{"system": SNOMED, "code": "55464009"}]}
    return [
        {"resourceType": "Patient", "id": patient, "gender": "female", "birthDate": "1980-01-01"},
        {"resourceType": "Condition", "id": f"sle-{patient}", "subject": subject, "code": sle, "recordedDate": "2026-01-05"},
        *(
            {
                "resourceType": "Observation", "id": f"{patient}-{code}", "status": "final", "subject": subject,
                "effectiveDateTime": "2026-11-10", "code": {"coding": [{"system": LOINC, "code": code}]},
                "valueQuantity": {"value": 40 if patient == "low" else GOOD[code][0], "unit": GOOD[code][1], "code": GOOD[code][1]},
            }
            for code in codes
        ),
    ]  # fmt: skip


def steps(
    folder: Path, trial: Trial, resources: list[dict[str, Any]], answers: tuple[Answer, ...] = ()
) -> tuple[NextSteps, list[str]]:
    """Return the next steps and the patients in the order of the list."""
    with duckdb.connect() as connection:
        screened(connection, trial, resources, folder, AS_OF, everyone=False, answers=answers)
        rank(connection, trial, AS_OF)
        find_steps(connection, trial, terminology())
        return read_steps(connection), [one.patient_id for one in read_candidates(connection)]


def told(found: NextSteps) -> dict[str, list[tuple[str, tuple[str, ...], float]]]:
    return {
        patient: [(one.effort.test, one.settles, round(one.ends, 6)) for one in own.steps]
        for (patient, _), own in sorted(found.of.items())
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[NextSteps, list[str]]:
    return steps(tmp_path_factory.mktemp("landed"), a_trial(), records())


# of the known, C2 passes in 4 of 5 (one has 40 g/L), C3 in 3 of 3, C4 in 3 of 3 and C5 in 4 of 4
C2, C3, C4, C5 = 5 / 7, 4 / 5, 4 / 5, 5 / 6


def test_what_comes_with_one_test_is_one_step_and_the_best_for_its_effort_is_first(
    found: tuple[NextSteps, list[str]],
) -> None:
    """A blood count has haemoglobin and platelets; nobody who is complete or excluded has a step."""
    assert told(found[0]) == {
        "no_alt": [],
        "no_count": [("blood_count", ("C2", "C3"), 1)],
        "no_inr": [("coagulation", ("C4",), 1)],
        "no_inr_no_plt": [("blood_count", ("C3",), round(1 - C3, 6)), ("coagulation", ("C4",), round(1 - C4, 6))],
        "nothing": [
            ("blood_count", ("C2", "C3"), round(1 - C2 * C3, 6)), ("coagulation", ("C4",), round(1 - C4, 6)),
        ],
    }  # fmt: skip


def test_what_no_single_test_settles_is_told(found: tuple[NextSteps, list[str]]) -> None:
    """A good ALT alone would do for C5, a bad one would not."""
    unsettled = {patient: own.unsettled for (patient, _), own in found[0].of.items() if own.unsettled}
    assert unsettled == {"no_alt": ("C5",), "nothing": ("C5",)}
    assert unsettled_words(unsettled["no_alt"]) == "No single test settles: C5"


def test_the_last_open_criterion_may_pass(found: tuple[NextSteps, list[str]]) -> None:
    (one,) = found[0].of["no_count", "A"].steps
    assert one.passes == pytest.approx(C2 * C3)
    assert found[0].of["nothing", "A"].steps[0].passes == 0


def test_the_clinic_sees_what_ends_most_and_for_whom(found: tuple[NextSteps, list[str]]) -> None:
    clinic, order = found[0].clinic, found[1]
    assert [(one.effort.test, one.people, one.candidates, one.criteria) for one in clinic] == [
        ("blood_count", 3, 3, "C3 3; C2 2"),
        ("coagulation", 3, 3, "C4 3"),
    ]
    assert [round(one.ends, 6) for one in clinic] == [round(1 + 1 - C3 + 1 - C2 * C3, 6), round(1 + 2 * (1 - C4), 6)]
    assert [order[place - 1] for place in clinic[0].whom] == ["no_count", "nothing", "no_inr_no_plt"]
    assert clinic[1].per_hour == pytest.approx(60 * clinic[1].ends / (3 * 15))


def test_a_person_decides_where_a_prior_is_declared(tmp_path: Path) -> None:
    """A no of theirs ends every question; a yes only where nothing else is open."""
    found, _ = steps(tmp_path, a_trial(prior=True), records())
    own = {
        patient: [one for one in steps.steps if one.effort.test == "judgement"]
        for (patient, _), steps in found.of.items()
    }
    chances = {patient: (one.settles, one.ends, one.passes) for patient, (one,) in own.items()}
    assert chances["everything"] == (("C6",), 1, 0.75)
    assert chances["nothing"] == (("C6",), 0.25, 0)
    assert found.of["no_inr", "A"].steps[0].passes == pytest.approx(C4), "what a person decides is not asked of data"


def test_what_data_leave_open_is_named_before_what_a_person_judges(tmp_path: Path) -> None:
    """In protocol order C4 stands before C6; with C4 for a person to judge, too, it comes after the rule that hangs on one."""
    trial = a_trial(prior=True, certainty="exact")
    fourth = replace(trial.criteria[3], certainty="judgement")
    criteria = (*trial.criteria[:3], fourth, *trial.criteria[4:])
    own = replace(trial, criteria=criteria, ranking=Ranking(declared=True, criteria={"C4": Prior(3, 1)}))
    found, _ = steps(tmp_path, own, records())
    assert [one.settles for one in found.of["no_inr", "A"].steps] == [("C6", "C4")]


def test_a_rule_with_a_question_for_a_person_is_settled_by_one(tmp_path: Path) -> None:
    found, _ = steps(tmp_path, a_trial(certainty="exact"), records())
    assert [(one.effort.test, one.settles) for one in found.of["everything", "A"].steps] == [("judgement", ("C6",))]


def test_what_a_person_has_answered_is_open_no_longer_and_not_sure_decides_nothing(tmp_path: Path) -> None:
    at = datetime(2026, 11, 19, tzinfo=UTC)
    yes = Answer("no_inr", "A", "C4", True, "Dr. Li", at, "2026-11-19", "", 1)
    not_sure = replace(yes, patient_id="no_inr_no_plt", truth=None)
    found, _ = steps(tmp_path, a_trial(), records(), (yes, not_sure))
    assert ("no_inr", "A") not in found.of
    assert [test for test, _, _ in told(found)["no_inr_no_plt"]] == ["blood_count", "coagulation"]


def test_nobody_listed_needs_nothing(tmp_path: Path) -> None:
    assert steps(tmp_path, a_trial(), []) == (NextSteps({}, ()), [])


def test_a_step_is_told_in_one_sentence(found: tuple[NextSteps, list[str]]) -> None:
    steps = found[0].of["nothing", "A"].steps
    assert step_words(steps[0]) == "Blood count: settles C2 and C3; 43 % to end the question; 10 min"
    assert step_words(found[0].of["no_count", "A"].steps[0]).split("; ")[1] == "ends the question"
    many = replace(steps[0], settles=("A", "B", "C", "D", "E", "F"))
    assert step_words(many).split("; ")[0] == "Blood count: settles A, B, C, D and 2 more"
