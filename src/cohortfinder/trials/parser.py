"""A trial file to a frozen Trial, or every problem in it with its line."""

import re
from collections.abc import Mapping as Dictionary
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cohortfinder.errors import Problem, TrialError
from cohortfinder.model import Arm, Criterion, CriterionKind, Override, Overrides, Trial
from cohortfinder.trials.criterion import CriterionReader, texts_of
from cohortfinder.trials.document import Mapping, Node, Scalar, Sequence, read_document
from cohortfinder.trials.meaning import check_meaning
from cohortfinder.trials.overrides import overrides_of, refuse_unfitting
from cohortfinder.trials.parameters import Substitution, read_parameters
from cohortfinder.trials.problems import ID, ID_WORDS, Problems, nearest
from cohortfinder.trials.ranking import read_ranking
from cohortfinder.trials.rules import NamedRules
from cohortfinder.trials.vocabulary import Vocabulary

# the version of the language that this program reads
LANGUAGE = 1
TRIAL_KEYS = (
    "language", "trial", "title", "time_zone", "notes", "arms", "parameters", "flags", "rules", "ranking",
    "inclusion", "exclusion",
)  # fmt: skip
_FLAG = re.compile(r"^[a-z][a-z0-9_]*$")


def parse_trial(
    text: str,
    *,
    source: str,
    terminology: Vocabulary | None = None,
    overrides: Overrides | None = None,
    profile: Literal["prescreen", "protocol"] = "prescreen",
) -> Trial:
    """Parse and check one trial file; `overrides` are the site's parameters, `source` its name in messages.

    Without a terminology, concepts and units are not checked. Raises TrialError with every problem,
    ConfigurationError for an override that the file does not allow.
    """
    problems = Problems(source)
    document = read_document(text, problems)
    _refuse_newer(document, problems)
    site = overrides_of(document, overrides or Overrides())
    parser = _Parser(document, problems, site)
    trial = parser.trial(text, source, profile)
    if terminology is not None:
        check_meaning(trial, terminology, problems)
    refuse_unfitting(problems.found, parser.fill.used_in, site)
    problems.raise_if_any()
    return trial


def _refuse_newer(document: Mapping, problems: Problems) -> None:
    """Refuse a file of a later version of the language at once: what it says may mean something else."""
    written = document.get("language")
    version = written.text if isinstance(written, Scalar) else ""
    if written is None or version == str(LANGUAGE):
        return
    line = document.line_of("language")
    if re.fullmatch(r"[1-9]\d{0,8}", version):
        message = (
            f"this file is written in version {version} of the trial language, and this program reads version "
            f"{LANGUAGE}; install a newer cohortfinder"
        )
    else:
        message = f"'language' is the version of the trial language, a whole number; write 'language: {LANGUAGE}'"
    raise TrialError((Problem(problems.file, line, message),))


