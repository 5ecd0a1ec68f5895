"""# Texts

A record may name its disease or drug in words only. A text leaves the criterion open; a site may let it prove (`text_terms`), or pass it over."""

import pytest

from cohortfinder.site import Site, SiteFile

SLE = {"condition": "dx_sle", "ever": "yes"}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SEEN = """
    patient_id | start_at
    {0}        | 2026-11-19
"""


def test_a_text_without_a_code_leaves_a_diagnosis_open(spec):
    """A code of a system that we know goes before it, one of a hospital's own does not."""
    spec(
        as_of="2026-11-20",
        condition="""
            patient_id | code_system                    | code      | code_text
            text       |                                |           | Systemic lupus erythematosus, active
            chinese    |                                |           | 系统性红斑狼疮（活动期）
            own_code   | urn:hospital:ward              | L-1       | systemic lupus erythematosus
            other_code | http://hl7.org/fhir/sid/icd-10 | E11.9     | systemic lupus erythematosus
            another    |                                |           | Lupus vulgaris
        """,
        rule=SLE,
        expected="""
            patient_id | truth   | reason
            text       | unknown | unspecific_code
            chinese    | unknown | unspecific_code
            own_code   | unknown | unspecific_code
            other_code | unknown | no_data
            another    | unknown | no_data
        """,
    )


@pytest.mark.parametrize(("strength", "truth"), [("definite", "true"), ("possible", "unknown"), ("off", "unknown")])
def test_a_site_says_what_a_text_may_prove(spec, strength, truth):
    """By default it leaves open."""
    spec(
        as_of="2026-11-20",
        site=Site(text_terms=strength),
        condition="""
            patient_id | code_text
            text       | systemic lupus erythematosus
        """,
        rule=SLE,
        expected=f"""
            patient_id | truth   | suggested
            text       | {truth} | {"yes" if strength == "possible" else ""}
        """,
    )


def test_a_text_that_negates_or_speaks_of_the_family_names_nothing(spec):
    """One that suspects leaves open, also where a text may prove."""
    spec(
        as_of="2026-11-20",
        site=Site(text_terms="definite"),
        condition="""
            patient_id | code_text
            negated    | No systemic lupus erythematosus
            denied     | 否认系统性红斑狼疮
            family     | Family history: systemic lupus erythematosus
            suspected  | Rule out systemic lupus erythematosus
            notable    | Notable: systemic lupus erythematosus
        """,
        rule=SLE,
        expected="""
            patient_id | truth   | reason
            negated    | unknown | no_data
            denied     | unknown | no_data
            family     | unknown | no_data
            suspected  | unknown | unspecific_code
            notable    | true    | met
        """,
    )


def test_the_longest_word_counts(spec):
    """Hydroxychloroquine is no chloroquine, in any language; words of Latin script count as whole words."""
    spec(
        as_of="2026-11-20",
        medication_statement="""
            patient_id | code_system | code | code_text               | effective_start | effective_end
            hydroxy    |             |      | hydroxychloroquine      | 2026-11-01      | 2026-11-19
            chinese    |             |      | 羟氯喹片                | 2026-11-01      | 2026-11-19
            part       |             |      | dechloroquined          | 2026-11-01      | 2026-11-19
            plain      |             |      | Chloroquine (tablets)   | 2026-11-01      | 2026-11-19
            both       |             |      | 羟氯喹, later 氯喹      | 2026-11-01      | 2026-11-19
        """,
        rule={"medication": "rx_chloroquine", "within": "3 weeks", "absence": "unknown"},
        expected="""
            patient_id | truth   | reason
            hydroxy    | unknown | no_data
            chinese    | unknown | no_data
            part       | unknown | no_data
            plain      | unknown | unspecific_code
            both       | unknown | unspecific_code
        """,
    )


