"""Is a code what it claims to be, or did a spreadsheet or a typing error damage it?"""

import re

SNOMED = "http://snomed.info/sct"
_SCIENTIFIC = re.compile(r"\d[.,]\d+[eE]\+?\d+|\d[eE]\+\d+")
_SNOMED_ID = re.compile(r"[1-9]\d{5,17}")
# a spreadsheet keeps fifteen digits of a number and makes the others zero
_EXACT_DIGITS = 15
_LEADING_ZERO = {
    "http://hl7.org/fhir/sid/cvx": re.compile(r"\d"),
    "http://hl7.org/fhir/sid/icd-9-cm": re.compile(r"\d(\.\d*)?"),
    "http://www.cms.gov/Medicare/Coding/ICD10": re.compile(r"[1-9]\d{5}"),
    "http://hl7.org/fhir/sid/ndc": re.compile(r"\d{1,9}"),
}
_ICD_10 = re.compile(r"(?i)[A-Z](\d.*)?")
_SHAPES = {
    "http://loinc.org": re.compile(r"(L[A-Z]{1,2})?\d+-\d|MTHU\d+"),
    "http://www.nlm.nih.gov/research/umls/rxnorm": re.compile(r"\d{1,8}"),
    "http://www.whocc.no/atc": re.compile(r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?"),
    "http://hl7.org/fhir/sid/icd-10": _ICD_10,
    "http://hl7.org/fhir/sid/icd-10-cm": _ICD_10,
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": _ICD_10,
}

# Verhoeff's dihedral group of order ten: the digit that follows `row` when `column` is applied.
_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTATION = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def code_damage(system: str, code: str) -> str | None:
    """Return what is wrong with a code in one clause, None when nothing is."""
    if code != code.strip() or not code:
        return "is empty or has blanks around it"
    if _SCIENTIFIC.fullmatch(code):
        return "was turned into a number by a spreadsheet; copy it again as text"
    if (lost := _LEADING_ZERO.get(system)) and lost.fullmatch(code):
        return "has lost its leading zero in a spreadsheet; copy it again as text"
    if (shape := _SHAPES.get(system)) and not shape.fullmatch(code):
        return f"is no code of {system}; compare it with its source"
    if system == SNOMED and not _SNOMED_ID.fullmatch(code):
        return "is no SNOMED CT identifier"
    if system == SNOMED and len(code) > _EXACT_DIGITS and not code[_EXACT_DIGITS:].strip("0"):
        return "was cut to 15 digits by a spreadsheet; copy it again as text"
    if system == SNOMED and not has_snomed_check_digit(code):
        return "has a wrong check digit; compare it with its source"
    return None


def has_snomed_check_digit(code: str) -> bool:
    """Tell whether the last digit is the right one.

    Source: https://confluence.ihtsdotools.org/display/DOCRELFMT/6.6+Check-digit (Verhoeff 1969).
    """
    check = 0
    for position, digit in enumerate(reversed(code)):
        check = int(_PRODUCT[check][int(_PERMUTATION[position % 8][int(digit)])])
    return check == 0
