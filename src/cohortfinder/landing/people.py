"""Who is erased: the resources that name a person, and the list of those who must not come back.

The list does not name anybody: it holds keyed hashes of ids, with the key beside them. Who has the store can find out
whether an id that he knows is on it, and no more.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.disk import write_durably
from cohortfinder.errors import StoreError

ERASED = "erased.json"
_REFERENCE = re.compile(r"(?:^|/)Patient/([^/?#\s]+)(?:/_history/.*)?$")
_NAMED = re.compile(rb"Patient\\?/([A-Za-z0-9.\-]+)")
_RECORD = re.compile(rb"[A-Z][A-Za-z]+\\?/[A-Za-z0-9.\-]+")


@dataclass(frozen=True)
class Erased:
    """The people who were erased, as hashes. `begun`: some of them are not erased everywhere yet."""

    key: str
    people: frozenset[str] = frozenset()
    begun: bool = False

    def hash_of(self, patient: str) -> str:
        """Return the hash by which a patient id is on the list."""
        return hmac.new(bytes.fromhex(self.key), patient.encode(), sha256).hexdigest()

    @cached_property
    def _known(self) -> dict[str, bool]:
        return {}

    def holds(self, patient: str) -> bool:
        """Say whether a patient is on the list."""
        if patient not in self._known:
            self._known[patient] = self.hash_of(patient) in self.people
        return self._known[patient]


def read_erased(store: Path) -> Erased:
    """Return the list of a store, empty where there is none. Raises StoreError when it is damaged."""
    try:
        content = orjson.loads((store / ERASED).read_bytes())
        return Erased(content["key"], frozenset(content["people"]), bool(content["begun"]))
    except FileNotFoundError:
        return Erased(secrets.token_hex(32))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{store / ERASED}: the list of erased people is damaged; restore it from a backup, so that nobody of them "
            "comes back"
        ) from error


def write_erased(store: Path, erased: Erased) -> None:
    """Write the list, whole or not at all."""
    content = {"key": erased.key, "people": sorted(erased.people), "begun": erased.begun}
    write_durably(store / ERASED, orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


class People:
    """Some patients by their ids and `records` (references): which texts and resources name them."""

    def __init__(self, ids: Iterable[str], records: Iterable[str] = ()) -> None:
        self.ids, self.records = frozenset(ids), frozenset(records)
        words = b"|".join(re.escape(one.encode()) for one in sorted(self.ids))
        self._word = re.compile(rb"(?<![A-Za-z0-9\-])(?:" + words + rb")(?![A-Za-z0-9\-])")

    def written_in(self, text: bytes) -> bool:
        """Say whether one of the ids stands in a text as a word; a dot may follow it, though ids have dots."""
        return bool(self._word.search(text))

    def without(self, text: str, instead: str) -> str:
        """Return a text with other words in the place of the ids and records."""
        for record in sorted(self.records, key=len, reverse=True):
            text = text.replace(record, instead)
        return self._word.sub(instead.encode(), text.encode()).decode()

    def told_in(self, text: bytes) -> bool:
        """Say whether one of the ids or a record of theirs stands in a text, as an example of what was found may."""
        return self.written_in(text) or any(
            word in self.records or word.rstrip(".") in self.records
            for word in {one.replace(b"\\", b"").decode() for one in _RECORD.findall(text)}
        )

    def named_by(self, resource_type: str, line: bytes) -> bool:
        """Say whether a resource is one of the patients, or refers to one."""
        if not self.written_in(line):
            return False
        try:
            resource = orjson.loads(line)
        except ValueError:
            return True  # no table can read it, and it may be about her
        own = resource_type == "Patient" and isinstance(resource, dict) and resource.get("id") in self.ids
        return own or any(found[1] in self.ids for text in _texts(resource) if (found := _REFERENCE.search(text)))


def may_name_erased(erased: Erased, resource_type: str | None, lines: bytes) -> bool:
    """Say at a glance whether landed lines may name somebody on the list; Patients have to be looked at one by one."""
    named = {one.decode() for one in _NAMED.findall(lines)}
    return resource_type == "Patient" or any(erased.holds(one) for one in named)


def names_erased(erased: Erased, line: bytes) -> bool:
    """Say whether a resource is somebody on the list, or refers to one."""
    try:
        resource = orjson.loads(line)
    except ValueError:
        return False  # it goes to quarantine
    if not isinstance(resource, dict):
        return False
    own = resource.get("id") if resource.get("resourceType") == "Patient" else None
    if isinstance(own, str) and erased.holds(own):
        return True
    return any(erased.holds(found[1]) for text in _texts(resource) if (found := _REFERENCE.search(text)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
