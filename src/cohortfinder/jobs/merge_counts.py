"""The job `merge-counts`: what several sites have shared of a trial to the counts of all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cohortfinder.errors import InputError
from cohortfinder.report.files import write_bytes
from cohortfinder.report.merged_counts import MergedStep, SharedCounts, merge, merged_csv, read_counts


@dataclass(frozen=True, slots=True)
class Merged:
    """The counts of all sites, and what each site has shared."""

    sites: tuple[SharedCounts, ...]
    steps: tuple[MergedStep, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be known to read the numbers right."""
        days = sorted({one.as_of for one in self.sites})
        apart = (f"the sites screened on different days, {days[0]} to {days[-1]}",) if len(days) > 1 else ()
        incomplete = tuple(
            f"{one.site} screened with warnings of its own; ask what was missing"
            for one in self.sites
            if not one.complete
        )
        return (*apart, *incomplete)

    @property
    def exit_status(self) -> int:
        """0, or 3 where a site's data were not complete."""
        return 0 if all(one.complete for one in self.sites) else 3


def merge_counts(folders: Sequence[Path], out: Path | None = None) -> Merged:
    """Merge the exports of sites, a folder each, and write the counts as CSV where a file is named.

    Raises InputError when a folder is none of an export, stands twice, or is of another trial than the first.
    """
    seen: dict[str, Path] = {}
    for folder in folders:
        if (other := seen.setdefault(folder.resolve().name, folder)) is not folder:
            raise InputError(f"{other} and {folder} have the same name; name the folder of each site after the site")
    sites = tuple(read_counts(folder) for folder in folders)
    merged = Merged(sites, merge(sites))
    if out is not None:
        write_bytes(out, merged_csv(merged.steps))
    return merged
