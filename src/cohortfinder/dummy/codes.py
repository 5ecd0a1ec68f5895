"""Which code to write for a concept, and to which concepts of the trial a code belongs."""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice

from cohortfinder.dummy.facts import Coding
from cohortfinder.terminology import ClinicalCode, ClinicalConcept, ObservationCode, Terminology

_ORDER = {"exact": 0, "descendants": 1, "prefix": 2}


class Codes:
    """Chooses codes for the concepts of a trial. This is a plan only: the engine decides what a code means."""

    def __init__(self, terminology: Terminology, asked: tuple[str, ...]) -> None:
        self._terminology = terminology
        self._asked = tuple(name for name in asked if name in terminology.clinical_concepts)
        self.clinical: Callable[..., Coding | None] = cache(self._clinical)
        self.matches: Callable[[str, Coding], bool] = cache(self._matches)
        self.observation: Callable[..., Coding | None] = cache(self._observation)

    def _observation(self, concept: str, role: str | None = None) -> Coding | None:
        """Return the first code of an observation concept that decides, or that has the role."""
        known = self._terminology.observation_concepts[concept]
        ranked = sorted(known.codes, key=lambda code: code.role != "primary")
        fitting = (code for code in ranked if (code.role == role if role else _decides(code)))
        found = next(fitting, None)
        return None if found is None else Coding(found.system, found.code, known.label)

    def unrelated(self, domain: str, count: int) -> list[tuple[str, Coding]]:
        """Return so many concepts of a domain, each with a code that no concept of the trial shares."""
        names = (name for name, known in self._terminology.clinical_concepts.items() if known.domain == domain)
        coded = ((name, self.clinical(name)) for name in names if name not in self._asked)
        fitting = ((name, coding) for name, coding in coded if coding is not None and not self._asks(coding))
        return list(islice(fitting, count))

    def _asks(self, coding: Coding) -> bool:
        return any(self.matches(name, coding) for name in self._asked)

    def _clinical(self, concept: str, *, tentative: bool = False) -> Coding | None:
        """Return the code that the fewest other concepts of the trial share; one whose dose can be told goes first."""
        known = self._terminology.clinical_concepts.get(concept)
        if known is None:
            return None
        wanted = "possible" if tentative else "definite"
        codes = [code for code in known.codes if code.include and code.strength == wanted and code.match in _ORDER]
        own = [code for code in codes if _specific(code, known)]
        if not own:
            return None if tentative else _by_text(known)
        doses = self._terminology.doses.get(concept)
        dosed = doses.itself if doses else {(code.system, code.code) for code in own}
        best = min(own, key=lambda code: ((code.system, code.code) not in dosed, *self._shared(code)))
        return Coding(best.system, best.code, known.label)

    def _shared(self, code: ClinicalCode) -> tuple[int, int, str, str]:
        coding = Coding(code.system, code.code)
        others = sum(self.matches(concept, coding) for concept in self._asked)
        return others, _ORDER[code.match], code.system, code.code

    def _matches(self, concept: str, coding: Coding) -> bool:
        """Say whether a code belongs to a concept, perhaps; the most specific row of the concept decides."""
        known = self._terminology.clinical_concepts.get(concept)
        if known is None:
            return False
        if not coding.code:
            return any(row.match == "text" and row.code.lower() in coding.text.lower() for row in known.codes)
        found = _rows(known.codes, coding)
        best = max(found, key=lambda code: len(code.code), default=None)
        return best is not None and best.include and best.strength != "supporting"


def _by_text(concept: ClinicalConcept) -> Coding | None:
    """Return a word by which a concept without a code of its own is known."""
    words = [code.code for code in concept.codes if code.match == "text" and code.include]
    return Coding("", "", words[0]) if words else None


def _rows(codes: Iterable[ClinicalCode], coding: Coding) -> list[ClinicalCode]:
    own = [code for code in codes if code.system == coding.system]
    return [
        code
        for code in own
        if code.code == coding.code or (code.match == "prefix" and _plain(coding.code).startswith(_plain(code.code)))
    ]


def _plain(code: str) -> str:
    return code.replace(".", "").upper()


def _specific(code: ClinicalCode, concept: ClinicalConcept) -> bool:
    """A code that the same concept also carves out would mean nothing."""
    same = [other for other in concept.codes if (other.system, other.code) == (code.system, code.code)]
    return all(other.include for other in same)


def _decides(code: ObservationCode) -> bool:
    return code.decides and code.role not in ("component", "pair_first", "pair_second")
