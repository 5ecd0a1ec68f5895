"""# A site's own codes

A site adds codes to a concept, puts its own in their place, or says what its local codes stand for. They match like those that ship, and evidence shows what was sent."""

import json

import pytest

from cohortfinder.site import ConceptFile, Site, SiteFile

ICD10 = "http://hl7.org/fhir/sid/icd-10"
WARD = "urn:hospital:ward"
HEAD = "source_system,source_code,target_system,target_code,equivalence\n"


@pytest.fixture
def local_codes(tmp_path):
    """A site that says what its local codes stand for."""

    def make(*rows: str) -> Site:
        file = tmp_path / "local.csv"
        file.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
        return Site(local_codes=(SiteFile(file, "site.toml:1"),))

    return make


@pytest.fixture
def value_set(tmp_path):
    """A site with a ValueSet for a concept."""

    def make(way: str, concept: str, *include: dict) -> Site:
        file = tmp_path / "set.json"
        file.write_text(json.dumps({"resourceType": "ValueSet", "compose": {"include": include}}), encoding="utf-8")
        return Site(concepts=(ConceptFile(concept, way, SiteFile(file, "site.toml:1")),))

    return make


def test_a_local_diagnosis_is_the_one_that_it_stands_for(spec, local_codes):
    """An equal code proves it, a wider one leaves it open; the evidence is the code of the hospital."""
    spec(
        as_of="2026-11-20",
        site=local_codes(f"{WARD},SLE,{ICD10},M32.1,equivalent", f"{WARD},CTD,{ICD10},M32.1,wider"),
        condition=f"""
            patient_id | code_system | code
            equal      | {WARD}      | SLE
            wider      | {WARD}/     | CTD
            standard   | {ICD10}     | M32.1
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id | truth   | reason
            equal      | true    | met
            wider      | unknown | unspecific_code
            standard   | true    | met
        """,
        evidence="""
            patient_id | value
            equal      | SLE
            wider      | CTD
            standard   | M32.1
        """,
    )


def test_a_local_laboratory_code_is_read_like_the_standard_one(spec, local_codes):
    """A code that is only near never decides."""
    spec(
        as_of="2026-11-20",
        site=local_codes(
            f"{WARD},INR,http://loinc.org,6301-6,equal", f"{WARD},QUICK,http://loinc.org,6301-6,relatedto"
        ),
        observation=f"""
            patient_id | code_system | code  | value | value_unit_code | effective_datetime
            equal      | {WARD}      | INR   | 1.2   | 1               | 2026-11-10
            near       | {WARD}      | QUICK | 1.2   | 1               | 2026-11-10
        """,
        rule={"observation": "inr", "below": 1.5},
        expected="""
            patient_id | truth   | reason
            equal      | true    | met
            near       | unknown | no_data
        """,
    )


def test_a_local_answer_is_read_like_the_coded_one(spec, local_codes):
    """What is positive in SNOMED CT is positive in the hospital's own code for it."""
    spec(
        as_of="2026-11-20",
        site=local_codes(f"{WARD},POS,http://snomed.info/sct,10828004,equal"),
        observation=f"""
            patient_id | code   | value_code_system | value_code | effective_datetime
            positive   | 5195-3 | {WARD}            | POS        | 2026-11-10
        """,
        rule={"observation": "hbsag", "is": "positive"},
        expected="""
            patient_id | truth
            positive   | true
        """,
    )


def test_a_local_drug_counts_with_its_dose(spec, local_codes):
    """Methylprednisolone under a code of the pharmacy is counted as prednisone."""
    spec(
        as_of="2026-11-20",
        site=local_codes(f"{WARD},MP,http://www.nlm.nih.gov/research/umls/rxnorm,6902,equal"),
        medication_statement=f"""
            id | patient_id | code_system | code | effective_start | date_asserted
            s1 | treated    | {WARD}      | MP   | 2026-10-01      | 2026-11-01
        """,
        medication_statement_dosage="""
            id | dose_value | dose_unit | frequency | period | period_unit | route_code
            s1 | 8          | mg        | 1         | 1      | d           | 26643006
        """,
        rule={"dose": "rx_glucocorticoid_systemic", "as": "prednisone", "at_least": "10 mg/d"},
        expected="""
            patient_id | truth
            treated    | true
        """,
    )


def test_a_code_that_a_site_adds_proves(spec, value_set):
    """Beside those that ship."""
    spec(
        as_of="2026-11-20",
        site=value_set("add", "dx_sle", {"system": ICD10, "concept": [{"code": "M35.8"}]}),
        condition=f"""
            patient_id | code_system | code
            added      | {ICD10}     | M35.8
            shipped    | {ICD10}     | M32.1
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id | truth
            added      | true
            shipped    | true
        """,
    )


def test_a_concept_that_a_site_replaces_has_nothing_else(spec, value_set):
    """What ships no longer counts."""
    spec(
        as_of="2026-11-20",
        site=value_set("replace", "dx_sle", {"system": ICD10, "concept": [{"code": "M35.8"}]}),
        condition=f"""
            patient_id | code_system | code
            own        | {ICD10}     | M35.8
            shipped    | {ICD10}     | M32.1
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id | truth   | reason
            own        | true    | met
            shipped    | unknown | no_data
        """,
    )


def test_everything_below_a_code_without_the_code_itself(spec, value_set):
    """As `descendent-of` says: in ICD by the digits."""
    below = {"system": ICD10, "filter": [{"property": "concept", "op": "descendent-of", "value": "M32"}]}
    spec(
        as_of="2026-11-20",
        site=value_set("replace", "dx_sle", below),
        condition=f"""
            patient_id | code_system | code
            below      | {ICD10}     | M32.1
            itself     | {ICD10}     | M32
        """,
        rule={"condition": "dx_sle", "ever": "yes"},
        expected="""
            patient_id | truth   | reason
            below      | true    | met
            itself     | unknown | no_data
        """,
    )


def test_a_concept_of_the_site_may_have_any_name(spec, tmp_path):
    """Such as the laboratory's own, with capitals, blanks or a hyphen; others are asked beside it."""
    folder = tmp_path / "concepts"
    folder.mkdir()
    (folder / "observation_concepts.csv").write_text(
        "concept,label,value_kind,unit,plausible_min,plausible_max,group,detection,negative_below,positive_above,source\n"
        "hs-CRP (own's),High-sensitivity CRP,quantity,mg/L,0,500,laboratory,,,,our laboratory\n",
        encoding="utf-8",
    )
    (folder / "observation_codes.csv").write_text(
        "concept,system,code,role,label,note,source\nhs-CRP (own's),http://loinc.org,71426-1,primary,hs-CRP,,our laboratory\n",
        encoding="utf-8",
    )
    spec(
        as_of="2026-11-20",
        site=Site(mappings=SiteFile(tmp_path, "site.toml:1")),
        observation="""
            patient_id | code    | value | value_unit_code | value_unit_system         | effective_datetime
            high       | 71426-1 | 12    | mg/L            | http://unitsofmeasure.org | 2026-11-01
            low        | 71426-1 | 2     | mg/L            | http://unitsofmeasure.org | 2026-11-01
            other      | 71426-9 | 12    | mg/L            | http://unitsofmeasure.org | 2026-11-01
        """,
        rule={"observation": "hs-CRP (own's)", "at_least": "10 mg/L", "within": "90 days"},
        expected="""
            patient_id | truth   | reason
            high       | true    | met
            low        | false   | not_met
            other      | unknown | no_data
        """,
    )
