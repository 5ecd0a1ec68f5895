"""efforts.csv and concept_tests.csv: which test brings the data on a concept, and how much work it is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from cohortfinder.terminology.concepts import DOMAINS, ClinicalConcept, ObservationConcept
from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.tables import Complaints, MappingFiles

# what rules ask for and the mappings have no concept of: Patient.gender, taking part in a study, what a person decides
GENDER, STUDY, JUDGEMENT = "gender", "study", "judgement"
_WITHOUT_CONCEPT = (GENDER, STUDY, JUDGEMENT)
ANY_GROUP = "*"
_EFFORT_COLUMNS = ("test", "label", "work", "minutes", "source")
_TEST_COLUMNS = ("match", "name", "test")


@dataclass(frozen=True, slots=True)
class Effort:
    """A test that somebody orders or does, which brings the data on one or several concepts at once.

    `work` says what kind of work it is, `minutes` how long staff and patient are busy with it together.
    """

    test: str
    label: str
    work: str
    minutes: int


def read_efforts(
    files: MappingFiles, observations: Mapping[str, ObservationConcept], clinical: Mapping[str, ClinicalConcept],
    groups: Collection[str], complaints: Complaints,
) -> dict[str, Effort]:  # fmt: skip
    """Return the test of every concept: its own, else that of its domain or look-back group, or of any group."""
    rows = files.read("efforts.csv", _EFFORT_COLUMNS, ("test",), complaints)
    efforts = {row["test"]: _effort(row, complaints) for row in rows}
    kinds: dict[str, tuple[str, str]] = {
        **{name: ("concept", name) for name in _WITHOUT_CONCEPT},
        **{name: ("group", one.group) for name, one in observations.items()},
        **{name: ("domain", one.domain) for name, one in clinical.items()},
    }
    known = {"concept": kinds, "group": (*groups, ANY_GROUP), "domain": DOMAINS}
    tests = _tests(files, efforts, known, complaints)
    found = {
        name: next((tests[key] for key in (("concept", name), kind, ("group", ANY_GROUP)) if key in tests), "")
        for name, kind in kinds.items()
    }
    return {name: efforts[test] for name, test in found.items() if test}


def _effort(row: Row, complaints: Complaints) -> Effort:
    minutes = int(row["minutes"]) if row["minutes"].isascii() and row["minutes"].isdigit() else 0
    if not minutes:
        complaints.add(row, f"minutes {row['minutes']!r} is no whole number above 0")
    for column in ("label", "work"):
        if not row[column].strip():
            complaints.add(row, f"{column} must not be empty: people read it")
    return Effort(row["test"], row["label"], row["work"], minutes)


def _tests(
    files: MappingFiles, efforts: Collection[str], known: Mapping[str, Collection[str]], complaints: Complaints
) -> dict[tuple[str, ...], str]:
    """Return the test of each concept, group and domain that has a row; what has no default must have one."""
    rows = files.read("concept_tests.csv", _TEST_COLUMNS, _TEST_COLUMNS[:2], complaints)
    good = [row for row in rows if _is_known(row, efforts, known, complaints)]
    tests = {row.key(_TEST_COLUMNS[:2]): row["test"] for row in good}
    needed = [("group", ANY_GROUP), *(("domain", name) for name in sorted(DOMAINS))]
    needed += [("concept", name) for name in _WITHOUT_CONCEPT]
    for match, name in needed:
        if (match, name) not in tests:
            place = str(files.folders[-1] / "concept_tests.csv")
            complaints.note(place, f"no test for the {match} {name!r}; add a row")
    return tests


def _is_known(row: Row, efforts: Collection[str], known: Mapping[str, Collection[str]], complaints: Complaints) -> bool:
    """Say whether a row names a test and something to test; note it otherwise."""
    complaints.require(row, "match", known)
    problems = [
        (column, row[column], names)
        for column, names in (("name", known.get(row["match"], (row["name"],))), ("test", efforts))
        if row[column] not in names
    ]
    for column, word, names in problems:
        hint = get_close_matches(word, sorted(names), n=1)
        meant = f"; did you mean {hint[0]!r}?" if hint else ""
        complaints.add(row, f"unknown {row['match'] if column == 'name' else 'test'} {word!r}{meant}")
    return not problems
