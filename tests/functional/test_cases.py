"""`cohortfinder test`: invented patients beside a trial, and what each must get."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.model import Trial
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import load_terminology
from cohortfinder.trials.case_records import markers
from cohortfinder.trials.cases import Cases, parse_cases
from cohortfinder.trials.parser import parse_trial
from reference.evaluate import outcome_of, site_of

Run = Callable[..., Any]
SHIPPED = sorted(path.stem for path in resource_dir("trials").glob("*.yaml"))
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "testing.md"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
# verdicts that no record of a case can bring about: only an answer, or a treatment nowhere on record
UNREACHED = {
    "NCT03036124": {},
    "NCT03954834": {"E-MTC": ["pass"]},
    "NCT05748834": {"I-PRIOR": ["fail"], "E-ANTHRACYCLINE": ["pass"]},
    "T2D-EXAMPLE": {"I-METFORMIN": ["fail"]},
}
TRIAL = """\
trial: T-1
title: A small trial
time_zone: UTC
arms:
  A: {name: The first arm, entry: I-1}
  B: {name: The second arm, entry: I-1}
inclusion:
  - {id: I-1, text: adults, age: {at_least: 18}}
  - {id: I-LVEF, text: a low ejection fraction, arms: [A], observation: lvef, at_most: 40 %}
  - {id: I-ASK, text: consent, certainty: judgement, judgement: informed consent}
  - {id: I-LATER, text: has no rule, computed: no}
"""
CASES = """\
trial: T-1
as_of: 2026-06-01
patients:
  - id: p1
    birth: 1960-01-01
    records:
      echo: {observation: LOINC 10230-1, value: 40 %, on: 2026-05-01}
    expect: {I-1: pass, I-LVEF: pass}
