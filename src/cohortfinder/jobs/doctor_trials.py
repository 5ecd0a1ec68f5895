"""What a server can and cannot answer for each configured trial: the criteria that have no source of data there."""

from collections.abc import Collection, Iterator, Mapping

from cohortfinder.engine.sources import Lacking, without_source
from cohortfinder.fhir.findings import Finding, fine, warning
from cohortfinder.jobs.doctor_results import without_results
from cohortfinder.model import Trial
from cohortfinder.report.diagnosis import TrialOutlook
from cohortfinder.terminology import Terminology


def outlook(
    trial: Trial, terminology: Terminology, types: Collection[str], found: Mapping[str, bool | None]
) -> TrialOutlook:
    """Return what a trial lacks where only these types can be had, and `found` says of which concepts are results."""
    computed = sum(criterion.computed for criterion in trial.criteria)
    lacking = without_source(trial, terminology, types)
    results = without_results(trial, terminology, found)
    return TrialOutlook(trial.id, trial.title, len(trial.criteria), computed, lacking, results)


def trial_findings(outlooks: Collection[TrialOutlook]) -> Iterator[Finding]:
    """Yield what each trial can count on, and one warning for each source that is missing."""
    for one in outlooks:
        if not one.lacking:
            what = f"{one.trial}: all {one.computed} criteria that are computed have a source of data here"
            yield fine("trial", f"{what} (whether a patient has the data is another question)")
            continue
        for any_of, lacking in _by_source(one.lacking).items():
            criteria = ", ".join(dict.fromkeys(each.criterion for each in lacking))
            kinds = " and ".join(dict.fromkeys(each.kind.replace("_", " ") for each in lacking))
            types = " or ".join(any_of)
            what = f"{one.trial}: {criteria} may stay unknown: they ask for {kinds}, and there is no {types} to be read"
            yield warning("trial", what, ask=f"Where are {types} resources kept, if not on this server?")


def _by_source(lacking: Collection[Lacking]) -> dict[tuple[str, ...], list[Lacking]]:
    grouped: dict[tuple[str, ...], list[Lacking]] = {}
    for one in lacking:
        grouped.setdefault(one.any_of, []).append(one)
    return grouped
