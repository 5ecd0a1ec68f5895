"""Every leaf kind has its question, its template and its chapter here, and each template gives what its header says."""

import re

import pytest

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.resources import resource_dir

ONE_OF_EACH = {
    "age": {"age": {"at_least": 18}},
    "sex": {"sex": "female"},
    "observation": {"observation": "hemoglobin", "at_least": "60 g/L"},
    "series": {
        "series": [{"observation": "systolic_bp", "above": "160 mm[Hg]"}],
        "within": "6 months",
        "recent": "28 days",
    },
    "change": {"change": "mrss", "over": "6 months", "rises_by": "10 %"},
    "condition": {"condition": "dx_sle", "ever": "yes"},
    "medication": {"medication": "rx_belimumab", "within": "3 weeks"},
    "dose": {"dose": "rx_glucocorticoid_systemic", "as": "prednisone", "at_most": "20 mg/d"},
    "treatment": {"treatment": "rx_azathioprine", "for": "90 days"},
    "procedure": {"procedure": "px_pci", "within": "6 months"},
    "immunization": {"immunization": "vx_live", "within": "6 weeks"},
    "allergy": {"allergy": "rx_lymphodepletion"},
    "study": {"study": "interventional", "within": "3 months"},
    "family_history": {"family_history": "dx_sle"},
    "formula": {"formula": "cockcroft_gault", "at_least": "30 mL/min"},
    "judgement": {"judgement": "look at the echo report"},
}


@pytest.mark.parametrize("kind", LEAF_KINDS)
def test_a_leaf_kind_has_its_question_its_template_and_its_chapter(kind, request):
    """criteria/<kind>.py, queries/criteria/<kind>.sql.jinja and tests/spec/criteria/test_<kind>.py."""
    chapters = request.path.parent / "criteria"
    assert LEAF_KINDS[kind].__module__ == f"cohortfinder.criteria.{kind}"
    assert (resource_dir("queries") / "criteria" / f"{kind}.sql.jinja").is_file()
    assert (chapters / f"test_{kind}.py").is_file()


@pytest.mark.parametrize("kind", LEAF_KINDS)
def test_a_template_gives_the_columns_of_its_header(kind, leaf_columns):
    """`-- out:` is what the cursor has, in its order."""
    template = (resource_dir("queries") / "criteria" / f"{kind}.sql.jinja").read_text(encoding="utf-8")
    header = re.search(r"^-- out: (.+)$", template, re.MULTILINE)
    assert header is not None
    assert leaf_columns(ONE_OF_EACH[kind]) == header[1].split(", ")


def test_no_template_is_without_a_leaf_kind():
    """What no rule can ask is dead."""
    templates = {path.name.split(".")[0] for path in (resource_dir("queries") / "criteria").iterdir()}
    assert templates == set(LEAF_KINDS)
