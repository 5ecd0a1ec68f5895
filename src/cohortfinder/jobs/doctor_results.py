"""Which of the results that criteria ask for are on a server at all, under a code that is known here."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from cohortfinder.engine.sources import ResultsAsked, codes_of_concept, results_asked
from cohortfinder.fhir.findings import Finding, fine, warning
from cohortfinder.model import Trial
from cohortfinder.terminology import Terminology

# says of codes whether there is a result under one of them, None when that is not to be known
Has = Callable[[Collection[str]], bool | None]


def results_found(trials: Iterable[Trial], terminology: Terminology, has: Has) -> dict[str, bool | None]:
    """Ask for each concept of the trials whether there is a result of it."""
    asked = (one for trial in trials for one in results_asked(trial, terminology))
    concepts = dict.fromkeys(concept for one in asked for concept in one.concepts)
    return {concept: has(codes_of_concept(concept, terminology)) for concept in concepts}


def without_results(
    trial: Trial, terminology: Terminology, found: Mapping[str, bool | None]
) -> tuple[ResultsAsked, ...]:
    """Return what of a trial has no result of any concept that would do."""
    asked = results_asked(trial, terminology)
    return tuple(one for one in asked if all(found.get(concept) is False for concept in one.concepts))


def result_findings(trial: str, lacking: Collection[ResultsAsked], terminology: Terminology) -> Iterator[Finding]:
    """Yield what a trial lacks, one concept after the other."""
    if not lacking:
        yield fine("results", f"{trial}: of each result that is asked for, the server has some under a code known here")
        return
    criteria = _by_label(lacking, terminology)
    told = "; ".join(f"{label} ({', '.join(dict.fromkeys(asking))})" for label, asking in criteria.items())
    yield warning(
        "results", f"{trial}: the server has no result under a code known here of {told}",
        todo="where the laboratory has codes of its own, map them (docs/how-to/site-codes.md); else these stay unknown",
        ask=f"Under which codes are these results sent, and since when: {'; '.join(criteria)}?",
    )  # fmt: skip


def _by_label(lacking: Collection[ResultsAsked], terminology: Terminology) -> dict[str, list[str]]:
    """Name what is asked for by its first concept: the others are what it can be made from, or stand for it."""
    criteria: dict[str, list[str]] = {}
    for one in lacking:
        criteria.setdefault(terminology.observation_concepts[one.concepts[0]].label, []).append(one.criterion)
    return criteria
