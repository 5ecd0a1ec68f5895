"""The spool of a pull: what came from the server, page by page on the disk, so that a pull that died goes on.

Each slice has a folder of its own with what came, a gzip member a page, and a journal with a line a page. The journal
is written last: what it does not tell of is cut off.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.landing.blocks import BlockReader
from cohortfinder.landing.exported import LOG
from cohortfinder.landing.parts import compressed

PLAN = "plan.json"
PAGES = "pages.ndjson.gz"
JOURNAL = "journal.ndjson"
EXPORT = "export"
_REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Slice:
    """One question to the server: `kind` is search, history, ids, sweep or export, `types` what it brings.

    `started` is the server's time when it was first asked.
    """

    number: int
    kind: str
    types: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...] = ()
    since: str | None = None
    started: str = ""

    @property
    def question(self) -> tuple[Any, ...]:
        """What is asked: of two slices with the same question one will do."""
        return self.kind, self.types, self.parameters, self.since


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a slice has come: the length of its file, the next link, what was seen.

    `last_updated` is that of the last page, as long as the pages come in this order. Where the server forgot the search
    and was asked anew from there, that is `since`, and `before` was seen before. `dropped` are those left out.
    """

    offset: int = 0
    next: str | None = None
    pages: int = 0
    seen: int = 0
    last_updated: str | None = None
    since: str | None = None
    before: int = 0
    dropped: int = 0
    done: bool = False


START = Mark()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pull asks. `token` and `loading` name the slices that are on their way into the tables."""

    server: str
    patients: str
    slices: tuple[Slice, ...]
    token: str = ""
    loading: tuple[int, ...] = ()


class SliceSpool:
    """The folder of one slice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pages, self._journal = folder / PAGES, folder / JOURNAL

    @property
    def mark(self) -> Mark:
        """How far it has come."""
        marks = self.marks()
        return marks[-1] if marks else START

    def marks(self) -> tuple[Mark, ...]:
        """Return the lines of the journal; one that an interruption has cut is none."""
        if not self._journal.exists():
            return ()
        whole = self._journal.read_bytes().rpartition(b"\n")[0]
        return tuple(Mark(**orjson.loads(line)) for line in whole.splitlines())

    def resume(self) -> Mark:
        """Cut off what the journal does not tell of, and return how far the slice has come."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        marks = self.marks()
        mark = marks[-1] if marks else START
        with self._journal.open("ab") as journal:
            journal.truncate(sum(len(_line(one)) for one in marks))
        with self._pages.open("ab") as pages:
            pages.truncate(mark.offset)
        return mark

    def add(self, line: bytes, mark: Mark) -> Mark:
        """Bring a page to the disk, then write the mark that tells of it; return the mark with the length.

        A mark that a power failure loses costs no more than its page, which is asked for again.
        """
        member = compressed(line + b"\n") if line else b""
        if member:
            _append(self._pages, member, sync=True)
        told = replace(mark, offset=mark.offset + len(member))
        _append(self._journal, _line(told), sync=told.done)
        return told

    def restart(self) -> Mark:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.resume()

    def export(self) -> Path:
        """Return the folder of a bulk export, made where there is none."""
        folder = self.folder / EXPORT
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def refuse(self) -> None:
        """Let no later pull go on with what came, unless it is told to."""
        (self.folder / _REFUSED).touch()

    @property
    def refused(self) -> bool:
        """Whether what came was refused."""
        return (self.folder / _REFUSED).exists()

    def files(self, kinds: Collection[str] | None = None) -> tuple[Path, ...]:
        """Return the files with what came; of an export only those of some types, or all."""
        pages = (self._pages,) if self._pages.exists() and self._pages.stat().st_size else ()
        exported = (file for file in sorted((self.folder / EXPORT).rglob("*.ndjson")) if file.name != LOG)
        return (*pages, *(file for file in exported if kinds is None or file.name.partition(".")[0] in kinds))


class Spool:
    """The folder of a pull in a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, part: Slice) -> SliceSpool:
        """Return the place of one slice."""
        return SliceSpool(self.folder / f"{part.number:04}")

    def read(self) -> Plan | None:
        """Return the plan of an unfinished pull, None when there is none."""
        try:
            content = orjson.loads((self.folder / PLAN).read_bytes())
            slices = tuple(_slice(one) for one in content["slices"])
            return Plan(content["server"], content["patients"], slices, content["token"], tuple(content["loading"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, plan: Plan) -> None:
        """Keep a plan, and remove what belongs to none of its slices; a plan without slices is none."""
        if not plan.slices:
            return self.clear()
        scratch = self.folder / f"{PLAN}.new"
        scratch.write_bytes(orjson.dumps(asdict(plan)))
        _synced(scratch)
        scratch.replace(self.folder / PLAN)
        kept = {self.of(one).folder.name for one in plan.slices}
        for left in self.folder.iterdir():
            if left.is_dir() and left.name not in kept:
                shutil.rmtree(left)
        return None

    def clear(self) -> None:
        """Remove everything that was spooled."""
        (self.folder / PLAN).unlink(missing_ok=True)
        for left in self.folder.iterdir():
            if left.is_dir():
                shutil.rmtree(left)


def spooled_lines(files: Iterable[Path]) -> Iterator[bytes]:
    """Yield the lines of spooled files, plain or compressed: pages, or single resources. Raises DamagedError."""
    for file in files:
        for block in BlockReader(file).blocks():
            yield from block.splitlines()


def _slice(content: dict[str, Any]) -> Slice:
    parameters = tuple((name, value) for name, value in content["parameters"])
    return Slice(**{**content, "types": tuple(content["types"]), "parameters": parameters})


def _line(mark: Mark) -> bytes:
    return orjson.dumps(asdict(mark), option=orjson.OPT_APPEND_NEWLINE)


def _append(file: Path, content: bytes, *, sync: bool) -> None:
    with file.open("ab") as target:
        target.write(content)
        target.flush()
        if sync:
            os.fsync(target.fileno())


def _synced(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())
