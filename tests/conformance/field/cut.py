"""Cut the field resources from synthetic patients: `python tests/conformance/field/cut.py FOLDER`.

FOLDER is the output of `python -m benchmarks.generate` (Synthea 3.3.0, seed 7). Of each type the first resources of every
shape (which fields there are, two levels deep) are kept, so that a few hundred lines have what a million have.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PER_SHAPE, PER_TYPE, LINES = 2, 40, 60_000


def shape(value: Any, depth: int = 2) -> Any:
    """Return which fields a JSON value has, down to a depth; lists count by their first element and length up to 2."""
    if isinstance(value, dict) and depth:
        return tuple(sorted((key, shape(inner, depth - 1)) for key, inner in value.items()))
    if isinstance(value, list) and value:
        return (min(len(value), 2), shape(value[0], depth))
    return type(value).__name__


def cut(folder: Path) -> None:
    """Write `field/resources.ndjson`."""
    kept: list[str] = []
    for file in sorted(folder.glob("*.ndjson")):
        seen: Counter[Any] = Counter()
        found = 0
        for number, line in enumerate(file.open(encoding="utf-8")):
            resource = json.loads(line)
            resource.pop("text", None)
            key = shape(resource)
            seen[key] += 1
            if seen[key] <= PER_SHAPE and found < PER_TYPE:
                kept.append(json.dumps(resource, ensure_ascii=False, separators=(",", ":")))
                found += 1
            if number > LINES:
                break
    (HERE / "resources.ndjson").write_text("\n".join(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    cut(Path(sys.argv[1]))
