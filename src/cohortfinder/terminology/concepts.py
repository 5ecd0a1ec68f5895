"""A concept and what belongs to it: codes, words, plausible range, look-back."""

from dataclasses import dataclass
from decimal import Decimal

CLINICAL_COLUMNS = ("concept", "system", "code", "match", "include", "strength", "label", "note", "source")
OBSERVATION_COLUMNS = ("concept", "system", "code", "role", "label", "note", "source")
PAIR_ROLES = frozenset({"pair_first", "pair_second"})
DECIDING_ROLES = frozenset({"primary", "alt", "local", "component", "deprecated"}) | PAIR_ROLES
ROLES = DECIDING_ROLES | {"confirm", "supporting", "not-substitutable", "weak", "exclude", "control", "panel"}
VALUE_KINDS = frozenset({"quantity", "titre", "ordinal"})
DOMAINS = frozenset({"condition", "medication", "procedure", "vaccine", "allergy"})
COURSES = frozenset({"", "chronic", "event", "state"})
CODE_MATCHES = frozenset({"exact", "descendants", "prefix", "text"})
STRENGTHS = frozenset({"", "definite", "possible", "supporting"})
POLARITIES = frozenset({"positive", "negative", "equivocal", "below_detection"})


@dataclass(frozen=True, slots=True)
class ObservationCode:
    """A code under which results of an observation concept are sent; only some roles decide."""

    system: str
    code: str
    role: str
    note: str

    @property
    def decides(self) -> bool:
        """Whether a result under this code can settle a criterion."""
        return self.role in DECIDING_ROLES


@dataclass(frozen=True, slots=True)
class ObservationConcept:
    """A quantity, titre or finding that a rule may name; plausible bounds and cut-offs are in `unit`."""

    concept: str
    label: str
    value_kind: str
    unit: str
    plausible_min: Decimal | None
    plausible_max: Decimal | None
    group: str
    detection: str
    negative_below: Decimal | None
    positive_above: Decimal | None
    source: str
    codes: tuple[ObservationCode, ...]


@dataclass(frozen=True, slots=True)
class ClinicalCode:
    """A code that includes a record in a clinical concept, or excludes it; the most specific match wins."""

    system: str
    code: str
    match: str
    include: bool
    strength: str
    note: str


@dataclass(frozen=True, slots=True)
class TextTerm:
    """A word for a clinical concept, for records that carry text only."""

    lang: str
    term: str
    match: str


@dataclass(frozen=True, slots=True)
class ClinicalConcept:
    """A set of diagnoses, drugs, procedures or vaccines that a rule may name."""

    concept: str
    domain: str
    course: str
    label: str
    codes: tuple[ClinicalCode, ...]
    terms: tuple[TextTerm, ...]


@dataclass(frozen=True, slots=True)
class Lookback:
    """How old a result of a group may be, in days, for the nightly list and for the protocol."""

    prescreen_days: int
    protocol_days: int


@dataclass(frozen=True, slots=True)
class ReferenceRange:
    """The narrowest range that laboratories may use for a concept; None for an end that nobody assumes."""

    unit: str
    low: Decimal | None
    high: Decimal | None

    def narrowed(self, other: "ReferenceRange") -> "ReferenceRange":
        """Return what lies in both ranges."""
        low = max((end for end in (self.low, other.low) if end is not None), default=None)
        high = min((end for end in (self.high, other.high) if end is not None), default=None)
        return ReferenceRange(self.unit, low, high)
