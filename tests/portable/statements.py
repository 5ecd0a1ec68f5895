"""Every statement that evaluates a trial, as each dialect writes it: the trials of trials/, in the order of a screening."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from cohortfinder.engine.asking import in_one
from cohortfinder.engine.plan import fact_statements, people_statements
from cohortfinder.engine.rules import RulePlan, TrialPlan, plan_rules, rule_scripts, rules_together
from cohortfinder.engine.setting import Setting
from cohortfinder.model import Prior, Trial
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from cohortfinder.sql.dialect import Dialect
from cohortfinder.sql.environment import Rendered, render
from cohortfinder.sql.together import of_one_shape
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.trials.parser import parse_trial

AS_OF = date(2026, 11, 20)
TYPES = (
    "Patient", "Observation", "Condition", "Procedure", "MedicationStatement", "MedicationRequest",
    "MedicationAdministration", "MedicationDispense", "Encounter", "Immunization", "AllergyIntolerance",
    "ResearchSubject", "ResearchStudy", "FamilyMemberHistory",
)  # fmt: skip
# what the templates of a screening take, whichever of it they do
VALUES: dict[str, Any] = {
    "as_of": AS_OF, "ahead": [0, 1], "horizon": date(2028, 11, 20), "part": 0, "size": 5_000, "rules": ["I-1", "E-1"], "numbers": [1, 2],
    "arms": ["A", "B"], "entries": ["I-1", "I-1"], "kinds": ["inclusion", "inclusion"], "ids": ["I-1", "E-1"],
    "asked": ["I-1", "E-1"], "positions": [1, 2], "certainties": ["exact", "proxy"], "computed": [True, False],
    "criteria": ["I-1", "E-1"], "holds": ["I-1", "E-1"], "column": "asked", "first": None, "among": None, "flags": ["flag", "other_flag"],
}  # fmt: skip
STATED = {"flagged": ["I-1", "E-1"], "flags": [["flag"], []]}
NODES: dict[str, Any] = {
    "asked": ["I-1", "I-1"], "nodes": [1, 2], "parents": [None, 1], "depths": [0, 1], "needs": [1, 0],
    "turned": [True, False], "numbers": [None, 1], "favours": [True, False],
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "places": [0], "patients": ["p1"], "truths": [None], "people": ["Dr. Li"], "times": ["2026-11-02"], "days": [AS_OF], "notes": [None],
    "arms": ["A"], "criteria": ["I-1"],
}  # fmt: skip
OUTCOMES: dict[str, Any] = {
    "places": [0], "patients": ["p1"], "arms": ["A"], "ended": [True], "passed": [None], "days": [AS_OF],
}  # fmt: skip
RANKING: dict[str, Any] = {
    "declared": True, "prior": Prior(1, 1), "shrinkage": 20.0, "known_weight": 20.0, "criteria": [], "passes": [], "fails": [],
}  # fmt: skip
WINDOWS = {"concepts": ["creatinine_serum", "dx_sle"], "windows": ["90 days", None], "starts": [AS_OF, None]}
# what a trial of judgements alone asks for
NO_WINDOWS: dict[str, Any] = {"arms": [], "concepts": [], "windows": [], "starts": []}
LEAF_CONCEPTS = {"reasons": ["", "weight_missing"], "concepts": ["dx_sle", "body_weight"]}
EFFORTS: dict[str, Any] = {
    "concepts": ["hemoglobin", "judgement"], "tests": ["blood_count", "judgement"], "labels": ["Blood count", "A person decides"],
    "works": ["blood or urine", "look at the chart"], "minutes": [10, 15],
}  # fmt: skip
VARIANTS: dict[str, Any] = {
    "names": ["E-1 0 0", "E-1 0 1"],
    "bases": ["E-1", "E-1"],
    "numbers": [0, 0],
    "places": [0, 1],
}
# what a screening runs beside facts, leaves and rules, in its order
SCREENING: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("verdicts/everyone", {}),
    ("verdicts/trial_criterion", {}),
    ("verdicts/rule_leaf", {"table": "rule_leaf"}),
    ("verdicts/rule_leaf", {"table": "explained_leaf"}),
    ("verdicts/rule_place", {"places": [1, 1], "leaves": ["I-1.1", "E-1.1"], "bare_numbers": [1, 2]}),
    ("diff/everybody", {}),
    ("verdicts/answer", ANSWERS),
    ("verdicts/asked_everyone", {}),
    ("verdicts/asked", {"table": "asked"}),
    ("verdicts/truth_table", {"table": "rule_truth", "explained": False}),
    ("verdicts/leaf_table", {"table": "leaf_truth", "explained": False}),
    ("verdicts/leaf_asked", {"leaves": "rule_leaf", "held": False}),
    ("verdicts/contact", {"asked": "leaf_asked"}),
    ("verdicts/leaf_due", {}),
    ("verdicts/entry_truth", {}),
    ("verdicts/listing", {"everyone": True}),
    ("verdicts/listing", {"everyone": False}),
    ("facts/listed_person", {}),
    ("quality/result_problem", {"told": ()}),
    ("quality/result_problem", {"told": ("hemoglobin",)}),
    ("results/forget", {"table": "measure"}),
    ("verdicts/truth_table", {"table": "criterion_truth", "explained": True}),
    ("verdicts/answered_table", {}),
    ("verdicts/verdict_today_table", {}),
    ("verdicts/held_table", {}),
    ("verdicts/watch_table", {}),
    ("verdicts/change", {"table": "turn"}),
    ("verdicts/raised_flag", {}),
    ("quality/rule_node", NODES),
    ("quality/leaf_concept", LEAF_CONCEPTS),
    ("quality/open_verdict", {}),
    ("quality/concept_window", NO_WINDOWS),
    ("quality/concept_window", WINDOWS),
    ("verdicts/listed_part", {}),
    ("verdicts/parts", {}),
    ("verdicts/standing_table", {}),
    ("verdicts/told_before_table", {}),
    ("verdicts/asked_listed", {}),
    ("verdicts/leaf_table", {"table": "leaf_answer", "explained": True}),
    ("quality/note_open_verdicts", {}),
    ("verdicts/hold", {}),
    ("verdicts/leaf_asked", {"leaves": "explained_leaf", "held": True}),
    ("verdicts/searched", {"asked": "leaf_asked", "counted": True}),
    ("verdicts/searched", {"asked": "leaf_asked", "counted": False}),
    ("verdicts/leaf_carried", {}),
    ("verdicts/raise_flag", {}),
    ("verdicts/watch", {"table": "criterion_truth"}),
    ("verdicts/asked_watched", {}),
    ("verdicts/watch_changed", {"table": "turn"}),
    ("verdicts/leaf_turn_table", {}),
    ("verdicts/leaf_turn", {"until": date(2027, 2, 12)}),
    ("verdicts/in_play", {}),
    ("verdicts/watch_on", {"until": None}),
    ("verdicts/watch_on", {"until": date(2027, 2, 12)}),
    ("verdicts/first_change", {}),
    ("verdicts/held", {}),
    ("verdicts/answered", {"zone": "Asia/Shanghai"}),
    ("verdicts/verdict_today", STATED),
    ("verdicts/verdict", {}),
    ("verdicts/funnel_truth", {}),
    ("verdicts/eligible_from", {}),
    ("verdicts/hopeful", {}),
    ("verdicts/truth_table", {"table": "hoped_truth", "explained": False}),
    ("verdicts/hope_known", {}),
    ("verdicts/asked_hoped", {}),
    ("verdicts/hope_answered", {}),
    ("verdicts/hope_fulfilled", {}),
    ("verdicts/change", {"table": "later_change"}),
    ("verdicts/later_turn", {}),
    ("verdicts/watch_again", {}),
    ("verdicts/hopeful_again", {}),
    ("verdicts/verdict_turn", {}),
    ("verdicts/status_turn", {}),
    ("verdicts/stop", {}),
    ("verdicts/told_turn", {"until": date(2027, 2, 12)}),
    ("verdicts/untold_turn", {}),
    ("verdicts/known_turn", {}),
    ("verdicts/asked_turned", {"days": [0, 1]}),
    ("verdicts/leaf_asked_turned", {"days": [0, 1]}),
    ("verdicts/leaf_same", {"days": [0, 1]}),
    ("verdicts/rules_turned", {}),
    ("verdicts/truth_table", {"table": "turned_truth", "explained": True}),
    ("verdicts/turned_leaf_table", {}),
    ("verdicts/turned_leaf", {}),
    ("verdicts/decided", {}),
    ("verdicts/outcome", OUTCOMES),
    ("verdicts/asked_before", {}),
    ("verdicts/truth_before", {}),
    ("facts/alone_person", {"patient": "p1"}),
    ("facts/alone_individual", {"patient": "p1"}),
    ("verdicts/answer_rows", {"patient": "p1"}),
    ("verdicts/asked_days", {"patient": "p1", "days": [AS_OF, AS_OF]}),
    ("verdicts/rule_truth_rows", {}),
    ("verdicts/watch", {"table": "rule_truth"}),
    ("verdicts/turn_rows", {}),
    ("verdicts/leaf_answer_rows", {}),
    ("results/seen_value", {"concepts": ["creatinine_serum", "ldh"]}),
    ("verdicts/variant", VARIANTS),
    ("verdicts/variant_leaf", {"names": ["E-1 0 1"], "numbers": [2], "in_force": [1]}),
    ("verdicts/swayed", {}),
    ("verdicts/variant_count_table", {}),
    ("verdicts/variant_size", {}),
    ("verdicts/asked_variants", {}),
    ("verdicts/asked_changed", {}),
    ("verdicts/count_variants", {}),
    ("verdicts/variant_rows", {}),
    ("ranking/last_contact", {}),
    ("ranking/pass_share", RANKING),
    ("ranking/candidate", {}),
    ("ranking/score_before", RANKING),
    ("ranking/funnel_step", {}),
    ("ranking/funnel_path", {}),
    ("ranking/funnel", {}),
    ("ranking/funnel_people", {}),
    ("ranking/candidate_rows", {}),
    ("ranking/outlook_rows", {}),
    ("ranking/turned_leaf_rows", {}),
    ("ranking/stop_rows", {}),
    ("ranking/open_criteria_rows", {}),
    ("ranking/funnel_rows", {}),
    ("ranking/funnel_people_rows", {}),
    ("ranking/gate_rows", {"gates": ["deceased", "consent"]}),
    ("ranking/gated_count", {}),
    ("ranking/other_study", {"trial": "NCT06983964", "zone": "Asia/Shanghai"}),
    ("ranking/unknown_patients", {"ids": ["p1", "p2"]}),
    ("ranking/unread_refusals", {}),
    ("ranking/patient_range", {}),
    ("ranking/verdict_rows", {}),
    ("ranking/verdict_rows", {"first": 100, "among": ("a", "b")}),
    ("verdicts/verdict_words", {}),
    ("quality/seen_code", {}),
    ("quality/unmapped_code", {}),
    ("diff/listed_record", {"facts": ("result", "condition_event"), "kept": None}),
    ("quality/concept_record", {"events": ("condition_event", "exposure_event"), "kept": None}),
    ("quality/unnamed_drug", {"kept": None}),
    ("quality/data_quality", {}),
    ("quality/data_quality_rows", {}),
    ("quality/concept_coverage", {}),
    ("quality/concept_coverage_rows", {}),
    ("ranking/concept_test", EFFORTS),
    ("quality/settled", {"depth": 2, "by": "concept"}),
    ("quality/settled", {"depth": 2, "by": "test"}),
    ("quality/carrier", {}),
    ("quality/carried", {}),
    ("quality/unknown", {}),
    ("quality/unknown_rows", {}),
    ("ranking/next_step", {}),
    ("ranking/next_step_rows", {}),
    ("ranking/clinic_step_rows", {"first": 25}),
    ("ranking/effort_rows", {}),
)
_NUMBER = re.compile(r"\d+")
# templates that are rendered as a part of the statements of a leaf or a rule
PARTS = frozenset({"keep_truth", "leaf_together", "leaf_truth", "rule", "rule_truth", "script_table"})


@cache
def _terminology() -> Terminology:
    return load_terminology(resource_dir("mappings"), Settings().site)


@cache
def trials() -> tuple[Trial, ...]:
    """Return the trials that ship, NCT06983964 first."""
    paths = sorted(Path(resource_dir("trials")).glob("*.yaml"), key=lambda path: path.stem != "NCT06983964")
    return tuple(
        parse_trial(path.read_text(encoding="utf-8"), source=path.name, terminology=_terminology()) for path in paths
    )


def screening_statements(dialect: Dialect) -> Iterator[tuple[str, Rendered]]:
    """Yield the name of each template that only a screening runs, and what it becomes."""
    for name, values in SCREENING:
        yield name, render(f"{name}.sql.jinja", dialect=dialect, **{**VALUES, **values})


def fact_texts(trial: Trial, dialect: Dialect) -> Iterator[tuple[str, Rendered]]:
    """Yield what makes the mappings, the people and the facts of a trial."""
    for lately in (True, False):
        for one in people_statements(trial, _terminology(), AS_OF, lately=lately, dialect=dialect):
            yield one.name, one.rendered
    for one in fact_statements(trial, _terminology(), AS_OF, dialect=dialect):
        yield one.name, one.rendered


def leaf_texts(trial: Trial, dialect: Dialect) -> Iterator[tuple[str, Rendered]]:
    """Yield the statements of each shape of a leaf, alone and together, explained and bare, and those of the rules."""
    for loaded in (True, False):
        setting = Setting(_terminology(), dict.fromkeys(TYPES, loaded), dialect)
        plan = plan_rules(trial, setting)
        yield from _asked(plan.explained, "leaf_answer")
        yield from _asked(plan.bare, "leaf_truth")
        yield from _combined(plan, dialect)
        name, (_, script) = next(iter(rule_scripts(trial, setting).items()))
        yield from ((f"script of {name}", one.rendered) for one in script)


def _asked(questions: Mapping[int, Rendered], table: str) -> Iterator[tuple[str, Rendered]]:
    for shape in of_one_shape(questions):
        for numbers in {tuple(shape)[:1], tuple(shape)[:2]}:
            yield f"{_kind(shape[numbers[0]])} into {table}, {len(numbers)}", in_one(shape, numbers, table)


def _kind(question: Rendered) -> str:
    return question.text.partition("Leaf kind ")[2].partition(":")[0]


def _combined(plan: TrialPlan, dialect: Dialect) -> Iterator[tuple[str, Rendered]]:
    shapes: dict[str, list[RulePlan]] = {}
    for rule in (*plan.rules.values(), *plan.flags.values()):
        shapes.setdefault(rule.shape, []).append(rule)
    for rules in shapes.values():
        for table in ("criterion_truth", "rule_truth"):
            yield f"rule {rules[0].name}", rules_together(rules, table, dialect=dialect)


def all_statements(dialect: Dialect) -> list[tuple[str, Rendered]]:
    """Return every statement with the name of what it is; of those that differ in nothing but numbers, one."""
    found: dict[str, tuple[str, Rendered]] = {}
    for name, rendered in _statements(dialect):
        found.setdefault(_NUMBER.sub("0", rendered.text), (name, rendered))
    return list(found.values())


def _statements(dialect: Dialect) -> Iterator[tuple[str, Rendered]]:
    yield from screening_statements(dialect)
    for trial in trials():
        yield from fact_texts(trial, dialect)
        yield from leaf_texts(trial, dialect)
