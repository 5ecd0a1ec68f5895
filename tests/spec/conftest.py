"""`spec`: a text table of patients' records in, one rule, a text table of truths out."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from io import StringIO
from typing import Any

import duckdb
import pytest

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.engine.plan import subject_statements
from cohortfinder.engine.questions import Setting
from cohortfinder.engine.rules import rule_scripts
from cohortfinder.engine.screening import screen
from cohortfinder.model import Answer, Arm, Combination, Criterion, Leaf, Override, Overrides, Rule, Trial
from cohortfinder.resources import resource_dir
from cohortfinder.site import NO_SITE, Site
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.trials.answers import COLUMNS, parse_answers
from cohortfinder.trials.parser import parse_trial
from cohortfinder.views.compiler import compile_view

LOINC = "http://loinc.org"
LOADED = (
    "Patient",
    "Observation",
    "Condition",
    "Procedure",
    "MedicationStatement",
    "MedicationRequest",
    "MedicationAdministration",
    "MedicationDispense",
    "Encounter",
    "Immunization",
    "AllergyIntolerance",
    "ResearchSubject",
    "ResearchStudy",
    "FamilyMemberHistory",
)
ADULT = {"age": {"at_least": 18}}
DEFAULTS: dict[str, dict[str, Any]] = {
    "patient": {"gender": "female", "birth_date": "1980-01-01"},
    "observation": {"status": "final", "code_system": LOINC},
    "observation_range": {},
    "condition": {"code_system": "http://snomed.info/sct"},
    "procedure": {"status": "completed", "code_system": "http://snomed.info/sct"},
    "medication_statement": {
        "status": "active",
        "code_system": "http://www.nlm.nih.gov/research/umls/rxnorm",
    },
    "medication_request": {
        "status": "active",
        "intent": "order",
        "code_system": "http://www.nlm.nih.gov/research/umls/rxnorm",
    },
    "medication_administration": {
        "status": "completed",
        "code_system": "http://www.nlm.nih.gov/research/umls/rxnorm",
    },
    "medication_dispense": {
        "status": "completed",
        "code_system": "http://www.nlm.nih.gov/research/umls/rxnorm",
    },
    "medication_statement_dosage": {"dosage": "0"},
    "medication_request_dosage": {"dosage": "0"},
    "medication_dispense_dosage": {"dosage": "0"},
    "encounter": {"status": "finished"},
    "immunization": {"status": "completed", "code_system": "http://hl7.org/fhir/sid/cvx"},
    "allergy": {"code_system": "http://www.nlm.nih.gov/research/umls/rxnorm"},
    "research_subject": {"status": "on-study"},
    "family_history": {"status": "completed", "code_system": "http://snomed.info/sct"},
}


@cache
def _terminology() -> Terminology:
    return load_terminology(resource_dir("mappings"))


@cache
def _protocol(parameters: tuple[tuple[str, str], ...]) -> dict[str, Criterion]:
    """The criteria of trials/NCT06983964.yaml by their ids, under parameters of the site. To read it takes a while."""
    path = resource_dir("trials") / "NCT06983964.yaml"
    overrides = Overrides({parameter: Override(value) for parameter, value in parameters})
    trial = parse_trial(path.read_text("utf-8"), source=path.name, terminology=_terminology(), overrides=overrides)
    return {criterion.id: criterion for criterion in trial.criteria}


@cache
def _table_columns() -> dict[str, dict[str, str]]:
    """The typed tables as the ViewDefinitions give them, and that of the exact numbers: table to column to type."""
    exact = dict.fromkeys(("id", "last_updated", "version_id", "value_sent"), "VARCHAR") | {"component": "INTEGER"}
    return {
        path.stem: {column.name: column.sql_type for column in compile_view(json.loads(path.read_text())).columns}
        for path in sorted((resource_dir("mappings") / "views").glob("*.json"))
    } | {"exact_number": exact}


def read_table(text: str) -> list[dict[str, str | None]]:
    """Read rows of `a | b` under a header; an empty cell is None."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    return [{name: cell or None for name, cell in zip(lines[0], line, strict=True)} for line in lines[1:]]


