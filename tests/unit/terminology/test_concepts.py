"""The facts themselves: what a concept may mean, and what must never decide it."""

import csv
from pathlib import Path

import pytest

from cohortfinder.terminology import load_terminology
from cohortfinder.terminology.concepts import DECIDING_ROLES

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings"
TERMINOLOGY = load_terminology(MAPPINGS)
OBSERVATIONS = TERMINOLOGY.observation_concepts
CLINICAL = TERMINOLOGY.clinical_concepts


def roles(concept: str) -> dict[str, str]:
    """Return the roles of a concept's codes by code."""
    return {code.code: code.role for code in OBSERVATIONS[concept].codes}


def table(name: str) -> list[dict[str, str]]:
    """Return the rows of a mapping file."""
    with (MAPPINGS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_concept_has_a_code_that_decides():
    """A concept that nothing can decide would be unknown for ever."""
    assert [name for name, concept in OBSERVATIONS.items() if not any(code.decides for code in concept.codes)] == []


def test_every_clinical_concept_includes_something():
    """A set that holds only exclusions matches nothing."""
    assert [name for name, concept in CLINICAL.items() if not any(code.include for code in concept.codes)] == []


@pytest.mark.parametrize(
    ("concept", "code"),
    [
        ("aptt", "13488-2"),
        ("aptt", "63561-5"),
        ("anti_sm", "31628-1"),
        ("creatinine_serum", "40248-7"),
        ("hcg_quantitative", "55869-2"),
        ("tb_igra", "71774-4"),
        ("mmt8", "mmt8-total-80"),
        ("lvef", "8811-2"),
        ("treponemal_antibody", "47237-3"),
        ("systolic_bp", "85354-9"),
        ("creatinine_clearance_cockcroft_gault", "35592-5"),
        ("fvc_volume", "69982-7"),
        ("hbv_dna", "5009-6"),
        ("creatine_kinase", "50756-6"),
    ],
)
def test_a_code_that_means_something_else_never_decides(concept, code):
    """Controls, panels, ratios, other specimens and other scales are shown at most."""
    assert roles(concept)[code] not in DECIDING_ROLES


@pytest.mark.parametrize(
    ("concept", "part"),
    [
        ("absolute_neutrophil_count", "26507-4"),
        ("absolute_neutrophil_count", "30451-9"),
        ("anti_ro_ssa", "53016-2"),
        ("hiv_antibody", "7917-8"),
        ("hiv_antibody", "7919-4"),
        ("creatinine_serum", "35591-7"),
        ("urine_protein_24h", "2888-6"),
        ("treponemal_antibody", "20507-0"),
        ("fvc_volume", "19869-7"),
        ("sledai_2k_total", "sledai-2k-clinical"),
        ("pregnancy_test_serum", "2106-3"),
        ("bvas_v3_total", "bvas-v3-major-item-count"),
    ],
)
def test_another_quantity_is_another_concept(concept, part):
    """One name, one quantity: bands are no neutrophil count, Ro52 is no SS-A, HIV-1 is not all HIV."""
    assert part not in roles(concept)


def test_titres_of_single_patterns_decide():
    """The titre of ANA is the highest of its patterns."""
    assert roles("ana_titer")["20398-4"] == "component"


def test_confirming_tests_are_kept_apart():
    """A screen is overridden by these and by nothing else."""
    assert {code for code, role in roles("hbsag").items() if role == "confirm"} == {"7905-3", "65633-0"}
    assert roles("hiv_antibody")["5221-7"] == "confirm"


def test_most_specific_rows_tell_lupus_from_its_look_alikes():
    """M32 is lupus, M32.0 is drug-induced and is not."""
    codes = {(code.system[-6:], code.code): code.include for code in CLINICAL["dx_sle"].codes}
    assert codes["icd-10", "M32"]
    assert not codes["icd-10", "M32.0"]


def test_a_status_code_without_a_date_is_only_possible():
    """An old infarction or a stent says nothing about the last six months."""
    found = {
        code.code: code.strength
        for name in ("dx_myocardial_infarction", "dx_coronary_revascularisation_status")
        for code in CLINICAL[name].codes
        if code.code in ("I25.2", "Z95.1", "Z95.5")
    }
    assert found == {"I25.2": "possible", "Z95.1": "possible", "Z95.5": "possible"}


@pytest.mark.parametrize(
    ("union", "members"),
    [
        ("rx_bcell_depleting_any", ("rx_bcell_anti_cd20", "rx_bcell_anti_cd38", "rx_bispecific_bcell")),
        ("dx_cns_any", ("dx_cns_epilepsy", "dx_cns_dementia", "dx_cns_npsle")),
        ("dx_lupus_crisis_any", ("dx_crisis_vasculitis", "dx_crisis_hepatitis")),
        ("dx_malignancy_exceptions", ("dx_malignancy_exc_dcis", "dx_malignancy_exc_nmsc")),
    ],
)
def test_a_union_holds_all_that_its_members_include(union, members):
    """The unions are written out, so that SQL has no second way to resolve a concept."""
    included = {(code.system, code.code) for code in CLINICAL[union].codes if code.include}
    for member in members:
        assert {(code.system, code.code) for code in CLINICAL[member].codes if code.include} <= included


def test_a_code_of_icd_10_cm_alone_is_only_possible_under_the_address_of_icd_10():
    """National extensions use the same digits for other things, so it suggests and proves nothing."""
    borrowed = [
        row
        for row in table("concepts/clinical_codes.csv")
        if row["source"] == "ICD-10-CM" and row["system"].endswith("/icd-10")
    ]
    assert borrowed
    assert {row["strength"] for row in borrowed} <= {"possible", "supporting"}


def test_telitacicept_is_found_by_text():
    """It has no code in any system."""
    assert {(c.match, c.strength) for c in CLINICAL["rx_telitacicept"].codes} == {("text", "definite")}


def test_every_address_of_a_concept_file_is_a_known_system():
    """A code under an address that no alias leads to could never match."""
    known = set(TERMINOLOGY.code_systems.values()) | {"text"}
    used = {row["system"] for name in ("observation_codes", "clinical_codes") for row in table(f"concepts/{name}.csv")}
    used |= {row["system"] for name in ("ordinal_codes.csv", "numeric_answers.csv") for row in table(name)}
    assert used <= known


@pytest.mark.parametrize(
    ("alias", "address"),
    [
        ("urn:oid:2.16.840.1.113883.6.96", "http://snomed.info/sct"),
        ("HTTP://LOINC.ORG/", "http://loinc.org"),
        ("urn:oid:2.16.840.1.113883.6.1", "http://loinc.org"),
        ("https://snomed.info/sct", "http://snomed.info/sct"),
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "http://fhir.de/CodeSystem/bfarm/icd-10-gm"),
        ("http://fhir.de/CodeSystem/bfarm/atc", "http://www.whocc.no/atc"),
        ("loinc", "http://loinc.org"),
    ],
)
def test_a_system_is_known_by_its_other_names(alias, address):
    """Hospitals write OIDs, old addresses, https and slashes."""
    assert TERMINOLOGY.system_of(alias) == address


