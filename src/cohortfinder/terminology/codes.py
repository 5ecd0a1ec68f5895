"""Is a code what it claims to be, or did a spreadsheet or a typing error damage it?"""

import re

SNOMED = "http://snomed.info/sct"
_SCIENTIFIC = re.compile(r"\d\.\d+[eE]\+?\d+|\d[eE]\+\d+")
_SNOMED_ID = re.compile(r"[1-9]\d{5,17}")

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
    if system == SNOMED and not _SNOMED_ID.fullmatch(code):
        return "is no SNOMED CT identifier"
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