def test_the_name_of_a_product_in_rxnorm_tells_its_ingredients(spec):
    """Beside a code that no concept has: strength and form belong to such a name. A wash-out is then open and never passed."""
    spec(
        as_of="2026-11-20",
        medication_request=f"""
            patient_id | code_system | code    | code_text                                                 | authored_on
            product    | {RXNORM}    | 9999991 | methotrexate 2.5 MG Oral Tablet                           | 2026-11-05
            several    | {RXNORM}    | 9999992 | 24 HR aspirin 50 MG / methotrexate sodium 5 MG Oral Tablet | 2026-11-05
            injection  | {RXNORM}    | 9999993 | 10 ML Methotrexate 25 MG/ML Injection                     | 2026-11-05
            free_text  | {RXNORM}    | 9999994 | instead of methotrexate                                   | 2026-11-05
            other      | {RXNORM}    | 9999995 | folic acid 1 MG Oral Tablet                               | 2026-11-05
            coded      | {RXNORM}    | 6851    | methotrexate 2.5 MG Oral Tablet                           | 2026-11-05
        """,
        encounter="""
            patient_id | start_at
            product    | 2026-11-19
            several    | 2026-11-19
            injection  | 2026-11-19
            free_text  | 2026-11-19
            other      | 2026-11-19
            coded      | 2026-11-19
        """,
        rule={"medication": "rx_methotrexate", "within": "3 weeks", "absence": "false"},
        expected="""
            patient_id | truth   | reason
            product    | unknown | unspecific_code
            several    | unknown | unspecific_code
            injection  | unknown | unspecific_code
            free_text  | false   | absent
            other      | false   | absent
            coded      | unknown | order_unconfirmed
        """,
    )


def test_procedures_and_vaccines_may_be_named_in_words(spec):
    """A vaccine by its text leaves the wash-out open."""
    spec(
        as_of="2026-11-20",
        immunization="""
            patient_id | code_system | code | code_text                | occurrence_datetime
            live       |             |      | 接种麻腮风疫苗           | 2026-11-01
            other      |             |      | some other vaccine       | 2026-11-01
        """,
        encounter="""
            patient_id | start_at
            live       | 2026-11-19
            other      | 2026-11-19
        """,
        rule={"immunization": "vx_live", "within": "6 weeks", "absence": "unknown"},
        expected="""
            patient_id | truth   | suggested
            live       | unknown | yes
            other      | unknown |
        """,
    )


@pytest.fixture
def products(tmp_path):
    """A site with a table of its products."""

    def make(*rows: str) -> Site:
        head = "system,code,ingredient_system,ingredient_code,strength_value,strength_unit,per_value,per_unit,form,source\n"
        (tmp_path / "products.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
        return Site(mappings=SiteFile(tmp_path, "site.toml:1"))

    return make


def test_a_product_of_the_site_is_what_its_table_says(spec, products):
    """Each of its ingredients is an exposure, and their strength is the dose of a tablet."""
    system = "urn:hospital:pharmacy"
    site = products(
        f"{system},P1,{RXNORM},6851,2.5,mg,,,tablet,pharmacy", f"{system},P2,{RXNORM},6851,5,mg,,,tablet,pharmacy",
        f"{system},P2,{RXNORM},8640,10,mg,,,tablet,pharmacy",
    )  # fmt: skip
    given = f"""
        id | patient_id | code_system | code | effective_start | date_asserted
        s1 | single     | {system}    | P1   | 2026-10-01      | 2026-11-01
        s2 | combined   | {system}/   | P2   | 2026-10-01      | 2026-11-01
        s3 | unknown    | {system}    | P3   | 2026-10-01      | 2026-11-01
    """
    spec(
        as_of="2026-11-20",
        site=site,
        medication_statement=given,
        rule={"medication": "rx_methotrexate", "within": "3 weeks", "absence": "unknown"},
        expected="""
            patient_id | truth   | reason
            single     | true    | met
            combined   | true    | met
            unknown    | unknown | no_data
        """,
        evidence="""
            patient_id | value
            single     | P1
            combined   | P2
            unknown    |
        """,
    )
    spec(
        as_of="2026-11-20",
        site=site,
        medication_statement="\n".join(given.splitlines()[:-2]),
        medication_statement_dosage="""
            id | dose_value | dose_unit | frequency | period | period_unit
            s1 | 4          | tablet    | 1         | 1      | wk
            s2 | 4          | tablet    | 1         | 1      | wk
        """,
        rule={"dose": "rx_methotrexate", "at_most": "10 mg/wk"},
        expected="""
            patient_id | truth
            single     | true
            combined   | false
        """,
    )
