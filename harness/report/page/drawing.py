"""A cell's picture as shapes: where each thing lies on the canvas, in the canvas's own units. What they mean was decided by analysis.

From top to bottom: tokens, the connection, messages, what the cloud sent, the hub's log, the application; below them the axis, in seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from markupsafe import Markup, escape

from harness.analysis import Exchange, Fate, Moment, MomentKind, Picture, TokenLife
from harness.report.page.visible import visible

__all__ = ["MARKS", "Drawing", "Mark", "Shape", "Text", "draw", "svg"]

WIDTH: Final = 1000
MARKS: Final[Mapping[MomentKind, str]] = {
    "renewal": "renewal",
    "refused": "refused by the hub",
    "fault": "fault of the scenario",
    "error": "error in the hub's log, or exception",
    "record": "record in the hub's log",
    "told": "callback of the application",
    "warning": "warning in the SDK's log",
}
_LEFT: Final = 104
_RIGHT: Final = 10
_TOKEN_ROWS: Final = 6
_ROW: Final = 9
_LANE: Final = 26
_BAR: Final = 12
_THIN: Final = 5
_TICKS: Final = 9
_STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)
_LANES: Final = ("connection", "messages", "from the cloud", "hub log", "application")
_LANE_OF: Final = {"refused": 0, "error": 3, "record": 3, "told": 4, "exception": 4, "warning": 4}
_UNRECORDED: Final[Mapping[str, tuple[int, str]]] = {
    "hub-log": (3, "not recorded"),
    "quiet-rows": (1, "not all recorded"),
}
_FATES: Final[tuple[Fate, ...]] = ("reached", "again", "open", "failed", "lost")
_BELOW: Final = 8
"""By how much what the SDK logs stands lower than what the application is told."""
_MOST_MARKS: Final = 80
_ROOM: Final = 60
_LONGEST_MARK: Final = 400  # characters


class Shape(msgspec.Struct, frozen=True):
    """An outline: its class in the style sheet, and the path."""

    name: str
    path: str


class Text(msgspec.Struct, frozen=True):
    """A label; `name` is its class."""

    x: float
    y: float
    name: str
    text: str


class Mark(msgspec.Struct, frozen=True):
    """A symbol with what it stands for."""

    x: float
    y: float
    name: str
    text: str


class Drawing(msgspec.Struct, frozen=True):
    """All shapes of a picture, those behind first."""

    width: int
    height: float
    shapes: tuple[Shape, ...]
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...]


def draw(picture: Picture) -> Drawing:
    """The picture laid out."""
    rows = min(max(len(picture.tokens), 1), _TOKEN_ROWS)
    top = rows * _ROW + 14
    height = top + len(_LANES) * _LANE + 20
    across = _scale(picture.end_s)
    shapes = [
        *_axis(picture.end_s, across, top, height),
        *_tokens(picture.tokens, across),
        *_connection(picture, across, top),
        *_exchanges(picture.telemetry, across, top + _LANE),
        *_exchanges(picture.cloud, across, top + 2 * _LANE),
    ]
    marks = tuple(_marks(picture.moments, across, top, height))
    texts = (
        *_names(picture.lacks, top),
        *_numbers(picture.end_s, across, height),
        *_ends(picture, across),
    )
    return Drawing(WIDTH, height, tuple(shapes), marks, texts)


def svg(drawing: Drawing) -> Markup:
    """The shapes as elements of SVG, in their order."""
    shapes = (f'<path class="{one.name}" d="{one.path}"/>' for one in drawing.shapes)
    texts = (f'<text class="{one.name}" x="{one.x:g}" y="{one.y:g}">{one.text}</text>' for one in drawing.texts)
    return Markup("".join([*shapes, *texts, *map(_mark, drawing.marks)]))  # noqa: S704 - words of a log are in marks alone, and escaped


def _mark(one: Mark) -> str:
    title = f"<title>{escape(visible(one.text))}</title>" if one.text else ""
    return f'<g class="m-{one.name}">{title}<use href="#m-{one.name}" x="{one.x:g}" y="{one.y:g}"/></g>'


def _scale(end_s: float) -> Callable[[float], float]:
    """From seconds to the canvas; what lies beyond its edges is drawn at them."""
    right = WIDTH - _RIGHT
    per_s = (right - _LEFT) / max(end_s, 0.001)

    def across(at_s: float) -> float:
        x = _LEFT + per_s * at_s
        return round(x, 1) if _LEFT <= x <= right else float(_LEFT if x < _LEFT else right)

    return across


def _step(end_s: float) -> float:
    return next((step for step in _STEPS if end_s / step <= _TICKS), _STEPS[-1])


def _moments(end_s: float) -> Iterator[float]:
    step = _step(end_s)
    yield from (number * step for number in range(min(int(end_s / step), 2 * _TICKS) + 1))


def _axis(end_s: float, across: Callable[[float], float], top: float, height: float) -> Iterator[Shape]:
    yield Shape("grid", "".join(f"M{across(at):g} 4V{height - 16:g}" for at in _moments(end_s)))
    lanes = (top + number * _LANE - 3 for number in range(len(_LANES)))
    yield Shape("lane", "".join(f"M0 {y:g}H{WIDTH}" for y in lanes))


def _numbers(end_s: float, across: Callable[[float], float], height: float) -> Iterator[Text]:
    for at in _moments(end_s):
        yield Text(across(at), height - 4, "num", f"{at:g}" if at else "0 s")


def _names(lacks: Iterable[str], top: float) -> Iterator[Text]:
    """The names of the lanes, and below them what they cannot show, since the log does not have it."""
    absent = dict(_UNRECORDED[lack] for lack in lacks if lack in _UNRECORDED)
    yield Text(0, 14, "name", "tokens")
    for number, name in enumerate(_LANES):
        y = top + number * _LANE
        yield Text(0, y + (9 if number in absent else 14), "name", name)
        if number in absent:
            yield Text(0, y + 19, "small", absent[number])


def _ends(picture: Picture, across: Callable[[float], float]) -> Iterator[Text]:
    """Tokens that outlast the picture say until when they last: before their bar where there is room, else at its end."""
    for number, one in enumerate(picture.tokens):
        if one.expires_s is not None and one.expires_s > picture.end_s:
            begins = across(one.used_s)
            before = begins - _LEFT > _ROOM
            x = begins - 5 if before else across(picture.end_s) - 4
            y = 12 + number % _TOKEN_ROWS * _ROW
            yield Text(x, y, "until" if before else "until inside", f"to {one.expires_s:.0f} s")


def _tokens(tokens: Sequence[TokenLife], across: Callable[[float], float]) -> Iterator[Shape]:
    """Each from its first use to its expiry, with the hub's grace behind it; the part in which it was in use is drawn stronger."""
    boxes: dict[str, list[str]] = {"life": [], "refd": [], "grace": [], "used": []}
    for number, one in enumerate(tokens):
        y = 5 + number % _TOKEN_ROWS * _ROW
        ends = one.used_s if one.expires_s is None else max(one.expires_s, one.used_s)
        whole = _box(across(one.used_s), across(ends), y, _ROW - 2)
        if one.until_s is None:
            boxes["refd"].append(whole)
            continue
        boxes["life"].append(whole)
        boxes["used"].append(_box(across(one.used_s), across(min(one.until_s, ends)), y, _ROW - 2))
        boxes["grace"].append(_box(across(ends), across(one.kept_s or ends), y + 2, _ROW - 6))
    for name, paths in boxes.items():
        yield from _shape(name, paths)


