"""What a URL names, as a worker reaches it without Spark: the files of HDFS and of object stores.

PyArrow reads and writes them. HDFS comes to it from hdfs-native (the extra `hdfs`), which needs no Java, or where that
is not installed from the libhdfs of a Hadoop on that machine.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from cohortfinder.disk import make_folders
from cohortfinder.errors import ConfigurationError, InputError, ReadWriteError

_OF_HADOOP = ("hdfs", "viewfs")
# Hadoop's names of a store, and PyArrow's
_NAMES = {"s3a": "s3", "s3n": "s3"}
_NO_HDFS = (
    "Python cannot reach HDFS here; on the driver and every worker: pip install 'cohortfinder[hdfs]', or set "
    "ARROW_LIBHDFS_DIR, CLASSPATH and JAVA_HOME to the Hadoop and Java of the machine"
)


def is_folder(url: str) -> bool:
    """Say whether a URL names a folder that is there. Raises ReadWriteError where that cannot be known."""
    from pyarrow.fs import FileType

    with _reached(url) as (system, path):
        return bool(system.get_file_info(path).type == FileType.Directory)


def copied(url: str, target: Path) -> list[Path]:
    """Copy the Parquet files in a folder to below one of this machine, and return them; none where it is not there.

    Raises ReadWriteError where they cannot be read.
    """
    from pyarrow.fs import FileSelector, FileType

    with _reached(url) as (system, path):
        found = system.get_file_info(FileSelector(path, allow_not_found=True))
        names = sorted(one.path for one in found if one.type == FileType.File and one.path.endswith(".parquet"))
        return [_copied(system, name, target / name.lstrip("/")) for name in names]


def _copied(system: Any, name: str, target: Path) -> Path:
    make_folders(target.parent)
    with system.open_input_stream(name) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    return target


def send(file: Path, url: str) -> None:
    """Put a file of this machine where a URL says, so that a reader sees nothing of it or all.

    Raises ReadWriteError where that fails.
    """
    with _reached(url) as (system, path), file.open("rb") as source:
        if urlsplit(url).scheme not in _OF_HADOOP:
            # an object is there when all of it has come
            with system.open_output_stream(path) as target:
                shutil.copyfileobj(source, target)
            return
        folder, _, name = path.rpartition("/")
        system.create_dir(folder, recursive=True)
        begun = f"{folder}/.{name}.{uuid4().hex}"
        with system.open_output_stream(begun) as target:
            shutil.copyfileobj(source, target)
        try:
            system.move(begun, path)
        except FileExistsError:
            # the same part was told before, and every telling is the same
            system.delete_file(begun)


@contextmanager
def _reached(url: str) -> Iterator[tuple[Any, str]]:
    """Yield the file system and the path in it that a URL names; what they raise is one sentence."""
    from pyarrow import ArrowInvalid
    from pyarrow.fs import FileSystem

    try:
        parts = urlsplit(url)
        scheme = _NAMES.get(parts.scheme, parts.scheme)
        if scheme in _OF_HADOOP and find_spec("hdfs_native"):
            yield _hdfs(scheme, parts.hostname, parts.port), parts.path
        else:
            yield FileSystem.from_uri(f"{scheme}{url[len(parts.scheme) :]}")
    except ArrowInvalid as error:
        raise InputError(f"{url}: workers reach no such URL ({_first_line(error)}); name another place") from error
    except OSError as error:
        if _lacks_hadoop(str(error)):
            raise ConfigurationError(f"{url}: {_NO_HDFS}") from error
        raise ReadWriteError(f"{url}: this cannot be read or written here ({_first_line(error)})") from error


def _lacks_hadoop(said: str) -> bool:
    return "libjvm" in said or "libhdfs" in said or ("HDFS connection failed" in said and "CLASSPATH" not in os.environ)


@cache
def _hdfs(scheme: str, host: str | None, port: int | None) -> Any:
    """Return HDFS as hdfs-native reaches it, for who runs the job."""
    from hdfs_native.fsspec import HdfsFileSystem, ViewfsFileSystem
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    # without Kerberos the user is who this names: a container of YARN runs as somebody else
    if runs := os.environ.get("SPARK_USER"):
        os.environ.setdefault("HADOOP_USER_NAME", runs)
    system = HdfsFileSystem if scheme == "hdfs" else ViewfsFileSystem
    # fsspec would end those that it keeps in every process that is forked from here, which never ends
    return PyFileSystem(FSSpecHandler(system(host, port, skip_instance_cache=True)))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
