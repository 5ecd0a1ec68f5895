"""A sweep: which resources of a type the server no longer has, for servers that keep no history of deletions."""

from collections.abc import Iterable
from pathlib import Path

import orjson

from cohortfinder.errors import ProtocolError
from cohortfinder.fhir.by_id import all_ids, bundle_line, still_there
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.history import deletion
from cohortfinder.fhir.search import Noted
from cohortfinder.landing.spool import Mark, Slice, SliceSpool
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.held import count_held, not_listed

_LISTED = "ids.ndjson"
# more than this share of a type does not go in a week: who asks may see less than before
_MOST = 0.5
_FEW = 20


def sweep(
    client: FhirClient, part: Slice, spool: SliceSpool, store: Path, addresses: Iterable[str], noted: Noted
) -> Mark:
    """Bring the deletions of a type into the spool.

    Paging may pass over a resource, so each that was not listed is asked for by its id before it counts as gone.
    Raises ProtocolError when half of a type would go, and the errors of the client.
    """
    if (mark := spool.resume()).done:
        return mark
    spool.restart()
    kind = part.types[0]
    listed = _list(client, kind, addresses, spool.folder / _LISTED)
    with open_warehouse(store, read_only=True) as connection:
        missing, held = not_listed(connection, kind, spool.folder / _LISTED), count_held(connection, kind)
    gone = sorted({*missing} - {*still_there(client, kind, missing)})
    if len(gone) > max(_FEW, held * _MOST):
        raise ProtocolError(
            f"{client.name} no longer has {len(gone)} of {held} resources of {kind}, so none was taken for deleted; "
            "check the permissions of the client, or pull into a new store"
        )
    line = (
        bundle_line("history", [deletion(kind, own_id, part.started, unknown=True) for own_id in gone]) if gone else b""
    )
    mark = spool.add(line, Mark(0, None, 1 + listed // 1000, len(gone), done=True))
    noted(part, mark, None)
    return mark


def _list(client: FhirClient, kind: str, addresses: Iterable[str], file: Path) -> int:
    count = 0
    with file.open("wb") as lines:
        for address in addresses:
            for own_id in all_ids(client, address, kind):
                lines.write(orjson.dumps({"id": own_id}, option=orjson.OPT_APPEND_NEWLINE))
                count += 1
    return count
