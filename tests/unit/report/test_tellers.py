"""Verdicts told by several processes are those that one tells."""

from pathlib import Path

import pytest

from cohortfinder.errors import ReadWriteError
from cohortfinder.report import outputs
from cohortfinder.report.outputs import write_outputs
from cohortfinder.report.screening import read_screening
from cohortfinder.report.tellers import told_by_several
from cohortfinder.report.verdict_rows import VerdictReader
from cohortfinder.wording import Language
from unit.report.screened import AS_OF, LABELS, a_trial, screened


def test_several_processes_write_the_bytes_that_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, formats = screened(), ("verdicts.csv", "verdicts.parquet")
    screening = read_screening(connection, a_trial(), AS_OF, labels=LABELS)
    alone = write_outputs(tmp_path / "one", screening, connection, formats, processes=2)
    monkeypatch.setattr(outputs, "_MANY", 1)
    monkeypatch.setattr("cohortfinder.report.verdict_rows._STRETCH", 1)
    several = write_outputs(tmp_path / "two", screening, connection, formats, processes=2)
    assert several[0].read_bytes() == alone[0].read_bytes()
    rows = [
        sorted(connection.execute("FROM read_parquet($p)", {"p": str(file[1])}).fetchall(), key=str)
        for file in (alone, several)
    ]
    assert rows[0] == rows[1]
    assert len(alone[0].read_bytes().splitlines()) == len(rows[0]) + 1


def test_what_a_process_cannot_write_is_said_here(tmp_path: Path) -> None:
    stretches = VerdictReader(screened(), a_trial()).stretches()
    with pytest.raises(FileNotFoundError):
        told_by_several(stretches, a_trial(), Language(LABELS, AS_OF), tmp_path / "nowhere", 2)


def test_a_process_that_dies_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = screened()
    screening = read_screening(connection, a_trial(), AS_OF, labels=LABELS)
    monkeypatch.setattr(outputs, "_MANY", 1)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ReadWriteError, match=r"cannot write .*verdicts\.csv"):
        write_outputs(tmp_path, screening, connection, ("verdicts.csv",), processes=2)
