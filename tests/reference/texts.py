"""What the words of a record name: the words of concepts and the names of ingredients, the longest first."""

import csv
import re
from pathlib import Path

_STRENGTH = re.compile(r"\d\s*(mg|mcg|ml|unt|meq)\b")


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _words(text: str) -> str:
    return " ".join("".join(sign if sign.isalnum() else " " for sign in text.lower()).split())


class Texts:
    """The words of concepts/text_terms.csv, the cautions beside them, and the ingredients of RxNorm."""

    def __init__(self, folder: Path) -> None:
        terms = [(row["concept"], row["term"]) for row in _rows(folder / "concepts/text_terms.csv")]
        terms += [
            (row["concept"], row["label"])
            for row in _rows(folder / "concepts/clinical_codes.csv")
            if row.get("source") == "RxNorm" and row["match"] == "descendants" and row["include"] == "yes"
        ]
        cautions = [(row["effect"], row["word"]) for row in _rows(folder / "concepts/text_cautions.csv")]
        self._concepts = self._by_words(terms)
        self._cautions = self._by_words(cautions)

    def _by_words(self, pairs: list[tuple[str, str]]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name, text in pairs:
            plain = _words(text)
            whole = f" {plain} " if re.fullmatch(r"[a-z0-9 äöüß]+", plain) else plain
            if plain:
                found.setdefault(whole, set()).add(name)
        return found

    def concepts(self, said: str) -> set[str]:
        """Return the concepts that a text names; none for one that negates or speaks of the family."""
        words = f" {_words(said)} "
        heard = {phrase for phrase in {*self._concepts, *self._cautions} if phrase in words}
        standing = {phrase for phrase in heard if phrase in _without(words, phrase, heard)}
        effects = {effect for phrase in standing for effect in self._cautions.get(phrase, ())}
        if effects & {"negation", "family"}:
            return set()
        return {concept for phrase in standing for concept in self._concepts.get(phrase, ())}


def _without(words: str, phrase: str, heard: set[str]) -> str:
    """Blank the longer phrases that hold this one."""
    for other in heard:
        if len(other) > len(phrase) and phrase.strip() in other:
            words = words.replace(other, "  ")
    return words


def counts(known: set[str], said: str) -> bool:
    """Say whether a text counts beside codes of these systems: none that is known, or RxNorm and the name of a product."""
    return not known or (known == {"RxNorm"} and _STRENGTH.search(said.lower()) is not None)
