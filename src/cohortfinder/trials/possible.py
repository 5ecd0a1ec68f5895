"""What a rule can say at all: the truths that it may have, and the verdicts that a criterion may get."""

from cohortfinder.model import Criterion, Leaf, Rule, Truth
from cohortfinder.trials.claims import VERDICTS


def possible_verdicts(criterion: Criterion, arm: str | None = None) -> tuple[str, ...]:
    """Return the verdicts that the rule of a criterion can give, in one arm or in some of them.

    One that a person alone can tell has none.
    """
    rules = (criterion.rule_in(name) for name in (criterion.arms if arm is None else (arm,)))
    truths = frozenset(truth for rule in rules if rule is not None for truth in truths_of(rule))
    if truths <= {None}:
        return ()
    met, not_met = ("pass", "fail") if criterion.kind == "inclusion" else ("fail", "pass")
    found = {True: met, False: not_met, None: "unknown"}
    return tuple(verdict for verdict in VERDICTS if verdict in {found[truth] for truth in truths})


def truths_of(rule: Rule) -> frozenset[Truth]:
    """Return the truths that a rule can have: a judgement is never known, any other leaf can be all three."""
    if isinstance(rule, Leaf):
        return frozenset({None}) if rule.kind == "judgement" else frozenset({True, False, None})
    children = [truths_of(child) for child in rule.children]
    if rule.operator == "not":
        return frozenset(None if truth is None else not truth for truth in children[0])
    need = {"all": len(children), "any": 1}.get(rule.operator, rule.need or 0)
    can_hold = sum(True in truths for truths in children) >= need
    can_miss = sum(False not in truths for truths in children) < need
    can_be_open = any(None in truths for truths in children)
    reached = ((True, can_hold), (False, can_miss), (None, can_be_open))
    return frozenset(truth for truth, can in reached if can)
