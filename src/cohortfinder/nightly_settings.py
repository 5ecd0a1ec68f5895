"""The table [nightly] of the configuration: how many lists are kept, when a night refuses to publish, what it tells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cohortfinder import notify_settings
from cohortfinder.given import Given, text_of, whole_of
from cohortfinder.notify_settings import Notify, read_notify
from cohortfinder.site import SiteFile

# each with its default, the least and the most
NUMBERS = {"keep": (14, 1, 1000), "shrink_percent": (20, 1, 100), "compact_percent": (20, 1, 100)}
TEXTS = ("link",)
KEYS = (*NUMBERS, *TEXTS, "answers", *notify_settings.KEYS)
# what holds names of its own
_TABLES = ("answers", notify_settings.HEADERS)
# the name under which a file of answers stands that was given without the id of a trial
ONLY_TRIAL = ""


@dataclass(frozen=True, slots=True)
class NightlySettings:
    """What a site says of its nights.

    `compact_percent`: old loads are merged when so much of landing is superseded. `answers`: the file of people's
    answers of each trial, by its id. `link`: the address of the list, told in messages.
    """

    keep: int = 14
    shrink_percent: int = 20
    compact_percent: int = 20
    link: str | None = None
    answers: Mapping[str, SiteFile] = field(default_factory=dict)
    notify: Notify = field(default_factory=Notify)


def read_nightly_settings(given: Given, folder: Path, problems: list[str]) -> NightlySettings:
    """Read [nightly]; a path is meant from `folder`, that of the configuration."""
    own = {key[1:]: value for key, value in given.items() if key[0] == "nightly" and len(key) > 1}
    problems += _unknown(given)
    return NightlySettings(
        keep=whole_of(own, "keep", NUMBERS["keep"], problems),
        shrink_percent=whole_of(own, "shrink_percent", NUMBERS["shrink_percent"], problems),
        compact_percent=whole_of(own, "compact_percent", NUMBERS["compact_percent"], problems),
        link=text_of(own, "link", problems),
        answers=dict(_answers(own, folder, problems)),
        notify=read_notify(own, folder, problems),
    )


def _unknown(given: Given) -> Iterator[str]:
    for key, (value, place) in given.items():
        if key[0] != "nightly" or value == {}:
            continue
        if len(key) == 1:
            yield f"{place}: nightly must be a table"
        elif key[1] in notify_settings.SECRETS:
            home = notify_settings.SECRETS[key[1]]
            yield f"{place}: {key[1]} is secret; write it into a file with mode 600, and name that as {home}"
        elif key[1] not in KEYS or len(key) > (3 if key[1] in _TABLES else 2):
            yield f"{place}: unknown key {'.'.join(key[1:])!r} under [nightly]; known are {', '.join(KEYS)}"


def _answers(own: Given, folder: Path, problems: list[str]) -> Iterator[tuple[str, SiteFile]]:
    """Yield the file of each trial: `answers = FILE` where there is one trial, else a table by their ids."""
    for key, (value, place) in own.items():
        if key[0] != "answers" or value == {} or len(key) > 2:
            continue
        if isinstance(value, str) and value:
            yield key[1] if len(key) == 2 else ONLY_TRIAL, SiteFile(folder / value, place)
        else:
            problems.append(f"{place}: answers must name a file, or files by the ids of trials")
