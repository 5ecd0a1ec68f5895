"""What is not portable yet, by name, and why: docs/reference/portable-sql.md shows the same table."""

NOT_PORTABLE = {
    "facts/map": "reads a CSV file by DuckDB's read_csv",
    "verdicts/leaf_together": "of several leaves: Spark reads its LATERAL, but resolves no aggregate in it that has values of outside; an engine asks one leaf at a time, as on DuckDB 1.5",
    "ranking/candidate_parquet": "writes a Parquet file by DuckDB's COPY",
    "ranking/verdict_parquet": "writes a Parquet file by DuckDB's COPY",
}
