"""What a result says of itself beside its value: by its code, its method and body site, or any of its texts."""

import re
from typing import Any

from reference.mappings import Mappings

_BETWEEN = re.compile(r"[\W_]+")
_LATIN = re.compile(r"[a-z0-9 äöüß]+")


def remarks_of(mappings: Mappings, concept: str, resource: dict[str, Any], node: dict[str, Any]) -> dict[str, set[str]]:
    """Return the remarks by their effect: flag, statement, ignored."""
    root = node is resource
    method = [node.get(name, {}).get("text", "") for name in ("method", "bodySite")] if root else []
    notes = [note.get("text", "") for note in node.get("note", [])] if root else []
    texts = {"method": _words(method), "text": _words([*method, node.get("code", {}).get("text", ""), *notes])}
    codes = {coding.get("code") for coding in node.get("code", {}).get("coding", [])}
    found: dict[str, set[str]] = {}
    for source in ("code", "method", "text"):
        rows = [row for row in mappings.remarks if row["concept"] == concept and row["source"] == source]
        said = [r for r in rows if r["sought"] in codes] if source == "code" else _said(rows, texts[source])
        for row in said:
            found.setdefault(row["effect"], set()).add(row["remark"])
    return found


def _words(texts: list[str]) -> str:
    return f" {_BETWEEN.sub(' ', ' '.join(texts).lower())} "


def _said(rows: list[dict[str, str]], words: str) -> list[dict[str, str]]:
    """Take the phrases out of the text, the longest first; a shorter one must be there besides."""
    said = []
    for row in sorted(rows, key=lambda row: -len(row["sought"])):
        phrase = f" {row['sought']} " if _LATIN.fullmatch(row["sought"]) else row["sought"]
        if phrase in words:
            said.append(row)
            words = words.replace(phrase, "  ")
    return said
