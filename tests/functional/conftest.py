"""The demo, run once for all tests that look at what it leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of


@dataclass(frozen=True)
class Ran:
    """A command that has run: its exit status and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line inside this process."""

    def call(*arguments: object) -> Ran:
        status = status_of([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished demo."""
    folder = tmp_path_factory.mktemp("demo") / "cohortfinder-demo"
    assert status_of(["demo", "--store", str(folder)]) == 0
    return folder
