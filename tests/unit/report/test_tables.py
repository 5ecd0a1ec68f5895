"""The tables of the Python API: real types, whole numbers, and a word on what must be installed."""

import subprocess
import sys
from datetime import date

import pyarrow
import pytest

from cohortfinder.errors import UsageError
from cohortfinder.report import tables
from cohortfinder.report.csv_files import CANDIDATES
from cohortfinder.report.screening import Screening, read_screening
from cohortfinder.report.tables import Table
from unit.report.screened import AS_OF, LABELS, a_trial, screened

SMALL = Table(
    "small",
    ("rank", "name", "score", "last_contact", "near_miss"),
    ((1, "=p1", 0.5, date(2026, 11, 1), True), (None, "b", 1.0, None, False)),
)
NONE = Table("none", SMALL.columns, ())


@pytest.fixture(scope="module")
def screening() -> Screening:
    return read_screening(screened(), a_trial(), AS_OF, labels=LABELS)


def test_a_table_gives_its_rows_as_dicts_without_any_library() -> None:
    assert len(SMALL) == 2
    assert next(iter(SMALL)) == {
        "rank": 1,
        "name": "=p1",
        "score": 0.5,
        "last_contact": date(2026, 11, 1),
        "near_miss": True,
    }


@pytest.mark.parametrize("table", [SMALL, NONE])
def test_arrow_has_real_types_also_where_there_is_no_row(table: Table) -> None:
    kinds = {field.name: field.type for field in table.arrow().schema}
    assert (kinds["rank"], kinds["last_contact"], kinds["name"]) == (
        pyarrow.int64(),
        pyarrow.date32(),
        pyarrow.string(),
    )
    assert table.arrow().num_rows == len(table)


def test_numbers_stay_whole_in_pandas_where_one_is_missing() -> None:
    frame = SMALL.pandas()
    assert str(frame["rank"].dtype) == "Int64"
    assert frame["rank"].isna().tolist() == [False, True]
    assert NONE.pandas().shape == (0, 5)


def test_polars_has_the_same_rows() -> None:
    assert SMALL.polars().rows() == list(SMALL.rows)


def test_the_tables_of_a_screening_have_the_columns_and_rows_of_its_files(screening: Screening) -> None:
    """No apostrophe is put before a text: nothing here is a spreadsheet."""
    listed = tables.candidates(screening)
    assert listed.columns == CANDIDATES
    assert [row["patient_id"] for row in listed] == [one.patient_id for one in screening.candidates]
    assert tables.verdicts(screening).arrow().schema.field("changes_on").type == pyarrow.date32()
    assert len(tables.verdicts(screening)) == screening.verdict_count
    assert (len(tables.funnel(screening)), len(tables.people(screening))) == (8, 4)
    for table in (listed, tables.verdicts(screening), tables.funnel(screening), tables.people(screening)):
        assert table.pandas().shape == table.polars().shape == (len(table), len(table.columns))


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(UsageError, match=r"polars is not installed; install cohortfinder\[polars\]"):
        SMALL.polars()


def test_the_package_brings_in_nothing_until_it_is_called() -> None:
    brought = "import sys, cohortfinder; print(sorted({'duckdb', 'pandas', 'polars', 'pyarrow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", brought], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
