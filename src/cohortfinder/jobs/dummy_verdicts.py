"""Invented charts to the verdicts that the engine gives them, in a store that lasts as long as the question."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import orjson

from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.formulas import Probe, Tries, extremes, probes
from cohortfinder.dummy.patients import Casting
from cohortfinder.dummy.resources import resources_of
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.solve import Solver
from cohortfinder.dummy.trying import Said
from cohortfinder.engine.screening import screen
from cohortfinder.gates import INVENTED
from cohortfinder.jobs.load import load
from cohortfinder.model import Arm, Criterion, Leaf, Trial, leaves_of, rules_of
from cohortfinder.settings import Settings
from cohortfinder.sql.environment import render
from cohortfinder.trials.case_records import markers
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import loaded_types

_ARM = "A"
_TRUTHS = {"pass": True, "fail": False, "unknown": None}


def verdicts(trial: Trial, charts: Mapping[str, Chart], scene: Scene, settings: Settings) -> Said:
    """Load the charts as FHIR, and return what the engine says of each, by patient, arm and criterion."""
    with tempfile.TemporaryDirectory(prefix="cohortfinder-dummy-") as scratch:
        made, own = Path(scratch) / "patients.ndjson", replace(settings, store=Path(scratch) / "store")
        _write(made, charts, scene)
        load([made], own.store, threads=own.threads, memory_limit=own.memory_limit)
        return _asked(trial, scene, own)


def _write(file: Path, charts: Mapping[str, Chart], scene: Scene) -> None:
    with file.open("wb") as out:
        for resource in markers():
            out.write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
        for patient, chart in charts.items():
            for resource in resources_of(chart, patient, patient, scene):
                out.write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))


def _asked(trial: Trial, scene: Scene, own: Settings) -> Said:
    place = open_warehouse(own.store, read_only=True, memory_limit=own.memory_limit, threads=own.threads)
    with place as connection:
        loaded = {name: state.complete for name, state in loaded_types(connection).items()}
        screen(
            connection, trial, scene.terminology, as_of=scene.as_of, loaded=loaded, gates=INVENTED, everyone=True,
            horizon_years=0,
        )  # fmt: skip
        rows = connection.execute(render("verdicts/verdict_words.sql.jinja").text).fetchall()
    return {(patient, arm, criterion): verdict for patient, arm, criterion, verdict in rows}


def tried_formulas(scene: Scene, settings: Settings) -> Tries:
    """Ask the engine which inputs of each formula meet each question; what depends on age or sex is left out."""
    leaves = _leaves(scene.trial)
    if not leaves:
        return {}
    tried = {name: list(probes(name, scene)) for name in dict.fromkeys(question.formula for question in leaves)}
    people = extremes(scene)
    casting = Casting(scene.trial, Solver(scene))
    charts = {
        _name(name, number, who): casting.patient((*person, *probe.given))
        for name, every in tried.items()
        for number, probe in enumerate(every)
        for who, person in enumerate(people)
    }
    trial = _one_criterion_each(scene.trial, leaves)
    said = verdicts(trial, charts, scene, settings)
    return {
        question: _settled(tried[question.formula], question, criterion.id, said, len(people))
        for question, criterion in zip(leaves, trial.criteria, strict=True)
    }


def _settled(
    every: list[Probe], question: FormulaQuestion, criterion: str, said: Said, people: int
) -> list[tuple[Probe, bool | None]]:
    found: list[tuple[Probe, bool | None]] = []
    for number, probe in enumerate(every):
        told = {said[(_name(question.formula, number, who), _ARM, criterion)] for who in range(people)}
        if len(told) == 1:
            found.append((probe, _TRUTHS[told.pop()]))
    return found


def _name(formula: str, number: int, who: int) -> str:
    return f"{formula.replace('_', '-')}-{number}-{who}"


def _leaves(trial: Trial) -> dict[FormulaQuestion, Leaf]:
    rules = (rule for criterion in trial.criteria for rule in rules_of(criterion))
    leaves = (leaf for rule in rules for leaf in leaves_of(rule))
    return {leaf.question: leaf for leaf in leaves if isinstance(leaf.question, FormulaQuestion)}


def _one_criterion_each(trial: Trial, leaves: Mapping[FormulaQuestion, Leaf]) -> Trial:
    """Return a trial that asks each question by itself, as an inclusion."""
    names = [f"Q{number}" for number, _ in enumerate(leaves)]
    criteria = tuple(
        Criterion(name, "inclusion", "", (_ARM,), "exact", replace(leaf, id=name), number, leaf.line)
        for number, (name, leaf) in enumerate(zip(names, leaves.values(), strict=True), start=1)
    )
    return replace(trial, arms=(Arm(_ARM, "", names[0]),), criteria=criteria)
