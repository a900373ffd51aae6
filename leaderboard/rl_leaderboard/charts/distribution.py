"""How the returns of an evaluation's episodes are distributed."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from rl_leaderboard.charts.scale import Scale, round_scale
from rl_units import results

LARGEST = 1e100
"""Returns beyond this are not drawn: their squares leave no room for a standard deviation."""

# Lengths in the units of the drawing, which is as wide as its place in the page.
_WIDTH, _HEIGHT = 480, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 452, 66, 238
_LABEL_ROWS = (16, 34, 52)
_MOST_BARS = 24
_FEWEST_BARS = 8


def draw_distribution(returns: Sequence[float], *, mean: float, threshold: float | None) -> Markup:
    """A histogram of returns, with lines for the mean, the score (mean minus standard deviation) and the threshold.

    Args:
        returns: Return of every episode; at least one.
        mean: Their mean, as the page shows it.
        threshold: The score that passes; None without one.

    Returns:
        An SVG element whose colours come from `charts.css`.

    Raises:
        ResultError: If there are no returns, or one of them is not finite.
        ValueError: If a number is not finite or larger than `LARGEST`.
    """
    std = results.std(returns)
    marks = [("mean", "Mean", mean), ("score", "Score", mean - std)]
    if threshold is not None:
        marks.append(("threshold", "Threshold", threshold))
    shown = [*returns, *(value for _, _, value in marks)]
    if not all(math.isfinite(value) and abs(value) <= LARGEST for value in shown):
        raise ValueError("The numbers of this evaluation are too large to be drawn.")
    bars = max(_FEWEST_BARS, min(_MOST_BARS, round(2 * len(returns) ** (1 / 3)) * 2))
    across = round_scale(min(shown), max(shown), bars)
    counts = _count(returns, across)
    upwards = round_scale(0, max(counts), min(4, max(counts)))
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>{}{}{}{}</svg>'
    ).format(
        _WIDTH,
        _HEIGHT,
        "Distribution of the episode returns",
        _describe(returns, marks, std),
        _draw_counts(upwards),
        _draw_bars(counts, across, upwards),
        _draw_values(across),
        _draw_marks(marks, across),
    )


def _describe(returns: Sequence[float], marks: Sequence[tuple[str, str, float]], std: float) -> str:
    lines = ", ".join(f"{title.lower()} {_rounded(value)}" for _, title, value in marks)
    return (
        f"Histogram of {_episodes(len(returns))}. Returns go from {_number(min(returns))} to {_number(max(returns))}; "
        f"{lines}; standard deviation {_rounded(std)}."
    )


def _count(returns: Sequence[float], across: Scale) -> list[int]:
    """Episodes in each step of the axis; a return on the border belongs to the step that begins there."""
    counts = [0] * (across.last - across.first)
    for value in returns:
        counts[min(math.floor(value / across.step + 1e-9) - across.first, len(counts) - 1)] += 1
    return counts


def _draw_counts(upwards: Scale) -> Markup:
    lines = Markup("").join(
        Markup('<line class="chart-grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
            _LEFT, _RIGHT, y=_y(upwards, value)
        )
        + Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
            _LEFT - 6, _y(upwards, value) + 4, _number(value)
        )
        for value in upwards.values()
        if value.is_integer()
    )
    middle = (_TOP + _BOTTOM) / 2
    return lines + Markup(
        '<text x="12" y="{y}" text-anchor="middle" transform="rotate(-90 12 {y})">Episodes</text>'
    ).format(y=middle)


def _draw_bars(counts: Sequence[int], across: Scale, upwards: Scale) -> Markup:
    width = (_RIGHT - _LEFT) / len(counts)
    return Markup("").join(
        Markup('<rect class="chart-bar" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            _short(_LEFT + number * width + width * 0.04),
            _y(upwards, count),
            _short(width * 0.92),
            _short(_BOTTOM - _y(upwards, count)),
            f"{_number((across.first + number) * across.step)} to "
            f"{_number((across.first + number + 1) * across.step)}: {_episodes(count)}",
        )
        for number, count in enumerate(counts)
        if count
    )


def _draw_values(across: Scale) -> Markup:
    # Labels of the axis must not touch: the longer the numbers, the fewer of them.
    longest = max(len(_number(value)) for value in (across.low, across.high, across.low + across.step))
    room = max(2, int((_RIGHT - _LEFT) / (longest * 7 + 18)))
    every = math.ceil((across.last - across.first) / room)
    labels = Markup("").join(
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _x(across, value), _BOTTOM + 17, _number(value)
        )
        for value in across.values(every)
    )
    axis = Markup('<line class="chart-axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(_LEFT, _RIGHT, y=_BOTTOM)
    return (
        axis
        + labels
        + Markup('<text x="{}" y="{}" text-anchor="middle">Return of an episode</text>').format(
            (_LEFT + _RIGHT) / 2, _HEIGHT - 6
        )
    )


def _draw_marks(marks: Sequence[tuple[str, str, float]], across: Scale) -> Markup:
    """Lines across the chart; each label has a row of its own, so that they never lie on each other."""
    lines, labels = [], []
    for (name, title, value), row in zip(marks, _LABEL_ROWS, strict=False):
        x = _x(across, value)
        is_left = x < (_LEFT + _RIGHT) / 2
        lines.append(
            Markup('<line class="chart-{}" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(name, row - 10, _BOTTOM, x=x)
        )
        labels.append(
            Markup('<text class="chart-label chart-{}-label" x="{}" y="{}" text-anchor="{}">{}</text>').format(
                name,
                _short(x + 6 if is_left else x - 6),
                row,
                "start" if is_left else "end",
                f"{title} {_rounded(value)}",
            )
        )
    return Markup("").join([*lines, *labels])


def _x(across: Scale, value: float) -> float:
    return _short(_LEFT + across.place(value) * (_RIGHT - _LEFT))


def _y(upwards: Scale, count: float) -> float:
    return _short(_BOTTOM - upwards.place(count) * (_BOTTOM - _TOP))


def _short(length: float) -> float:
    return round(length, 2)


def _episodes(count: int) -> str:
    return "1 episode" if count == 1 else f"{count:,} episodes"


def _number(value: float) -> str:
    """A number of at most six digits, with a proper minus sign."""
    shortest = f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.4g}"
    return (
        ("0" if float(shortest.replace(",", "")) == 0 else shortest).replace("-", "\N{MINUS SIGN}").replace("e+", "e")
    )


def _rounded(value: float) -> str:
    """A number of at most five digits, or whole."""
    return _number(float(f"{value:.5g}") if abs(value) < 1000 else round(value))
