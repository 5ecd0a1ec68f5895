"""Empty tables in Spark, with the columns and types that the program's have, and what a statement makes of them."""

import csv
import re
from pathlib import Path
from typing import Any

from cohortfinder.engine.plan import DOSE_TABLES, MAPPING_TABLES
from cohortfinder.resources import resource_dir
from cohortfinder.sql.environment import Rendered
from cohortfinder.warehouse.parquet_tables import parquet_tables

# what an engine hands to a leaf
OTHERS = {
    "subject": "patient_id STRING, as_of DATE",
}
_COMMENTS = r"(?:\s*--[^\n]*\n)*\s*"
_MADE = re.compile(_COMMENTS + r"CREATE OR REPLACE (?:TEMPORARY )?(?:TABLE|VIEW) (?P<table>\w+) AS\s")
_FILLED = re.compile(_COMMENTS + r"INSERT INTO (?P<table>\w+)(?: BY NAME)?\s")
_EMPTY = re.compile(_COMMENTS + r"CREATE OR REPLACE TABLE (?P<table>\w+) \((?P<columns>.*)\)\s*", re.DOTALL)


def make_typed_tables(session: Any) -> None:
    """Make every table that a screening finds: those of the ViewDefinitions and the mappings, and those beside them."""
    for one in parquet_tables():
        _make(session, one.name, one.spark_schema)
    for table, file in (MAPPING_TABLES | DOSE_TABLES).items():
        with (Path(resource_dir("mappings")) / file).open(encoding="utf-8", newline="") as stream:
            _make(session, table, ", ".join(f"`{name}` STRING" for name in next(csv.reader(stream))))
    for table, columns in OTHERS.items():
        _make(session, table, columns)


def resolve(session: Any, statement: Rendered) -> None:
    """Let Spark resolve a statement, and make the table that it would make.

    The values stand in the text: a session of Spark takes no list as a parameter of a part of a statement.
    """
    text = statement.with_values()
    if empty := _EMPTY.fullmatch(text):
        _make(session, empty["table"], empty["columns"])
        return
    made = _MADE.match(text)
    filled = _FILLED.match(text)
    head = made or filled
    found = session.sql(text[head.end() :] if head else text)
    if made:
        _make(session, made["table"], found.schema)


def _make(session: Any, table: str, columns: Any) -> None:
    session.createDataFrame([], columns).createOrReplaceTempView(table)
