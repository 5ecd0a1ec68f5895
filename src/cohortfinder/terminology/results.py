"""The tables by which SQL reads a result (coded values, words, interpretations, assumed ranges) or a study: checks."""

from collections.abc import Mapping

from cohortfinder.terminology.codes import code_damage
from cohortfinder.terminology.concepts import POLARITIES, ObservationConcept, ReferenceRange
from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.tables import Complaints, MappingFiles

_ANSWER_COLUMNS = ("concept", "system", "answer", "number", "source")
_DERIVED_COLUMNS = ("concept", "rank", "whole", "part", "addend", "source")
_REMARK_COLUMNS = ("concept", "source", "sought", "remark", "effect")
_STUDY_COLUMNS = ("element", "word", "kind", "source")
_RANGE_COLUMNS = ("concept", "sex", "unit", "uln_low", "uln_high", "lln_low", "lln_high", "source")


def check_result_tables(
    files: MappingFiles, concepts: Mapping[str, ObservationConcept], complaints: Complaints
) -> dict[str, ReferenceRange]:
    """Note what is wrong in the tables that tell what a result or a study is, and return the assumed ranges."""
    _check_ordinals(files, complaints)
    _check_answers(files, concepts, complaints)
    _check_interpretations(files, complaints)
    _check_derived(files, concepts, complaints)
    _check_remarks(files, concepts, complaints)
    _check_study_kinds(files, complaints)
    for row in files.read("sex_codes.csv", ("system", "code", "sex", "source"), ("system", "code"), complaints):
        complaints.require(row, "sex", ("female", "male"))
    return _read_ranges(files, concepts, complaints)


def _check_ordinals(files: MappingFiles, complaints: Complaints) -> None:
    columns = ("system", "code", "polarity", "label", "source")
    for row in files.read("ordinal_codes.csv", columns, ("system", "code"), complaints):
        complaints.require(row, "polarity", POLARITIES)
        if damage := code_damage(row["system"], row["code"]):
            complaints.add(row, f"code {row['code']!r} {damage}")
    for row in files.read("ordinal_words.csv", ("word", "polarity", "lang"), ("word",), complaints):
        complaints.require(row, "polarity", POLARITIES)
        if row["word"] != row["word"].strip().lower():
            complaints.add(row, f"word {row['word']!r} must be lower case and without blanks around it")


def _check_answers(files: MappingFiles, concepts: Mapping[str, ObservationConcept], complaints: Complaints) -> None:
    for row in files.read("numeric_answers.csv", _ANSWER_COLUMNS, _ANSWER_COLUMNS[:3], complaints):
        complaints.whole(row, "number")
        if row["concept"] not in concepts:
            complaints.add(row, f"unknown concept {row['concept']!r}")
        if row["system"] == "text" and row["answer"] != row["answer"].strip().lower():
            complaints.add(row, f"word {row['answer']!r} must be lower case and without blanks around it")
        if row["system"] != "text" and (damage := code_damage(row["system"], row["answer"])):
            complaints.add(row, f"code {row['answer']!r} {damage}")


def _check_interpretations(files: MappingFiles, complaints: Complaints) -> None:
    for row in files.read("interpretations.csv", ("code", "polarity", "position"), ("code",), complaints):
        complaints.require(row, "polarity", POLARITIES | {""})
        complaints.require(row, "position", ("", "above", "below", "within", "abnormal"))


def _check_derived(files: MappingFiles, concepts: Mapping[str, ObservationConcept], complaints: Complaints) -> None:
    """A derived number has the unit of its parts, or of the whole of which they are percentages."""
    for row in files.read("derived.csv", _DERIVED_COLUMNS, ("concept", "rank"), complaints):
        names = [row[name] for name in ("concept", "whole", "part", "addend") if row[name]]
        if unknown := [name for name in names if name not in concepts]:
            complaints.add(row, f"unknown concept {unknown[0]!r}")
            continue
        complaints.whole(row, "rank")
        unit = concepts[row["concept"]].unit
        parts = {concepts[row[name]].unit for name in ("part", "addend") if row[name]}
        if parts != {"%" if row["whole"] else unit} or (row["whole"] and concepts[row["whole"]].unit != unit):
            complaints.add(row, "the parts must be in the unit of the concept, or in % of a whole in that unit")


def _check_remarks(files: MappingFiles, concepts: Mapping[str, ObservationConcept], complaints: Complaints) -> None:
    for row in files.read("remarks.csv", _REMARK_COLUMNS, _REMARK_COLUMNS[:3], complaints):
        complaints.require(row, "source", ("code", "method", "text"))
        complaints.require(row, "effect", ("flag", "statement", "ignored", "none"))
        if row["concept"] not in concepts:
            complaints.add(row, f"unknown concept {row['concept']!r}")
        if row["source"] != "code" and row["sought"] != row["sought"].strip().lower():
            complaints.add(row, f"phrase {row['sought']!r} must be lower case and without blanks around it")


def _check_study_kinds(files: MappingFiles, complaints: Complaints) -> None:
    for row in files.read("study_kinds.csv", _STUDY_COLUMNS, _STUDY_COLUMNS[:2], complaints):
        complaints.require(row, "element", ("category", "phase", "purpose"))
        complaints.require(row, "kind", ("interventional", "observational"))
        if row["word"] != row["word"].strip().lower():
            complaints.add(row, f"word {row['word']!r} must be lower case and without blanks around it")


def _read_ranges(
    files: MappingFiles, concepts: Mapping[str, ObservationConcept], complaints: Complaints
) -> dict[str, ReferenceRange]:
    """Read the assumed ranges; of those that differ by sex the narrower is kept, which is inside both."""
    found: dict[str, ReferenceRange] = {}
    for row in files.read("reference_ranges.csv", _RANGE_COLUMNS, ("concept", "sex"), complaints):
        complaints.require(row, "sex", ("male", "female", "*"))
        if row["concept"] not in concepts:
            complaints.add(row, f"unknown concept {row['concept']!r}")
        elif row["unit"] != (unit := concepts[row["concept"]].unit):
            complaints.add(row, f"{row['concept']} is compared in {unit}; convert the limits into it")
        _refuse_half(row, complaints)
        before = found.get(row["concept"])
        own = ReferenceRange(row["unit"], complaints.decimal(row, "lln_high"), complaints.decimal(row, "uln_low"))
        found[row["concept"]] = own if before is None else before.narrowed(own)
    return found


def _refuse_half(row: Row, complaints: Complaints) -> None:
    for limit in ("uln", "lln"):
        low, high = complaints.decimal(row, f"{limit}_low"), complaints.decimal(row, f"{limit}_high")
        if (low is None) != (high is None) or (low is not None and high is not None and low > high):
            complaints.add(row, f"{limit}_low and {limit}_high must stand together, the low one first")