def build_rule(node: Mapping[str, Any], criterion: str, adverse: bool, numbers: Iterator[int]) -> Rule:
    """Build a rule as the parser would, from its words; `{criterion: I-HB}` is that of NCT06983964."""
    if "criterion" in node:
        found = _protocol(tuple(sorted(node.get("parameters", {}).items())))[node["criterion"]]
        assert found.rule is not None
        return found.rule
    for word in ("all", "any"):
        if word in node:
            return Combination(word, tuple(build_rule(child, criterion, adverse, numbers) for child in node[word]))
    if "not" in node:
        return Combination("not", (build_rule(node["not"], criterion, not adverse, numbers),))
    if "need" in node:
        children = tuple(build_rule(child, criterion, adverse, numbers) for child in node["of"])
        return Combination("need", children, int(node["need"]))
    kind = next(word for word in node if word in LEAF_KINDS)
    question = LEAF_KINDS[kind].model_validate(dict(node.items()))
    return Leaf(f"{criterion}.{next(numbers)}", kind, question, adverse, 1)


def make_trial(
    rule: Mapping[str, Any], kind: str = "inclusion", flag_when: Mapping[str, Mapping[str, Any]] | None = None
) -> Trial:
    """A trial of one criterion, X, which is also the entry of its only arm."""
    tree = build_rule(rule, "X", kind == "exclusion", iter(range(1, 100)))
    flags = {
        flag: build_rule(raising, f"X.{flag}", True, iter(range(1, 100))) for flag, raising in (flag_when or {}).items()
    }
    criterion = Criterion("X", kind, "the criterion", ("A",), "exact", tree, 1, 1, flag_rules=flags)
    return Trial("SPEC", "Spec", "Asia/Shanghai", (Arm("A", "Arm", "X"),), (criterion,), (), "")


def fill(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str]) -> None:
    """Make the typed tables and fill them; a patient named anywhere exists."""
    rows = {name: [{**DEFAULTS.get(name, {}), **row} for row in read_table(text)] for name, text in tables.items()}
    named = {
        row["patient_id"] for name, table in rows.items() if name != "patient" for row in table if "patient_id" in row
    }
    patients = rows.setdefault("patient", [])
    for row in patients:
        row["id"] = row.pop("patient_id", row.get("id"))
    patients += [{**DEFAULTS["patient"], "id": name} for name in sorted(named - {row["id"] for row in patients})]
    for name, columns in _table_columns().items():
        described = ", ".join(f'"{column}" {sql_type}' for column, sql_type in columns.items())
        connection.execute(f"CREATE TABLE {name} ({described})")
        for number, row in enumerate(rows.get(name, []), start=1):
            row.setdefault("id", f"{name}-{number}")
            given = {column: value for column, value in row.items() if value is not None}
            unknown = set(given) - set(columns)
            assert not unknown, f"{name} has no column {unknown}"
            names = ", ".join(f'"{column}"' for column in given)
            marks = ", ".join("?" for _ in given)
            connection.execute(f"INSERT INTO {name} ({names}) VALUES ({marks})", list(given.values()))


def assert_same(actual: list[dict[str, Any]], expected: str) -> None:
    """Compare rows with a text table, in the columns of the table; an empty cell is nothing."""
    wanted = read_table(expected)
    named = [{name: str(row[name]) if row[name] else None for name in wanted[0]} for row in actual]
    assert sorted(named, key=str) == sorted(wanted, key=str)


def given_answers(table: str, trial: Trial) -> tuple[Answer, ...]:
    """Read answers to the criterion X as from a file."""
    file = StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows({"criterion_id": "X", **row} for row in read_table(table))
    return parse_answers(file.getvalue().encode(), source="answers.csv", trial=trial).answers


@pytest.fixture
def spec() -> Callable[..., None]:
    """Evaluate one rule and compare whole tables.

    `expected` has `patient_id | truth`, and `reason`, `flags`, `changes_on`, `suggested` where given; `evidence` a row an
    item of evidence, with those of its fields that are named, `first_evidence` the same of the first item. Of `incomplete`
    types a pull has failed. `answers` are those of people to the criterion; `verdict` heeds them. `site` is what a site knows of codes beside what ships.
    """

    def check(
        *,
        as_of: str,
        rule: Mapping[str, Any],
        expected: str,
        kind: str = "inclusion",
        loaded: tuple[str, ...] = LOADED,
        incomplete: tuple[str, ...] = (),
        flag_when: Mapping[str, Mapping[str, Any]] | None = None,
        evidence: str | None = None,
        first_evidence: str | None = None,
        site: Site = NO_SITE,
        answers: str = "patient_id | answer | by | at",
        **tables: str,
    ) -> None:
        trial = make_trial(rule, kind, flag_when)
        with duckdb.connect() as connection:
            fill(connection, tables)
            screen(
                connection,
                trial,
                _terminology() if site == NO_SITE else load_terminology(resource_dir("mappings"), site),
                as_of=date.fromisoformat(as_of),
                loaded={name: name not in incomplete for name in loaded},
                everyone=True,
                answers=given_answers(answers, trial),
            )
            rows = connection.execute(
                """
                SELECT t.patient_id, coalesce(CAST(t.truth AS VARCHAR), 'unknown'),
                    array_to_string(list_transform(t.reasons, lambda r: r.code), ' '), array_to_string(v.flags, ' '),
                    CAST(v.changes_on AS VARCHAR), CASE WHEN t.suggested THEN 'yes' END, v.verdict
                FROM criterion_truth t JOIN verdict v USING (patient_id, criterion_id)
                """
            ).fetchall()
            shown = connection.execute("SELECT patient_id, unnest(evidence) FROM verdict").fetchall()
            first = connection.execute("SELECT patient_id, evidence[1] FROM verdict").fetchall()
        columns = ("patient_id", "truth", "reason", "flags", "changes_on", "suggested", "verdict")
        assert_same([dict(zip(columns, row, strict=True)) for row in rows], expected)
        if evidence is not None:
            assert_same([{"patient_id": patient, **item} for patient, item in shown], evidence)
        if first_evidence is not None:
            assert_same([{"patient_id": patient, **item} for patient, item in first], first_evidence)

    return check