def test_words_of_one_language_do_not_contradict_another():
    """A word has one polarity; negations are words of their own and match as a whole."""
    words = {row["word"]: row["polarity"] for row in table("ordinal_words.csv")}
    assert words["not detected"] == "negative"
    assert words["detected"] == "positive"
    assert words["未检出"] == "negative"
    assert words["弱阳性"] == "equivocal"
    assert words["nicht nachweisbar"] == "negative"
    assert words["低于检测下限"] == "below_detection"


@pytest.mark.parametrize("name", ["ATC/WHOCC 2026", "ICD-10", "ICD-10-GM", "LOINC", "SNOMED CT GPS"])
def test_labels_of_licensed_systems_are_our_own(name):
    """Titles of WHO, BfArM, LOINC and SNOMED do not ship: the label is that of a concept here."""
    own = {concept.label for concept in (*OBSERVATIONS.values(), *CLINICAL.values())}
    rows = [*table("concepts/observation_codes.csv"), *table("concepts/clinical_codes.csv")]
    checked = [row for row in rows if row["source"] == name]
    assert checked
    assert [row for row in checked if row["label"] not in own] == []


def test_every_source_of_codes_has_its_notice():
    """Who owns the codes is said beside them."""
    notice = (MAPPINGS / "NOTICE.md").read_text(encoding="utf-8")
    files = ("concepts/observation_codes.csv", "concepts/clinical_codes.csv")
    sources = {row["source"].split("/")[0] for file in files for row in table(file)} - {"local", "text"}
    assert {source for source in sources if source.removesuffix(" GPS") not in notice} == set()


def test_files_are_sorted_and_plain():
    """A diff shows what changed, and nothing else: UTF-8, LF, sorted."""
    keys = {
        "concepts/observation_concepts.csv": ("concept",),
        "concepts/clinical_concepts.csv": ("concept",),
        "concepts/observation_codes.csv": ("concept", "system", "code"),
        "units.csv": ("concept", "to_unit", "from_unit"),
        "concepts/clinical_codes.csv": ("concept", "system", "code"),
        "code_systems.csv": ("name", "alias"),
        "concepts/drug_effects.csv": ("concept",),
        "concepts/text_terms.csv": ("concept", "lang", "term"),
        "concepts/text_cautions.csv": ("lang", "word"),
        "interpretations.csv": ("code",),
        "unit_aliases.csv": ("unit", "alias"),
        "ordinal_codes.csv": ("system", "code"),
        "numeric_answers.csv": ("concept", "system", "answer"),
        "system_words.csv": ("word",),
        "lookback.csv": ("group",),
        "ordinal_words.csv": ("lang", "polarity", "word"),
        "reference_ranges.csv": ("concept", "sex"),
        "study_kinds.csv": ("element", "word"),
    }
    for name, columns in keys.items():
        assert b"\r" not in (MAPPINGS / name).read_bytes()
        rows = [tuple(row[column] for column in columns) for row in table(name)]
        assert rows == sorted(rows), name


@pytest.mark.parametrize(
    ("concept", "code"),
    [
        ("dx_type2_diabetes", "44054006"),
        ("rx_metformin", "860975"),
        ("rx_insulin", "106892"),
        ("dx_end_stage_renal_disease", "46177005"),
        ("px_dialysis", "265764009"),
        ("st_pregnancy", "72892002"),
    ],
)
def test_an_ordinary_diabetes_trial_finds_its_codes(concept, code):
    """The codes that open synthetic patients carry, where no terminology server expands anything."""
    assert code in {row.code for row in CLINICAL[concept].codes if row.include}
