"""What may leave the site: rows under pseudonyms without a patient's dates and texts, counts without small numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from cohortfinder.ranking.open_criteria import OpenCriteria
from cohortfinder.report.cells import Cell, table
from cohortfinder.report.fhir_files import funnel_report
from cohortfinder.report.files import make_folder, replacing, write_bytes
from cohortfinder.report.html import page_environment
from cohortfinder.report.pseudonyms import Pseudonyms
from cohortfinder.report.screening import Screening
from cohortfinder.report.screening_log import LogRow, log_csv, log_rows, write_log_xlsx
from cohortfinder.report.suppression import SMALLEST, ArmCounts, counts_to_share

CANDIDATES = (
    "pseudonym", "arm", "status", "score", "pass", "fail", "unknown", "judgement", "next_step", "near_miss", "fails",
    "missing",
)  # fmt: skip
FUNNEL = ("arm", "order", "criterion_id", "remaining", "removed", "unknown")


@dataclass(frozen=True)
class Export:
    """What the files of an export are made of; numbers from 1 up to below `below` are withheld."""

    screening: Screening
    pseudonyms: Pseudonyms
    below: int = SMALLEST

    @cached_property
    def counts(self) -> tuple[ArmCounts, ...]:
        """The counts of every arm."""
        return counts_to_share(self.screening, below=self.below)

    @cached_property
    def log(self) -> list[LogRow]:
        """The rows of the screening log."""
        return log_rows(self.screening, self.pseudonyms)


def candidates(export: Export) -> bytes:
    """Return pseudonymised/candidates.csv: by pseudonym, without a date."""
    return table(CANDIDATES, sorted(_candidate_rows(export), key=lambda row: (str(row[0]), str(row[1]))))


def funnel(export: Export) -> bytes:
    """Return counts/funnel.csv: as funnel.csv, what is withheld is empty; order 0 are the living patients."""
    return table(FUNNEL, _funnel_rows(export.counts))


def counts_html(export: Export) -> bytes:
    """Return counts/report.html: the counts as a page."""
    screening = export.screening
    page = page_environment().get_template("counts.html.jinja")
    return page.render(trial=screening.trial, as_of=screening.as_of, counts=export.counts, below=export.below).encode()


def run_json(export: Export) -> bytes:
    """Return export.json: what ran, without a number of patients."""
    trial = export.screening.trial
    record = {
        "cohortfinder": export.screening.run.get("cohortfinder"), "trial": trial.id, "trial_sha256": trial.sha256,
        "as_of": export.screening.as_of, "withheld_below": export.below, "complete": not export.screening.warnings,
    }  # fmt: skip
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


FILES: dict[str, Callable[[Export], bytes]] = {
    "pseudonymised/candidates.csv": candidates,
    "pseudonymised/screening_log.csv": lambda export: log_csv(export.log),
    "counts/funnel.csv": funnel,
    "counts/report.html": counts_html,
    "counts/funnel.json": lambda export: funnel_report(export.screening, below=export.below),
    "export.json": run_json,
}
LOG_XLSX = "pseudonymised/screening_log.xlsx"


def write_export(out_dir: Path, export: Export) -> tuple[Path, ...]:
    """Write every file of an export into `out_dir` and return their paths. Raises ReadWriteError."""
    targets = {name: out_dir / name for name in (*FILES, LOG_XLSX)}
    for folder in sorted({target.parent for target in targets.values()}):
        make_folder(folder)
    for name, content in FILES.items():
        write_bytes(targets[name], content(export))
    with TemporaryDirectory(prefix=".cohortfinder-", dir=out_dir) as scratch, replacing(targets[LOG_XLSX]) as temporary:
        write_log_xlsx(temporary, export.screening, export.log, scratch=Path(scratch))
    return tuple(targets.values())


def _candidate_rows(export: Export) -> Iterable[tuple[Cell, ...]]:
    for one in export.screening.candidates:
        own = export.screening.open_criteria.get((one.patient_id, one.arm), OpenCriteria())
        yield (
            export.pseudonyms.of(one.patient_id), one.arm, one.status, round(one.score, 6), one.passed, one.failed,
            one.unknown, one.judgement, one.next_step, one.near_miss, ";".join(own.failing), ";".join(own.missing),
        )  # fmt: skip


def _funnel_rows(counts: tuple[ArmCounts, ...]) -> Iterable[tuple[Cell, ...]]:
    for arm in counts:
        yield (arm.arm.id, 0, None, arm.living, None, None)
        for order, step in enumerate(arm.steps, start=1):
            yield (arm.arm.id, order, step.criterion_id, step.remaining, step.removed, step.unknown)