@pytest.fixture
def screened_arms() -> Callable[..., dict[tuple[str, str], tuple[date | None, dict[str, str]]]]:
    """Screen a trial of several arms: exclusion criteria by their rules, the arms each with the criteria that hold in it.

    `by_arm` has other rules of a criterion, by the arm in which they hold. Returns for each patient and arm the day from which nothing fails, and the verdicts.
    """

    def check(
        as_of: date, rules: Mapping[str, Mapping[str, Any]], arms: Mapping[str, tuple[str, ...]], horizon_years: int = 2,
        by_arm: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None, **tables: str,
    ) -> dict[tuple[str, str], tuple[date | None, dict[str, str]]]:  # fmt: skip
        entry = Criterion(
            "E", "inclusion", "entry", tuple(arms), "exact", build_rule(ADULT, "E", False, iter((1,))), 1, 1
        )
        criteria = tuple(
            Criterion(name, "exclusion", name, tuple(arm for arm in arms if name in arms[arm]), "exact",
                      build_rule(rule, name, True, iter(range(1, 100))), position, 1,
                      by_arm={arm: build_rule(own, f"{name}.{arm}", True, iter(range(1, 100)))
                              for arm, own in (by_arm or {}).get(name, {}).items()})
            for position, (name, rule) in enumerate(rules.items(), start=2)
        )  # fmt: skip
        described = tuple(Arm(arm, arm, "E") for arm in arms)
        trial = Trial("SPEC", "Spec", "Asia/Shanghai", described, (entry, *criteria), (), "")
        with duckdb.connect() as connection:
            fill(connection, tables)
            loaded = dict.fromkeys(LOADED, True)
            screen(connection, trial, _terminology(), as_of=as_of, loaded=loaded, horizon_years=horizon_years)
            days = connection.execute("SELECT patient_id, arm, eligible_from FROM eligible_from").fetchall()
            rows = connection.execute("SELECT patient_id, arm, criterion_id, verdict FROM verdict").fetchall()
        found = {(patient, arm): day for patient, arm, day in days}
        verdicts: dict[tuple[str, str], dict[str, str]] = {}
        for patient, arm, criterion, verdict in rows:
            verdicts.setdefault((patient, arm), {})[criterion] = verdict
        return {key: (found.get(key), said) for key, said in verdicts.items()}

    return check


@pytest.fixture
def leaf_columns() -> Callable[[Mapping[str, Any]], list[str]]:
    """Return the columns that the template of a leaf gives, from the table that its statement makes."""

    def columns_of(rule: Mapping[str, Any]) -> list[str]:
        trial, setting = make_trial(rule), Setting(_terminology(), dict.fromkeys(LOADED, True))
        asked_on = date(2026, 11, 20)
        with duckdb.connect() as connection:
            # an entry criterion has nothing but the facts that it reads
            fill(connection, {})
            screen(connection, trial, _terminology(), as_of=asked_on, loaded=setting.loaded)
        with duckdb.connect() as connection:
            fill(connection, {})
            screen(connection, trial, _terminology(), as_of=asked_on, loaded=setting.loaded, everyone=True)
            leaf = rule_scripts(trial, setting)["X"][1][0]
            for one in (*subject_statements(trial, asked_on), leaf):
                connection.execute(one.rendered.text, one.rendered.parameters)
            return [name for name, *_ in connection.execute(f"DESCRIBE {leaf.name}").fetchall()]

    return columns_of
