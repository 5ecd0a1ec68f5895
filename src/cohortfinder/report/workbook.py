"""Sheets of an Excel workbook, written row by row in constant memory; no text in them ever becomes a formula."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any, Generic, TypeVar

import xlsxwriter

Cell = str | int | float | date | None
Row = TypeVar("Row")

# what XML cannot hold: control characters and halves of characters
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")
_LONGEST_SHEET_NAME = 31
_LAST_ROW = 1_048_575
# quote_prefix: also when somebody opens the cell and closes it again, the text stays a text
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "text": {"quote_prefix": True},
    "long": {"quote_prefix": True, "text_wrap": True},
    "number": {"num_format": "0"},
    "percent": {"num_format": "0 %"},
    "date": {"num_format": "yyyy-mm-dd", "align": "left"},
    "input": {"text_wrap": True},
    "ground": {"bg_color": "#FFFBE6", "border": 1, "border_color": "#C9B458"},
    # the words of a cell say what its colour says: dark ink on a pale ground, at least 7:1
    "good": {"font_color": "#123F27", "bg_color": "#DDF0E3", "bold": True},
    "open": {"font_color": "#553500", "bg_color": "#FBEFD5", "bold": True},
    "bad": {"font_color": "#6E1220", "bg_color": "#F9E0E3", "bold": True},
    "header": {"bold": True, "text_wrap": True, "bg_color": "#E7ECF1", "bottom": 2},
}
# what a person decides, and how it looks then
ANSWERS = {"yes": "good", "no": "bad", "not sure": "open"}


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column of a sheet: what stands in it of a row, in which look.

    `shades` gives some of its words another look. What a person fills in has the look `input` and stays empty;
    `choices` are offered for it.
    """

    title: str
    width: int
    value: Callable[[Row], Cell] = lambda _: None
    look: str = "text"
    shades: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()


@dataclass(slots=True)
class Workbook:
    """A workbook while it is written."""

    book: Any
    _names: set[str] = field(default_factory=set)
    _formats: dict[str, Any] = field(default_factory=dict)

    def sheet(self, name: str, columns: Sequence[Column[Row]], rows: Iterable[Row], *, fixed: int = 2) -> None:
        """Add a sheet with filters whose header and first columns stay in view; what is too much is left out."""
        sheet = self.book.add_worksheet(self._named(name))
        for place, column in enumerate(columns):
            # empty cells are not written one by one: they have the look of their column
            sheet.set_column(place, place, column.width, self._format("input") if column.look == "input" else None)
            sheet.write_string(0, place, column.title, self._format("header"))
        writes = [self._write(sheet, place, column) for place, column in enumerate(columns) if column.look != "input"]
        last = 0
        for last, row in enumerate(rows, start=1):
            if last == _LAST_ROW:
                break
            for write in writes:
                write(last, row)
        sheet.freeze_panes(1, fixed)
        sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)
        self._prepare_inputs(sheet, columns, max(last, 1))
        self._set_paper(sheet, name)

    def page(self, name: str, lines: Iterable[tuple[str, str]]) -> None:
        """Add a sheet of short texts, each with its title."""
        sheet = self.book.add_worksheet(self._named(name))
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 100)
        for number, (title, text) in enumerate(lines):
            sheet.write_string(number, 0, clean(title), self._format("header"))
            sheet.write_string(number, 1, clean(text), self._format("long"))
        self._set_paper(sheet, name)

    def _write(self, sheet: Any, place: int, column: Column[Row]) -> Callable[[int, Row], None]:
        """Return what writes the value of this column of each row; what all rows share is looked up once."""
        value_of, look = column.value, self._format(column.look)
        shades = {word: self._format(name) for word, name in column.shades.items()}
        write_string, write_number, write_datetime = sheet.write_string, sheet.write_number, sheet.write_datetime

        def write(number: int, row: Row) -> None:
            value = value_of(row)
            if value is None or value == "":
                return
            if isinstance(value, str):
                write_string(number, place, clean(value), shades.get(value, look))
            elif isinstance(value, date):
                write_datetime(number, place, datetime.combine(value, time()), look)
            else:
                write_number(number, place, value, look)

        return write

    def _prepare_inputs(self, sheet: Any, columns: Sequence[Column[Row]], last: int) -> None:
        for place, column in enumerate(columns):
            if column.choices:
                self._offer_choices(sheet, place, column, last)
            if column.look == "input":
                # after the choices, whose colours go before the ground
                ground = {"type": "formula", "criteria": "=TRUE", "format": self._format("ground")}
                sheet.conditional_format(1, place, last, place, ground)

    def _offer_choices(self, sheet: Any, place: int, column: Column[Row], last: int) -> None:
        sheet.data_validation(1, place, last, place, {
            "validate": "list", "source": list(column.choices), "error_title": column.title,
            "error_message": f"Choose {', '.join(column.choices)}, or leave it empty.",
        })  # fmt: skip
        for choice in column.choices:
            sheet.conditional_format(1, place, last, place, {
                "type": "cell", "criteria": "==", "value": f'"{choice}"', "format": self._format(ANSWERS[choice]),
            })  # fmt: skip

    def _set_paper(self, sheet: Any, name: str) -> None:
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        # & begins a code in a footer
        sheet.set_footer(f"&L{clean(name).replace('&', '&&')}&CContains patient data&R&P / &N")

    def _format(self, look: str) -> Any:
        if look not in self._formats:
            self._formats[look] = self.book.add_format({"valign": "top", **_LOOKS[look]})
        return self._formats[look]

    def _named(self, name: str) -> str:
        """Return a name that Excel takes and no other sheet has, whatever its capitals."""
        wanted = _NO_SHEET_NAME.sub("_", clean(name))[:_LONGEST_SHEET_NAME] or "_"
        if wanted.casefold() == "history":
            wanted = f"{wanted}_"
        given, number = wanted, 2
        while given.casefold() in self._names:
            given = f"{wanted[: _LONGEST_SHEET_NAME - len(str(number)) - 1]} {number}"
            number += 1
        self._names.add(given.casefold())
        return given


@contextmanager
def new_workbook(target: Path, *, scratch: Path, title: str, made_on: date) -> Iterator[Workbook]:
    """Yield a workbook that is written into `target` at the end of the block; rows wait in `scratch` until then."""
    options = {
        "constant_memory": True, "tmpdir": str(scratch), "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False,
    }  # fmt: skip
    # a zip file on a full disk tries to end itself again when it is forgotten, and says so: the disk gets it whole
    made = BytesIO()
    with xlsxwriter.Workbook(made, options) as book:
        # the day and not the clock, so that the same screening gives the same bytes
        book.set_properties({"title": clean(title), "created": datetime.combine(made_on, time())})
        yield Workbook(book)
    target.write_bytes(made.getbuffer())


def clean(text: str) -> str:
    """Replace what no workbook can hold."""
    # what can be printed needs no look at each character, and nearly all texts are so
    legal = text if text.isprintable() else _ILLEGAL.sub("\ufffd", text)
    # XlsxWriter takes such a text for finished XML; a mark without width tells that it is none
    return f"\u200b{legal}" if legal.startswith("<r>") and legal.endswith("</r>") else legal
