"""The typed tables as Parquet files in one folder: what lies where, what it must look like, and who has written it.

    FOLDER/manifests/<node>.<run>.json                             what a run of a node has written, and how
    FOLDER/<table>/node=<node>/run=<run>/bucket=<n>/*.parquet      the rows, by the bucket of their patient
    FOLDER/<table>/node=<node>/run=<run>/*.parquet                 the rows of what is of no patient

Nothing is ever changed in its place: a run counts from the moment at which its manifest is there, and then the one of
that node before it no longer does. The files may lie on this machine, or where Spark reads them: see `Files`.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import orjson

from cohortfinder.disk import remove, write_durably
from cohortfinder.errors import InputError, ReadWriteError, StoreError
from cohortfinder.warehouse.parquet_tables import BUCKETED_BY, PATIENT, current_schema, parquet_tables
from cohortfinder.warehouse.state import TypeState

LAYOUT = 1
MANIFESTS = "manifests"
_NODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MANIFEST = re.compile(r"(?P<node>[a-z0-9_-]+)\.(?P<run>[0-9A-Z]+-[0-9]{3,})\.json")


@dataclass(frozen=True, slots=True)
class Written:
    """What lies in one folder of a table: rows, Parquet files and their bytes."""

    rows: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class NodeManifest:
    """What one run of a node has written. `erased` counts who had been erased from its store by then.

    `pseudonyms` is the mark of the key that the ids were replaced with, empty where they are those of the store.
    """

    node: str
    run: str
    release: str
    engine: str
    duckdb: str
    written_at: str
    buckets: int
    tables: Mapping[str, Written]
    types: Mapping[str, TypeState]
    schema: Mapping[str, Mapping[str, str]]
    erased: int = 0
    pseudonyms: str = ""
    bucketed_by: str = BUCKETED_BY
    layout: int = LAYOUT

    def folder(self, table: str) -> str:
        """Return where the rows of a table lie, below the folder of all tables."""
        return f"{table}/node={self.node}/run={self.run}"


class Files(Protocol):
    """The files of a folder of tables, on whatever they lie. What is not there is a FileNotFoundError, else OSError."""

    def url(self, place: str) -> str:
        """Return how Spark names a place."""

    def names(self, folder: str) -> list[str]:
        """Return the names of what is in a folder."""

    def read(self, file: str) -> bytes:
        """Return what is in a file."""

    def measure(self, folder: str) -> tuple[int, int]:
        """Return how many Parquet files there are below a folder, and their bytes."""

    def publish(self, file: str, content: bytes) -> None:
        """Write a file that was not there, so that a reader sees nothing of it or all."""

    def remove(self, place: str) -> None:
        """Remove a file or a folder with all that is in it, where it is there."""


class Disk:
    """Files of this machine."""

    def url(self, place: str) -> str:
        """Return how Spark names a place."""
        return f"file://{Path(place).absolute()}"

    def names(self, folder: str) -> list[str]:
        """Return the names of what is in a folder."""
        return [path.name for path in Path(folder).iterdir()]

    def read(self, file: str) -> bytes:
        """Return what is in a file."""
        return Path(file).read_bytes()

    def measure(self, folder: str) -> tuple[int, int]:
        """Return how many Parquet files there are below a folder, and their bytes."""
        sizes = [
            (Path(place) / name).stat().st_size
            for place, _, names in os.walk(folder, onerror=_raise)
            for name in names
            if name.endswith(".parquet")
        ]
        return len(sizes), sum(sizes)

    def publish(self, file: str, content: bytes) -> None:
        """Write a file that was not there, so that a reader sees nothing of it or all. Raises ReadWriteError."""
        write_durably(Path(file), content)

    def remove(self, place: str) -> None:
        """Remove a file or a folder with all that is in it, where it is there. Raises ReadWriteError."""
        remove(Path(place))


def _raise(error: OSError) -> None:
    raise error


@dataclass(frozen=True)
class Layout:
    """A folder of typed tables as its nodes have left it."""

    folder: str
    nodes: tuple[NodeManifest, ...]
    _files: Files = field(default_factory=Disk, repr=False)

    @property
    def buckets(self) -> int:
        """How many buckets there are."""
        return self.nodes[0].buckets

    @cached_property
    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """The folders of each table as Spark names them; none for a table without rows."""
        return {
            table.name: tuple(
                self._files.url(f"{self.folder}/{node.folder(table.name)}")
                for node in self.nodes
                if node.tables[table.name].files
            )
            for table in parquet_tables()
        }

    @cached_property
    def types(self) -> Mapping[str, TypeState]:
        """The resources of each type. They are complete when every node with patients has all of its own."""
        names = sorted({name for node in self.nodes for name in node.types})
        return {name: _joined([node.types.get(name) for node in self.nodes if _counts(node, name)]) for name in names}


def _counts(node: NodeManifest, resource_type: str) -> bool:
    return resource_type in node.types or node.tables[PATIENT].rows > 0


def _joined(states: list[TypeState | None]) -> TypeState:
    told = [state for state in states if state is not None]
    codes = [frozenset(state.codes) for state in told if state.codes is not None]
    return TypeState(
        sum(state.resources for state in told),
        len(told) == len(states) and all(state.complete for state in told),
        tuple(sorted(frozenset.intersection(*codes))) if codes else None,
    )


def read_layout(folder: str | Path, files: Files | None = None) -> Layout:
    """Return what lies in a folder of typed tables: the newest run of every node, looked through.

    Raises InputError when there is no such folder or no table in it, ReadWriteError when a part of it cannot be read,
    StoreError when a part is missing or was written by a release with another layout or other columns.
    """
    place, found = str(folder).rstrip("/"), files or Disk()
    nodes = newest(read_manifests(place, found))
    if not nodes:
        raise InputError(f"{place}: there are no typed tables here; {_write(place)}")
    for node in nodes:
        _require_readable(place, node, nodes[0])
        for table, written in node.tables.items():
            if written.files:
                _require_all(f"{place}/{node.folder(table)}", place, node, written, found)
    return Layout(place, nodes, found)


def read_manifests(folder: str, files: Files, *, any_layout: bool = False) -> tuple[NodeManifest, ...]:
    """Return what every run that is still there has written, the oldest of a node first. Raises like `read_layout`.

    With `any_layout` those that this release cannot read are left out.
    """
    try:
        names = [known for name in files.names(f"{folder}/{MANIFESTS}") if (known := _MANIFEST.fullmatch(name))]
        texts = [(one, files.read(f"{folder}/{MANIFESTS}/{one[0]}")) for one in sorted(names, key=lambda one: one[0])]
    except FileNotFoundError:
        if _is_there(folder, files):
            return ()
        raise InputError(f"{folder}: there is no such folder; {_write(folder)}") from None
    except NotADirectoryError as error:
        raise InputError(f"{folder}: this is no folder; {_write(folder)}") from error
    except OSError as error:
        raise _unreadable(f"{folder}/{MANIFESTS}", error) from error
    found = []
    for one, text in texts:
        try:
            found.append(_manifest(f"{folder}/{MANIFESTS}/{one[0]}", one["node"], text))
        except StoreError:
            if not any_layout:
                raise
    return tuple(found)


def newest(manifests: Iterable[NodeManifest]) -> tuple[NodeManifest, ...]:
    """Return the newest run of each node, by node."""
    last: dict[str, NodeManifest] = {}
    for one in sorted(manifests, key=lambda one: one.run):
        last[one.node] = one
    return tuple(last[node] for node in sorted(last))


def manifest_file(manifest: NodeManifest) -> str:
    """Return the name of the file of a manifest."""
    return f"{MANIFESTS}/{manifest.node}.{manifest.run}.json"


def manifest_text(manifest: NodeManifest) -> bytes:
    """Return what stands in the file of a manifest."""
    return orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def checked_node(name: str) -> str:
    """Return the name of a node. Raises InputError when it cannot be a part of a path."""
    if not _NODE.fullmatch(name):
        raise InputError(f"the node {name!r} is no name; use lower-case letters, digits, - and _, 63 of them at most")
    return name


def _is_there(folder: str, files: Files) -> bool:
    try:
        return files.names(folder) is not None
    except FileNotFoundError:
        return False


def _manifest(file: str, node: str, text: bytes) -> NodeManifest:
    try:
        content: dict[str, Any] = orjson.loads(text)
        layout, release = content["layout"], content["release"]
        if layout != LAYOUT:
            raise StoreError(
                f"{file}: cohortfinder {release} has written these tables with layout {layout}, this version reads "
                f"{LAYOUT}; write them again: cohortfinder load --parquet {Path(file).parent.parent} --node {node}"
            )
        tables = {name: Written(**one) for name, one in content["tables"].items()}
        types = {name: _state(one) for name, one in content["types"].items()}
        return NodeManifest(**{**content, "tables": tables, "types": types})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{file}: this manifest is damaged; write the tables of node {node} again") from error


def _state(content: Mapping[str, Any]) -> TypeState:
    codes = content["codes"]
    return TypeState(content["resources"], content["complete"], None if codes is None else tuple(codes))


def _require_readable(folder: str, node: NodeManifest, first: NodeManifest) -> None:
    """Raise StoreError when this release reads the tables of a node otherwise, or not together with those of others."""
    wrong = _other_columns(node.schema)
    if wrong:
        raise StoreError(
            f"{folder}: the tables of node {node.node} are those of cohortfinder {node.release}, where {wrong}; "
            f"write them again: cohortfinder load --parquet {folder} --node {node.node}"
        )
    if (node.buckets, node.bucketed_by) != (first.buckets, first.bucketed_by):
        raise StoreError(
            f"{folder}: node {first.node} has {first.buckets} buckets and node {node.node} {node.buckets}; write "
            f"one of them again: cohortfinder load --parquet {folder} --node {node.node} --buckets {first.buckets}"
        )


def _other_columns(schema: Mapping[str, Mapping[str, str]]) -> str | None:
    """Say in which way the columns are not those of this release, None when they are."""
    for table, columns in current_schema().items():
        if table not in schema:
            return f"there is no table {table}"
        for column, sql_type in columns.items():
            if schema[table].get(column) != sql_type:
                return f"{table}.{column} is {schema[table].get(column, 'missing')} and not {sql_type}"
        if more := sorted(schema[table].keys() - columns.keys()):
            return f"{table} has a column {more[0]}"
    return None


def _require_all(place: str, folder: str, node: NodeManifest, written: Written, files: Files) -> None:
    """Raise when a folder of Parquet files cannot be read, or lacks some of what was written."""
    try:
        found = files.measure(place)
    except FileNotFoundError:
        found = (0, 0)
    except OSError as error:
        raise _unreadable(place, error) from error
    if found != (written.files, written.bytes):
        raise StoreError(
            f"{place}: {written.files} files with {written.bytes} bytes were written here and {found[0]} with "
            f"{found[1]} are left; write the tables again: cohortfinder load --parquet {folder} --node {node.node}"
        )


def _unreadable(place: str, error: OSError) -> ReadWriteError:
    where = error.filename or place
    return ReadWriteError(f"{where}: this part of the tables cannot be read ({error.strerror}); check its permissions")


def _write(folder: str) -> str:
    return f"write them first: cohortfinder load --parquet {folder}"
