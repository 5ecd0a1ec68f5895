"""ConceptMaps and CSV files of a site: which code a local one stands for, and how much it may then prove."""

import pytest

from cohortfinder.site import SiteFile
from unit.terminology.site_files import ICD10, LOINC, RXNORM, SNOMED, clinical, load, problems, site, write

WARD = "urn:hospital:ward"
HEAD = "source_system,source_code,target_system,target_code,equivalence\n"


def mapped(folder, *rows):
    """A site with a CSV of local codes."""
    return site(
        local_codes=(SiteFile(write(folder / "local.csv", HEAD + "".join(f"{row}\n" for row in rows)), "site.toml:4"),)
    )


def concept_map(*targets, source=WARD, target=ICD10, **group):
    """A ConceptMap of one code, W1, with these targets."""
    elements = [{"code": "W1", "target": list(targets)}]
    groups = [{"source": source, "target": target, "element": elements, **group}]
    return {"resourceType": "ConceptMap", "status": "active", "group": groups}


def with_map(folder, content):
    """A site with a ConceptMap."""
    return site(local_codes=(SiteFile(write(folder / "map.json", content), "site.toml:4"),))


def own(terminology, concept, code="W1"):
    """Return match and strength of the local code in a concept."""
    return {(match, strength) for given, match, strength in clinical(terminology, concept) if given == code}


@pytest.mark.parametrize(
    ("equivalence", "expected"),
    [
        ("equal", {("exact", "definite")}),
        ("equivalent", {("exact", "definite")}),
        ("wider", {("exact", "possible")}),
        ("subsumes", {("exact", "possible")}),
        ("narrower", {("exact", "possible")}),
        ("specializes", {("exact", "possible")}),
        ("inexact", {("exact", "possible")}),
        ("relatedto", {("exact", "possible")}),
        ("unmatched", set()),
        ("disjoint", set()),
    ],
)
def test_only_an_equal_code_proves(tmp_path, equivalence, expected):
    """What is wider, narrower or near leaves it open; what has no match is none."""
    read = load(with_map(tmp_path, concept_map({"code": "M32.1", "equivalence": equivalence})))
    assert own(read, "dx_sle") == expected


def test_the_most_specific_row_of_the_target_counts(tmp_path):
    """M32.0 is carved out of M32, and so is what stands for it."""
    given = mapped(
        tmp_path, f"{WARD},W1,{ICD10},m32 .1,equal", f"{WARD},W2,{ICD10},M32.0,equal", f"{WARD},W3,{ICD10},M32.0,wider"
    )
    read = load(given)
    assert own(read, "dx_sle") == {("exact", "definite")}
    assert own(read, "dx_sle", "W2") == {("exact", "-")}
    assert own(read, "dx_sle", "W3") == set()


def test_a_code_that_stands_for_two_that_disagree_is_open(tmp_path):
    """One of the two would be kept out."""
    read = load(
        with_map(
            tmp_path, concept_map({"code": "M32.1", "equivalence": "equal"}, {"code": "M32.0", "equivalence": "equal"})
        )
    )
    assert own(read, "dx_sle") == {("exact", "possible")}


def test_the_codes_of_icd_10_hold_for_the_german_edition(tmp_path):
    """As they do when such a code is sent."""
    read = load(mapped(tmp_path, f"{WARD},W1,http://fhir.de/CodeSystem/bfarm/icd-10-gm,M32.1,equal"))
    assert own(read, "dx_sle") == {("exact", "definite")}


def test_what_a_site_wrote_for_a_code_goes_before_its_translation(tmp_path):
    """The row names the concept itself."""
    head = "concept,system,code,match,include,strength,label,note,source\n"
    folder = write(
        tmp_path / "mappings/concepts/clinical_codes.csv", f"{head}dx_sle,{WARD},W1,exact,yes,possible,,,site\n"
    ).parents[1]
    known = "name,uri,alias\nward,urn:hospital:ward,urn:hospital:ward\n"
    write(folder / "code_systems.csv", known)
    given = site(
        mappings=SiteFile(folder, "site.toml:1"),
        local_codes=mapped(tmp_path, f"{WARD},W1,{ICD10},M32.1,equal").local_codes,
    )
    assert own(load(given), "dx_sle") == {("exact", "possible")}


def test_a_laboratory_code_decides_only_where_it_is_equal(tmp_path):
    """A wider one is known, and never a result of the concept."""
    read = load(mapped(tmp_path, f"{WARD},INR,{LOINC},6301-6,equivalent", f"{WARD},INR2,{LOINC},6301-6,wider"))
    roles = {one.code: one.role for one in read.observation_concepts["inr"].codes if one.system == WARD}
    assert roles == {"INR": "primary", "INR2": "weak"}


