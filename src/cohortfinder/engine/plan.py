"""A trial to the SQL of what its criteria read: the mappings, the people and the facts. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cohortfinder.dates import months_back
from cohortfinder.engine.questions import concepts_of
from cohortfinder.gates import NO_LISTS, Gates, LabelSets
from cohortfinder.model import Leaf, Trial, leaves_of, rules_of
from cohortfinder.resources import resource_dir
from cohortfinder.sql.dialect import Dialect
from cohortfinder.sql.environment import Rendered, render
from cohortfinder.terminology import Terminology

MAPPING_TABLES = {
    "map_code_system": "code_systems.csv",
    "map_observation_concept": "concepts/observation_concepts.csv",
    "map_observation_code": "concepts/observation_codes.csv",
    "map_clinical_concept": "concepts/clinical_concepts.csv",
    "map_clinical_code": "concepts/clinical_codes.csv",
    "map_unit": "units.csv",
    "map_unit_alias": "unit_aliases.csv",
    "map_ordinal_code": "ordinal_codes.csv",
    "map_ordinal_word": "ordinal_words.csv",
    "map_numeric_answer": "numeric_answers.csv",
    "map_interpretation": "interpretations.csv",
    "map_reference_range": "reference_ranges.csv",
    "map_sex_code": "sex_codes.csv",
    "map_remark": "remarks.csv",
    "map_derivation": "derived.csv",
    "map_study_kind": "study_kinds.csv",
    "map_drug_effect": "concepts/drug_effects.csv",
    "map_text_term": "concepts/text_terms.csv",
    "map_text_caution": "concepts/text_cautions.csv",
    "map_product": "products.csv",
    "map_gate_code": "gate_codes.csv",
}
DOSE_TABLES = {
    "map_dose": "doses.csv",
    "map_dose_unit": "dose_units.csv",
    "map_timing": "timings.csv",
    "map_route": "routes.csv",
}
STANDING = ("facts/person", "facts/gate", "facts/individual")
# who was seen within so many months before the index date is observed, whatever the window of a criterion
_RECENT_MONTHS = 13
FACTS = (
    "results/coded",
    "results/reading",
    "results/measure",
    "results/reference_limit",
    "results/remark",
    "results/result",
    "results/derived",
    "facts/code_match",
    "facts/text_match",
    "facts/condition_event",
    "facts/procedure_event",
    "facts/exposure_event",
    "facts/dosage",
    "facts/dose_drug",
    "facts/dose_span",
    "facts/treatment_span",
    "facts/immunization_event",
    "facts/allergy_event",
    "facts/severe_allergy_event",
    "facts/study_event",
    "facts/family_event",
    "facts/counted",
)
RESULTS = frozenset(name for name in FACTS if name.startswith("results/"))
# of these tables results are made, and nothing reads them afterwards
MADE_OF = ("measure", "reference_limit", "remark")
# those of treatment say what the dose was when something was reached
_OF_DOSES = frozenset({"dose", "treatment"})
# a dose by weight needs the weight
_OF_RESULTS = frozenset({"observation", "series", "change", "formula", "age"}) | _OF_DOSES
# what happened, with its time, by the concept that it belongs to
EVENTS = tuple(
    f"facts/{kind}_event" for kind in ("condition", "procedure", "exposure", "immunization", "allergy", "family")
)
# the kinds of leaves that read a fact; what none of a trial reads is not made
READ_BY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(RESULTS, _OF_RESULTS),
    "facts/exposure_event": frozenset({"medication"}) | _OF_DOSES,
    "facts/treatment_span": frozenset({"treatment"}),
    **dict.fromkeys(("facts/dosage", "facts/dose_drug", "facts/dose_span"), _OF_DOSES),
    "facts/condition_event": frozenset({"condition", "formula"}),
    "facts/procedure_event": frozenset({"procedure", "formula"}),
    "facts/immunization_event": frozenset({"immunization"}),
    "facts/allergy_event": frozenset({"allergy"}),
    "facts/severe_allergy_event": frozenset({"allergy"}),
    "facts/study_event": frozenset({"study"}),
    "facts/family_event": frozenset({"family_history"}),
    "facts/counted": frozenset({"immunization", "allergy", "study", "family_history"}),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the script; `name` is the table that it makes."""

    name: str
    rendered: Rendered


