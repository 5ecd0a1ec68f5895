"""The wheel works by itself: built through the sdist, installed into an empty environment, run in any folder."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ("queries", "mappings", "trials", "sample_bundles")


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", str(out), str(ROOT), cwd=ROOT)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_data_file_of_the_repository(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {
            name.removeprefix("cohortfinder/_data/")
            for name in archive.namelist()
            if name.startswith("cohortfinder/_data/")
        }
    tracked = set(run("git", "ls-files", *DATA, cwd=ROOT).split())
    assert shipped == tracked


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {
            name
            for name in archive.namelist()
            if name.startswith("cohortfinder/") and not name.startswith("cohortfinder/_data/")
        }
    tracked = {name.removeprefix("src/") for name in run("git", "ls-files", "src", cwd=ROOT).split()}
    assert shipped == tracked


def test_the_demo_runs_from_an_installed_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    run(str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel), cwd=tmp_path)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    said = run(str(home / "bin" / "cohortfinder"), "demo", cwd=folder)
    assert "NCT06983964 as of 2026-11-20" in said
    assert (folder / "cohortfinder-demo" / "out" / "report.html").is_file()
