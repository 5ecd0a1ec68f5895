"""Strategies for small trials: one for the options of each leaf kind, and for combinations of them."""

from typing import Any

from hypothesis import strategies as st

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.model import Arm, Combination, Criterion, Leaf, Rule, Trial

ZONE = "Asia/Shanghai"
Options = dict[str, Any]
WINDOWS = ("14 days", "28 days", "3 weeks", "1 month", "6 months", "1 year", "13 months")
ABSENCES = st.sampled_from([{}, {"absence": "false"}, {"absence": "unknown"}])
PICKS = st.sampled_from([{}, {"pick": "any"}, {"pick": "all"}])
NUMERIC = (
    {"observation": "hemoglobin", "at_least": "60 g/L"}, {"observation": "hemoglobin", "above": "6 g/dL"},
    {"observation": "hemoglobin", "between": ["60 g/L", "120 g/L"]}, {"observation": "alt", "at_most": "3 ULN"},
    {"observation": "alt", "above": "1.5 ULN"}, {"observation": "alt", "below": "1 LLN"},
    {"observation": "creatinine_serum", "at_most": "1.5 ULN"}, {"observation": "creatinine_serum", "above": "150 umol/L"},
    {"observation": "inr", "at_most": "1.5 ULN"}, {"observation": "inr", "below": "1.6"},
    {"observation": "lvef", "at_least": "50 %"}, {"observation": "ana_titer", "at_least": "1:80"},
    {"observation": ["ana_titer", "ana_presence"], "at_least": "1:80"},
    {"observation": ["ana_titer", "ana_presence"], "at_least": "1:80", "screening_dilution": "1:80"},
    {"observation": ["ana_titer", "ana_presence"], "at_least": "1:80", "screening_dilution": "1:100"},
    {"observation": "sledai_2k_total", "at_least": "8"},
)  # fmt: skip
POLAR = (
    {"observation": "hbsag", "is": "positive"}, {"observation": "hbsag", "is": "negative"},
    {"observation": "treponemal_antibody", "is": "positive"}, {"observation": "hbsag", "is": "equivocal"},
    {"observation": "hbv_dna", "is": "positive"}, {"observation": "hbv_dna", "is": "negative", "below_detection": "negative"},
    {"observation": "hcg_quantitative", "is": "negative"}, {"observation": ["hbsag", "treponemal_antibody"], "is": "positive"},
)  # fmt: skip
CONFIRMS = (
    {"observation": "hbsag", "is": "positive"}, {"observation": "hbsag", "is": "negative"}, {"observation": "hbsag", "is": "equivocal"},
    {"observation": "treponemal_antibody", "is": "negative"}, {"observation": "treponemal_antibody", "is": "positive"},
)  # fmt: skip
FORMULAS = (
    {"formula": "cockcroft_gault", "at_least": "30 mL/min"}, {"formula": "cockcroft_gault", "below": "60 mL/min"},
    {"formula": "sledai_serology_points", "at_most": "0"}, {"formula": "sledai_clinical_points", "at_least": "6"},
    {"formula": "spo2_room_air", "at_least": "92 %"},
)  # fmt: skip
CHANGES = (
    {"change": "mrss", "rises_by": "10 %"}, {"change": "mrss", "rises_by": "4"}, {"change": "mrss", "falls_by": "10 %"},
    {"change": "fvc_percent_predicted", "falls_by": "10 %"}, {"change": "fvc_percent_predicted", "falls_by": "10 %", "reading": "absolute"},
    {"change": "fvc_percent_predicted", "falls_by": "10 %", "reading": "both"}, {"change": "fvc_volume", "falls_by": "250 mL"},
    {"change": ["fvc_percent_predicted", "fvc_volume"], "falls_by": "10 %", "reading": "both"},
)  # fmt: skip
TREATMENTS = (
    {"treatment": "rx_belimumab"}, {"treatment": "rx_rituximab"}, {"treatment": ["rx_belimumab", "rx_rituximab", "rx_ivig"]},
    {"treatment": "rx_telitacicept", "with": "rx_belimumab"}, {"treatment": ["rx_rituximab", "rx_ivig"], "with": ["rx_belimumab", "rx_telitacicept"]},
)  # fmt: skip
REACHING = {"reaching": {"observation": "mrss", "at_most": "20"}}
AND_DOSE = {
    "reaching": {"observation": "mrss", "at_most": "22", "while": {"dose": "rx_methotrexate", "at_most": "15 mg/wk"}}
}
PRESSURE = [
    {"observation": "systolic_bp", "above": "160 mm[Hg]"},
    {"observation": "diastolic_bp", "above": "100 mm[Hg]"},
]