def concepts_asked(trial: Trial, criteria: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the concepts that some criteria ask for, or all of the trial."""
    return tuple(sorted({concept for leaf in _leaves(trial, criteria) for concept in concepts_of(leaf)}))


def _leaves(trial: Trial, criteria: Collection[str] | None = None) -> Iterator[Leaf]:
    chosen = [one for one in trial.criteria if criteria is None or one.id in criteria]
    return (leaf for criterion in chosen for rule in rules_of(criterion) for leaf in leaves_of(rule))


def people_statements(
    trial: Trial,
    terminology: Terminology,
    as_of: date,
    *,
    gates: Gates = NO_LISTS,
    lately: bool = False,
    dialect: Dialect = Dialect.DUCKDB,
) -> tuple[Statement, ...]:
    """Return the statements that read the mappings, and find out who the persons are and when they were observed.

    `lately`: only as far as it says who was observed by the index date.
    """
    kinds = {leaf.kind for leaf in _leaves(trial)}
    files = MAPPING_TABLES | (DOSE_TABLES if kinds & _OF_DOSES else {})
    maps = tuple(_map_statement(table, file, terminology, dialect) for table, file in files.items())
    seen = "facts/observed_lately" if lately else "facts/observed"
    observed = _statements([seen], zone=trial.time_zone, as_of=as_of, dialect=dialect, **_recently(as_of))
    return maps + _standing(trial, as_of, gates, dialect) + observed


def standing_statements(
    trial: Trial, terminology: Terminology, as_of: date, gates: Gates, *, dialect: Dialect = Dialect.DUCKDB
) -> tuple[Statement, ...]:
    """Return the statements that find out who the persons are and who of them may be listed, and nothing else."""
    codes = _map_statement("map_gate_code", MAPPING_TABLES["map_gate_code"], terminology, dialect)
    return (codes, *_standing(trial, as_of, gates, dialect))


def _standing(trial: Trial, as_of: date, gates: Gates, dialect: Dialect) -> tuple[Statement, ...]:
    lists = {"test_patients": gates.test_patients, "do_not_contact": gates.do_not_contact}
    # in one order, so that the text of the statement is the same in every run
    labels = {"restricted": _sorted(gates.restricted), "test_labels": _sorted(gates.test_labels)}
    return _statements(STANDING, zone=trial.time_zone, as_of=as_of, dialect=dialect, **lists, **labels)


def _sorted(sets: LabelSets) -> list[list[str]]:
    return sorted(sorted(labels) for labels in sets)


def _map_statement(table: str, file: str, terminology: Terminology, dialect: Dialect) -> Statement:
    path, change = str(resource_dir("mappings") / file), terminology.changes.get(file)
    return Statement(table, render("facts/map.sql.jinja", dialect=dialect, table=table, path=path, change=change))


def fact_statements(
    trial: Trial,
    terminology: Terminology,
    as_of: date,
    criteria: Collection[str] | None = None,
    *,
    dialect: Dialect = Dialect.DUCKDB,
) -> tuple[Statement, ...]:
    """Return the statements that turn typed tables into facts, for everyone in `person`: those that some criteria read.

    Those of the whole trial include what data quality reads: the results and the exposures.
    """
    kinds = {leaf.kind for leaf in _leaves(trial, criteria)}
    told = {*RESULTS, "facts/exposure_event"} if criteria is None else set()
    asked = [name for name in FACTS if name in told or name not in READ_BY or READ_BY[name] & kinds]
    concepts, strength = concepts_asked(trial, criteria), terminology.text_terms
    return _statements(asked, zone=trial.time_zone, as_of=as_of, concepts=concepts, strength=strength, dialect=dialect)


def asks_one_day(trial: Trial, criteria: Collection[str]) -> bool:
    """Say whether some criteria ask who was observed on the index date alone, not of doses or of earlier results."""
    leaves = tuple(_leaves(trial, criteria))
    return not any(leaf.kind in _OF_DOSES or getattr(leaf.question, "ago", None) for leaf in leaves)


def _recently(as_of: date) -> dict[str, Any]:
    """Return from when on the text of a time counts as recent, and the first day that no older text can mean."""
    since = months_back(as_of, _RECENT_MONTHS)
    return {"since": since.isoformat(), "sure_from": since + timedelta(days=2)}


def subject_statements(trial: Trial, as_of: date, *, dialect: Dialect = Dialect.DUCKDB) -> tuple[Statement, ...]:
    """Return the statements that ask everyone about one day: `subject`, and what is known of when each was seen."""
    values: dict[str, Any] = {"asked": "subject", "counted": counts_apart(trial), "as_of": as_of}
    made = {"subject": "everyone", "contact": "contact", "searched": "searched"}
    return tuple(
        Statement(name, render(f"verdicts/{query}.sql.jinja", dialect=dialect, **values))
        for name, query in made.items()
    )


def counts_apart(trial: Trial) -> bool:
    """Say whether `fact_statements` makes the table `counted`, of what does not show that somebody was seen."""
    return bool(READ_BY["facts/counted"] & {leaf.kind for leaf in _leaves(trial)})


def events_made(trial: Trial) -> tuple[str, ...]:
    """Return the tables of events that `fact_statements` makes for the whole trial."""
    kinds = {leaf.kind for leaf in _leaves(trial)}
    return tuple(name.split("/")[1] for name in EVENTS if READ_BY[name] & kinds or name == "facts/exposure_event")


def record_facts(trial: Trial, criteria: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the tables of `fact_statements` that name the records behind them."""
    kinds = {leaf.kind for leaf in _leaves(trial, criteria)}
    told = {"results/result", "facts/exposure_event"} if criteria is None else set()
    named = ("results/result", "facts/study_event", *EVENTS)
    return tuple(name.split("/")[1] for name in named if name in told or READ_BY[name] & kinds)


def record_statements(
    trial: Trial, kept: str | None = None, *, dialect: Dialect = Dialect.DUCKDB
) -> tuple[Statement, ...]:
    """Return the views of the records behind all criteria, of the listed patients.

    `kept`: the database that has those of the patients in `carried`.
    """
    values: dict[str, Any] = {"facts": record_facts(trial), "events": events_made(trial), "kept": kept}
    views = ("diff/listed_record", "diff/record", "quality/concept_record", "quality/unnamed_drug")
    return _statements(views, dialect=dialect, **values)


def _statements(templates: Iterable[str], **values: Any) -> tuple[Statement, ...]:
    return tuple(Statement(name.split("/")[1], render(f"{name}.sql.jinja", **values)) for name in templates)