"""
CHILD = {"resourceType": "Patient", "id": "p1", "birthDate": "2020-01-01"}


@pytest.fixture
def trial(tmp_path: Path) -> Callable[[str], Path]:
    """Write the small trial with its cases, and return its path."""

    def write(cases: str) -> Path:
        (tmp_path / "t.yaml").write_text(TRIAL, encoding="utf-8")
        (tmp_path / "cases").mkdir()
        (tmp_path / "cases" / "t.yaml").write_text(cases, encoding="utf-8")
        return tmp_path / "t.yaml"

    return write


@pytest.mark.parametrize("name", SHIPPED)
def test_every_trial_that_ships_gives_what_its_cases_expect(run: Run, name: str) -> None:
    """And the cases expect every verdict that can be had, and every reading: asked at once, as it takes half a minute."""
    done = run("test", name, "--json")
    said = json.loads(done.out)
    assert said["differences"] == []
    assert (done.status, said["trial"], said["exit_status"]) == (0, name, 0)
    assert said["compared"] >= 10
    if name in UNREACHED:
        assert said["not_tested"] == UNREACHED[name]
    # each value of each parameter that chooses among readings has a case in each criterion that depends on it
    assert [gap for named in said["not_tested"].values() for gap in named if "=" in gap] == []


def test_what_agrees_is_told_in_one_line_after_the_gaps(run: Run, trial: Callable[[str], Path]) -> None:
    done = run("test", trial(CASES))
    assert done.status == 0
    assert done.out.splitlines() == [
        "not tested: I-1: fail, unknown",
        "not tested: I-LVEF: fail, unknown",
        "T-1 as of 2026-06-01: 1 patient, 3 compared, all as expected.",
    ]


def test_a_difference_is_told_with_both_places_and_the_reason(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES.replace("value: 40 %", "value: 41 %"))
    done = run("test", file)
    assert done.status == 4
    assert done.out.splitlines()[0] == (
        f"{file.parent}/cases/t.yaml:8: p1 in A, I-LVEF: expected pass, got fail. Left ventricular ejection fraction by "
        f"echocardiography 41 % on 2026-05-01 is above 40 %. [{file}:9]"
    )
    assert done.out.splitlines()[-1] == "T-1 as of 2026-06-01: 1 patient, 3 compared, 1 differs."


@pytest.mark.parametrize(
    ("claim", "got"),
    [
        ("{reason: unit_missing}", "met"),
        ("{flags: [stale_for_protocol, proxy]}", "stale_for_protocol"),
        ("{changes_on: 2026-07-01}", "2026-10-29"),
        ("{changes_on: none}", "2026-10-29"),
    ],
)
def test_every_aspect_of_a_verdict_is_compared(run: Run, trial: Callable[[str], Path], claim: str, got: str) -> None:
    done = run("test", trial(CASES.replace("I-LVEF: pass", f"I-LVEF: {claim}")), "--json")
    (found,) = json.loads(done.out)["differences"]
    assert (done.status, found["criterion"], found["got"]) == (4, "I-LVEF", got)


def test_right_aspects_agree_and_a_status_is_asked_of_each_arm(run: Run, trial: Callable[[str], Path]) -> None:
    right = (
        "I-LVEF: {verdict: pass, reason: at most 40 %, flags: [stale_for_protocol], changes_on: 2026-10-29}, status: "
    )
    file = trial(CASES.replace("I-LVEF: pass", right + "excluded"))
    done = run("test", file, "--json")
    assert [(one["arm"], one["got"]) for one in json.loads(done.out)["differences"]] == [
        ("A", "possible"),
        ("B", "possible"),
    ]


def test_a_patient_may_come_from_a_fhir_file(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES[: CASES.index("    birth")] + "    file: p.json\n    expect: {I-1: fail, I-LVEF: unknown}\n")
    (file.parent / "cases" / "p.json").write_text(json.dumps(CHILD), encoding="utf-8")
    assert run("test", file).status == 0


def test_a_fhir_file_goes_with_nothing_that_is_made_here(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES.replace("    birth:", "    file: p.json\n    birth:"))
    done = run("test", file)
    assert done.status == 64
    assert f"t.yaml:5: there is no file or folder {file.parent}/cases/p.json; correct the path" in done.err
    assert "t.yaml:6: the data of this patient come from a file; remove 'birth'" in done.err


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("I-LVEF: pass", "I-LVE: pass", 8, "T-1 has no criterion 'I-LVE'. Did you mean 'I-LVEF'?"),
        ("I-LVEF: pass", "I-LVEF: passes", 8, "'passes' is no verdict; write one of pass, fail, unknown. Did you mean"),
        ("I-LVEF: pass", "I-LVEF: {changes_on: soon}", 8, "'soon' is no day; write 2026-05-01, or none"),
        ("I-LVEF: pass", "I-LVEF: {because: x}", 8, "what is expected of 'I-LVEF' has no 'because'"),
        ("    birth:", "    arms: [C]\n    birth:", 5, "T-1 has no arm 'C'; it has A, B."),
        ("    birth:", "    arms: [B]\n    birth:", 9, "'I-LVEF' holds in A only; expect it of a patient of that arm"),
        ("  - id: p1\n", "  - why: nameless\n", 4, "this patient has no id; give it one of letters, digits"),
        ("  - id: p1\n", "  - id: p 1\n", 4, "this patient has an id that FHIR does not allow"),
        ("patients:\n", "patients:\n  - id: p1\n", 5, "the patient 'p1' stands in line 4 already"),
        ("trial: T-1", "trial: T-2", 1, "these are cases of 'T-2', and the trial is 'T-1'"),
        ("2026-06-01", "tomorrow", 2, "'tomorrow' is no day; write the index date as 2026-05-01"),
        ("as_of: 2026-06-01\n", "", 1, "'as_of' is missing"),
        ("    birth:", "    brith:", 5, "a patient has no 'brith'"),
        ("    birth:", "    without: [ecg]\n    birth:", 5, "'everyone' has no record 'ecg' to leave out"),
        ("observation: LOINC", "observations: LOINC", 7, "a record says what it is first: condition, observation"),
        ("LOINC 10230-1", "LOIC 10230-1", 7, "'LOIC 10230-1' is no code; write a system and a code, as LOINC 718-7"),
        ("value: 40 %", "value: forty", 7, "'forty' is no number with a unit; write 35 %"),
        ("value: 40 %", "valeu: 40 %", 7, "'observation' has no 'valeu'; it may say on, value"),
        ("value: 40 %", "value: 40 %, word: low", 7, "an observation has one of value, word and coded"),
        ("on: 2026-05-01", "on: 2026-02-30", 7, "'2026-02-30' is no date of FHIR"),
        (
            "on: 2026-05-01",
            "on: 2026-05-01, status: finale",
            7,
            "'finale' is no 'status' of 'observation'; write one of",
        ),
        ("birth: 1960-01-01", "birth: 1960-13-01", 5, "'1960-13-01' is no date of FHIR"),
        ("birth: 1960-01-01", "gender: m", 5, "'m' is no gender; write one of male, female, other, unknown, or none"),
        ("on: 2026-05-01", "on: 1 May", 7, "'1 May' is no date of FHIR; write 2026-05-01"),
        (
            "{observation: LOINC 10230-1, value: 40 %, on: 2026-05-01}",
            "40 %",
            7,
            "the record 'echo' is words in braces",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_line_and_remedy(
    run: Run, trial: Callable[[str], Path], old: str, new: str, line: int, message: str
) -> None:
    assert old in CASES
    file = trial(CASES.replace(old, new, 1))
    done = run("test", file)
    assert (done.status, done.out) == (64, "")
    assert f"{file.parent}/cases/t.yaml:{line}: {message}" in done.err
    assert "Traceback" not in done.err


def test_json_lists_the_problems_of_a_wrong_file(run: Run, trial: Callable[[str], Path]) -> None:
    done = run("test", trial(CASES.replace("I-LVEF: pass", "I-X: pass")), "--json")
    assert done.status == 64
    assert [problem["line"] for problem in json.loads(done.out)["problems"]] == [8]


def test_a_trial_without_cases_is_told_where_they_belong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TRIAL, encoding="utf-8")
    done = run("test", tmp_path / "t.yaml")
    assert done.status == 64
    assert f"{tmp_path}/cases/t.yaml: there is no such file with the cases of T-1; write it" in done.err


def test_a_patient_who_is_in_no_file_is_refused(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES.replace("    birth: 1960-01-01\n", "    birth: 1960-01-01\n    died: 2026-01-01\n"))
    done = run("test", file)
    assert done.status == 64
    assert "cases/t.yaml:4: the patient 'p1' is not evaluated: deceased" in done.err


def test_a_file_with_a_line_that_cannot_be_loaded_is_refused(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES[: CASES.index("    birth")] + "    file: p.ndjson\n    expect: {I-1: fail}\n")
    (file.parent / "cases" / "p.ndjson").write_text(f"{json.dumps(CHILD)}\n{{cut\n", encoding="utf-8")
    done = run("test", file)
    assert (done.status, done.out) == (64, "")
    assert "cases/t.yaml: 1 records cannot be loaded (not valid JSON" in done.err


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.split("\n", 1)[0] for example in EXAMPLES])
def test_an_example_of_the_page_agrees(run: Run, tmp_path: Path, example: str) -> None:
    (tmp_path / "cases.yaml").write_text(example, encoding="utf-8")
    done = run("test", example.split()[1], "--cases", tmp_path / "cases.yaml")
    assert (done.status, "all as expected" in done.out) == (0, True), done.out


@pytest.mark.parametrize("name", SHIPPED)
def test_the_oracle_gives_every_expected_verdict_too(name: str) -> None:
    """The expectations were written beside the engine, so that another reader of the same rules must agree with them."""
    trial, cases = read_cases(name)
    resources = [*markers(), *(one for case in cases.patients for one in case.resources)]
    resources += [
        one for case in cases.patients if case.file for one in json.loads(case.file.read_text("utf-8"))["entry"]
    ]
    sent = json.dumps([one.get("resource", one) for one in resources])
    site = site_of(trial, json.loads(sent, parse_float=Decimal), resource_dir("mappings"))
    criteria = {criterion.id: criterion for criterion in (*trial.other_readings, *trial.criteria)}
    wrong = [
        (case.id, claim.asked, claim.expected, found)
        for case in cases.patients
        for claim in case.claims
        if claim.aspect == "verdict"
        for arm in set(case.arms) & set(criteria[claim.asked].arms)
        for found in [outcome_of(site, criteria[claim.asked], case.id, cases.as_of, arm).verdict]
        if found != claim.expected
    ]
    assert wrong == []


def read_cases(name: str) -> tuple[Trial, Cases]:
    """Read a trial that ships, and its cases."""
    path = resource_dir("trials") / f"{name}.yaml"
    terminology = load_terminology(resource_dir("mappings"))
    trial = parse_trial(path.read_text(encoding="utf-8"), source=str(path), terminology=terminology)
    file = path.parent / "cases" / path.name
    return trial, parse_cases(
        file.read_text(encoding="utf-8"), source=str(file), trial=trial, systems=terminology.system_words
    )


READ_OTHERWISE = (
    TRIAL.replace(
        "observation: lvef, at_most: 40 %}",
        "by_parameter: {lvef: {low: {observation: lvef, at_most: 40 %}, high: {observation: lvef, above: 40 %}}}}",
    )
    + "parameters: {lvef: {default: low, choices: [low, high], why: The text says neither.}}\n"
)
OTHERWISE = (
    "    readings:\n      - parameters: {lvef: high}\n        expect: {I-LVEF: {verdict: fail, reason: at most 40 %}}\n"
)


def test_a_case_says_what_another_reading_decides(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES + OTHERWISE)
    file.write_text(READ_OTHERWISE, encoding="utf-8")
    said = json.loads(run("test", file, "--json").out)
    assert (said["differences"], said["compared"]) == ([], 5)
    assert said["not_tested"]["I-LVEF"] == ["fail", "unknown"]


def test_the_verdict_of_another_reading_is_told_under_its_name(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES + OTHERWISE.replace("verdict: fail", "verdict: pass"))
    file.write_text(READ_OTHERWISE, encoding="utf-8")
    done = run("test", file)
    assert done.status == 4
    assert "p1 in A, I-LVEF with lvef = high: expected pass, got fail." in done.out.splitlines()[0]


def test_a_reading_that_no_case_asks_for_is_not_tested(run: Run, trial: Callable[[str], Path]) -> None:
    file = trial(CASES)
    file.write_text(READ_OTHERWISE, encoding="utf-8")
    assert "not tested: I-LVEF: fail, unknown, lvef = high" in run("test", file).out


def test_the_reading_that_the_site_chose_is_the_one_in_force(
    run: Run, trial: Callable[[str], Path], tmp_path: Path
) -> None:
    """What a case expects of this reading is then compared with the criterion itself."""
    file = trial(CASES.replace(", I-LVEF: pass", "") + OTHERWISE)
    file.write_text(READ_OTHERWISE, encoding="utf-8")
    (tmp_path / "site.toml").write_text('[parameters]\nlvef = "high"\n', encoding="utf-8")
    done = run("test", file, "--config", tmp_path / "site.toml")
    assert (done.status, "I-LVEF: pass, unknown, lvef = low" in done.out) == (0, True), done.out


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("{lvef: high}", "{lve: high}", 10, "T-1 has no parameter 'lve' with choices. Did you mean 'lvef'?"),
        ("{lvef: high}", "{lvef: hi}", 10, "'hi' is no choice of 'lvef'; write one of low, high"),
        ("parameters: {lvef: high}", "parameters: {}", 10, "a reading needs 'parameters', each with its value"),
        ("I-LVEF: {verdict: fail, reason: at most 40 %}", "I-1: fail", 11, "I-1 does not depend on lvef; remove it here"),
        ("I-LVEF: {verdict: fail, reason: at most 40 %}", "status: excluded", 11, "the status does not depend on lvef"),
        ("- parameters: {lvef: high}", "- expects: 1", 10, "a reading has no 'expects'"),
        ("readings:\n      - parameters: {lvef: high}\n        expect: {I-LVEF: {verdict: fail, reason: at most 40 %}}", "readings: x", 9, "'readings' is a list, each with 'parameters' and 'expect'"),
        ("- parameters: {lvef: high}\n        expect: {I-LVEF: {verdict: fail, reason: at most 40 %}}", "- x", 10, "a reading holds 'parameters' and 'expect'"),
    ],
)  # fmt: skip
def test_a_wrong_reading_is_refused_with_line_and_remedy(
    run: Run, trial: Callable[[str], Path], old: str, new: str, line: int, message: str
) -> None:
    assert old in OTHERWISE
    file = trial(CASES + OTHERWISE.replace(old, new))
    file.write_text(READ_OTHERWISE, encoding="utf-8")
    done = run("test", file)
    assert (done.status, done.out) == (64, "")
    assert f"{file.parent}/cases/t.yaml:{line}: {message}" in done.err
