"""How each kind of slice is fetched."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from threading import Lock

from cohortfinder.errors import ProtocolError
from cohortfinder.fhir.by_id import read_by_id
from cohortfinder.fhir.history import deletions
from cohortfinder.fhir.search import address_of, search
from cohortfinder.jobs.pulling.errand import Errand
from cohortfinder.jobs.pulling.exports import bring_export
from cohortfinder.jobs.pulling.fetch import Fetch
from cohortfinder.jobs.pulling.plan import changes_known, plan_slices
from cohortfinder.jobs.pulling.sweep import sweep
from cohortfinder.landing.spool import Mark, Slice
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.held import from_elsewhere


def ways(errand: Errand) -> Mapping[str, Fetch]:
    """Return the way of each kind."""
    found = {"search": _searched, "history": _removed, "sweep": _swept, "ids": _by_id}
    exports = partial(bring_export, errand, Lock())
    return {"export": exports, **{kind: partial(way, errand) for kind, way in found.items()}}


def can_be_swept(errand: Errand, kind: str) -> bool:
    """Say whether all resources of a type came from this server: another one's would look deleted."""
    with open_warehouse(errand.store, read_only=True) as connection:
        return not from_elsewhere(connection, kind, errand.wanted.server)


def _searched(errand: Errand, part: Slice) -> Mark:
    habits = replace(errand.habits, sorted=changes_known(part.types[0], errand.around.capability))
    return search(errand.client, part, errand.spool.of(part), habits, errand.noted)


def _by_id(errand: Errand, part: Slice) -> Mark:
    return read_by_id(errand.client, part, errand.spool.of(part), errand.habits.labels, errand.noted)


def _removed(errand: Errand, part: Slice) -> Mark:
    """Ask the history, and where the server does not tell it as it says it does, what is still there."""
    try:
        return deletions(errand.client, part, errand.spool.of(part), errand.noted)
    except ProtocolError:
        if errand.wanted.patients is not None or not can_be_swept(errand, part.types[0]):
            raise
        return _swept(errand, part)


def _swept(errand: Errand, part: Slice) -> Mark:
    whole = plan_slices(replace(errand.wanted, full=True), replace(errand.around, level=None))
    asked = [address_of(one) for one in whole if one.kind == "search" and one.types == part.types]
    addresses = asked or [part.types[0]]
    return sweep(errand.client, part, errand.spool.of(part), errand.store, addresses, errand.noted)
