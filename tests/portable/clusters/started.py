"""HDFS and an object store on this machine, from Maven Central; what is missing for them is said in one line."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

RECIPES = Path(__file__).parent
_FETCH_SECONDS = 400
_START_SECONDS = 120
MISSING = " and ".join(
    said
    for said, there in (
        ("Maven and Java 17", shutil.which("mvn") and shutil.which("java")),
        ("the extra 'hdfs' (pip install '.[hdfs]')", find_spec("hdfs_native")),
    )
    if not there
)
NEEDS_CLUSTERS = pytest.mark.skipif(bool(MISSING), reason=f"HDFS and object stores are not asked: install {MISSING}")

NEEDS_MOTO = pytest.mark.skipif(not find_spec("moto"), reason="object stores are not asked: pip install 'moto[server]'")


def hadoop_of_spark() -> str:
    """Return the version of the Hadoop that comes with PySpark."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    (jar,) = Path(spec.origin).parent.glob("jars/hadoop-client-api-*.jar")
    return jar.stem.removeprefix("hadoop-client-api-")


def classpath(recipe: str, scratch: Path) -> str:
    """Fetch what a recipe names, where it is not on this machine yet, and return its class path."""
    folder = shutil.copytree(RECIPES / recipe, scratch / recipe)
    command = ["mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile=classpath.txt"]
    fetched = subprocess.run(
        [*command, f"-Dhadoop.version={hadoop_of_spark()}"],
        cwd=folder, capture_output=True, text=True, timeout=_FETCH_SECONDS,
    )  # fmt: skip
    assert fetched.returncode == 0, fetched.stdout[-2_000:]
    return (folder / "classpath.txt").read_text()


@contextmanager
def running(folder: Path, classes: str, *command: str) -> Iterator[str]:
    """Run Java until the block ends, and with it its standard input; yield the address that it tells when it listens."""
    java = ["java", "-Xmx768m", "-XX:TieredStopAtLevel=1", "-cp", classes, *command]
    log = folder / "log.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            java, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    assert process.stdout is not None
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    try:
        told = next((line for line in process.stdout if line.startswith("READY ")), None)
        timer.cancel()
        assert told, f"it did not start: {log.read_text()[-2_000:]}"
        yield told.split()[1]
    finally:
        timer.cancel()
        process.kill()
        process.communicate()
