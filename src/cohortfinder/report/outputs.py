"""The registry of output formats: a screening to the files of `screen --out`."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from cohortfinder.ranking.candidates import Connection, run
from cohortfinder.report.calibration_page import calibration_record
from cohortfinder.report.csv_files import (
    candidates_csv,
    clinic_steps_csv,
    concept_coverage_csv,
    data_quality_csv,
    funnel_csv,
    funnel_people_csv,
    gates_csv,
    next_steps_csv,
    unknowns_csv,
    what_if_csv,
)
from cohortfinder.report.fhir_files import funnel_report, screening_list
from cohortfinder.report.files import make_folder, replacing, write_bytes
from cohortfinder.report.html import report_html
from cohortfinder.report.outlook_files import outlook_csv, outlook_ics
from cohortfinder.report.proof_files import write_proof_candidates, write_proof_people, write_proof_records
from cohortfinder.report.screening import Screening
from cohortfinder.report.tellers import told_by_several
from cohortfinder.report.verdict_files import Stretch, to_csv, to_parquet, write_stretch
from cohortfinder.report.verdict_rows import Teller, VerdictReader
from cohortfinder.report.worklist import write_worklist

# so many verdicts take long enough to tell that further processes pay for their start
_MANY = 100_000


@dataclass(frozen=True)
class Material:
    """What the outputs are made of. `scratch`: a folder for what goes when they are written.

    `processes` may tell verdicts side by side.
    """

    screening: Screening
    connection: Connection
    scratch: Path
    processes: int = 1

    @cached_property
    def verdicts(self) -> tuple[Stretch, ...]:
        """Every verdict, in stretches; they are told once for all that need them."""
        trial, language = self.screening.trial, self.screening.language
        reader = VerdictReader(self.connection, trial)
        if self.screening.verdict_count >= _MANY and self.processes > 1:
            return told_by_several(reader.stretches(), trial, language, self.scratch, self.processes)
        whole = Stretch(self.scratch / "verdicts.csv", self.scratch / "verdicts.ndjson")
        write_stretch(Teller(trial, language).told(reader.some()), whole)
        return (whole,)


Writer = Callable[[Path, Material], None]


def _plain(content: Callable[[Screening], bytes]) -> Writer:
    def write(target: Path, material: Material) -> None:
        write_bytes(target, content(material.screening))

    return write


def _proof(write: Callable[[Path, Connection], None]) -> Writer:
    return lambda target, material: write(target, material.connection)


def write_verdicts_csv(target: Path, material: Material) -> None:
    """Write verdicts.csv."""
    with replacing(target) as temporary:
        to_csv(material.verdicts, temporary)


def run_json(screening: Screening) -> bytes:
    """Return run.json: what ran, on what, and how many rows it gave."""
    record = {
        **screening.run,
        "trial": screening.trial.id,
        "trial_sha256": screening.trial.sha256,
        "profile": screening.trial.profile,
        "as_of": screening.as_of,
        "parameters": {one.name: one.value for one in screening.trial.parameters},
        "warnings": screening.warnings,
        "gates": {"patients": screening.kept_off, **{one.gate: one.patients for one in screening.gates}},
        "calibration": calibration_record(screening.calibration),
        "rows": {
            "candidates": len(screening.candidates),
            "verdicts": screening.verdict_count,
            "funnel": len(screening.funnel),
            "funnel_people": len(screening.people),
            "data_quality": len(screening.data_quality),
            "concept_coverage": len(screening.coverage),
            "unknowns": len(screening.unknowns),
        },
    }
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_candidates_parquet(target: Path, material: Material) -> None:
    """Write candidates.parquet from the engine's own table."""
    with replacing(target) as temporary:
        temporary.touch()
        run(material.connection, "ranking/candidate_parquet.sql.jinja", target=str(temporary))


def write_verdicts_parquet(target: Path, material: Material) -> None:
    """Write verdicts.parquet through the engine's connection."""
    with replacing(target) as temporary:
        temporary.touch()
        to_parquet(material.connection, material.verdicts, temporary)


def write_candidates_xlsx(target: Path, material: Material) -> None:
    """Write candidates.xlsx."""
    with replacing(target) as temporary:
        write_worklist(temporary, material.screening, scratch=material.scratch)


FORMATS: dict[str, Writer] = {
    "candidates.csv": _plain(candidates_csv),
    "candidates.parquet": write_candidates_parquet,
    "candidates.xlsx": write_candidates_xlsx,
    "verdicts.csv": write_verdicts_csv,
    "verdicts.parquet": write_verdicts_parquet,
    "funnel.csv": _plain(funnel_csv),
    "funnel_people.csv": _plain(funnel_people_csv),
    "whatif.csv": _plain(lambda screening: what_if_csv(screening.what_if)),
    "data_quality.csv": _plain(data_quality_csv),
    "concept_coverage.csv": _plain(concept_coverage_csv),
    "unknowns.csv": _plain(unknowns_csv),
    "gates.csv": _plain(gates_csv),
    "next_steps.csv": _plain(next_steps_csv),
    "clinic_steps.csv": _plain(clinic_steps_csv),
    "outlook.csv": _plain(outlook_csv),
    "outlook.ics": _plain(outlook_ics),
    "report.html": _plain(report_html),
    "fhir/screening-list.json": _plain(screening_list),
    "fhir/funnel.json": _plain(funnel_report),
    "proof/candidates.parquet": _proof(write_proof_candidates),
    "proof/people.parquet": _proof(write_proof_people),
    "proof/records.parquet": _proof(write_proof_records),
    "run.json": _plain(run_json),
}
# what is made from the tables of the engine; all else is made from the screening alone
_OF_TABLES = frozenset(
    {"candidates.parquet", "verdicts.csv", "verdicts.parquet", *(name for name in FORMATS if name.startswith("proof/"))}
)
# a folder that has it has everything
_LAST = "run.json"


def write_outputs(
    out_dir: Path,
    screening: Screening,
    connection: Connection,
    formats: Iterable[str] = tuple(FORMATS),
    *,
    processes: int = 1,
) -> tuple[Path, ...]:
    """Write the named outputs into `out_dir` and return their paths. Many verdicts are told by several processes.

    Raises ReadWriteError when the folder cannot be written.
    """
    make_folder(out_dir)
    targets = {name: out_dir / name for name in formats}
    for folder in {target.parent for target in targets.values()} - {out_dir}:
        make_folder(folder)
    # in the same folder, since the largest of them is moved to its place; nobody else may look into it
    with TemporaryDirectory(prefix=".cohortfinder-", dir=out_dir) as scratch:
        _write(targets, Material(screening, connection, Path(scratch), processes))
    return tuple(targets.values())


def _write(targets: Mapping[str, Path], material: Material) -> None:
    """Write what is made from the screening beside what the engine has to work for."""
    with ThreadPoolExecutor(1) as beside:
        others = [
            beside.submit(FORMATS[name], target, material)
            for name, target in targets.items()
            if name not in _OF_TABLES and name != _LAST
        ]
        for name, target in targets.items():
            if name in _OF_TABLES:
                FORMATS[name](target, material)
        for done in others:
            done.result()
    if _LAST in targets:
        FORMATS[_LAST](targets[_LAST], material)
