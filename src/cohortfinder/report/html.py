"""A screening as one self-contained HTML page that opens from a mail or a share, without a network."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cohortfinder import wording
from cohortfinder.ranking.candidates import Candidate
from cohortfinder.report.calendar_page import weeks
from cohortfinder.report.calibration_page import calibration_page
from cohortfinder.report.factor_words import criterion_names, factor_in_words
from cohortfinder.report.funnel_page import funnels
from cohortfinder.report.gates_page import gate_lines
from cohortfinder.report.list_rows import LISTED, stretches
from cohortfinder.report.quality_page import coverage, settling, share
from cohortfinder.report.screening import Screening
from cohortfinder.report.step_words import step_words, unsettled_words
from cohortfinder.report.steps_page import tests
from cohortfinder.report.verdict_rows import VerdictRow
from cohortfinder.report.what_if_page import what_if

_TEMPLATES = Path(__file__).with_name("templates")
# of how many candidates the report has every criterion
IN_FULL = 500


@dataclass(frozen=True, slots=True)
class Dossier:
    """One candidate in full: the criteria in the order in which a coordinator works."""

    number: int
    candidate: Candidate
    missing: tuple[VerdictRow, ...]
    judgement: tuple[VerdictRow, ...]
    against: tuple[VerdictRow, ...]
    passed: tuple[VerdictRow, ...]
    not_computed: tuple[VerdictRow, ...]


def report_html(screening: Screening) -> bytes:
    """Return report.html: list, funnels and every criterion of the first patients with its evidence."""
    verdicts = screening.verdicts_by_candidate()
    criteria = screening.trial.criteria
    page = (
        page_environment()
        .get_template("report.html.jinja")
        .render(
            screening=screening,
            trial=screening.trial,
            criterion_names=criterion_names(screening.trial, screening.language),
            arm_names={arm.id: arm.name for arm in screening.trial.arms},
            stretches=stretches(screening),
            shown=min(LISTED, len(screening.candidates)),
            computed=[criterion for criterion in criteria if criterion.computed],
            not_computed=[criterion for criterion in criteria if not criterion.computed],
            counts={status: _count(screening, status) for status in wording.STATUSES},
            funnels=tuple(funnels(screening)),
            gates=gate_lines(screening),
            what_if=what_if(screening),
            settling=settling(screening),
            tests=tests(screening),
            calendar=weeks(screening),
            calibration=calibration_page(screening),
            coverage=tuple(coverage(screening)),
            dossiers=[
                dossier(number, one, verdicts.get((one.patient_id, one.arm), ()))
                for number, one in enumerate(screening.candidates[:IN_FULL], start=1)
            ],
        )
    )
    return page.encode("utf-8")


def dossier(number: int, candidate: Candidate, rows: tuple[VerdictRow, ...]) -> Dossier:
    """Sort the verdicts of a candidate: what is missing first, in protocol order within each group."""
    computed = [row for row in rows if row.criterion.computed]
    unknown = [row for row in computed if row.verdict == "unknown"]
    return Dossier(
        number=number,
        candidate=candidate,
        missing=tuple(row for row in unknown if row.criterion.certainty != "judgement"),
        judgement=tuple(row for row in unknown if row.criterion.certainty == "judgement"),
        against=tuple(row for row in rows if row.verdict == "fail"),
        passed=tuple(row for row in rows if row.verdict == "pass"),
        not_computed=tuple(row for row in rows if not row.criterion.computed and row.verdict == "unknown"),
    )


def _count(screening: Screening, status: str) -> int:
    return sum(one.status == status for one in screening.candidates)


@cache
def page_environment() -> Environment:
    """Return the environment in which pages are made: every text is escaped, assets stand in the page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["wording"] = wording
    environment.globals["factor_in_words"] = factor_in_words
    environment.globals["step_words"] = step_words
    environment.globals["unsettled_words"] = unsettled_words
    environment.globals["asset"] = _asset
    environment.globals["share"] = share
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    return environment


def _asset(name: str) -> Markup:
    """Return one of our own files to be written into the page."""
    return Markup((_TEMPLATES / name).read_text("utf-8"))
