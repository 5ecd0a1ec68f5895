"""The page that tells what is checked of a trial, and how."""

from cohortfinder.report.ledger import ledger_html
from unit.trials.trial_text import read, with_rule

TRIAL = read(
    with_rule("all: [{sex: male}]\nnote: how <b>it</b> is read\nflags: [protocol_text_error]") + "exclusion:\n"
    "  - id: E-1\n    text: a drug\n    certainty: proxy\n    all: [{medication: rx_belimumab, within: 3 weeks}]\n"
    "    by_arm:\n      A: {medication: rx_belimumab, within: 5 weeks}\n"
    "  - {id: E-2, text: willing, certainty: judgement, judgement: ask the patient}\n"
    "  - {id: E-3, text: later, computed: no}\n"
)
PAGE = ledger_html(TRIAL, {"rx_belimumab": "Belimumab"}).decode()


def test_each_criterion_tells_its_rule_and_how_far_data_can_tell() -> None:
    for criterion, words in {
        "I-1": "computed from the very data",
        "E-1": "computed from something weaker",
        "E-2": "only a person can tell",
        "E-3": "not computed yet",
    }.items():
        assert words in PAGE.split(f'<article id="{criterion}">')[1].split("</article>")[0]
    assert "Belimumab, within 3 weeks" in PAGE
    assert "In arm A instead" in PAGE
    assert "Belimumab, within 5 weeks" in PAGE
    assert "Of 4 criteria 2 are computed from data, 1 only a person can judge, and 1 are not computed yet" in PAGE


def test_texts_are_escaped_and_nothing_comes_from_elsewhere() -> None:
    assert "how &lt;b&gt;it&lt;/b&gt; is read" in PAGE
    assert "http://" not in PAGE
    assert "https://" not in PAGE
    assert "<script" not in PAGE
