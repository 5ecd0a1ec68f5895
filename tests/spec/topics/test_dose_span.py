"""# Dose spans

The fact behind `dose` and `treatment`: one row a record and ingredient, with its dose in mg a day and its days."""

from datetime import date

import duckdb
import pytest

from cohortfinder.engine.screening import screen
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import load_terminology
from spec.conftest import LOADED, fill, make_trial

WEIGHED = "29463-7"


@pytest.fixture
def spans():
    """Return named columns of the rows that the tables give, by resource."""

    def read(concept: str, columns: str, **tables: str) -> dict[str, tuple[object, ...]]:
        trial = make_trial({"dose": concept, "at_most": "20 mg/d"})
        with duckdb.connect() as connection:
            fill(connection, tables)
            loaded = dict.fromkeys(LOADED, True)
            mappings = load_terminology(resource_dir("mappings"))
            screen(connection, trial, mappings, as_of=date(2026, 11, 20), loaded=loaded, everyone=True)
            rows = connection.execute(f"SELECT resource, {columns} FROM dose_span").fetchall()
        return {
            resource: tuple(str(value) if value is not None else None for value in rest) for resource, *rest in rows
        }

    return read


def test_a_dose_by_weight_takes_the_weight_before_it_began(spans):
    """The dose that was ordered then; a later weight does not change it, one of more than 90 days before says nothing."""
    found = spans(
        "rx_azathioprine",
        "round(lo, 2), round(hi, 2), round(kg_lo, 2), reason",
        medication_statement="""
            patient_id | id | code | effective_start | date_asserted
            weighed    | a  | 1256 | 2026-06-01      | 2026-11-01
            long_ago   | b  | 1256 | 2026-06-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | timing_code
            a  | 2          | mg/kg     | QD
            b  | 2          | mg/kg     | QD
        """,
        observation=f"""
            patient_id | code      | effective_datetime | value | value_unit_code
            weighed    | {WEIGHED} | 2026-05-20         | 60    | kg
            weighed    | {WEIGHED} | 2026-10-20         | 70    | kg
            long_ago   | {WEIGHED} | 2026-01-20         | 60    | kg
        """,
    )
    assert found == {
        "MedicationStatement/a": ("120.00", "120.00", "2.00", None),
        "MedicationStatement/b": (None, None, "2.00", "weight_missing"),
    }


def test_tablets_count_by_the_strength_of_the_product(spans):
    """Two tablets of 0.5 mg are 1 mg of dexamethasone; the factor to prednisone stands beside it."""
    product = "http://www.nlm.nih.gov/research/umls/rxnorm"
    found = spans(
        "rx_glucocorticoid_systemic",
        "ingredient, round(lo, 1), round(factor, 4)",
        medication=f"""
            id | ingredient_system | ingredient_code | ingredient | strength_value | strength_unit | strength_per_unit | form_text
            m  | {product}         | 3264            | 0          | 0.5            | mg            | tablet            | Tablet
        """,
        medication_statement="""
            patient_id | id | code_system | medication_id | effective_start
            p          | a  |             | m             | 2026-10-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | timing_code
            a  | 2          | tablet    | QD
        """,
    )
    assert found == {"MedicationStatement/a": ("dexamethasone", "1.0", "6.6667")}
