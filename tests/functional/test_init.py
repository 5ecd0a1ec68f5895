"""`cohortfinder init`: a file that explains itself, never over another one."""

from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of


def test_the_file_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status_of(["init"]) == 0
    assert (tmp_path / "cohortfinder.toml").read_text().startswith("# The configuration of cohortfinder.")
    (tmp_path / "cohortfinder.toml").write_text("store = 'mine'\n")
    assert status_of(["init"]) == 64
    assert "cohortfinder.toml is there already and stays as it is" in capfd.readouterr().err
    assert (tmp_path / "cohortfinder.toml").read_text() == "store = 'mine'\n"
