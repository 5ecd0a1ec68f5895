"""The step `pull`: what changed on the server into the store, or what `load` has brought there."""

from cohortfinder.errors import BusyError, InputError, ProtocolError, RefusedError, ServerError, ShrunkError
from cohortfinder.jobs.load import finish_earlier
from cohortfinder.jobs.night.guards import SHRUNK_EXPORT, failed_pull
from cohortfinder.jobs.night.under_way import Night, NotPublished
from cohortfinder.jobs.pull import Options, pull
from cohortfinder.warehouse.connection import WAREHOUSE

# what the server or the way to it is to blame for: the store is as it was, and a later night may have more luck
_OF_THE_SERVER = (ServerError, BusyError, ProtocolError, RefusedError, ShrunkError)


def bring(night: Night) -> None:
    """Pull, and take up what an interrupted load has left.

    Raises NotPublished when the pull failed and that was not accepted.
    """
    settings = night.settings
    if not night.options.pull or settings.fhir is None:
        why = "--no-pull" if settings.fhir is not None else "no FHIR server is configured"
        night.skip("pull", f"not pulled ({why}): what `load` has brought is screened")
        _take_up(night)
        return
    with night.step("pull") as step:
        options = Options(trials=tuple(night.trials), accept_shrink=SHRUNK_EXPORT in night.options.accept)
        try:
            night.pulled = pull(settings, options, log=night.log)
        except _OF_THE_SERVER as error:
            if night.refuse(failed_pull(error)):
                raise NotPublished from error
            step.message = "failed, and accepted"
            return
        step.counts = {
            kind: {"got": one.got, "new": one.new, "changed": one.changed, "deleted": one.deleted}
            for kind, one in night.pulled.types.items()
        }
        for problem in night.pulled.problems:
            night.warn(problem)


def _take_up(night: Night) -> None:
    store, settings = night.settings.store, night.settings
    if not (store / WAREHOUSE).is_file():
        raise InputError(
            f"{store}: there is no store here; load FHIR files first: cohortfinder load PATH --store {store}"
        )
    finish_earlier(store, memory_limit=settings.memory_limit, threads=settings.threads)
