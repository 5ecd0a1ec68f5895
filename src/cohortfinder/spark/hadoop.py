"""Files where Spark finds them: HDFS, object stores, or this machine, by their URLs."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from cohortfinder.errors import ConfigurationError

# where an object is there when its stream is closed, and a rename is a copy
_OBJECT_STORES = ("s3", "s3a", "gs")


def is_url(place: str) -> bool:
    """Say whether a place is named by a URL."""
    return "://" in place


class HadoopFiles:
    """The `Files` of a folder of tables (cohortfinder.warehouse.parquet), through the Java of a session."""

    def __init__(self, session: Any) -> None:
        self._hadoop = session._jvm.org.apache.hadoop.fs
        self._read_all = session._jvm.org.apache.commons.io.IOUtils.toByteArray
        self._settings = session.sparkContext._jsc.hadoopConfiguration()

    def url(self, place: str) -> str:
        """Return how Spark names a place."""
        return place

    def names(self, folder: str) -> list[str]:
        """Return the names of what is in a folder."""
        with self._at(folder) as (files, path):
            return [one.getPath().getName() for one in files.listStatus(path)]

    def read(self, file: str) -> bytes:
        """Return what is in a file."""
        with self._at(file) as (files, path):
            stream = files.open(path)
            try:
                return bytes(self._read_all(stream))
            finally:
                stream.close()

    def measure(self, folder: str) -> tuple[int, int]:
        """Return how many Parquet files there are below a folder, and their bytes."""
        sizes = [size for file, size in self.walk(folder) if file.endswith(".parquet")]
        return len(sizes), sum(sizes)

    def walk(self, place: str) -> Iterator[tuple[str, int]]:
        """Yield every file below a folder, or the file itself, with its bytes."""
        with self._at(place) as (files, path):
            found = files.listFiles(path, True)
            while found.hasNext():
                one = found.next()
                yield one.getPath().toString(), one.getLen()

    def publish(self, file: str, content: bytes) -> None:
        """Write a file that was not there, so that a reader sees nothing of it or all."""
        if urlsplit(file).scheme in _OBJECT_STORES:
            self._write(file, content)
            return
        folder, _, name = file.rpartition("/")
        begun = f"{folder}/.{name}.new"
        self._write(begun, content)
        with self._at(begun) as (files, path):
            if not files.rename(path, self._hadoop.Path(file)):
                raise OSError(errno.EIO, "it could not be given its name", file)

    def _write(self, file: str, content: bytes) -> None:
        with self._at(file) as (files, path):
            stream = files.create(path, True)
            stream.write(bytearray(content))
            # not after a failure: what is closed is there
            stream.close()

    def make(self, folder: str) -> None:
        """Make a folder, for its owner alone where the files there have owners."""
        with self._at(folder) as (files, path):
            files.mkdirs(path)

    def full(self, place: str) -> str:
        """Return a place with the machine that has it, where its URL names none (`hdfs:///registry`)."""
        with self._at(place) as (files, path):
            return str(files.makeQualified(path).toString())

    def remove(self, place: str) -> None:
        """Remove a file or a folder with all that is in it, where it is there."""
        with self._at(place) as (files, path):
            files.delete(path, True)

    @contextmanager
    def _at(self, place: str) -> Iterator[tuple[Any, Any]]:
        """Yield the file system and the path of a place; what Java raises is an OSError."""
        from py4j.protocol import Py4JJavaError

        try:
            path = self._hadoop.Path(place)
            yield path.getFileSystem(self._settings), path
        except Py4JJavaError as error:
            raise _os_error(error, place) from error


def _os_error(error: Any, place: str) -> OSError:
    name = error.java_exception.getClass().getSimpleName()
    if name in ("FileNotFoundException", "NoSuchFileException"):
        return FileNotFoundError(errno.ENOENT, "No such file or directory", place)
    said = str(error.java_exception.getMessage()).partition("\n")[0]
    if "No FileSystem for scheme" in said or "FileSystem not found" in said:
        raise ConfigurationError(
            f"{place}: Spark has nothing here that reads such URLs; add it, see docs/how-to/spark.md"
        )
    if name in ("AccessControlException", "AccessDeniedException") or "Permission denied" in said:
        return PermissionError(errno.EACCES, "Permission denied", place)
    if name == "ParentNotDirectoryException":
        return NotADirectoryError(errno.ENOTDIR, "Not a directory", place)
    return OSError(errno.EIO, said, place)
