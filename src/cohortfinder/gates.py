"""The table [gates] of the configuration: who is to be kept off every list, and whether a pull asks for it."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import StringIO
from pathlib import Path

from cohortfinder.errors import ConfigurationError
from cohortfinder.given import Given
from cohortfinder.site import SiteFile

KEYS = ("restricted", "test_labels", "test_patients", "do_not_contact", "pull")
_LABELS = re.compile(r"^[A-Za-z0-9._-]+(\+[A-Za-z0-9._-]+)*$")
# the characters of an id in FHIR
_ID = re.compile(r"^[A-Za-z0-9.-]{1,64}$")

LabelSets = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What a site adds to the gates. A patient is behind one with all labels of one of the sets, or by a list.

    `test_labels` None: who is labelled as a test patient is listed like others. `pull`: ask the server for what the
    gates read; None: where it offers that.
    """

    restricted: LabelSets = ()
    test_labels: LabelSets | None = ()
    test_patients: SiteFile | None = None
    do_not_contact: SiteFile | None = None
    pull: bool | None = None


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates as a screening asks them: label sets, and the ids of a site's lists.

    Source: http://terminology.hl7.org/CodeSystem/v3-Confidentiality (R, V), v3-ActReason (HTEST)
    """

    restricted: LabelSets = (frozenset({"R"}), frozenset({"V"}))
    test_labels: LabelSets = (frozenset({"HTEST"}),)
    test_patients: tuple[str, ...] = ()
    do_not_contact: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)


NO_LISTS = Gates()
# invented patients all say that they are for tests
INVENTED = Gates(test_labels=())


def read_gate_settings(given: Given, folder: Path, problems: list[str]) -> GateSettings:
    """Read [gates]; a path is meant from `folder`, that of the configuration."""
    own = {key[1]: value for key, value in given.items() if key[0] == "gates" and len(key) == 2}
    problems += [
        f"{place}: unknown key {'.'.join(key[1:]) or 'gates'!r} under [gates]; known are {', '.join(KEYS)}"
        for key, (value, place) in given.items()
        if key[0] == "gates" and value != {} and (len(key) != 2 or key[1] not in KEYS)
    ]
    return GateSettings(
        restricted=_labels(own, "restricted", problems),
        test_labels=None if own.get("test_labels", ("",))[0] == "none" else _labels(own, "test_labels", problems),
        test_patients=_file(own, "test_patients", folder, problems),
        do_not_contact=_file(own, "do_not_contact", folder, problems),
        pull=_switch(own, "pull", problems),
    )


def read_gates(settings: GateSettings) -> Gates:
    """Read a site's lists, and join its labels with those that always count.

    Raises ConfigurationError when a list cannot be read, or a line of it is no id of a Patient.
    """
    lists = {file: _read(file) for file in (settings.test_patients, settings.do_not_contact) if file is not None}
    always = Gates()
    return Gates(
        restricted=(*always.restricted, *settings.restricted),
        test_labels=() if settings.test_labels is None else (*always.test_labels, *settings.test_labels),
        test_patients=lists[settings.test_patients][0] if settings.test_patients else (),
        do_not_contact=lists[settings.do_not_contact][0] if settings.do_not_contact else (),
        inputs={str(file.path): digest for file, (_, digest) in lists.items()},
    )


def _read(file: SiteFile) -> tuple[tuple[str, ...], str]:
    """Return the ids of a list and the hash of the file."""
    try:
        content = file.path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{file.place}: the list {file.path} cannot be read; name a CSV file in UTF-8 with the column patient_id"
        ) from error
    return tuple(dict.fromkeys(_ids(text, file.path))), sha256(content).hexdigest()


def _ids(text: str, path: Path) -> Iterator[str]:
    """Yield the ids: the column `patient_id`, or the first one of a list without a heading."""
    reader = csv.reader(StringIO(text, newline=""))
    column = 0
    for cells in reader:
        if reader.line_num == 1 and "patient_id" in cells:
            column = cells.index("patient_id")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        own_id = cells[column].strip().removeprefix("Patient/") if len(cells) > column else ""
        if not _ID.match(own_id):
            raise ConfigurationError(f"{path}:{reader.line_num}: this is no id of a Patient; write one a line")
        yield own_id


def _labels(own: Mapping[str, tuple[object, str]], name: str, problems: list[str]) -> LabelSets:
    """Read label sets as "PSY, R+42CFRPart2": two sets, of which the second needs both labels."""
    value, place = own.get(name, (None, ""))
    if value is None:
        return ()
    sets = [one.strip() for one in value.split(",")] if isinstance(value, str) else []
    if not sets or not all(_LABELS.match(one) for one in sets):
        problems.append(f'{place}: {name} must be codes as "PSY, R+42CFRPart2"')
        return ()
    return tuple(frozenset(one.split("+")) for one in sets)


def _file(own: Mapping[str, tuple[object, str]], name: str, folder: Path, problems: list[str]) -> SiteFile | None:
    value, place = own.get(name, (None, ""))
    if isinstance(value, str) and value:
        return SiteFile(folder / value, place)
    if value is not None:
        problems.append(f"{place}: {name} must name a file")
    return None


def _switch(own: Mapping[str, tuple[object, str]], name: str, problems: list[str]) -> bool | None:
    value, place = own.get(name, (None, ""))
    if value is None or isinstance(value, bool):
        return value
    problems.append(f"{place}: {name} must be true or false")
    return None
