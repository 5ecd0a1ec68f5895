"""The reference of how a rule behaves, told by the tests of tests/spec: `python -m tests.docs.spec_pages` writes it.

The tests are run with a `spec` that notes what it is asked instead of asking it.
"""

import csv
import inspect
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from cohortfinder.site import Site

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference" / "spec"
PARTS = {"criteria": "Leaf kinds", "topics": "Topics"}
_WRITTEN = "Written by `python -m tests.docs.spec_pages` from `{source}`; a test fails when it is not current."
_INDEX = """\
# How a rule behaves, by example

Written by `python -m tests.docs.spec_pages` from `tests/spec/`; a test fails when it is not current.

Every example is a test: the records of a few patients, a rule as it stands in a trial file, and what is answered of each
patient. A record is shown with the columns of its [typed table](../tables.md) that matter; what is left out is what most
records say: a result is final, a diagnosis has a SNOMED CT code, a drug an RxNorm code, a patient is a woman born on
1980-01-01. The words of the rules are those of the [trial language](../trial-language.md).
"""
# what a case says beside its tables, in the order in which it is told
_TOLD = {"expected": "Answer", "evidence": "Evidence", "first_evidence": "What decided first"}
_WRITTEN_AS = {
    "cockcroft gault": "Cockcroft-Gault", "sledai": "SLEDAI", "february": "February", "august": "August",
    "monday": "Monday",
}  # fmt: skip
_CODE_COLUMNS = ("code", "ingredient_code", "value_code")


@dataclass
class Lesson:
    """One test: its name as a sentence, what it says, and what it asks; none when it is tried in another way."""

    name: str
    says: str
    cases: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Chapter:
    """One file of tests."""

    source: Path
    title: str
    intro: str
    lessons: dict[str, Lesson] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """The name of its page."""
        return f"{self.source.stem.removeprefix('test_')}.md"


class Recorder:
    """A pytest plugin that notes what each test asks of `spec`."""

    def __init__(self) -> None:
        self.chapters: dict[Path, Chapter] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Note every test, and keep those that ask `spec`."""
        for item in items:
            self._lesson(item)
        items[:] = [item for item in items if "spec" in item.fixturenames]

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Any:
        """Give the tests a `spec` that notes and does not ask."""
        if fixturedef.argname != "spec":
            return None
        cases = self._lesson(request.node).cases

        def note(**case: Any) -> None:
            # the files of a site are gone when the test is over
            cases.append(case | ({"site": tuple(_files_of(case["site"]))} if "site" in case else {}))

        fixturedef.cached_result = (note, fixturedef.cache_key(request), None)
        return note

    def _lesson(self, item: pytest.Function) -> Lesson:
        if item.path not in self.chapters:
            title, _, intro = inspect.cleandoc(item.module.__doc__).partition("\n")
            self.chapters[item.path] = Chapter(item.path, title.removeprefix("# "), intro.strip())
        name = item.originalname
        lesson = Lesson(_sentence(name), inspect.cleandoc(item.function.__doc__ or ""))
        return self.chapters[item.path].lessons.setdefault(name, lesson)


def pages() -> dict[str, str]:
    """Return every page by its path below the folder, as Markdown."""
    recorder = Recorder()
    places = [str(ROOT / "tests" / "spec" / part) for part in PARTS]
    status = pytest.main(["-o", "addopts=", "-p", "no:terminal", "-p", "no:cacheprovider", *places], plugins=[recorder])
    if status != pytest.ExitCode.OK:
        raise SystemExit(f"the tests cannot be read ({status!r}); run pytest tests/spec")
    labels = _labels()
    chapters = sorted(recorder.chapters.values(), key=lambda one: one.title)
    return {chapter.page: _page(chapter, labels) for chapter in chapters} | {"README.md": _index(chapters)}


def write(folder: Path) -> None:
    """Write the pages, and remove those whose chapter is gone."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in set(folder.glob("*.md")) - {folder / name for name in made}:
        old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


def _index(chapters: list[Chapter]) -> str:
    lines = [_INDEX]
    for part, title in PARTS.items():
        lines += [f"## {title}\n", "| chapter | | examples |", "| --- | --- | --- |"]
        for one in chapters:
            if one.source.parent.name == part:
                about = " ".join(one.intro.split("\n\n")[0].split())
                lines.append(f"| [{one.title}]({one.page}) | {about} | {len(one.lessons)} |")
        lines.append("")
    return "\n".join(lines)


