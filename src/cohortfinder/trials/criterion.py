"""One criterion of a trial file: its words, its rule, the rules of single arms and those of its flags."""

from collections.abc import Mapping as Dictionary
from dataclasses import replace
from typing import cast

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.model import Arm, Certainty, Criterion, CriterionKind, Rule, with_reading
from cohortfinder.trials.document import Mapping, Node, Scalar, Sequence
from cohortfinder.trials.leaves import kinds_in, option_names
from cohortfinder.trials.parameters import Substitution
from cohortfinder.trials.problems import ID, ID_WORDS, Problems, nearest
from cohortfinder.trials.readings import other_readings, readings_of
from cohortfinder.trials.rules import RULE_WORDS, NamedRules, RuleBuilder, rule_part
from cohortfinder.wording import FLAGS

CRITERION_KEYS = (
    "id", "text", "arms", "certainty", "note", "flags", "flag_when", "by_arm", "absence", "computed", "define",
)  # fmt: skip
CERTAINTIES = ("exact", "proxy", "judgement")


class CriterionReader:
    """Reads criteria, and how they would be by other parameters; `wrong` are the ids of those without a right rule."""

    def __init__(self, problems: Problems, named: NamedRules, fill: Substitution, flags: Dictionary[str, str]) -> None:
        self._problems, self._named, self._fill, self._flags = problems, named, fill, flags
        self.wrong: set[str] = set()
        self.other_readings: list[Criterion] = []

    def criterion(self, node: Node, kind: CriterionKind, position: int, arms: Dictionary[str, Arm]) -> Criterion | None:
        """Return one criterion, the `position`th of the file; None, with the problems noted, where it is none."""
        if not isinstance(node, Mapping):
            self._add(node, "a criterion begins with '- id:'")
            return None
        words = {key: value.text for key in CRITERION_KEYS if isinstance(value := node.get(key), Scalar)}
        if not words.get("id") or not words.get("text"):
            self._add(node, "a criterion needs 'id' and 'text', the sentence of the protocol")
            return None
        if not ID.fullmatch(words["id"]):
            self._add(node, f"'{words['id']}' is no id of a criterion; {ID_WORDS}")
        self._check_keys(node)
        self._fill.assume({})
        criterion = self._read(node, words, kind, position, arms)
        met = self._fill.met
        self.other_readings += other_readings(
            self._fill,
            met,
            lambda values: self._read(node, {**words, "id": with_reading(words["id"], values)}, kind, position, arms),
        )
        return replace(criterion, readings=readings_of(met))

    def _read(
        self, node: Mapping, words: Dictionary[str, str], kind: CriterionKind, position: int, arms: Dictionary[str, Arm]
    ) -> Criterion:
        rule = self._rule(node, words, kind)
        if rule is None and "computed" not in words:
            self.wrong.add(words["id"])
        return Criterion(
            id=words["id"],
            kind=kind,
            text=words["text"],
            arms=self._arms_of(node, arms),
            certainty=self._certainty(node, words),
            rule=rule,
            position=position,
            line=node.line,
            note=words.get("note", ""),
            flags=texts_of(node, "flags", self._problems),
            flag_rules=self._flag_rules(node, words),
            by_arm=self._by_arm(node, words, kind, arms),
        )

    def _check_keys(self, node: Mapping) -> None:
        # where the leaf's own word is misspelt, its options are not wrong too
        begins = any(key in RULE_WORDS for key in node.keys)
        kinds = kinds_in(node) if begins else tuple(LEAF_KINDS)
        options = {word for kind in kinds for word in option_names(kind)}
        known = (*CRITERION_KEYS, *RULE_WORDS, *sorted(options))
        for key, _ in node.entries:
            if key.text not in known:
                self._add(key, f"unknown word '{key.text}' in a criterion.{nearest(key.text, known)}")

    def _certainty(self, node: Mapping, words: Dictionary[str, str]) -> Certainty:
        certainty = words.get("certainty", "exact")
        if certainty not in CERTAINTIES:
            line = node.line_of("certainty")
            self._problems.add(line, f"'{certainty}' is no certainty; write exact, proxy or judgement")
            return "exact"
        return cast(Certainty, certainty)

    def _arms_of(self, node: Mapping, arms: Dictionary[str, Arm]) -> tuple[str, ...]:
        if node.get("arms") is None:
            return tuple(arms)
        named = texts_of(node, "arms", self._problems)
        if not named:
            self._problems.add(node.line_of("arms"), "the list of arms is empty; name an arm or remove the line")
        for name in named:
            if name not in arms:
                self._problems.add(node.line_of("arms"), f"no arm is called '{name}'.{nearest(name, arms)}")
        return tuple(name for name in arms if name in named)

    def _rule(self, node: Mapping, words: Dictionary[str, str], kind: CriterionKind) -> Rule | None:
        part = rule_part(node)
        if "computed" in words:
            if words["computed"] != "no" or part is not None:
                line = node.line_of("computed")
                self._problems.add(line, "'computed' is only ever 'no', and then the criterion has no rule")
            return None
        if part is None:
            self._add(node, "the criterion has no rule; write one, or 'computed: no'")
            return None
        return self._builder(node, words, kind).build(part)

    def _by_arm(
        self, node: Mapping, words: Dictionary[str, str], kind: CriterionKind, arms: Dictionary[str, Arm]
    ) -> dict[str, Rule]:
        """Read the rules of single arms under `by_arm`, each in place of the criterion's own."""
        section = node.get("by_arm")
        if section is None:
            return {}
        if not isinstance(section, Mapping) or "computed" in words:
            self._add(section, "'by_arm' holds arms, each with its rule, and stands in a computed criterion only")
            return {}
        own = self._arms_of(node, arms)
        found: dict[str, Rule] = {}
        for name, body in section.entries:
            if name.text not in own:
                self._add(name, f"the criterion does not hold in an arm '{name.text}'.{nearest(name.text, own)}")
            rule = self._builder(node, words, kind, name.text).build(body)
            if rule is not None:
                found[name.text] = rule
        return found

    def _flag_rules(self, node: Mapping, words: Dictionary[str, str]) -> dict[str, Rule]:
        """Read the rules under `flag_when`; a flag is raised by results that contradict each other, too."""
        section = node.get("flag_when")
        if section is None:
            return {}
        if not isinstance(section, Mapping) or "computed" in words:
            self._add(section, "'flag_when' holds flags, each with its rule, and stands in a computed criterion only")
            return {}
        rules: dict[str, Rule] = {}
        for name, body in section.entries:
            if name.text not in FLAGS and name.text not in self._flags:
                self._add(name, f"the flag '{name.text}' says nothing; write its sentence under 'flags:'")
            builder = RuleBuilder(
                f"{words['id']}.{name.text}", adverse=True, absence=None, named=self._named, fill=self._fill,
                problems=self._problems,
            )  # fmt: skip
            rule = builder.build(body)
            if rule is not None:
                rules[name.text] = rule
        return rules

    def _builder(
        self, node: Mapping, words: Dictionary[str, str], kind: CriterionKind, arm: str | None = None
    ) -> RuleBuilder:
        part, absence = rule_part(node), node.get("absence")
        # a single leaf reads the word itself
        if isinstance(absence, Scalar) and not (part and kinds_in(part)) and absence.text not in ("unknown", "false"):
            if arm is None:
                self._add(absence, f"'{absence.text}' is no absence; write unknown or false")
            absence = None
        return RuleBuilder(
            words["id"] if arm is None else f"{words['id']}.{arm}",
            adverse=kind == "exclusion",
            absence=absence if isinstance(absence, Scalar) else None,
            named=self._named,
            fill=self._fill,
            problems=self._problems,
        )

    def _add(self, node: Node, message: str) -> None:
        self._problems.add(node.line, message)


def texts_of(node: Mapping, key: str, problems: Problems) -> tuple[str, ...]:
    """Return the texts under a key: those of a list, or the one that stands there; anything else is noted."""
    value = node.get(key)
    items = value.items if isinstance(value, Sequence) else () if value is None else (value,)
    texts = [item for item in items if isinstance(item, Scalar) and item.text]
    if len(texts) < len(items):
        problems.add(node.line_of(key), f"'{key}' is a text or a list of texts, as [first, second]")
    for place, item in enumerate(texts):
        if item.text in [one.text for one in texts[:place]]:
            problems.add(item.line, f"'{item.text}' stands twice under '{key}'; say it once")
    return tuple(item.text for item in texts)
