"""What is said of a warehouse that a later DuckDB has written. No released DuckDB can write such a file for itself."""

from pathlib import Path

import duckdb

from cohortfinder.errors import ConfigurationError
from cohortfinder.warehouse.connection import _refusal

# DuckDB 1.5.6, of a file of 2.0.1 with storage_compatibility_version = 'latest'
SAID = """IO Error: Trying to read a database file with version number 69, but we can only read versions between 64 and 68.
The database file was created with a newer version of DuckDB."""


def test_a_warehouse_of_a_later_duckdb_is_a_matter_of_configuration() -> None:
    error = _refusal(duckdb.IOException(SAID), Path("store/warehouse.duckdb"))
    assert isinstance(error, ConfigurationError)
    assert str(error) == (
        f"store/warehouse.duckdb: this warehouse has storage version 69, and DuckDB {duckdb.__version__} reads 64 to 68; "
        "use the DuckDB that wrote it, or a newer one"
    )
