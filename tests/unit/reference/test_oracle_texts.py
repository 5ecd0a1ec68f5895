"""The oracle's reading of texts, by the words that ship."""

import pytest

from cohortfinder.resources import resource_dir
from reference.mappings import Mappings

MAPPINGS = Mappings(resource_dir("mappings"))
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@pytest.mark.parametrize(
    ("concept", "said", "named"),
    [
        ("dx_sle", "Systemic lupus erythematosus (active)", True),
        ("dx_sle", "系统性红斑狼疮", True),
        ("dx_sle", "No systemic lupus erythematosus", False),
        ("dx_sle", "家族史：系统性红斑狼疮", False),
        ("rx_chloroquine", "hydroxychloroquine", False),
        ("rx_chloroquine", "羟氯喹", False),
        ("rx_chloroquine", "羟氯喹, 氯喹", True),
        ("rx_belimumab", "belimumab 120 MG Injection", True),
    ],
)
def test_the_longest_word_counts_and_a_negation_silences(concept, said, named):
    """As the SQL reads it."""
    assert MAPPINGS.named(concept, [], said, drug=False) is named


@pytest.mark.parametrize(
    ("system", "said", "named"),
    [
        ("urn:hospital:pharmacy", "methotrexate", True),
        (RXNORM, "methotrexate 2.5 MG Oral Tablet", True),
        (RXNORM, "methotrexate", False),
        ("http://www.whocc.no/atc", "methotrexate 2.5 MG Oral Tablet", False),
    ],
)
def test_a_known_code_leaves_room_only_for_the_name_of_a_product(system, said, named):
    """Of a product in RxNorm we know the name, not the code."""
    assert MAPPINGS.named("rx_methotrexate", [{"system": system, "code": "99999999"}], said, drug=True) is named
