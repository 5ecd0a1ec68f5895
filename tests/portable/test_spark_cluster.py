"""`spark-submit` to a cluster: a master and two workers, which are processes of their own in folders of their own."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cohortfinder.resources import resource_dir
from portable.spark_needed import NEEDS_SPARK

pytestmark = NEEDS_SPARK

PATIENCE = 120
OUTPUTS = (
    "candidates.csv", "verdicts.csv", "funnel.csv", "funnel_people.csv", "gates.csv", "unknowns.csv", "outlook.csv",
    "next_steps.csv", "data_quality.csv", "concept_coverage.csv",
)  # fmt: skip
SCRIPT = "import sys\nfrom cohortfinder.cli.main import status_of\nsys.exit(status_of(sys.argv[1:]))\n"


def home() -> Path:
    found = importlib.util.find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def environment() -> dict[str, str]:
    source = Path(resource_dir("queries")).parent / "src"
    return {**os.environ, "SPARK_HOME": str(home()), "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(source)}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(log: Path, name: str, *arguments: str) -> Iterator[None]:
    """Run a part of the cluster as long as the block lasts."""
    command = [
        str(home() / "bin" / "spark-class"),
        f"org.apache.spark.deploy.{name}",
        "--host",
        "127.0.0.1",
        *arguments,
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment(), stdout=out, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_for(log: Path, word: str) -> None:
    ends = time.monotonic() + PATIENCE
    while word not in log.read_text(errors="replace"):
        assert time.monotonic() < ends, f"{log.name} never said {word!r}"
        time.sleep(0.2)


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The address of a master with two workers."""
    with ExitStack() as stack:
        port, log = free_port(), tmp_path / "master.log"
        stack.enter_context(running(log, "master.Master", "--port", str(port), "--webui-port", str(free_port())))
        wait_for(log, "I have been elected leader")
        address = f"spark://127.0.0.1:{port}"
        for number in (1, 2):
            folder = tmp_path / f"worker{number}"
            folder.mkdir()
            own = ["--cores", "1", "--memory", "1g", "--webui-port", str(free_port()), "--work-dir", str(folder)]
            stack.enter_context(running(folder / "worker.log", "worker.Worker", *own, address))
            wait_for(folder / "worker.log", "Successfully registered with master")
        yield address


def cohortfinder(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cohortfinder", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 3), done.stderr


def test_a_cluster_gives_the_files_of_one_store_and_paths_are_meant_from_where_it_is_asked(
    master: str, tmp_path: Path
) -> None:
    (tmp_path / "cohortfinder.toml").write_text('[gates]\ntest_labels = "none"\n')
    (tmp_path / "screen.py").write_text(SCRIPT)
    samples = str(resource_dir("sample_bundles"))
    asked = ["screen", "T2D-EXAMPLE", "--config", "cohortfinder.toml", "--as-of", "2026-11-20"]
    cohortfinder(tmp_path, "load", samples, "--store", "store", "--parquet", "tables", "--buckets", "8")
    cohortfinder(tmp_path, *asked, "--store", "store", "--out", "one")
    spark = ["--engine", "spark", "--tables", "tables", "--results", "results", "--out", "two"]
    submit = [str(home() / "bin" / "spark-submit"), "--master", master, "--conf", "spark.executor.memory=512m"]
    done = subprocess.run(
        [*submit, "screen.py", *asked, *spark], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert [
        name for name in OUTPUTS if (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()
    ] == []
    worked = [worker for worker in (1, 2) if any((tmp_path / f"worker{worker}").glob("app-*"))]
    assert worked == [1, 2]
