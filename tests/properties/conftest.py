"""One database for all properties, and examples that are the same on every run."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, settings

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
# an example takes half a second: a failing one is not made smaller, unless asked for by --hypothesis-profile=smallest
settings.register_profile("smallest", derandomize=True, deadline=None, database=None, suppress_health_check=CHECKS)
settings.register_profile("repeatable", settings.get_profile("smallest"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("SET threads = 2")
        yield made


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("landed")
