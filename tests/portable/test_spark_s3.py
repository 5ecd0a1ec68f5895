"""`load` and `screen --engine spark` over an object store that speaks S3, by Spark's hadoop-aws and by PyArrow."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cohortfinder.jobs.parts.elsewhere import copied, is_folder, send
from portable.clusters.started import NEEDS_CLUSTERS, NEEDS_MOTO, classpath
from portable.elsewhere import asked, differing, put, screened_here
from portable.spark_needed import NEEDS_SPARK

pytestmark = [*NEEDS_SPARK, NEEDS_CLUSTERS, NEEDS_MOTO]

BUCKET = "s3://registry-of-test"
# what is on its class path has Java only when it starts: it is one of its own
RUN = "import json, sys\nfrom cohortfinder.cli.main import status_of\nprint(json.dumps([status_of(one) for one in json.loads(sys.argv[1])]))"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a bucket without objects; keys and address are in the environment, as they are for a user."""
    from pyarrow.fs import S3FileSystem

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    given = {"ACCESS_KEY_ID": "of-test", "SECRET_ACCESS_KEY": "of-test", "REGION": "us-east-1", "ENDPOINT_URL": address}
    log = (tmp_path_factory.mktemp("s3") / "log.txt").open("wb")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with pytest.MonkeyPatch.context() as patched, log:
        for name, value in given.items():
            patched.setenv(f"AWS_{name}", value)
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_for(port)
            S3FileSystem(endpoint_override=address, allow_bucket_creation=True).create_dir(BUCKET.removeprefix("s3://"))
            yield BUCKET
        finally:
            server.kill()
            server.wait()


def _wait_for(port: int) -> None:
    for _ in range(1_200):
        with socket.socket() as asking:
            if not asking.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise AssertionError("the object store never listened")


def test_files_tables_and_results_may_lie_in_an_object_store(bucket: str, tmp_path: Path) -> None:
    screened_here(tmp_path)
    put(tmp_path, bucket)
    jars = ",".join(re.split(r"[:\s]+", classpath("s3", tmp_path).strip()))
    told = {
        "PYSPARK_SUBMIT_ARGS": f"--jars {jars} --conf spark.hadoop.fs.s3a.path.style.access=true pyspark-shell",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(asked(tmp_path, bucket))],
        env={**os.environ, **told}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[3, 0]", done.stderr[-3_000:]
    assert differing(tmp_path) == []
    # written at once under its name
    assert [name.count(".") for name in names(f"{bucket}/registry/manifests")] == [2]


def names(folder: str) -> list[str]:
    from pyarrow.fs import FileSelector, FileSystem

    system, path = FileSystem.from_uri(folder)
    return [one.base_name for one in system.get_file_info(FileSelector(path))]


def test_hadoops_name_of_a_store_and_that_of_others_mean_the_same(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"rows")
    send(tmp_path / "part", f"{bucket.replace('s3:', 's3a:')}/own/verdict/part-00000.parquet")
    (copy,) = copied(f"{bucket}/own/verdict", tmp_path / "copies")
    assert copy.read_bytes() == b"rows"
    assert is_folder(f"{bucket}/own/verdict")
    assert not is_folder(f"{bucket}/own/nothing")
    assert copied(f"{bucket}/own/nothing", tmp_path / "copies") == []
