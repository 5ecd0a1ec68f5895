"""The factors of a score in words: what is not yet known, how it is called, and what its chance comes from."""

from collections.abc import Mapping

from cohortfinder.model import Criterion, Trial, leaves_of
from cohortfinder.ranking.candidates import Candidate, Factor
from cohortfinder.report.reasons import leaf_words
from cohortfinder.wording import Language, share_words

# a criterion that asks for more than this has no short name
_NAMED = 2


def criterion_names(trial: Trial, language: Language) -> Mapping[str, str]:
    """Return of each criterion that asks for one or two things what they are called."""
    return {one.id: name for one in trial.criteria if (name := _name(one, language))}


def _name(criterion: Criterion, language: Language) -> str:
    leaves = leaves_of(criterion.rule) if criterion.rule is not None else ()
    names = dict.fromkeys(leaf_words(leaf, language).name for leaf in leaves if leaf.kind != "judgement")
    return " and ".join(names) if len(names) <= _NAMED else ""


def factor_in_words(factor: Factor, names: Mapping[str, str]) -> str:
    """Say a factor: "LVEF (I-LVEF), passes in 91 of 98 known"."""
    name = names.get(factor.criterion_id)
    called = f"{name} ({factor.criterion_id})" if name else factor.criterion_id
    return f"{called}, {share_words(factor)}"


def factors_cell(candidate: Candidate) -> str:
    """Return the factors as one cell: "I-LVEF 93 % (passes in 91 of 98 known); ..."."""
    return "; ".join(f"{one.criterion_id} {100 * one.share:.0f} % ({share_words(one)})" for one in candidate.factors)
