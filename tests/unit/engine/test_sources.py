"""Which types of resources a trial needs: what its facts read, and nothing else."""

import re

import pytest

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.engine.plan import FACTS, READ_BY
from cohortfinder.engine.sources import ALWAYS, MEDICATIONS, SOURCES, Lacking, types_of, without_source
from cohortfinder.model import Trial
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import load_terminology
from cohortfinder.trials.parser import parse_trial
from cohortfinder.warehouse.tables import typed_tables

TERMINOLOGY = load_terminology(resource_dir("mappings"))
# these read what any of the others may need
_OF_ALL = {"code_match", "text_match", "counted"}
# results and events that only help a formula are told by its concepts
_BY_CONCEPT = {
    "formula": {"Condition", "Procedure", "Encounter"},
    "dose": {"Observation"},
    "treatment": {"Observation"},
}


def trial_of(*rules: str) -> Trial:
    criteria = "".join(f"  - {{id: I-{number}, text: asked, all: [{rule}]}}\n" for number, rule in enumerate(rules, 1))
    head = "trial: T-1\ntitle: small\ntime_zone: UTC\narms:\n  A: {name: The only arm, entry: I-1}\ninclusion:\n"
    return parse_trial(head + criteria, source="trial.yaml", terminology=TERMINOLOGY)


def types_in_templates(kind: str) -> set[str]:
    """Return the types of the typed tables that the facts of a leaf kind read, by the headers of their templates."""
    typed = {table.name: table.resource_type for table in typed_tables()}
    waiting = {name for name in FACTS if kind in READ_BY.get(name, ()) and name.split("/")[1] not in _OF_ALL}
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        text = (resource_dir("queries") / f"{name}.sql.jinja").read_text()
        read = set(re.findall(r"[\w*]+", re.search(r"^-- in: (.*)$", text, re.M)[1])) - _OF_ALL
        waiting |= {fact for fact in FACTS if fact.split("/")[1] in read} - seen
        seen |= {table for table in typed for word in read if re.fullmatch(word.replace("*", ".*"), table)}
    return {typed[name] for name in seen if name in typed}


@pytest.mark.parametrize("kind", LEAF_KINDS)
def test_a_leaf_kind_reads_what_its_templates_read(kind: str) -> None:
    told = SOURCES[kind].types | _BY_CONCEPT.get(kind, set())
    assert types_in_templates(kind) - set(ALWAYS) == told - set(ALWAYS)


def test_a_trial_needs_what_its_leaves_read() -> None:
    trial = trial_of("{age: {at_least: 18}}", "{condition: dx_sle, ever: yes}")
    assert types_of(trial, TERMINOLOGY) == ("Condition", "Encounter", "Observation", "Patient")


def test_a_formula_needs_what_its_inputs_are() -> None:
    trial = trial_of("{formula: cockcroft_gault, at_least: 30 mL/min}")
    assert types_of(trial, TERMINOLOGY) == ("Encounter", "Observation", "Patient", "Procedure")


def test_a_criterion_has_no_source_when_none_of_its_types_can_be_had() -> None:
    trial = trial_of("{medication: rx_azathioprine, active: yes}", "{sex: female}")
    assert without_source(trial, TERMINOLOGY, {"Patient"}) == (Lacking("I-1", "medication", MEDICATIONS),)
    assert without_source(trial, TERMINOLOGY, {"Patient", "MedicationDispense"}) == ()


def test_a_treatment_that_reaches_something_needs_both() -> None:
    rule = "{treatment: rx_azathioprine, for: 90 days, reaching: {observation: bvas_v3_total, at_most: 0}}"
    lacking = without_source(trial_of(rule), TERMINOLOGY, {"MedicationRequest"})
    assert lacking == (Lacking("I-1", "treatment", ("Observation",)),)


def test_the_trial_that_ships_needs_these() -> None:
    text = (resource_dir("trials") / "NCT06983964.yaml").read_text()
    trial = parse_trial(text, source="NCT06983964.yaml", terminology=TERMINOLOGY)
    assert "Observation" in types_of(trial, TERMINOLOGY)
    assert without_source(trial, TERMINOLOGY, types_of(trial, TERMINOLOGY)) == ()
