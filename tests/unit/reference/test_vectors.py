"""The oracle against the test vectors of the trial definition and the edges of each leaf."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.model import Leaf
from reference.evaluate import LEAVES, truth_of_leaf
from reference.mappings import Mappings
from reference.site import Site

FILES = {
    "code_systems.csv": "name,uri,alias\nLOCAL,urn:x,urn:x\nICD10,urn:icd,urn:icd\n",
    "concepts/observation_concepts.csv": (
        "concept,label,value_kind,unit,plausible_min,plausible_max,group,detection,negative_below,positive_above,source\n"
        "plt,,quantity,10*9/L,0,2000,lab,,,,\nhb,,quantity,g/L,10,250,lab,,,,\nalt,,quantity,U/L,0,20000,lab,,,,\n"
        "inr,,quantity,1,0.5,20,lab,,,,\ntbil,,quantity,umol/L,0,1500,lab,,,,\nlvef,,quantity,%,5,90,lab,,,,\n"
        "ana,,titre,{titer},1,100000,lab,,,,\nhbsag,,ordinal,,,,lab,,,,\nhbv_dna,,quantity,[IU]/mL,0,1e12,lab,any,,,\n"
        "creatinine_serum,,quantity,umol/L,10,2500,lab,,,,\nbody_weight,,quantity,kg,1,400,lab,,,,\n"
        "sbp,,quantity,mm[Hg],30,300,lab,,,,\nsledai,,quantity,{score},0,105,lab,,,,\n"
    ),
    "concepts/observation_codes.csv": "concept,system,code,role,label,note,source\n"
    + "".join(
        f"{name},urn:x,{name},primary,,,\n"
        for name in [
            "plt",
            "hb",
            "alt",
            "inr",
            "tbil",
            "lvef",
            "ana",
            "hbsag",
            "hbv_dna",
            "creatinine_serum",
            "body_weight",
            "sbp",
            "sledai",
        ]
    ),
    "concepts/clinical_concepts.csv": (
        "concept,domain,course,label\ndx_sle,condition,chronic,\ndx_mi,condition,event,\n"
        "rx_b,medication,,\npx_tx,procedure,,\n"
    ),
    "concepts/clinical_codes.csv": (
        "concept,system,code,match,include,strength,label,note,source\ndx_sle,urn:icd,M32,prefix,yes,definite,,,\n"
        "dx_sle,urn:icd,M32.0,prefix,no,definite,,,\ndx_sle,urn:icd,L93,prefix,yes,possible,,,\n"
        "dx_mi,urn:icd,I21,prefix,yes,definite,,,\nrx_b,urn:x,beli,exact,yes,definite,,,\n"
        "px_tx,urn:x,tx,exact,yes,definite,,,\n"
    ),
    "unit_aliases.csv": "alias,unit,source\n10^9/L,10*9/L,\nIU/mL,[IU]/mL,\nmmHg,mm[Hg],\n",
    "units.csv": "concept,from_unit,to_unit,factor,offset,source\n*,g/dL,g/L,10,0,\ntbil,mg/dL,umol/L,17.104,0,\n",
    "ordinal_codes.csv": "system,code,polarity,label,source\nurn:x,POS,positive,,\n",
    "ordinal_words.csv": "word,polarity,lang\npositive,positive,en\nnegative,negative,en\nindeterminate,equivocal,en\n",
    "interpretations.csv": "code,polarity,position\nH,,above\nN,,within\nL,,below\nPOS,positive,\nNEG,negative,\n",
    "reference_ranges.csv": (
        "concept,sex,unit,uln_low,uln_high,lln_low,lln_high,source\n"
        "inr,*,1,1.0,1.3,,,\ncreatinine_serum,female,umol/L,73,90,,,\n"
    ),
    "lookback.csv": "group,prescreen_days,protocol_days\nlab,90,28\n",
}
AS_OF = date(2025, 6, 1)
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1985-05-01"}
RANGE_40 = {"referenceRange": [{"low": {"value": 0, "unit": "U/L"}, "high": {"value": 40, "unit": "U/L"}}]}


@pytest.fixture(scope="module")
def mappings(tmp_path_factory: pytest.TempPathFactory) -> Mappings:
    folder: Path = tmp_path_factory.mktemp("mappings")
    (folder / "concepts").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Mappings(folder)


def ask(mappings: Mappings, rule: dict[str, Any], *resources: dict[str, Any], as_of: date = AS_OF) -> Any:
    kind = next(iter(rule))
    leaf = Leaf("X.1", kind, LEAF_KINDS[kind].model_validate(rule), False, 1)
    numbered = [{"id": f"r{n}", "subject": {"reference": "Patient/p"}} | r for n, r in enumerate(resources)]
    return truth_of_leaf(Site([PATIENT, *numbered], mappings, "Asia/Shanghai"), leaf, "p", as_of)


def result(code: str, **fields: Any) -> dict[str, Any]:
    sent = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2025-05-20"}
    return sent | {"code": {"coding": [{"system": "urn:x", "code": code}]}} | fields


def amount(value: float, unit: str | None = None, comparator: str | None = None) -> dict[str, Any]:
    parts = {"value": value, "unit": unit, "comparator": comparator}
    return {"valueQuantity": {name: part for name, part in parts.items() if part is not None}}


def interpreted(code: str) -> dict[str, Any]:
    return {"interpretation": [{"coding": [{"code": code}]}]}


VECTORS = [
    ("ana", {"at_least": "1:80"}, {"valueString": "1：320"}, True, None),
    (
        "ana",
        {"at_least": "1:80"},
        {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 40}}},
        False,
        None,
    ),
    ("ana", {"at_least": "1:80"}, {"valueString": "<1:100"}, None, "comparator_straddles_threshold"),
    ("ana", {"at_least": "1:80"}, amount(0.003125), True, None),
    ("ana", {"at_least": "1:80"}, {"valueString": "1:40 homogeneous, 1:320 speckled"}, True, None),
    ("ana", {"at_least": "1:80", "screening_dilution": "80"}, {"valueString": "Negative"}, False, None),
    (
        "ana",
        {"at_least": "1:80", "screening_dilution": "100"},
        {"valueString": "Negative"},
        None,
        "comparator_straddles_threshold",
    ),
    ("sledai", {"at_least": "8"}, amount(7), False, None),
    ("sledai", {"at_least": "8"}, amount(8), True, None),
    ("plt", {"at_least": "20 10*9/L"}, amount(1000, "10^9/L", ">"), True, None),
    ("plt", {"at_least": "0.5 10*9/L"}, amount(0.5, "10^9/L", "<"), False, None),
    ("plt", {"at_least": "0.5 10*9/L"}, amount(1.0, "10^9/L", "<"), None, "comparator_straddles_threshold"),
    ("hb", {"at_least": "60 g/L"}, amount(5.9, "g/dL"), False, None),
    ("hb", {"at_least": "60 g/L"}, amount(6.0, "g/dL"), True, None),
    ("hb", {"at_least": "60 g/L"}, amount(12), None, "unit_missing"),
    ("hb", {"at_least": "60 g/L"}, amount(12, "furlong"), None, "unit_unconvertible"),
    ("hb", {"at_least": "60 g/L"}, amount(120, "g/dL"), None, "implausible"),
    ("alt", {"at_most": "3 ULN"}, amount(121, "U/L") | RANGE_40, False, None),
    ("alt", {"at_most": "3 ULN"}, amount(120, "U/L") | RANGE_40, True, None),
    ("alt", {"at_most": "3 ULN"}, interpreted("H"), None, "no_reference_range"),
    ("alt", {"at_most": "3 ULN"}, interpreted("N"), True, None),
    ("alt", {"at_most": "3 ULN"}, amount(100) | {"referenceRange": [{"text": "0-40"}]}, True, None),
    ("inr", {"at_most": "1.5 ULN"}, amount(1.4), True, None),
    ("inr", {"at_most": "1.5 ULN"}, amount(1.96), False, None),
    ("inr", {"at_most": "1.5 ULN"}, amount(1.7), None, "no_reference_range"),
    (
        "tbil",
        {"at_most": "1.5 ULN"},
        amount(1.6, "mg/dL") | {"referenceRange": [{"high": {"value": 1.1, "unit": "mg/dL"}}]},
        True,
        None,
    ),
    ("creatinine_serum", {"at_most": "1.5 ULN"}, amount(150, "umol/L"), False, None),
    ("lvef", {"at_least": "50 %"}, {"valueString": "50-55%"}, True, None),
    ("lvef", {"at_least": "50 %"}, {"valueString": "45-50%"}, None, "comparator_straddles_threshold"),
    ("hbsag", {"is": "positive"}, {"valueString": "Negative"}, False, None),
    ("hbsag", {"is": "positive"}, {"valueString": "Indeterminate"}, None, "equivocal_result"),
    (
        "hbsag",
        {"is": "positive"},
        {"valueString": "Negative"} | interpreted("POS"),
        None,
        "interpretation_disagrees",
    ),
    ("hbv_dna", {"is": "positive", "below_detection": "negative"}, amount(20, "IU/mL", "<"), False, None),
    ("hbv_dna", {"is": "positive"}, amount(20, "IU/mL"), True, None),
    (
        "plt",
        {"at_least": "20 10*9/L"},
        amount(30, "10^9/L") | {"status": "entered-in-error"},
        None,
        "no_data",
    ),
    (
        "plt",
        {"at_least": "20 10*9/L"},
        amount(30, "10^9/L") | {"status": "preliminary"},
        None,
        "unusable_status",
    ),
    (
        "plt",
        {"at_least": "20 10*9/L"},
        amount(30, "10^9/L") | {"effectiveDateTime": "2025"},
        None,
        "partial_date",
    ),
    (
        "plt",
        {"at_least": "20 10*9/L"},
        amount(30, "10^9/L") | {"effectiveDateTime": "2025-03-03"},
        True,
        None,
    ),
    (
        "plt",
        {"at_least": "20 10*9/L"},
        amount(30, "10^9/L") | {"effectiveDateTime": "2025-03-02"},
        None,
        "out_of_window",
    ),
]


@pytest.mark.parametrize(("concept", "asked", "sent", "truth", "reason"), VECTORS)
def test_one_result(
    mappings: Mappings,
    concept: str,
    asked: dict[str, Any],
    sent: dict[str, Any],
    truth: bool | None,
    reason: str | None,
) -> None:
    answer = ask(mappings, {"observation": concept} | asked, result(concept, **sent))
    assert (answer.truth, answer.reason) == (truth, reason)


@pytest.mark.parametrize(
    ("partial", "count", "truth", "reason"),
    [
        ("2025-05", 30, True, None),
        ("2025-05", 10, None, "partial_date"),
        ("2025-04", 10, True, None),
        ("2025-06", 30, True, None),
    ],
)
def test_a_partial_date_matters_only_where_it_may_be_the_latest(
    mappings: Mappings, partial: str, count: int, truth: bool | None, reason: str | None
) -> None:
    """A month inside the window counts; beside an exact result of 20 May only a later one could change the answer."""
    rule = {"observation": "plt", "at_least": "20 10*9/L"}
    vague = result("plt", **amount(count, "10^9/L")) | {"effectiveDateTime": partial}
    answer = ask(mappings, rule, vague, result("plt", **amount(30, "10^9/L")))
    assert (answer.truth, answer.reason) == (truth, reason)
    if count == 30:
        assert ask(mappings, rule, vague).truth is True


def test_a_newer_unusable_result_is_flagged(mappings: Mappings) -> None:
    old = result("hb", **amount(90, "g/L")) | {"effectiveDateTime": "2025-05-01"}
    answer = ask(mappings, {"observation": "hb", "at_least": "60 g/L"}, old, result("hb", **amount(5)))
    assert answer.truth is True
    assert answer.flags == {"newer_unusable", "stale", "stale_for_protocol"}


def test_results_of_one_time_that_contradict_are_read_against_the_patient(mappings: Mappings) -> None:
    pair = (result("hbsag", valueString="positive"), result("hbsag", valueString="negative"))
    answer = ask(mappings, {"observation": "hbsag", "is": "positive"}, *pair)
    assert (answer.truth, answer.flags) == (False, {"contradictory_results"})


def test_cockcroft_gault_of_the_definition(mappings: Mappings) -> None:
    pair = (result("creatinine_serum", **amount(132.6, "umol/L")), result("body_weight", **amount(60, "kg")))
    for limit, truth in (("47.2", True), ("47.3", False)):
        assert ask(mappings, {"formula": "cockcroft_gault", "at_least": f"{limit} mL/min"}, *pair).truth is truth


@pytest.mark.parametrize(
    ("days", "truth", "reason"),
    [(["20"], True, None), (["02", "20"], True, None), (["02"], None, "single_day_beyond")],
)
def test_series(mappings: Mappings, days: list[str], truth: bool | None, reason: str | None) -> None:
    rule = {
        "series": [{"observation": "sbp", "above": "160 mm[Hg]"}],
        "within": "6 months",
        "recent": "28 days",
    }
    sent = [result("sbp", **amount(162, "mmHg")) | {"effectiveDateTime": f"2025-05-{day}"} for day in days]
    normal = [result("sbp", **amount(150, "mmHg")) | {"effectiveDateTime": "2025-05-28"}] if days == ["02"] else []
    answer = ask(mappings, rule, *sent, *normal)
    assert (answer.truth, answer.reason) == (truth, reason)


def coded(kind: str, system: str, code: str, **fields: Any) -> dict[str, Any]:
    name = "medicationCodeableConcept" if kind.startswith("Medication") else "code"
    return {"resourceType": kind, name: {"coding": [{"system": system, "code": code}]}} | fields


@pytest.mark.parametrize(
    ("code", "status", "truth", "suggested"),
    [
        ("M32.9", "confirmed", True, False),
        ("M32.0", "confirmed", None, False),
        ("L93.0", "confirmed", None, True),
        ("M32.9", "provisional", None, True),
        ("M32.9", "refuted", False, False),
        ("M32.9", "entered-in-error", None, False),
    ],
)
def test_condition(mappings: Mappings, code: str, status: str, truth: bool | None, suggested: bool) -> None:
    sent = coded("Condition", "urn:icd", code, verificationStatus={"coding": [{"code": status}]})
    answer = ask(mappings, {"condition": "dx_sle", "ever": "yes", "absence": "unknown"}, sent)
    assert (answer.truth, answer.suggested) == (truth, suggested)


@pytest.mark.parametrize(
    ("onset", "within", "before"),
    [("2024-12-02", True, False), ("2024-12-01", True, True), ("2024-11-30", False, True), ("2024", None, None)],
)
def test_condition_in_a_window(mappings: Mappings, onset: str, within: bool | None, before: bool | None) -> None:
    """The day six months ago is both within the window and at least six months ago."""
    sent = coded("Condition", "urn:icd", "I21.4", onsetDateTime=onset)
    assert ask(mappings, {"condition": "dx_mi", "within": "6 months"}, sent).truth is within
    assert ask(mappings, {"condition": "dx_mi", "before": "6 months"}, sent).truth is before


@pytest.mark.parametrize(
    ("kind", "fields", "truth"),
    [
        ("MedicationAdministration", {"status": "completed", "effectiveDateTime": "2025-05-11"}, True),
        ("MedicationAdministration", {"status": "completed", "effectiveDateTime": "2025-05-10"}, False),
        ("MedicationAdministration", {"status": "not-done", "effectiveDateTime": "2025-05-20"}, False),
        ("MedicationRequest", {"status": "active", "intent": "order", "authoredOn": "2025-05-20"}, None),
        (
            "MedicationStatement",
            {"status": "active", "effectivePeriod": {"start": "2024-01-01"}, "dateAsserted": "2025-01-01"},
            True,
        ),
        (
            "MedicationStatement",
            {"status": "active", "effectivePeriod": {"start": "2024-01-01"}, "dateAsserted": "2024-02-01"},
            None,
        ),
    ],
)
def test_medication(mappings: Mappings, kind: str, fields: dict[str, Any], truth: bool | None) -> None:
    assert (
        ask(mappings, {"medication": "rx_b", "within": "3 weeks"}, coded(kind, "urn:x", "beli", **fields)).truth
        is truth
    )


@pytest.mark.parametrize(("status", "truth"), [("completed", True), ("stopped", None), ("not-done", False)])
def test_procedure(mappings: Mappings, status: str, truth: bool | None) -> None:
    sent = coded("Procedure", "urn:x", "tx", status=status, performedDateTime="2025-05-01")
    assert ask(mappings, {"procedure": "px_tx", "within": "6 months"}, sent).truth is truth


@pytest.mark.parametrize(("day", "truth"), [(date(2051, 4, 30), True), (date(2051, 5, 1), False)])
def test_age_holds_until_the_day_before_the_next_birthday(mappings: Mappings, day: date, truth: bool) -> None:
    assert ask(mappings, {"age": {"at_most": 65}}, as_of=day).truth is truth


def test_sex_and_judgement(mappings: Mappings) -> None:
    assert ask(mappings, {"sex": "female"}).truth is True
    assert ask(mappings, {"judgement": "look"}).reason == "judgement_required"


def test_every_leaf_kind_has_its_evaluator() -> None:
    assert set(LEAVES) == set(LEAF_KINDS)
