"""What a server can and cannot answer for each configured trial: the criteria that have no source of data there."""

from collections.abc import Collection, Iterator

from cohortfinder.engine.sources import Lacking, without_source
from cohortfinder.fhir.findings import Finding, fine, warning
from cohortfinder.model import Trial
from cohortfinder.report.diagnosis import TrialOutlook
from cohortfinder.terminology import Terminology


def outlook(trial: Trial, terminology: Terminology, types: Collection[str]) -> TrialOutlook:
    """Return what a trial lacks where only these types of resources can be had."""
    computed = sum(criterion.computed for criterion in trial.criteria)
    lacking = without_source(trial, terminology, types)
    return TrialOutlook(trial.id, trial.title, len(trial.criteria), computed, lacking)


def trial_findings(outlooks: Collection[TrialOutlook]) -> Iterator[Finding]:
    """Yield what each trial can count on, and one warning for each source that is missing."""
    for one in outlooks:
        if not one.lacking:
            what = f"{one.trial}: all {one.computed} criteria that are computed have a source of data here"
            yield fine("trial", f"{what} (whether a patient has the data is another question)")
            continue
        for (kind, any_of), criteria in _by_source(one.lacking).items():
            types = " or ".join(any_of)
            what = f"{one.trial}: {', '.join(criteria)} may stay unknown: they ask for {kind}, and there is no {types}"
            yield warning("trial", what, ask=f"Where is {kind} kept ({types}), if not on this server?")


def _by_source(lacking: Collection[Lacking]) -> dict[tuple[str, tuple[str, ...]], list[str]]:
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in lacking:
        grouped.setdefault((one.kind.replace("_", " "), one.any_of), []).append(one.criterion)
    return grouped