def merged(*parts: st.SearchStrategy[Options]) -> st.SearchStrategy[Options]:
    """Join options that are drawn apart."""
    return st.tuples(*parts).map(lambda drawn: {key: value for part in drawn for key, value in part.items()})


def _windows(*more: Options, within: bool = True) -> st.SearchStrategy[Options]:
    spans: list[Options] = [{"within": window} for window in WINDOWS] if within else []
    return st.sampled_from([*more, *spans])


def _named(kind: str, concepts: tuple[str, ...]) -> st.SearchStrategy[Options]:
    return st.sampled_from([{kind: concept} for concept in concepts] + [{kind: list(concepts[:2])}])


GLUCOCORTICOIDS: Options = {"dose": "rx_glucocorticoid_systemic", "as": "prednisone"}
DOSES = (
    {**GLUCOCORTICOIDS, "at_most": "20 mg/d"}, {**GLUCOCORTICOIDS, "at_least": "20 mg/d"}, {**GLUCOCORTICOIDS, "between": ["7.5 mg/d", "25 mg/d"]},
    {**GLUCOCORTICOIDS, "at_least": "500 mg/d", "within": "2 weeks"}, {**GLUCOCORTICOIDS, "above": "19 mg/d", "within": "28 days"},
    {**GLUCOCORTICOIDS, "at_least": "20 mg/d", "within": "28 days", "for": "14 days"}, {**GLUCOCORTICOIDS, "above": "5 mg/d", "within": "1 month", "for": "3 days"},
    {"dose": "rx_methotrexate", "at_most": "20 mg/wk"}, {"dose": "rx_methotrexate", "at_least": "15 mg/wk", "within": "3 weeks"},
    {"dose": "rx_azathioprine", "at_most": "2 mg/kg/d"}, {"dose": "rx_mycophenolate", "at_most": "2 g/d"},
)  # fmt: skip