def test_a_local_drug_has_the_dose_of_its_ingredient(tmp_path):
    """It is counted in mg of prednisone as that is."""
    read = load(mapped(tmp_path, f"{WARD},MP,{RXNORM},6902,equal"))
    columns = read.changes["doses.csv"].columns
    (row,) = [dict(zip(columns, row, strict=True)) for row in read.changes["doses.csv"].added]
    assert (row["system"], row["code"], row["ingredient"]) == (WARD, "MP", "methylprednisolone")


def test_the_addresses_of_both_sides_may_be_any_that_is_known(tmp_path):
    """An OID is normalised, a system of the site's own stays as it is."""
    read = load(mapped(tmp_path, f"{WARD}/,W1,urn:oid:2.16.840.1.113883.6.96,55464009,equal"))
    assert own(read, "dx_sle") == {("exact", "definite")}
    assert read.code_systems["urn:hospital:ward"] == f"{WARD}/"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"resourceType": "ConceptMap"}, "map.json: the ConceptMap has no group; nothing is translated by it"),
        ({"resourceType": "ValueSet"}, "map.json: this is ValueSet, a ConceptMap belongs here"),
        (concept_map({"code": "M32.1", "equivalence": "same"}), "map.json:group[0].element[0].target[0]: unknown equivalence 'same'; write one of: disjoint, equal, equivalent, inexact, narrower, relatedto, specializes, subsumes, unmatched, wider"),
        (concept_map({"code": "M32.1", "relationship": "equivalent"}), "map.json:group[0].element[0].target[0]: this is a ConceptMap of FHIR R5; write equivalence as in R4"),
        (concept_map({"code": "M32.1", "equivalence": "equal"}, target="urn:x"), "map.json:group[0].element[0].target[0]: unknown code system 'urn:x'; add it to code_systems.csv of your mappings"),
        (concept_map({"code": "M32.1", "equivalence": "equal"}, unmapped={"mode": "fixed", "code": "M32"}), "map.json:group[0].unmapped: codes that are not listed cannot be translated; take `unmapped` out and list them"),
    ],
)  # fmt: skip
def test_a_map_that_cannot_be_read_is_told_with_its_place(tmp_path, content, expected):
    """The file, the path inside it, and what to do."""
    assert problems(with_map(tmp_path, content), tmp_path) == [expected]


def test_a_group_without_its_source_is_told_once_for_the_group_and_for_each_code(tmp_path):
    """Whose codes they are nobody knows."""
    said = problems(with_map(tmp_path, concept_map({"code": "M32.1", "equivalence": "equal"}, source="")), tmp_path)
    assert said[0] == "map.json:group[0].source: the group does not say whose codes these are; add it"


def test_a_target_that_depends_on_something_else_is_only_possible(tmp_path):
    """What it depends on is not looked at."""
    target = {"code": "M32.1", "equivalence": "equal", "dependsOn": [{"property": "x", "value": "y"}]}
    assert own(load(with_map(tmp_path, concept_map(target))), "dx_sle") == {("exact", "possible")}


def test_rows_that_contradict_each_other_are_refused(tmp_path):
    """The same pair with two equivalences, also in two files; the same row twice says nothing new."""
    row = f"{WARD},W1,{ICD10},M32.1"
    assert own(load(mapped(tmp_path, f"{row},equal", f"{row},equal")), "dx_sle") == {("exact", "definite")}
    (said,) = problems(mapped(tmp_path, f"{row},equal", f"{row},wider"), tmp_path)
    assert said == "local.csv:3: 'W1' to 'M32.1' is 'equal' in local.csv:2 and 'wider' here; keep one"


def test_a_local_code_of_two_laboratory_concepts_is_refused(tmp_path):
    """A result that meant two quantities could not be compared."""
    (said,) = problems(mapped(tmp_path, f"{WARD},X,{LOINC},6301-6,equal", f"{WARD},X,{LOINC},2160-0,equal"), tmp_path)
    assert said.startswith(("local.csv:3: code 'X' belongs to inr already", "local.csv:2: code 'X' belongs to"))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (f",W1,{ICD10},M32.1,equal", "local.csv:2: a local code needs its source_system and source_code; fill them in"),
        (f"{WARD},1.2E+05,{ICD10},M32.1,equal", "local.csv:2: code '1.2E+05' was turned into a number by a spreadsheet; copy it again as text"),
        (f"{WARD},W1,{SNOMED},7.3211E+07,equal", "local.csv:2: code '7.3211E+07' was turned into a number by a spreadsheet; copy it again as text"),
        (f"{WARD},W1,{SNOMED},55464008,equal", "local.csv:2: code '55464008' has a wrong check digit; compare it with its source"),
    ],
)  # fmt: skip
def test_a_damaged_row_is_told_with_its_line(tmp_path, row, expected):
    """Also where no concept has the code that it should be."""
    assert problems(mapped(tmp_path, row), tmp_path) == [expected]