def _page(chapter: Chapter, labels: Mapping[str, str]) -> str:
    source = chapter.source.relative_to(ROOT).as_posix()
    lines = [f"# {chapter.title}\n", f"{chapter.intro}\n", f"{_WRITTEN.format(source=source)}\n"]
    for lesson in chapter.lessons.values():
        lines += [f"## {lesson.name}\n", f"{lesson.says}\n"]
        if not lesson.cases:
            lines.append(f"Tried in Python: see `{source}`.\n")
        lines += _cases(lesson.cases, labels)
    return "\n".join(lines)


def _cases(cases: list[dict[str, Any]], labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the cases of a lesson; of each but the first only what is new in it."""
    told: dict[str, Any] = {}
    for number, case in enumerate(cases, start=1):
        if len(cases) > 1:
            yield f"**Case {number}**\n"
        given = {name: value for name, value in case.items() if name not in _TOLD and value is not None}
        for name, value in given.items():
            if told.get(name) != value:
                yield from _given(name, value, labels)
        for name in (one for one in told if one not in given):
            yield f"Without the {_words(name)} above.\n"
        for name, title in _TOLD.items():
            if case.get(name):
                yield from _table(title, case[name], labels)
        told = given


def _given(name: str, value: Any, labels: Mapping[str, str]) -> Iterator[str]:
    match name:
        case "as_of":
            yield f"As of {value}.\n"
        case "kind":
            yield f"As an {value} criterion.\n"
        case "loaded":
            yield f"Loaded: {', '.join(value)}.\n"
        case "incomplete":
            yield f"A pull has failed of: {', '.join(value)}.\n"
        case "site":
            for key, text in value:
                yield f"The site's `{key}`:\n\n```\n{text}\n```\n"
        case "rule":
            yield from _yaml("Rule", value)
        case "flag_when":
            yield from _yaml("Flag when", value)
        case _:
            yield from _table(_words(name).capitalize(), value, labels)


def _files_of(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the files that a site declares, each with the key of the configuration that names it."""
    found = [(f"site.{one.way}.{one.concept}", one.file) for one in site.concepts]
    found += [("site.local_codes", file) for file in site.local_codes]
    for key, file in found:
        yield key, file.path.read_text("utf-8").strip()
    if site.text_terms != Site().text_terms:
        yield "site.text_terms", site.text_terms


def _yaml(title: str, value: Mapping[str, Any]) -> Iterator[str]:
    writer, text = YAML(), io.StringIO()
    writer.default_flow_style, writer.width = None, 110  # type: ignore[assignment]
    top = CommentedMap(value)
    top.fa.set_block_style()
    writer.dump(top, text)
    yield f"{title}:\n\n```yaml\n{text.getvalue()}```\n"


def _table(title: str, text: str, labels: Mapping[str, str]) -> Iterator[str]:
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    yield f"{title}:\n"
    yield _row(header)
    yield _row(["---"] * len(header))
    for row in rows:
        yield _row(_labelled(name, cell, labels) for name, cell in zip(header, row, strict=True))
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|"


def _labelled(column: str, cell: str, labels: Mapping[str, str]) -> str:
    """Say what a code means; signs that Markdown would read are written as they are."""
    plain = re.sub(r"([*<\[\]])", r"\\\1", cell)
    label = labels.get(cell) if column in _CODE_COLUMNS else None
    return f"{plain} ({label})" if label else plain


def _labels() -> dict[str, str]:
    """Return what each code means, where all mappings that have it say the same."""
    said: defaultdict[str, set[str]] = defaultdict(set)
    for name in ("observation_codes", "clinical_codes"):
        with (ROOT / "mappings" / "concepts" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                said[row["code"]].add(row["label"])
    return {code: next(iter(labels)) for code, labels in said.items() if len(labels) == 1}


def _sentence(name: str) -> str:
    text = name.removeprefix("test_").replace("_", " ")
    for word, written in _WRITTEN_AS.items():
        text = re.sub(rf"\b{word}\b", written, text)
    return text[0].upper() + text[1:]


def _words(name: str) -> str:
    return name.replace("_", " ")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
