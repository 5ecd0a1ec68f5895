"""What DuckDB and Spark SQL spell otherwise, or read otherwise without a word, stands in queries/macros/dialect.sql.jinja alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cohortfinder.resources import resource_dir
from portable.exceptions import NOT_PORTABLE

QUERIES = Path(resource_dir("queries"))
FOLDERS = ("criteria", "facts", "formulas", "macros", "quality", "ranking", "results", "verdicts")
DIALECT = QUERIES / "macros" / "dialect.sql.jinja"
# pattern of what must not stand in a template, and what to write instead
SPELLINGS = {
    r"\[": "{{ sql.list_of }}(...), {{ sql.item }}(list, n) or {{ sql.slice }}(list, 1, n)",
    r"\{": "{{ sql.struct(name=...) }}",
    r"\blambda\b": "{{ sql.each('item') }}",
    r"->": "{{ sql.each('item') }}",
    r"\blist_\w+\(": "the name that both have (array_contains, array_sort, filter), or a word of sql",
    r"(?<![\w.])(?:list|len|row|struct|array|size|explode|unnest|epoch|starts_with|startswith)\(": "a word of sql",
    r"\b(?:EXCLUDE|EXCEPT)\b": "{{ sql.except }}",
    r"\bREPLACE \(": "{{ sql.except }} and the new column",
    r"\bDISTINCT ON\b": "{% call sql.one_of_each(...) %}",
    r"\bINTERVAL \(": "{{ sql.days(n) }}, {{ sql.months(n) }} or {{ sql.years(n) }}",
    r"\bTEMP(?:ORARY)? (?:TABLE|VIEW)\b": "{{ sql.create_temporary }}",
    r"\bVARCHAR\b": "STRING",
    r"\bTIMESTAMP(?:TZ|_NTZ|_LTZ)?\b": "{{ sql.timestamp }}",
    r"::": "CAST(... AS ...)",
    r"//|\bDIV\b": "floor(a / b)",
    r'"': "{{ sql.quoted('name') }}",
    r"\barray_agg\([^()]*ORDER BY": "{% call sql.in_order(item) %}",
    r"\b(?:string_agg|listagg)\(": "{% call sql.joined(item, between) %}",
    r"\bconcat\(": "concat_ws('', ...): the one passes over NULL, the other is NULL",
    r"\bany_value\(": "min(...): the one passes over NULL, the other does not",
    r"\b(?:date_diff|datediff|date_sub|age)\(": "a comparison of days, or {{ sql.days_between(first, last) }}",
    r"\barg_(?:min|max)\(": "min_by or max_by",
    r"\bregexp_(?:full_match|matches|replace|like)\(": "a macro for patterns of sql",
    r"regexp_extract(?:_all)?\([^,]*, *'": "{% call sql.pattern() %}",
    r"\b(?:string_split|str_split)\(": "split",
    r"\barray_(?:to_string|join)\(": "{{ sql.join_items }}",
    r"(?<!CAST\()percentile_disc\(": "CAST(percentile_disc(...) AS BIGINT): Spark makes a DOUBLE of it",
    r"\b[lr]trim\([^()]*,": "trim(TRAILING ... FROM ...)",
    r"\bcount\(DISTINCT [^()]*\) OVER\b": "a grouping that is joined",
    r"\bto_json\(": "{{ sql.json(value) }}",
    r"\bTRY\(": "{{ sql.converted(value, factor, shift) }}",
}  # fmt: skip

# comments, the patterns of regular expressions, tags, the texts of SQL and its comments
LEFT_OUT = (
    r"\{#.*?#\}",
    r"\{% call sql\.(?:pattern|matches|groups|taken_out|blanked|cut_to_group)\([^%]*\) %\}.*?\{% endcall %\}",
    r"\{%.*?%\}",
    r"\{\{.*?\}\}",
    r"--[^\n]*",
    r"'[^'\n]*'",
)


def templates() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((QUERIES / folder).glob("*.sql.jinja")):
            if path != DIALECT and f"{folder}/{path.name.partition('.')[0]}" not in NOT_PORTABLE:
                yield path


def sql_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a template with their SQL alone: no comments, tags, patterns or texts."""
    text = path.read_text(encoding="utf-8")
    for left_out in LEFT_OUT:
        text = re.sub(left_out, lambda found: " " + "\n" * found[0].count("\n"), text, flags=re.DOTALL)
    yield from enumerate(text.splitlines(), start=1)


@pytest.mark.parametrize(("spelling", "instead"), SPELLINGS.items())
def test_templates_write_what_both_read(spelling: str, instead: str) -> None:
    found = [
        f"{path.relative_to(QUERIES)}:{number}: write {instead}"
        for path in templates()
        for number, line in sql_of(path)
        if re.search(spelling, line)
    ]
    assert found == []


def test_one_file_asks_for_the_dialect() -> None:
    asking = [
        path.name for path in QUERIES.rglob("*.jinja") if re.search(r"\{%[^%]*\bdialect\b(?!\.sql)", path.read_text())
    ]
    assert asking == [DIALECT.name]


@pytest.mark.parametrize(
    "spelling", ["[1, 2]", "list_sort(x)", "lambda one: one", "CAST(x AS VARCHAR)", "concat(a, b)"]
)
def test_a_spelling_of_one_alone_is_found(spelling: str) -> None:
    assert any(re.search(pattern, spelling) for pattern in SPELLINGS)


def test_the_reference_lists_what_is_not_portable() -> None:
    page = (QUERIES.parent / "docs" / "reference" / "portable-sql.md").read_text(encoding="utf-8")
    table = page.partition("## Not portable yet")[2].partition("\n\nWhat")[0]
    assert dict(re.findall(r"^\| `(\S+)` \| (.*) \|$", table, flags=re.MULTILINE)) == NOT_PORTABLE
