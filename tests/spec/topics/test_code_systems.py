"""# Code systems

Hospitals write the address of a code system in many ways, and ICD codes with and without punctuation. What is meant counts."""

import pytest

SNOMED, ICD10, ICD10GM = (
    "http://snomed.info/sct",
    "http://hl7.org/fhir/sid/icd-10",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
)
SLE = {"condition": "dx_sle", "ever": "yes"}


@pytest.mark.parametrize(
    "address",
    [
        SNOMED, f"{SNOMED}/", "https://snomed.info/sct", "HTTP://SNOMED.INFO/SCT", "urn:oid:2.16.840.1.113883.6.96", "2.16.840.1.113883.6.96",
    ],
)  # fmt: skip
def test_an_address_counts_in_every_spelling(spec, address):
    """A slash at the end, https, capitals, an OID with or without its prefix."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code_system | code
            sent       | {address}   | 55464009
        """,
        rule=SLE,
        expected="""
            patient_id | truth
            sent       | true
        """,
    )


def test_a_retired_address_counts(spec):
    """The German editions moved from DIMDI to BfArM; each year has an OID of its own."""
    spec(
        as_of="2026-11-20",
        condition="""
            patient_id | code_system                                | code
            retired    | http://fhir.de/CodeSystem/dimdi/icd-10-gm  | M32.1
            today      | http://fhir.de/CodeSystem/bfarm/icd-10-gm  | M32.1
            elsewhere  | http://site.example/icd-10-gm              | M32.1
        """,
        rule=SLE,
        expected="""
            patient_id | truth   | reason
            retired    | true    | met
            today      | true    | met
            elsewhere  | unknown | no_data
        """,
    )


@pytest.mark.parametrize(
    "code",
    ["M32.1", "M321", "m32.1", " M32.1 ", "M32.1†", "M32.1*", "M32.1!", "M32.1+", "M32.1G", "M32.1x001", "M32. 1"],
)
def test_the_punctuation_of_icd_does_not_matter(spec, code):
    """Dots, blanks, dagger and asterisk, the German letters for certainty and side, the Chinese extension."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code_system | code
            sent       | {ICD10}     | {code}
        """,
        rule=SLE,
        expected="""
            patient_id | truth
            sent       | true
        """,
    )


def test_a_code_of_snomed_ct_has_no_beginning(spec):
    """Its digits say nothing of what it is: only the whole code counts."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code_system | code
            whole      | {SNOMED}    | 55464009
            longer     | {SNOMED}    | 554640091
        """,
        rule=SLE,
        expected="""
            patient_id | truth   | reason
            whole      | true    | met
            longer     | unknown | no_data
        """,
    )


def test_the_longest_beginning_counts_and_a_whole_code_before_it(spec):
    """I25 is nothing here, I25.2 an old infarction without a date of its own: possible; I21 is one."""
    spec(
        as_of="2026-11-20",
        condition=f"""
            patient_id | code_system | code    | onset_datetime
            infarction | {ICD10}     | I21.0   | 2026-10-01
            german     | {ICD10GM}   | I21.0   | 2026-10-01
            old        | {ICD10}     | I25.2   | 2026-10-01
            coronary   | {ICD10}     | I25.1   | 2026-10-01
        """,
        rule={"condition": "dx_myocardial_infarction", "within": "6 months"},
        expected="""
            patient_id | truth   | reason
            infarction | true    | met
            german     | true    | met
            old        | unknown | unspecific_code
            coronary   | false   | absent
        """,
    )