class _Parser:
    """Reads the sections of one document in their order."""

    def __init__(self, document: Mapping, problems: Problems, site: Dictionary[str, Override]) -> None:
        self._document, self._problems = document, problems
        self._parameters = read_parameters(document.get("parameters"), problems, site)
        self.fill = Substitution(self._parameters, problems)
        self._named = NamedRules(self._named_rules(), set())
        self._flags = self._flag_words()
        self._reader = CriterionReader(problems, self._named, self.fill, self._flags)

    def trial(self, text: str, source: str, profile: Literal["prescreen", "protocol"]) -> Trial:
        """Read the whole document."""
        for key, _ in self._document.entries:
            if key.text not in TRIAL_KEYS:
                self._add(key, f"unknown word '{key.text}'.{nearest(key.text, TRIAL_KEYS)}")
        arms = self._arms()
        criteria = self._criteria(arms)
        self._check_entries(arms, criteria)
        self._check_use()
        return Trial(
            id=self._id(),
            title=self._word("title") or "",
            time_zone=self._time_zone(),
            arms=tuple(arms.values()),
            criteria=criteria,
            parameters=tuple(self._parameters.values()),
            sha256=sha256(text.encode()).hexdigest(),
            source=source,
            profile=profile,
            notes=texts_of(self._document, "notes", self._problems),
            flag_words=self._flags,
            other_readings=tuple(self._reader.other_readings),
            ranking=read_ranking(self._document.get("ranking"), [one.id for one in criteria], self._problems),
        )

    def _add(self, node: Node, message: str) -> None:
        self._problems.add(node.line, message)

    def _word(self, key: str) -> str | None:
        value = self._document.get(key)
        if isinstance(value, Scalar) and value.text:
            return value.text
        self._problems.add(self._document.line_of(key), f"the trial needs '{key}', one word or sentence")
        return None

    def _id(self) -> str:
        name = self._word("trial") or ""
        if name and not ID.fullmatch(name):
            self._problems.add(self._document.line_of("trial"), f"'{name}' is no id of a trial; {ID_WORDS}")
        return name

    def _time_zone(self) -> str:
        name = self._word("time_zone") or "UTC"
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            line = self._document.line_of("time_zone")
            self._problems.add(line, f"'{name}' is no time zone; write one as Asia/Shanghai")
            return "UTC"
        return name

    def _arms(self) -> dict[str, Arm]:
        section = self._document.get("arms")
        if not isinstance(section, Mapping) or not section.entries:
            line = self._document.line_of("arms")
            self._problems.add(line, "the trial needs 'arms', each with 'name' and 'entry'")
            return {}
        return {name.text: self._arm(name, body) for name, body in section.entries}

    def _arm(self, name: Scalar, body: Node) -> Arm:
        if not ID.fullmatch(name.text):
            self._add(name, f"'{name.text}' is no name of an arm; {ID_WORDS}")
        found = {"name": "", "entry": ""}
        for key, value in body.entries if isinstance(body, Mapping) else ():
            if key.text in found and isinstance(value, Scalar):
                found[key.text] = value.text
            else:
                self._add(key, f"unknown word '{key.text}' in an arm.{nearest(key.text, found)}")
        for key_name, text in found.items():
            if not text:
                self._add(name, f"the arm '{name.text}' needs '{key_name}'")
        return Arm(name.text, found["name"], found["entry"])

    def _named_rules(self) -> dict[str, Mapping]:
        """Gather the rules under `rules:` and under each criterion's `define:`."""
        sections = [self._document.get("rules")]
        sections += [node.get("define") for node in self._criterion_nodes() if isinstance(node, Mapping)]
        named: dict[str, Mapping] = {}
        for section in sections:
            if section is not None and not isinstance(section, Mapping):
                self._add(section, "named rules are written as 'name: rule', one below the other")
            for name, body in section.entries if isinstance(section, Mapping) else ():
                if name.text in named:
                    self._add(name, f"the rule '{name.text}' is defined twice; give one of them another name")
                elif isinstance(body, Mapping):
                    named[name.text] = body
                else:
                    self._add(name, f"the rule '{name.text}' must be a leaf or all, any, not, need")
        return named

    def _criterion_nodes(self) -> tuple[Node, ...]:
        sections = (self._document.get("inclusion"), self._document.get("exclusion"))
        return tuple(node for section in sections if isinstance(section, Sequence) for node in section.items)

    def _criteria(self, arms: Dictionary[str, Arm]) -> tuple[Criterion, ...]:
        criteria: dict[str, Criterion] = {}
        kinds: tuple[CriterionKind, ...] = ("inclusion", "exclusion")
        for kind in kinds:
            section = self._document.get(kind)
            if section is not None and not isinstance(section, Sequence):
                self._add(section, f"'{kind}' must be a list of criteria, each beginning with '- id:'")
                continue
            for node in section.items if section else ():
                criterion = self._reader.criterion(node, kind, len(criteria) + 1, arms)
                if criterion is None:
                    continue
                if criterion.id in criteria:
                    first = criteria[criterion.id].line
                    self._add(node, f"the criterion '{criterion.id}' stands twice; it begins in line {first} too")
                criteria[criterion.id] = criterion
        return tuple(criteria.values())

    def _flag_words(self) -> dict[str, str]:
        """Read what the trial's own flags say."""
        section = self._document.get("flags")
        if section is not None and not isinstance(section, Mapping):
            self._add(section, "'flags' holds names, each with the sentence that a person sees")
        entries = section.entries if isinstance(section, Mapping) else ()
        for name, body in entries:
            if not _FLAG.match(name.text):
                self._add(name, f"'{name.text}' is no flag name; use small letters, digits and '_'")
            elif not isinstance(body, Scalar) or not body.text:
                self._add(name, f"the flag '{name.text}' needs the sentence that a person sees")
        return {name.text: body.text for name, body in entries if isinstance(body, Scalar)}

    def _check_entries(self, arms: Dictionary[str, Arm], criteria: tuple[Criterion, ...]) -> None:
        by_id = {criterion.id: criterion for criterion in criteria}
        for arm in arms.values():
            entry = by_id.get(arm.entry)
            section = self._document.get("arms")
            line = section.line_of(arm.id) if isinstance(section, Mapping) else 1
            if not arm.entry or arm.entry in self._reader.wrong:
                continue
            if entry is None:
                self._problems.add(
                    line,
                    f"the entry '{arm.entry}' of arm '{arm.id}' is no criterion.{nearest(arm.entry, by_id)}",
                )
            elif arm.id not in entry.arms or entry.rule is None or entry.by_arm:
                self._problems.add(
                    line, f"the entry '{arm.entry}' must have one rule for all arms and hold in arm '{arm.id}'"
                )

    def _check_use(self) -> None:
        for name in self._parameters:
            if name not in self.fill.used:
                section = self._document.get("parameters")
                line = section.line_of(name) if isinstance(section, Mapping) else 1
                self._problems.add(line, f"the parameter '{name}' is used in no rule; use it or remove it")
        for name, body in self._named.by_name.items():
            if name not in self._named.used:
                self._add(body, f"the rule '{name}' is used nowhere; use it or remove it")
