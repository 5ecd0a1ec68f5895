"""The `ranking:` section of a trial file: what is expected of a criterion before anybody is known."""

from collections.abc import Collection

from cohortfinder.model import Prior, Ranking, Recalibration
from cohortfinder.trials.document import Mapping, Node, Scalar
from cohortfinder.trials.problems import Problems, nearest

RANKING_KEYS = ("prior", "shrinkage", "known_weight", "criteria", "calibration")
PRIOR_KEYS = ("passes", "fails", "why")
CALIBRATION_KEYS = ("weight", "at_least")
SHRINKAGE, KNOWN_WEIGHT = 20.0, 20.0
CALIBRATION_WEIGHT, CALIBRATION_AT_LEAST = 40.0, 30.0
_MOST = 1_000_000


def read_ranking(node: Node | None, criteria: Collection[str], problems: Problems) -> Ranking:
    """Read the section; without one, shares are smoothed by one pass and one fail and nothing more."""
    if node is None:
        return Ranking()
    reader = _Reader(problems)
    section = reader.section(node, RANKING_KEYS, "'ranking'")
    prior = section.get("prior")
    return Ranking(
        declared=True,
        prior=reader.prior(prior, "'prior'") if prior is not None else Prior(1, 1),
        shrinkage=reader.number(section, "shrinkage", SHRINKAGE),
        known_weight=reader.number(section, "known_weight", KNOWN_WEIGHT),
        criteria=reader.criteria(section.get("criteria"), criteria),
        recalibration=reader.recalibration(section.get("calibration")),
    )


class _Reader:
    """Reads the parts of the section, and notes what is wrong with its line."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def section(self, node: Node, keys: Collection[str], name: str) -> Mapping:
        """Return a mapping of known words."""
        if not isinstance(node, Mapping):
            self._problems.add(node.line, f"{name} holds {', '.join(keys)}, each with its value")
            return Mapping((), node.line)
        for key, _ in node.entries:
            if key.text not in keys:
                self._problems.add(key.line, f"unknown word '{key.text}' in {name}.{nearest(key.text, keys)}")
        return node

    def criteria(self, node: Node | None, known: Collection[str]) -> dict[str, Prior]:
        """Return what is expected of single criteria."""
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self._problems.add(node.line, "'criteria' holds ids of criteria, each with 'passes' and 'fails'")
            return {}
        for name, _ in node.entries:
            if name.text not in known:
                near = nearest(name.text, known)
                self._problems.add(name.line, f"the trial has no criterion '{name.text}' to rank by.{near}")
        return {name.text: self.prior(body, f"'{name.text}'") for name, body in node.entries}

    def prior(self, node: Node, name: str) -> Prior:
        """Return so many passes and fails; both are needed, so that nothing is certain before it is known."""
        section = self.section(node, PRIOR_KEYS, name)
        for key in ("passes", "fails"):
            if isinstance(node, Mapping) and section.get(key) is None:
                self._problems.add(node.line, f"{name} needs '{key}', how many of them are expected, as 7")
        return Prior(self.number(section, "passes", 1, above=0), self.number(section, "fails", 1, above=0))

    def recalibration(self, node: Node | None) -> Recalibration | None:
        """Return when outcomes correct the score, and how strongly it resists."""
        if node is None:
            return None
        section = self.section(node, CALIBRATION_KEYS, "'calibration'")
        weight = self.number(section, "weight", CALIBRATION_WEIGHT, above=0)
        return Recalibration(weight, self.number(section, "at_least", CALIBRATION_AT_LEAST, above=0))

    def number(self, section: Mapping, key: str, default: float, above: float | None = None) -> float:
        """Return a number of patients."""
        value = section.get(key)
        if value is None:
            return default
        number = _number(value)
        if number is not None and (number >= 0 if above is None else number > above) and number <= _MOST:
            return number
        written = f"'{value.text}' is" if isinstance(value, Scalar) else "this is"
        least = "0 or more" if above is None else "more than 0"
        self._problems.add(section.line_of(key), f"{written} no number of patients for '{key}'; write {least}, as 20")
        return default


def _number(value: Node) -> float | None:
    text = value.text if isinstance(value, Scalar) else ""
    # neither 1e3 nor nan nor 1_000
    return float(text) if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit() else None