QUESTIONS: dict[str, st.SearchStrategy[Options]] = {
    "age": st.sampled_from([{"age": {"at_least": "18", "at_most": "65"}}, {"age": {"at_least": "18"}}, {"age": {"at_most": "64"}}]),
    "sex": merged(st.sampled_from([{"sex": "male"}, {"sex": "female"}]), ABSENCES),
    "observation": merged(
        st.one_of(st.sampled_from(NUMERIC + POLAR), st.sampled_from([{**words, "role": "confirm"} for words in CONFIRMS])),
        _windows({}, {}, {"ever": "yes"}), PICKS, ABSENCES,
        st.sampled_from([{}, {}, {}, {}, {"ago": "2 months"}, {"ago": "5 weeks"}]),
    ),
    "series": merged(
        st.just({"series": PRESSURE}), st.sampled_from([{"within": "6 months"}, {"within": "60 days"}]),
        st.sampled_from([{"recent": "28 days"}, {"recent": "7 days"}]), st.sampled_from([{}, {"days": "1"}, {"days": "3"}]),
    ),
    "change": merged(
        st.sampled_from(CHANGES), st.sampled_from([{"over": "6 months"}, {"over": "6 months"}, {"over": "13 months"}, {"over": "90 days"}]),
        st.sampled_from([{}, {}, {"recent": "28 days"}]), st.sampled_from([{}, {}, {"apart": "1 week"}, {"apart": "1 month"}]),
        st.sampled_from([{}, {}, {"baseline": "any"}]),
    ),
    "condition": merged(
        _named("condition", ("dx_sle", "dx_myocardial_infarction", "st_pregnancy", "dx_heart_failure")),
        _windows({"ever": "yes"}, {"active": "yes"}, {"active": "yes", "within": "6 months"}, {"before": "6 months"}, {"before": "90 days"}),
        ABSENCES,
    ),
    "medication": merged(
        _named("medication", ("rx_belimumab", "rx_telitacicept", "rx_ivig")), _windows({"ever": "yes"}, {"active": "yes"}), ABSENCES
    ),
    "dose": merged(st.sampled_from(DOSES), ABSENCES),
    "treatment": merged(
        st.sampled_from(TREATMENTS), st.sampled_from([{"for": "180 days"}, {"for": "90 days"}, {"for": "28 days"}, {"for": "2 weeks"}]),
        st.sampled_from([{}, {}, {"gaps": "1 day"}, {"gaps": "14 days"}]), st.sampled_from([{}, {}, {"until": "14 days"}, REACHING, {**REACHING, "results": "1"}, AND_DOSE]),
        ABSENCES,
    ),
    "procedure": merged(_named("procedure", ("px_pci", "px_organ_transplant")), _windows({"ever": "yes"}), ABSENCES),
    "immunization": merged(_named("immunization", ("vx_live", "vx_live_uncertain")), _windows({"ever": "yes"}), ABSENCES),
    "allergy": merged(_named("allergy", ("rx_lymphodepletion", "rx_belimumab")), st.sampled_from([{}, {"severe": "yes"}]), ABSENCES),
    "study": merged(
        st.sampled_from([{"study": "interventional"}, {"study": "interventional"}, {"study": "any"}]),
        _windows({"ever": "yes"}, {"active": "yes"}), st.sampled_from([{}, {"except": "NCT06983964"}, {"except": ["NCT06983964", "NCT01"]}]), ABSENCES,
    ),
    "family_history": merged(_named("family_history", ("dx_sle", "dx_heart_failure")), ABSENCES),
    "formula": st.sampled_from(FORMULAS),
    "judgement": st.just({"judgement": "the chart"}),
}  # fmt: skip


@st.composite
def rules(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(QUESTIONS), depth: int = 2) -> Options:
    """A rule as words: a leaf, or a combination of rules."""
    operator = draw(st.sampled_from(["leaf", "leaf", "all", "any", "not", "need"])) if depth else "leaf"
    if operator == "leaf":
        return draw(QUESTIONS[draw(st.sampled_from(kinds))])
    if operator == "not":
        return {"not": draw(rules(kinds, depth - 1))}
    children = [draw(rules(kinds, depth - 1)) for _ in range(draw(st.integers(2, 3)))]
    if operator == "need":
        return {"need": draw(st.integers(1, len(children))), "of": children}
    return {operator: children}


def build_rule(words: Options, criterion: str, adverse: bool, numbers: "list[int]") -> Rule:
    """Build the rule that the words say."""
    if "not" in words:
        return Combination("not", (build_rule(words["not"], criterion, not adverse, numbers),))
    for operator, children in (("all", words.get("all")), ("any", words.get("any")), ("need", words.get("of"))):
        if children is not None:
            built = tuple(build_rule(child, criterion, adverse, numbers) for child in children)
            return Combination(operator, built, words.get("need"))  # type: ignore[arg-type]
    kind = next(word for word in words if word in LEAF_KINDS)
    numbers.append(len(numbers) + 1)
    return Leaf(f"{criterion}.{numbers[-1]}", kind, LEAF_KINDS[kind].model_validate(words), adverse, 1)


def trial_of(rules_in_words: list[Options], sides: list[str]) -> Trial:
    """Make a trial of one arm, whose first criterion is the entry."""
    criteria = tuple(
        Criterion(f"C{n}", side, "text", ("A",), "exact", build_rule(words, f"C{n}", side == "exclusion", []), n, n)  # type: ignore[arg-type]
        for n, (words, side) in enumerate(zip(rules_in_words, sides, strict=True), start=1)
    )
    return Trial("PROPERTY", "Property", ZONE, (Arm("A", "Arm", "C1"),), criteria, (), "hash")


def a_trial(rules_in_words: list[Options]) -> Trial:
    """Make a trial whose criteria are inclusions and exclusions by turns."""
    return trial_of(rules_in_words, [("inclusion", "exclusion")[n % 2] for n in range(len(rules_in_words))])
