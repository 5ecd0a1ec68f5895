"""The facts of mappings/ as frozen values: concepts, their codes, units and look-backs."""

from cohortfinder.terminology.concepts import (
    ClinicalCode,
    ClinicalConcept,
    Lookback,
    ObservationCode,
    ObservationConcept,
    ReferenceRange,
    TextTerm,
)
from cohortfinder.terminology.load import load_terminology
from cohortfinder.terminology.terminology import Terminology
from cohortfinder.terminology.units import Conversion, Units

__all__ = [
    "ClinicalCode",
    "ClinicalConcept",
    "Conversion",
    "Lookback",
    "ObservationCode",
    "ObservationConcept",
    "ReferenceRange",
    "Terminology",
    "TextTerm",
    "Units",
    "load_terminology",
]
