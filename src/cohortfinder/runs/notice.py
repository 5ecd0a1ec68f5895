"""The notice that a list is old: since when, why, and which list it is about; there is none while all is well."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from cohortfinder.disk import remove, write_durably
from cohortfinder.errors import StoreError
from cohortfinder.runs.snapshots import SNAPSHOTS

NOTICE = "NOTICE.json"


@dataclass(frozen=True, slots=True)
class Notice:
    """Why the list that holds is not that of last night.

    `since` is when the first of so many `nights` did not publish, `run_id` the last of them, whose `reason` and
    `exit_status` it tells; `list_of` and `index_date` are those of the list that holds, None where none was published.
    No nights: somebody returned to an earlier list.
    """

    since: str
    reason: str
    run_id: str
    exit_status: int
    codes: tuple[str, ...]
    nights: int
    list_of: str | None
    index_date: str | None

    @property
    def sentence(self) -> str:
        """The notice as one sentence, for a banner."""
        held = f"This list is as of {self.index_date}" if self.index_date else "No list was published yet"
        if not self.nights:
            return f"{held}. {self.reason}"
        return f"{held}: since {self.since} no newer one was published. {self.reason}"


def read_notice(store: Path) -> Notice | None:
    """Return the notice of a store, None when there is none. Raises StoreError when it is damaged."""
    file = store / SNAPSHOTS / NOTICE
    try:
        content = orjson.loads(file.read_bytes())
        content.pop("sentence")
        return Notice(**{**content, "codes": tuple(content["codes"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{file}: the notice cannot be read; remove it, the next night writes it anew") from error


def put_notice(store: Path, notice: Notice) -> Notice:
    """Keep a notice; where there is one already its beginning holds, and one more night is counted."""
    try:
        before = read_notice(store)
    except StoreError:
        before = None
    if before is not None and before.list_of == notice.list_of:
        more = before.nights + (before.run_id != notice.run_id)
        notice = replace(notice, since=before.since, nights=more)
    content = {**asdict(notice), "sentence": notice.sentence}
    write_durably(store / SNAPSHOTS / NOTICE, orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return notice


def take_away_notice(store: Path) -> None:
    """Remove the notice: a night has published."""
    remove(store / SNAPSHOTS / NOTICE)
