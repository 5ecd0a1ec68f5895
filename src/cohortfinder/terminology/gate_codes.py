"""The table of what a Consent or a Flag says of research and contact, checked."""

from cohortfinder.terminology.tables import Complaints, MappingFiles

_COLUMNS = ("element", "code", "meaning", "source")
_MEANINGS = {
    "scope": ("research", "privacy", "other"),
    "category": ("research", "privacy", "other"),
    "policy": ("deny", "permit"),
    "purpose": ("research", "other"),
    "provision": ("research", "contact", "other"),
    "flag": ("do_not_contact",),
    "flag_text": ("do_not_contact",),
}


def check_gate_codes(files: MappingFiles, complaints: Complaints) -> None:
    """Read gate_codes.csv; a code may end in `*`, which stands for all codes that begin so and have no row."""
    for row in files.read("gate_codes.csv", _COLUMNS, _COLUMNS[:2], complaints):
        complaints.require(row, "element", _MEANINGS)
        complaints.require(row, "meaning", _MEANINGS.get(row["element"], [row["meaning"]]))
        if not row["code"].strip("* "):
            complaints.add(row, "code must not be empty: it would stand for everything")
        if row["element"] == "flag_text" and row["code"] != row["code"].strip().lower():
            complaints.add(row, f"words {row['code']!r} must be lower case and without blanks around them")
