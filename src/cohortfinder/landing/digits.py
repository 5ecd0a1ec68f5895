"""The digits of numbers that a table cannot keep: 0.010 is the number 0.01 to every reader of JSON, and says more.

Of each Quantity of an Observation, or of one of its components, whose text is not what its number would be written as,
the text is kept beside the landing files, by the version of the resource. It is shown; what is compared is the number.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.landing.parts import compressed

DIGITS = "digits.ndjson.gz"
# zeros at the end, more decimals than a table keeps, an exponent
_MORE_THAN_THE_NUMBER = r"-?\d+(?:\.(?:\d*0|\d{11,})|(?:\.\d+)?[eE][+-]?\d+)"
_SUSPECT = re.compile(rb'"value"\s*:\s*' + _MORE_THAN_THE_NUMBER.encode() + rb"\s*[,}]")
_TEXT = re.compile(_MORE_THAN_THE_NUMBER)
_BLOCK_BYTES = 4 * 2**20


class _Decimal(str):
    """A number with a decimal point or an exponent, as it stands in the JSON text."""

    __slots__ = ()


class DigitsWriter:
    """Keeps the digits of a load in `digits.ndjson.gz`; `count` says of how many numbers."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / DIGITS
        self._rows: list[bytes] = []
        self._bytes = 0
        self.count = 0

    def add(self, lines: bytes) -> None:
        """Look through landed lines of Observations; nearly all need no more than a glance."""
        start = 0
        while found := _SUSPECT.search(lines, start):
            begin = lines.rfind(b"\n", 0, found.start()) + 1
            start = lines.find(b"\n", found.end()) + 1 or len(lines)
            for row in _rows(lines[begin:start]):
                self._rows.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                self._bytes += len(self._rows[-1])
                self.count += 1
        if self._bytes >= _BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was found."""
        if self._rows:
            with self._path.open("ab") as file:
                file.write(compressed(b"".join(self._rows)))
        self._rows, self._bytes = [], 0


def _rows(line: bytes) -> Iterator[dict[str, Any]]:
    """Yield the numbers of one resource; a line that is no JSON is put aside elsewhere."""
    try:
        resource = json.loads(line, parse_float=_Decimal)
    except ValueError:
        return
    if not isinstance(resource, dict):
        return
    meta = resource.get("meta")
    version = meta if isinstance(meta, dict) else {}
    components = resource.get("component")
    nodes = [resource, *(components if isinstance(components, list) else [])]
    for place, node in enumerate(nodes):
        quantity = node.get("valueQuantity") if isinstance(node, dict) else None
        number = quantity.get("value") if isinstance(quantity, dict) else None
        if isinstance(number, _Decimal) and _TEXT.fullmatch(number):
            yield {
                "id": resource.get("id"),
                "last_updated": version.get("lastUpdated"),
                "version_id": version.get("versionId"),
                "component": place - 1 if place else None,
                "value_sent": str(number),
            }
