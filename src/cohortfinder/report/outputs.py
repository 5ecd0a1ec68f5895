"""The registry of output formats: a screening to the files of `screen --out`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from cohortfinder.ranking.candidates import Connection, run
from cohortfinder.report.csv_files import (
    VERDICTS,
    VerdictCells,
    candidates_csv,
    data_quality_csv,
    funnel_csv,
    verdict_cells,
    verdicts_csv,
)
from cohortfinder.report.files import make_folder, replacing, write_bytes
from cohortfinder.report.html import report_html
from cohortfinder.report.screening import Screening


@dataclass(frozen=True)
class Material:
    """What the outputs are made of; the cells of the verdicts are made once for all that need them."""

    screening: Screening
    connection: Connection

    @cached_property
    def verdict_cells(self) -> list[VerdictCells]:
        """The columns VERDICTS of every verdict, as text."""
        return [verdict_cells(row) for row in self.screening.verdicts]


Writer = Callable[[Path, Material], None]


def _plain(content: Callable[[Screening], bytes]) -> Writer:
    def write(target: Path, material: Material) -> None:
        write_bytes(target, content(material.screening))

    return write


def write_verdicts_csv(target: Path, material: Material) -> None:
    """Write verdicts.csv."""
    write_bytes(target, verdicts_csv(material.verdict_cells))


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
        "rows": {
            "candidates": len(screening.candidates),
            "verdicts": len(screening.verdicts),
            "funnel": len(screening.funnel),
            "data_quality": len(screening.data_quality),
        },
    }
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_verdicts_parquet(target: Path, material: Material) -> None:
    """Write verdicts.parquet through the engine's connection, from typed lines."""
    with TemporaryDirectory(prefix="cohortfinder-") as scratch, replacing(target) as temporary:
        lines = Path(scratch) / "verdicts.ndjson"
        with lines.open("wb") as out:
            for cells in material.verdict_cells:
                line = dict(zip(VERDICTS, cells, strict=True))
                out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        temporary.touch()
        run(material.connection, "ranking/verdict_parquet.sql.jinja", path=str(lines), target=str(temporary))


FORMATS: dict[str, Writer] = {
    "candidates.csv": _plain(candidates_csv),
    "verdicts.csv": write_verdicts_csv,
    "verdicts.parquet": write_verdicts_parquet,
    "funnel.csv": _plain(funnel_csv),
    "data_quality.csv": _plain(data_quality_csv),
    "report.html": _plain(report_html),
    "run.json": _plain(run_json),
}


def write_outputs(
    out_dir: Path, screening: Screening, connection: Connection, formats: Iterable[str] = tuple(FORMATS)
) -> tuple[Path, ...]:
    """Write the named outputs into `out_dir` and return their paths.

    Raises ReadWriteError when the folder cannot be written.
    """
    make_folder(out_dir)
    targets = tuple(out_dir / name for name in formats)
    material = Material(screening, connection)
    for target in targets:
        FORMATS[target.name](target, material)
    return targets
