"""What is not portable yet, by name, and why: docs/reference/portable-sql.md shows the same table."""

NOT_PORTABLE = {
    "facts/map": "reads a CSV file by DuckDB's read_csv",
    "verdicts/leaf_together": "of several leaves: Spark reads its LATERAL, but resolves no aggregate in it that has values of outside; an engine asks one leaf at a time, as on DuckDB 1.5",
    "ranking/verdict_parquet": "writes a Parquet file by DuckDB's COPY",
    "quality/carried": "written for DuckDB alone so far",
    "quality/carrier": "written for DuckDB alone so far",
    "quality/concept_coverage": "written for DuckDB alone so far",
    "quality/concept_coverage_rows": "written for DuckDB alone so far",
    "quality/concept_window": "written for DuckDB alone so far",
    "quality/leaf_concept": "written for DuckDB alone so far",
    "quality/note_open_verdicts": "written for DuckDB alone so far",
    "quality/open_verdict": "written for DuckDB alone so far",
    "quality/rule_node": "written for DuckDB alone so far",
    "quality/settled": "written for DuckDB alone so far",
    "quality/unknown": "written for DuckDB alone so far",
    "quality/unknown_rows": "written for DuckDB alone so far",
}
