"""The site's parameters of all trials to those that hold for one, with everything refused that would do nothing."""

from collections.abc import Collection
from collections.abc import Mapping as Dictionary
from difflib import get_close_matches
from functools import cache

from cohortfinder.errors import ConfigurationError, Problem
from cohortfinder.model import Override, Overrides
from cohortfinder.resources import resource_dir
from cohortfinder.trials.document import Mapping, Node, Scalar, read_document
from cohortfinder.trials.problems import Problems, nearest

# a table with a name as like to a known trial as this is a misspelt one and no other trial's
_ALIKE = 0.85


def overrides_of(document: Mapping, overrides: Overrides) -> dict[str, Override]:
    """Return the values for the trial of a document: its own table's, then the common ones that it declares.

    Raises ConfigurationError for a value that would have no effect because a name is misspelt.
    """
    written = document.get("trial")
    trial = written.text if isinstance(written, Scalar) else ""
    declared = _names(document.get("parameters"))
    own = overrides.by_trial.get(trial, {})
    for name, override in own.items():
        if name not in declared:
            raise ConfigurationError(
                f"{override.place}: {trial} declares no parameter '{name}'; remove it or correct the name."
                f"{nearest(name, declared)}"
            )
    _refuse_misspelt_trials(trial, overrides)
    common = {name: one for name, one in overrides.common.items() if name in declared}
    for name in overrides.common.keys() - common.keys():
        _refuse_undeclared(name, overrides.common[name], trial, declared)
    return {**common, **own}


def refuse_unfitting(
    found: Collection[Problem], used_in: Dictionary[int, Collection[str]], site: Dictionary[str, Override]
) -> None:
    """Raise ConfigurationError when all that is wrong in a trial stands where a value of the site was filled in.

    `used_in` names the parameters that are used in each line of the trial file.
    """
    blamed = [
        (f"{site[name].place}: the value of '{name}' does not fit where it is used: {problem}", problem)
        for problem in found
        for name in sorted(used_in.get(problem.line, ()))
        if name in site
    ]
    if found and {problem for _, problem in blamed} == set(found):
        raise ConfigurationError("\n".join(message for message, _ in blamed))


def _refuse_misspelt_trials(trial: str, overrides: Overrides) -> None:
    if not overrides.by_trial:
        return  # to read the trials that ship takes half a second
    known = {name.casefold(): name for name in (*_shipped(), trial)}
    for name, values in overrides.by_trial.items():
        like = get_close_matches(name.casefold(), known, n=1, cutoff=_ALIKE)
        if like and name not in known.values():
            place = next((one.place for one in values.values()), "the configuration")
            raise ConfigurationError(
                f"{place}: [parameters.{name}] is for no trial that is known here. Did you mean '{known[like[0]]}'? "
                "Parameters of another trial with so like an id go into a configuration of their own, for --config"
            )


def _refuse_undeclared(name: str, override: Override, trial: str, declared: tuple[str, ...]) -> None:
    elsewhere = {other for names in _shipped().values() for other in names}
    if name not in elsewhere:
        raise ConfigurationError(
            f"{override.place}: neither {trial} nor a trial that ships declares the parameter '{name}'; correct the "
            f"name, or put it into the table of its trial, [parameters.ID].{nearest(name, {*declared, *elsewhere})}"
        )


@cache
def _shipped() -> dict[str, tuple[str, ...]]:
    """Return the ids of the trials that ship with the program, each with the names of its parameters."""
    files = sorted(resource_dir("trials").glob("*.yaml"))
    documents = {file.stem: read_document(file.read_text(encoding="utf-8"), Problems(file.name)) for file in files}
    return {trial: _names(document.get("parameters")) for trial, document in documents.items()}


def _names(section: Node | None) -> tuple[str, ...]:
    return section.keys if isinstance(section, Mapping) else ()
