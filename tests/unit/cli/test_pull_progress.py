"""What a pull shows while it runs: one line that moves on a terminal, nothing of it elsewhere."""

import io
import sys

import pytest

from cohortfinder.cli import pull_progress
from cohortfinder.cli.pull_progress import PullProgress
from cohortfinder.landing.spool import Mark, Slice

PART = Slice(1, "search", ("Observation",))
OTHER = Slice(2, "search", ("Condition",))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(pull_progress, "_BETWEEN_SECONDS", 0)
    monkeypatch.setenv("COLUMNS", "100")
    with PullProgress() as progress:
        progress.noted(PART, Mark(seen=200), 5000)
        progress.noted(OTHER, Mark(seen=30), None)
        progress.noted(PART, Mark(seen=400), 5000)
        progress.log("search of Condition: 30 in 1 pages")
    return stream.getvalue()


def test_a_terminal_shows_types_rate_and_what_is_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal())
    assert "\rObservation 400, Condition 30 (" in text
    assert " a second, 4,600 to come)" in text
    assert text.endswith("\rsearch of Condition: 30 in 1 pages\n")


def test_elsewhere_there_is_a_line_for_each_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, io.StringIO()) == "search of Condition: 30 in 1 pages\n"
