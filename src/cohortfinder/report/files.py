"""Write one output file so that a reader sees the old one or the new one, never a half."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from cohortfinder.errors import ReadWriteError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`, and move it there when the block ends well.

    Raises ReadWriteError when the system refuses to write.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_bytes(target: Path, content: bytes) -> None:
    """Write a whole file."""
    with replacing(target) as temporary:
        temporary.write_bytes(content)


def write_private(target: Path, text: str) -> None:
    """Write a whole file that only its owner may read, from its first byte on."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(target) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def make_folder(folder: Path) -> None:
    """Create the output folder if need be, and see that it can be written. Raises ReadWriteError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(place: Path, error: OSError) -> ReadWriteError:
    """Say in one sentence that a place cannot be written, why, and what to do."""
    why = error.strerror or type(error).__name__
    return ReadWriteError(f"cannot write {str(place)!r} ({why}); choose another place or free this one")
