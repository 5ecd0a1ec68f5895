"""A session of Spark, or one sentence that says why there is none. Spark is an extra, imported when it is asked for."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import Any

from cohortfinder import errors
from cohortfinder.errors import ConfigurationError, ReadWriteError

_JAVA = 17
_SPARK = 4
# files and folders that Spark writes are for their owner alone
_UMASK = ("spark.hadoop.fs.permissions.umask-mode", "077")
_S3 = ("fs.s3.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem")
_OURS = re.compile(r"^cohortfinder\.errors\.(?P<kind>[A-Za-z]+): (?P<said>.+)$", re.MULTILINE)
_VERSION = re.compile(r'version "(\d+)')
_UNREAD = re.compile(r"\[FAILED_READ_FILE[^\]]*\][^\n]*? file (?P<file>[^\n]+?)\.\s+SQLSTATE")


@contextmanager
def spark_session(*, threads: int | None = None) -> Iterator[Any]:
    """Yield the session that runs (under spark-submit), or one on this machine, which ends with the block.

    Raises ConfigurationError where Spark or Java is missing, or too old.
    """
    require_spark()
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    # the workers run what runs here
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: Any = SparkSession.builder.appName("cohortfinder").config(*_UMASK)
    if not _submitted():
        builder = builder.master(os.environ.get("SPARK_MASTER", f"local[{threads or '*'}]"))
        for name, value in (
            ("spark.ui.enabled", "false"),
            ("spark.ui.showConsoleProgress", "false"),
            ("spark.log.level", "OFF"),
        ):
            builder = builder.config(name, value)
    with nullcontext() if _submitted() else _unheard():
        session: Any = builder.getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    hadoop = session.sparkContext._jsc.hadoopConfiguration()
    hadoop.set(_UMASK[0].removeprefix("spark.hadoop."), _UMASK[1])
    # workers and DuckDB name it s3, Hadoop s3a, and Amazon's own Hadoop has its own
    hadoop.setIfUnset(*_S3)
    try:
        yield session
    finally:
        if running is None and not _submitted():
            session.stop()


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep what Java says from standard error, while it starts and after; where it does not start, it is told.

    It greets, and warns of the name of the machine, of modules and of libraries: nobody who screens can do anything
    about that. A Java that is started here keeps the file that it is given.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def require_spark() -> None:
    """Raise ConfigurationError where Spark cannot be had: one sentence, with what to install."""
    if find_spec("pyspark") is None:
        raise ConfigurationError("Spark is not installed; install it: pip install 'cohortfinder[spark]'")
    import pyspark

    if int(pyspark.__version__.split(".")[0]) < _SPARK:
        raise ConfigurationError(
            f"this is PySpark {pyspark.__version__}, and version {_SPARK} is needed; install it: "
            "pip install 'cohortfinder[spark]'"
        )
    if _submitted():
        return
    found = _java_version()
    if found is None:
        raise ConfigurationError(
            f"Spark needs Java {_JAVA}, and there is none here; install it (Debian: openjdk-17-jre-headless), or set "
            "JAVA_HOME to where it is"
        )
    if found < _JAVA:
        raise ConfigurationError(
            f"Spark needs Java {_JAVA}, and this is Java {found}; install it, or set JAVA_HOME to where it is"
        )


def _submitted() -> bool:
    """Say whether spark-submit has started this process, with a Java of its own."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _java_version() -> int | None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if java is None:
        return None
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(said.stderr + said.stdout)
    return int(found[1]) if found else None


@contextmanager
def refusals_told(folder: str) -> Iterator[None]:
    """Tell in one sentence what Spark says about files, disks and workers; what else it raises goes through."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("pyspark", "py4j")):
            raise
        if told := _told(str(error), folder):
            raise told from error
        raise


def _told(said: str, folder: str) -> Exception | None:
    # what a worker has raised comes with the tracebacks of two languages around it
    if (ours := _OURS.search(said)) and (kind := getattr(errors, ours["kind"], None)):
        own: Exception = kind(ours["said"])
        return own
    if unread := _UNREAD.search(said):
        file = unread["file"].removeprefix("file://")
        return ReadWriteError(f"{file}: this file cannot be read to its end; correct it, or leave it out")
    if "No space left on device" in said:
        return ReadWriteError(f"{folder}: a disk of Spark is full; free space here or where it works, then run again")
    if "No module named 'cohortfinder'" in said or "No module named 'duckdb'" in said:
        return ConfigurationError(
            "the workers of Spark do not have cohortfinder; send it with the job, see docs/how-to/spark.md"
        )
    if "Permission denied" in said or "AccessControlException" in said:
        return ReadWriteError(f"{folder}: Spark may not read or write here; check the permissions")
    return None
