"""What proves a run, to compare it with another: the list, the standing of everybody, the records with hashes."""

from pathlib import Path

from cohortfinder.ranking.candidates import Connection, run
from cohortfinder.report.files import replacing
from cohortfinder.warehouse.tables import typed_tables


def write_proof_candidates(target: Path, connection: Connection) -> None:
    """Write proof/candidates.parquet."""
    _write("diff/proof_candidates.sql.jinja", target, connection)


def write_proof_people(target: Path, connection: Connection) -> None:
    """Write proof/people.parquet."""
    _write("diff/proof_people.sql.jinja", target, connection, only={"Patient"})


def write_proof_records(target: Path, connection: Connection, *, among_all: bool = True) -> None:
    """Write proof/records.parquet. `among_all`: the records are looked for among those of everybody."""
    _write("diff/proof_records.sql.jinja", target, connection, by_patient=among_all)


def _write(
    template: str, target: Path, connection: Connection, *, only: frozenset[str] | set[str] = frozenset(),
    by_patient: bool = False,
) -> None:  # fmt: skip
    tables = [
        (one.name, one.resource_type, by_patient and any(column.name == "patient_id" for column in one.view.columns))
        for one in typed_tables()
        if not only or one.resource_type in only
    ]
    with replacing(target) as temporary:
        temporary.touch()
        run(connection, template, tables=tables, target=str(temporary))
