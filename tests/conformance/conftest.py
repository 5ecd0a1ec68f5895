"""Writes what passed as an official test report, and says the number with the date of the suite."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

# The month of the official suite whose cases these are; it grows, and a number without its date says nothing.
SUITE = "May 2026"
_FOUND: dict[str, list[dict[str, Any]]] = defaultdict(list)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sql-on-fhir-report", metavar="FILE", help="write the official SQL on FHIR test report")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: Any = yield
    if report.when == "call" and (file := dict(report.user_properties).get("suite")):
        result = {"passed": report.passed} | ({} if report.passed else {"error": str(report.longrepr)[-500:]})
        _FOUND[file].append({"name": dict(report.user_properties)["case"], "result": result})
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    target = session.config.getoption("--sql-on-fhir-report", default=None)
    if not target or not _FOUND:
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({file: {"tests": cases} for file, cases in sorted(_FOUND.items())}, indent=1) + "\n")
    cases = [case for found in _FOUND.values() for case in found]
    passed = sum(case["result"]["passed"] for case in cases)
    print(
        f"\nSQL on FHIR: {passed} of {len(cases)} official cases of {SUITE} pass on DuckDB {duckdb.__version__}: {path}"
    )
