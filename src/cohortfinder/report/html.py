"""A screening as one self-contained HTML page that opens from a mail or a share, without a network."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cohortfinder import wording
from cohortfinder.model import Arm
from cohortfinder.ranking.candidates import Candidate, FunnelStep
from cohortfinder.report.quality_page import coverage, settling, share
from cohortfinder.report.screening import Screening
from cohortfinder.report.verdict_rows import VerdictRow

_TEMPLATES = Path(__file__).with_name("templates")
# of how many candidates the report has every criterion
IN_FULL = 300


@dataclass(frozen=True, slots=True)
class FunnelBar:
    """A step of the funnel as it is drawn: `percent` is who remains, of those who are listed."""

    step: FunnelStep
    percent: float


@dataclass(frozen=True, slots=True)
class Funnel:
    """An arm's funnel as it is drawn; `start` is the number of living patients."""

    arm: Arm
    start: int
    bars: tuple[FunnelBar, ...]


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
            arm_names={arm.id: arm.name for arm in screening.trial.arms},
            criteria={criterion.id: criterion for criterion in criteria},
            not_computed=[criterion for criterion in criteria if not criterion.computed],
            counts={status: _count(screening, status) for status in wording.STATUSES},
            funnels=[funnel for arm in screening.trial.arms if (funnel := _funnel(screening, arm))],
            settling=settling(screening),
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


def _funnel(screening: Screening, arm: Arm) -> Funnel | None:
    computed = {criterion.id for criterion in screening.trial.criteria if criterion.computed}
    steps = [step for step in screening.funnel if step.arm == arm.id and step.criterion_id in computed]
    if not steps:
        return None
    start = steps[0].remaining + steps[0].removed
    # drawn against the listed patients: beside a whole hospital they would not be seen
    listed = max(steps[0].remaining, 1)
    return Funnel(arm, start, tuple(FunnelBar(step, round(100 * step.remaining / listed, 1)) for step in steps))


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
    environment.globals["asset"] = _asset
    environment.globals["share"] = share
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    return environment


def _asset(name: str) -> Markup:
    """Return one of our own files to be written into the page."""
    return Markup((_TEMPLATES / name).read_text("utf-8"))
