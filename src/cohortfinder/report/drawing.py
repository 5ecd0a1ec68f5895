"""Numbers to SVG that stands in a page: axes, lines, bands and boxes, each with its words for those who do not see it.

Colours and dashes are those of report.css. Lines differ by their dashes as well, so that a page without colour says
the same.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

Point = tuple[float, float]

# narrow enough that a telephone shows the words
WIDTH, HEIGHT = 480, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 14, 50, 46
_STEPS = (1, 2, 2.5, 5, 10)
# a letter is about so wide, of text 13 units high
_LETTER = 6.9
_LINE = 18
# the columns of a flow, the way down between them, and where what leaves stands
_COLUMN, _WAY, _ASIDE, _BETWEEN = 224.0, 113.0, 255.0, 30.0


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a chart, from `low` to `high`; `ticks` are places on it and what is written there."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; `stepped` stays at a value until the next point. `style` is its place in the palette."""

    name: str
    points: tuple[Point, ...]
    style: int = 0
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """The area between two values at each x: (x, lower, upper)."""

    name: str
    points: tuple[tuple[float, float, float], ...]
    style: int = 0
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A dot with a word beside it, as the value in force."""

    name: str
    at: Point


@dataclass(frozen=True, slots=True)
class Span:
    """A dot with a word beside it, and below and above it the span in which the truth may lie."""

    name: str
    at: Point
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with two axes; `description` says in words what it shows."""

    title: str
    description: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    spans: tuple[Span, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a flow: the first line is its name, the others are what it holds."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """A CONSORT-like diagram: boxes from top to bottom, what leaves between them at their side, and where it ends.

    `aside[n]` leaves between `boxes[n]` and the next; None where nothing does.
    """

    title: str
    description: str
    boxes: tuple[Box, ...]
    aside: tuple[Box | None, ...]
    ends: tuple[Box, ...] = ()


def axis(label: str, low: float, high: float, *, most: int = 6) -> Axis:
    """Return an axis with at most `most` + 1 round numbers on it, that begins and ends on one of them."""
    step = _round_step((high - low) / most) if high > low else 1.0
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    places = [number * step for number in range(first, last + 1)]
    return Axis(label, places[0], places[-1], tuple((place, f"{round(place, 10):g}") for place in places))


def people_axis(label: str, most: int) -> Axis:
    """Return an axis of whole numbers from 0."""
    drawn = axis(label, 0, max(most, 1))
    ticks = tuple((place, f"{place:.0f}") for place, _ in drawn.ticks if place == int(place))
    return Axis(label, 0, drawn.high, ticks)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))


def chart_svg(chart: Chart) -> Markup:
    """Draw a chart."""
    place = _Place(chart)
    parts = [
        *_grid(chart, place),
        *(_band(band, place) for band in chart.bands),
        *(_line(line, place) for line in chart.lines),
        *(part for span in chart.spans for part in _span(span, place, chart)),
        *(part for mark in chart.marks for part in _mark(mark, place, chart)),
        *_key(chart),
    ]
    return _svg(chart.title, chart.description, chart.width, chart.height, parts, "chart")


class _Place:
    """Turns values into units of the drawing."""

    def __init__(self, chart: Chart) -> None:
        self._x, self._y = chart.x, chart.y
        self.right, self.bottom = chart.width - _RIGHT, chart.height - _BOTTOM

    def x(self, value: float) -> float:
        return round(_LEFT + (self.right - _LEFT) * _share(value, self._x), 1)

    def y(self, value: float) -> float:
        return round(self.bottom - (self.bottom - _TOP) * _share(value, self._y), 1)

    def of(self, points: Iterable[Point]) -> str:
        return " ".join(f"{self.x(x):g},{self.y(y):g}" for x, y in points)


def _share(value: float, axis: Axis) -> float:
    return (value - axis.low) / (axis.high - axis.low)


def _grid(chart: Chart, place: _Place) -> Iterator[Markup]:
    for value, word in chart.y.ticks:
        y = place.y(value)
        yield _tag("line", x1=_LEFT, x2=place.right, y1=y, y2=y, class_="grid")
        yield _text(word, _LEFT - 8, y + 4, "end")
    for value, word in chart.x.ticks:
        x = place.x(value)
        yield _tag("line", x1=x, x2=x, y1=place.bottom, y2=place.bottom + 5, class_="axis")
        # some fonts are wider than they should be
        half = len(word) * _LETTER / 2 + 4
        yield _text(word, min(x, chart.width - half), place.bottom + 19, "middle")
    yield _tag("line", x1=_LEFT, x2=place.right, y1=place.bottom, y2=place.bottom, class_="axis")
    yield _text(chart.x.label, (_LEFT + place.right) / 2, chart.height - 6, "middle", "name")
    yield _text(chart.y.label, 4, 14, "start", "name")


def _line(line: Line, place: _Place) -> Markup:
    points = _stepped(line.points) if line.stepped else line.points
    return _tag("polyline", points=place.of(points), class_=f"line s{line.style}")


def _band(band: Band, place: _Place) -> Markup:
    lower, upper = ([(one[0], one[side]) for one in band.points] for side in (1, 2))
    if band.stepped:
        lower, upper = list(_stepped(lower)), list(_stepped(upper))
    return _tag("polygon", points=place.of([*upper, *reversed(lower)]), class_=f"band s{band.style}")


def _stepped(points: Sequence[Point]) -> Sequence[Point]:
    corners = [corner for one, after in pairwise(points) for corner in (one, (after[0], one[1]))]
    return [*corners, *points[-1:]]


def _mark(mark: Mark, place: _Place, chart: Chart) -> Iterator[Markup]:
    x, y = place.x(mark.at[0]), place.y(mark.at[1])
    yield _tag("circle", cx=x, cy=y, r=4.5, class_="mark")
    before = x + 10 + len(mark.name) * _LETTER > chart.width
    yield _text(mark.name, x - 9 if before else x + 9, max(y - 8, _TOP + 6), "end" if before else "start", "marked")


def _span(span: Span, place: _Place, chart: Chart) -> Iterator[Markup]:
    x, low, high = place.x(span.at[0]), place.y(span.low), place.y(span.high)
    yield _tag("path", d=f"M{x:g},{low:g}V{high:g}M{x - 5:g},{low:g}h10M{x - 5:g},{high:g}h10", class_="span")
    yield from _mark(Mark(span.name, span.at), place, chart)


def _key(chart: Chart) -> Iterator[Markup]:
    """Say beside a sample of it what each line and band is, below the name of the upright axis."""
    x = float(chart.width - _RIGHT)
    keyed: list[Line | Band] = [*chart.lines, *chart.bands]
    for drawn in reversed(keyed):
        x -= len(drawn.name) * _LETTER
        yield _text(drawn.name, x, 36, "start")
        if isinstance(drawn, Line):
            yield _tag("line", x1=x - 32, x2=x - 6, y1=32, y2=32, class_=f"line s{drawn.style}")
        else:
            yield _tag("rect", x=x - 32, y=26, width=26, height=12, class_=f"band s{drawn.style}")
        x -= 46


def flow_svg(flow: Flow) -> Markup:
    """Draw a flow: two columns, the way down on the left and what leaves on the right."""
    parts: list[Markup] = []
    y = 1.0
    for number, box in enumerate(flow.boxes):
        parts += _boxed(box, 1, y, _COLUMN)
        y += _tall(box)
        leaving = flow.aside[number] if number < len(flow.aside) else None
        if number + 1 < len(flow.boxes) or flow.ends or leaving:
            gap = 26.0 + (_tall(leaving) if leaving else 0)
            if leaving:
                parts += [_arrow((_WAY, y + gap / 2), (_ASIDE, y + gap / 2)), *_boxed(leaving, _ASIDE, y + 13, _COLUMN)]
            if number + 1 < len(flow.boxes) or flow.ends:
                down = (_WAY, y), (_WAY, y + gap)
                # before the ends it branches
                parts.append(
                    _arrow(*down) if number + 1 < len(flow.boxes) else _tag("path", d=_path(*down), class_="way")
                )
            y += gap
    if flow.ends:
        parts += _ends(flow.ends, y)
        y += max(map(_tall, flow.ends)) + 26
    return _svg(flow.title, flow.description, WIDTH, math.ceil(y) + 1, parts, "flow")


def _ends(ends: Sequence[Box], y: float) -> Iterator[Markup]:
    """Draw the boxes in which the way ends, side by side."""
    width = (WIDTH - 2 - _BETWEEN * (len(ends) - 1)) / len(ends)
    lefts = [1 + number * (width + _BETWEEN) for number in range(len(ends))]
    yield _tag("line", x1=min(_WAY, lefts[0] + width / 2), x2=lefts[-1] + width / 2, y1=y, y2=y, class_="way")
    for box, left in zip(ends, lefts, strict=True):
        yield _arrow((left + width / 2, y), (left + width / 2, y + 26))
        yield from _boxed(box, left, y + 26, width)


def _tall(box: Box) -> float:
    return len(box.lines) * _LINE + 14


def _boxed(box: Box, x: float, y: float, width: float) -> Iterator[Markup]:
    yield _tag("rect", x=x, y=y, width=width, height=_tall(box), rx=4, class_="box")
    for number, line in enumerate(box.lines):
        cut = _cut(line, int((width - 20) / _LETTER))
        yield _text(cut, x + 10, y + 19 + number * _LINE, "start", "name" if number == 0 else "")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _arrow(start: Point, end: Point) -> Markup:
    x1, (x2, y2) = start[0], end
    head = f"M{x2 - 7:g},{y2 - 4:g}L{x2:g},{y2:g}L{x2 - 7:g},{y2 + 4:g}"
    if x1 == x2:
        head = f"M{x2 - 4:g},{y2 - 7:g}L{x2:g},{y2:g}L{x2 + 4:g},{y2 - 7:g}"
    return _tag("path", d=_path(start, end) + head, class_="way")


def _path(start: Point, end: Point) -> str:
    return f"M{start[0]:g},{start[1]:g}L{end[0]:g},{end[1]:g}"


def _svg(title: str, description: str, width: int, height: int, parts: Iterable[Markup], kind: str) -> Markup:
    head = Markup('<svg class="drawn {}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        kind, width, height, f"{title}. {description}"
    )
    words = Markup("<title>{}</title><desc>{}</desc>").format(title, description)
    return Markup("").join((head, words, *parts, Markup("</svg>")))


def _text(words: str, x: float, y: float, anchor: str, kind: str = "") -> Markup:
    own = {"class_": kind} if kind else {}
    return _tag("text", words, x=round(x, 1), y=round(y, 1), text_anchor=anchor, **own)


def _tag(name: str, content: str = "", **attributes: str | float) -> Markup:
    """Write an element; names of attributes are those of SVG, with `_` for `-` and `class_` for class."""
    written = (
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), f"{value:g}" if _is_number(value) else value)
        for key, value in attributes.items()
    )
    opened = Markup("<{}").format(name) + Markup("").join(written)
    return opened + (Markup(">{}</{}>").format(escape(content), name) if content else Markup("/>"))


def _is_number(value: str | float) -> bool:
    return not isinstance(value, str)
