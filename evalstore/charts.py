"""A trend as a chart: lines with the bands of their intervals, as SVG, alone or in a page that needs nothing else."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalstore import axes
from evalstore.errors import UsageError
from evalstore.trends import series_columns, series_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

__all__ = ["check_path", "trend_svg", "write_trend"]

WIDTH, LEFT, RIGHT, TOP = 920, 64, 24, 76
PLOT_HEIGHT, BELOW, LINE = 380, 64, 22
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#7f3c8d", "#5c5c5c")
"""Told apart by most of the colour-blind (Okabe and Ito), and dark enough on white; then dashes tell the next ones."""
DASHES = ("", "7 4", "2 4")
_LONGEST = 100  # characters of a title in the legend
_STYLE = (
    "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#333}"
    ".title{font-size:17px;font-weight:600;fill:#111}.note,.tick{font-size:12px;fill:#666}"
    ".grid{stroke:#e6e6e6}.axis{stroke:#999}.line{fill:none;stroke-width:2;stroke-linejoin:round}"
    ".band{fill-opacity:.13}.mark{stroke-width:1.3}"
)


@dataclass(frozen=True)
class _Point:
    """Where a point stands (`x` in seconds, days or runs), its value and interval, and what is said of it."""

    x: float
    y: float
    low: float | None
    high: float | None
    is_on_other_rows: bool
    said: str


def check_path(path: str) -> str:
    """How a file is to be written, by its end: svg or html. Raises: UsageError."""
    kind = Path(path).suffix.lower().removeprefix(".")
    if kind not in ("svg", "html"):
        raise UsageError(f"a plot is written as .svg or .html, which {path!r} does not say")
    return kind


def write_trend(frame: pl.DataFrame, path: str) -> bool:
    """Draws what `store.trend()` gave; False, and no file, where it has no value. Raises: UsageError, OSError."""
    kind = check_path(path)
    drawn = trend_svg(frame)
    if drawn is None:
        return False
    title = _text(_title(frame))
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{margin:24px auto;max-width:960px}'
        f"svg{{width:100%;height:auto}}</style></head><body>\n{drawn}</body></html>\n"
    )
    Path(path).write_text(drawn if kind == "svg" else page, encoding="utf-8")
    return True


def trend_svg(frame: pl.DataFrame) -> str | None:
    """What `store.trend()` gave as SVG: a line per series, with the band of its 95 % interval. None without a value."""
    lines = _lines(frame)
    if not lines:
        return None
    points = [point for _, series in lines for point in series]
    bounds = [y for point in points for y in (point.y, point.low, point.high) if y is not None]
    is_share = min(bounds) >= 0 and max(bounds) <= 1
    up = axes.numbers(min(bounds), max(bounds), most=6, within=(0, 1) if is_share else None)
    span = min(point.x for point in points), max(point.x for point in points)
    across = axes.runs(*span) if frame["x"].dtype.is_integer() else axes.times(*span)
    height = TOP + PLOT_HEIGHT + BELOW + LINE * len(lines)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{_text(_title(frame))}"><style>{_STYLE}</style>'
    )
    parts = [
        opening,
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="{LEFT}" y="32">{_text(_title(frame))}</text>',
        f'<text class="note" x="{LEFT}" y="54">{_text(_note(frame, across.unit))}</text>',
        *_grid(up, across),
    ]
    for draw in (_band, _line):  # no band lies over a line
        for number, (_, series) in enumerate(lines):
            parts += draw(series, up, across, _look(number))
    for number, (title, series) in enumerate(lines):
        parts += _legend(title, series, number)
    return "\n".join([*parts, "</svg>\n"])


def _lines(frame: pl.DataFrame) -> list[tuple[str, list[_Point]]]:
    value = "mean" if "metric" in frame.columns else "overall_score"
    found: dict[Any, tuple[str, list[_Point]]] = {}
    for line in frame.to_dicts():
        if line[value] is None:
            continue
        key = tuple(line[column] for column in series_columns(frame))
        name = None if value == "overall_score" or line["name"] == line["metric"] else line["name"]
        _, points = found.setdefault(key, (series_title(line, name or ""), []))
        said = _said(line, line[value])
        points.append(
            _Point(_place(line["x"]), line[value], line["low"], line["high"], bool(line["rows_changed"]), said)
        )
    return list(found.values())


def _place(x: datetime | date | int) -> float:
    if isinstance(x, datetime):
        return x.timestamp()
    return datetime(x.year, x.month, x.day, tzinfo=UTC).timestamp() if isinstance(x, date) else x


def _said(line: dict[str, Any], value: float) -> str:
    """What is shown when one points at a point."""
    interval = "" if line["low"] is None else f" (95 %: {line['low']:.4g} to {line['high']:.4g})"
    status = "" if line["status"] == "completed" else f", {line['status']}"
    changed = ", other rows than before" if line["rows_changed"] else ""
    rows = f", rows scored {line['rows_scored']} of {line['rows_total']}" if "rows_total" in line else ""
    return f"{line['job']}, {line['created_at']:%Y-%m-%d %H:%M} UTC: {value:.4g}{interval}{rows}{changed}{status}"


def _title(frame: pl.DataFrame) -> str:
    if "metric" not in frame.columns:
        return "Overall score"
    metrics = dict.fromkeys(frame["metric"].to_list())
    return "Mean of " + ", ".join(metrics)


def _note(frame: pl.DataFrame, unit: str) -> str:
    jobs = frame["job_id"].n_unique()
    hollow = "; hollow: other rows than before" if frame["rows_changed"].any() else ""
    return f"{jobs} {'job' if jobs == 1 else 'jobs'}; band: 95 % interval{hollow}; across: {unit}"


def _text(text: str) -> str:
    """Text as it may stand in XML, which knows no control characters."""
    return html.escape("".join(character if character.isprintable() else " " for character in text))


def _look(number: int) -> tuple[str, str]:
    return COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]


def _grid(up: axes.Axis, across: axes.Axis) -> Iterator[str]:
    bottom = TOP + PLOT_HEIGHT
    for tick, label in up.ticks:
        y = _y(up, tick)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text class="tick" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{label}</text>'
    for tick, label in across.ticks:
        x = _x(across, tick)
        yield f'<line class="axis" x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 5}"/>'
        yield f'<text class="tick" x="{x}" y="{bottom + 20}" text-anchor="middle">{label}</text>'
    yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>'


def _band(series: list[_Point], up: axes.Axis, across: axes.Axis, look: tuple[str, str]) -> Iterator[str]:
    colour, _ = look
    for run in _with_interval(series):
        upper = [f"{_x(across, point.x)},{_y(up, high)}" for point, _, high in run]
        lower = [f"{_x(across, point.x)},{_y(up, low)}" for point, low, _ in reversed(run)]
        if len(run) == 1:
            point, low, high = run[0]
            x = _x(across, point.x)
            yield (
                f'<line x1="{x}" x2="{x}" y1="{_y(up, low)}" y2="{_y(up, high)}" stroke="{colour}" '
                'stroke-opacity=".35" stroke-width="5"/>'
            )
        else:
            yield f'<polygon class="band" fill="{colour}" points="{" ".join(upper + lower)}"/>'


def _line(series: list[_Point], up: axes.Axis, across: axes.Axis, look: tuple[str, str]) -> Iterator[str]:
    colour, dash = look
    places = " ".join(f"{_x(across, point.x)},{_y(up, point.y)}" for point in series)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    yield f'<polyline class="line" stroke="{colour}"{dashed} points="{places}"/>'
    for point in series:
        colours = f'fill="#fff" stroke="{colour}"' if point.is_on_other_rows else f'fill="{colour}" stroke="#fff"'
        yield (
            f'<circle class="mark" cx="{_x(across, point.x)}" cy="{_y(up, point.y)}" r="4" {colours}>'
            f"<title>{_text(point.said)}</title></circle>"
        )


def _with_interval(series: Iterable[_Point]) -> list[list[tuple[_Point, float, float]]]:
    """The stretches of a series over which intervals are known."""
    runs: list[list[tuple[_Point, float, float]]] = [[]]
    for point in series:
        if point.low is None or point.high is None:
            runs.append([])
        else:
            runs[-1].append((point, point.low, point.high))
    return [run for run in runs if run]


def _legend(title: str, series: list[_Point], number: int) -> Iterator[str]:
    colour, dash = _look(number)
    y = TOP + PLOT_HEIGHT + BELOW - 16 + LINE * number
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    yield f'<line x1="{LEFT}" x2="{LEFT + 28}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"{dashed}/>'
    yield f'<circle cx="{LEFT + 14}" cy="{y}" r="4" fill="{colour}"/>'
    shown = title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…"
    yield f'<text x="{LEFT + 38}" y="{y + 4}">{_text(shown)}: {series[-1].y:.4g}</text>'


def _x(axis: axes.Axis, x: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * axis.share(x), 1)


def _y(axis: axes.Axis, y: float) -> float:
    return round(TOP + PLOT_HEIGHT * (1 - axis.share(y)), 1)
