"""The tables by which SQL reads a result (coded values, words, interpretations, assumed ranges): checks."""

from collections.abc import Collection, Sequence
from pathlib import Path

from cohortfinder.terminology.codes import code_damage
from cohortfinder.terminology.concepts import POLARITIES
from cohortfinder.terminology.tables import Complaints, read_table

_RANGE_COLUMNS = ("concept", "sex", "unit", "uln_low", "uln_high", "lln_low", "lln_high", "source")


def check_result_tables(folders: Sequence[Path], concepts: Collection[str], complaints: Complaints) -> None:
    """Note what is wrong in the tables that turn a result as sent into a polarity or a limit."""
    _check_ordinals(folders, complaints)
    _check_interpretations(folders, complaints)
    _check_ranges(folders, concepts, complaints)


def _check_ordinals(folders: Sequence[Path], complaints: Complaints) -> None:
    columns = ("system", "code", "polarity", "label", "source")
    for row in read_table(folders, "ordinal_codes.csv", columns, ("system", "code"), complaints):
        complaints.require(row, "polarity", POLARITIES)
        if damage := code_damage(row["system"], row["code"]):
            complaints.add(row, f"code {row['code']!r} {damage}")
    for row in read_table(folders, "ordinal_words.csv", ("word", "polarity", "lang"), ("word",), complaints):
        complaints.require(row, "polarity", POLARITIES)
        if row["word"] != row["word"].strip().lower():
            complaints.add(row, f"word {row['word']!r} must be lower case and without blanks around it")


def _check_interpretations(folders: Sequence[Path], complaints: Complaints) -> None:
    for row in read_table(folders, "interpretations.csv", ("code", "polarity", "position"), ("code",), complaints):
        complaints.require(row, "polarity", POLARITIES | {""})
        complaints.require(row, "position", ("", "above", "below", "within", "abnormal"))


def _check_ranges(folders: Sequence[Path], concepts: Collection[str], complaints: Complaints) -> None:
    for row in read_table(folders, "reference_ranges.csv", _RANGE_COLUMNS, ("concept", "sex"), complaints):
        complaints.require(row, "sex", ("male", "female", "*"))
        if row["concept"] not in concepts:
            complaints.add(row, f"unknown concept {row['concept']!r}")
        for limit in ("uln", "lln"):
            low, high = complaints.decimal(row, f"{limit}_low"), complaints.decimal(row, f"{limit}_high")
            if (low is None) != (high is None) or (low is not None and high is not None and low > high):
                complaints.add(row, f"{limit}_low and {limit}_high must stand together, the low one first")