def _connection(picture: Picture, across: Callable[[float], float], top: float) -> Iterator[Shape]:
    stays = [_box(across(one.since_s), across(one.until_s), top + 4, _BAR) for one in picture.stays]
    aways = [_box(across(one.since_s), across(one.until_s), top + 7, _BAR - 6, least=1.5) for one in picture.aways]
    yield from _shape("stay", stays)
    yield from _shape("away", aways)
    x = across(picture.closing_s)
    yield Shape("closing", f"M{x:g} 4V{top + len(_LANES) * _LANE:g}")


def _exchanges(exchanges: Iterable[Exchange], across: Callable[[float], float], top: float) -> Iterator[Shape]:
    """A stroke for each; what did not get there is longer."""
    strokes: dict[Fate, dict[float, str]] = {fate: {} for fate in _FATES}
    for one in exchanges:
        x = across(one.at_s)
        longer = 0 if one.fate == "reached" else 4
        strokes[one.fate][x] = f"M{x:g} {top + 6 - longer / 2:g}v{8 + longer}"
    for fate, paths in strokes.items():
        yield from _shape(f"x-{fate}", list(paths.values()))


def _marks(moments: Iterable[Moment], across: Callable[[float], float], top: float, height: float) -> Iterator[Mark]:
    """Those that fall on the same place are one mark, with all that it stands for."""
    places: dict[tuple[float, float, str], list[str]] = {}
    for one in moments:
        y = _height_of(one, top, height)
        places.setdefault((across(one.at_s), y, one.kind), []).append(f"{one.at_s:.2f} s: {one.text}")
    for number, ((x, y, name), texts) in enumerate(places.items()):
        said = "\n".join(dict.fromkeys(texts)) if number < _MOST_MARKS else ""
        yield Mark(x, y, name, said if len(said) <= _LONGEST_MARK else f"{said[:_LONGEST_MARK]} …")


def _height_of(one: Moment, top: float, height: float) -> float:
    """Renewals stand above everything, faults below it, all others in their lanes."""
    if one.kind not in _LANE_OF:
        return 0 if one.kind == "renewal" else height - 16
    return top + _LANE_OF[one.kind] * _LANE + (10 if one.kind != "warning" else 10 + _BELOW)


def _box(left: float, right: float, y: float, high: float, least: float = 0.8) -> str:
    return f"M{left:g} {y:g}h{max(right - left, least):.4g}v{high:g}H{left:g}z"


def _shape(name: str, paths: Sequence[str]) -> Iterator[Shape]:
    if paths:
        yield Shape(name, "".join(paths))
