"""`load` and `screen --engine spark` over a real HDFS: a NameNode and a DataNode of the Hadoop that PySpark has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from cohortfinder.errors import ConfigurationError, InputError
from cohortfinder.jobs.parts import elsewhere
from cohortfinder.jobs.parts.elsewhere import copied, is_folder, send
from portable.clusters.started import NEEDS_CLUSTERS, classpath, running
from portable.elsewhere import asked, differing, put, screened_here
from portable.spark_needed import NEEDS_SPARK

pytestmark = [*NEEDS_SPARK, NEEDS_CLUSTERS]


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a file system without files."""
    folder = tmp_path_factory.mktemp("hadoop")
    with running(folder, classpath("hadoop", folder), "hadoop/Cluster.java", "dfs") as address:
        yield address


def test_files_tables_and_results_may_lie_in_hdfs(
    hdfs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hdfs_native import Client

    screened_here(tmp_path)
    put(tmp_path, hdfs)
    load, screen = asked(tmp_path, hdfs)
    assert status_of(load) == 3
    assert status_of(screen) == 0
    assert differing(tmp_path) == []
    files = Client(hdfs)
    assert sorted(one.path.partition(".")[2][-5:] for one in files.list_status("/registry/manifests")) == [".json"]
    written = [*files.list_status("/registry", recursive=True), *files.list_status("/results", recursive=True)]
    assert {oct(one.permission) for one in written if one.path.startswith("/registry")} == {"0o600", "0o700"}
    # nobody else comes to what workers have written in it
    assert [oct(one.permission) for one in files.list_status("/results")] == ["0o700"]
    assert [one.path for one in written if "/." in one.path] == []


def test_a_part_may_be_told_twice_and_what_is_not_there_is_none(hdfs: str, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"rows")
    for _ in range(2):
        send(tmp_path / "part", f"{hdfs}/twice/verdict/part-00000.parquet")
    (copy,) = copied(f"{hdfs}/twice/verdict", tmp_path / "copies")
    assert copy.read_bytes() == b"rows"
    assert is_folder(f"{hdfs}/twice")
    assert not is_folder(f"{hdfs}/twice/verdict/part-00000.parquet")
    assert copied(f"{hdfs}/nowhere", tmp_path / "copies") == []


def test_what_stands_in_the_way_is_one_sentence(
    hdfs: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = ["screen", "T2D-EXAMPLE", "--as-of", "2026-11-20", "--engine", "spark", "--tables"]
    for url, status, sentence in (
        (f"{hdfs}/none", 64, "there is no such folder; write them first"),
        ("s3://bucket/registry", 78, "Spark has nothing here that reads such URLs; add it, see docs/how-to/spark.md"),
    ):
        assert status_of([*screen, url]) == status
        said = capfd.readouterr().err
        assert sentence in said
        # nothing of what Java says
        assert said.count("\n") == 1
    with pytest.raises(InputError, match="workers reach no such URL"):
        copied("ftp://127.0.0.1/registry", tmp_path)
    # as it is where the extra is not installed, and no Hadoop
    monkeypatch.setattr(elsewhere, "find_spec", lambda _: None)
    monkeypatch.delenv("CLASSPATH", raising=False)
    with pytest.raises(ConfigurationError, match="Python cannot reach HDFS here; on the driver and every worker: pip"):
        copied(f"{hdfs}/registry", tmp_path)
