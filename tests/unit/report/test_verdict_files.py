"""verdicts.parquet has the rows of verdicts.csv in their order, however many threads write it."""

from pathlib import Path

import duckdb
import orjson

from cohortfinder.report.verdict_files import VERDICTS, Stretch, to_parquet


def test_rows_stand_in_the_order_of_the_stretches(tmp_path: Path) -> None:
    stretches = [Stretch(tmp_path / f"{part}.csv", tmp_path / f"{part}.ndjson") for part in range(12)]
    for part, stretch in enumerate(stretches):
        # the first ones take longest
        rows = (
            {**dict.fromkeys(VERDICTS), "patient_id": f"{part:02}-{row:05}"} for row in range(20_000 - part * 1_500)
        )
        stretch.lines.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    for _ in range(5):
        # as a warehouse is opened, which spares memory so
        with duckdb.connect(config={"threads": 4, "preserve_insertion_order": False}) as connection:
            to_parquet(connection, stretches, tmp_path / "verdicts.parquet")
        found = duckdb.connect().execute("SELECT patient_id FROM read_parquet(?)", [str(tmp_path / "verdicts.parquet")])
        ids = [one for (one,) in found.fetchall()]
        assert ids == sorted(ids)
