"""Figures of the report as SVG text, drawn without a plotting library so that they follow the page's colours.

Lines and boxes carry CSS classes, not colours; a page that includes a figure styles them. Text is escaped by
ElementTree. Equal input gives equal text.
"""

import math
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pandas as pd

_PANEL = (340, 190)
_MARGIN = (56, 10, 14, 30)  # left, right, top, bottom of a panel


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: object) -> ET.Element:
    names = {key.rstrip("_").replace("_", "-"): _number(value) for key, value in attributes.items()}
    node = ET.SubElement(parent, tag, names)
    node.text = text
    return node


def _number(value: object) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _svg(width: float, height: float, label: str, class_: str) -> ET.Element:
    size = {"viewBox": f"0 0 {_number(width)} {_number(height)}", "width": _number(width), "height": _number(height)}
    return ET.Element("svg", size | {"class": class_, "role": "img", "aria-label": label})


def training_curves(log: pd.DataFrame) -> list[str]:
    """Draw a training log: one panel of losses, one of accuracies, one of validation, one of the learning rate.

    Args:
        log: A row per epoch. `epoch` (else the row number) is the abscissa; `learning_rate` has a panel of its own;
            other numeric columns are losses (loss, entropy, triplet) or scores of the validation (mAP, CMC) when their
            name says so, else accuracies. Any may be missing, or be empty in some epochs or in all.

    Returns:
        `svg` elements with the classes `tick` and `series-N`, N from 0 to 5.
    """
    numbers = log.select_dtypes("number").dropna(axis="columns", how="all")
    epochs = numbers["epoch"].tolist() if "epoch" in numbers else list(range(1, len(log) + 1))
    others = [name for name in numbers if name not in ("epoch", "learning_rate")]
    panels = {
        "loss": [name for name in others if re.search("loss|entropy|triplet", name)],
        "accuracy": [name for name in others if not re.search("loss|entropy|triplet|mAP|CMC", name)],
        "validation": [name for name in others if re.search("mAP|CMC", name)],
        "learning rate": [name for name in numbers if name == "learning_rate"],
    }
    return [_panel(title, epochs, numbers[names]) for title, names in panels.items() if names and epochs]


def _panel(title: str, epochs: Sequence[float], series: pd.DataFrame) -> str:
    width, height = _PANEL
    left, right, top, bottom = _MARGIN
    legend = 18 * math.ceil(len(series.columns) / 2)
    top += legend
    svg = _svg(width, height + legend, f"{title} by epoch: {', '.join(series)}", "panel")
    finite = [value for name in series for value in series[name] if math.isfinite(value)]
    low, high = min([0.0, *finite]), max(finite, default=1.0)
    if title in ("accuracy", "validation"):
        high = max(high, 1.0)
    y_ticks, x_ticks = _ticks(low, high), [t for t in _ticks(epochs[0], epochs[-1], 5) if t == int(t)]
    low, high = min(low, y_ticks[0]), max(high, y_ticks[-1])

    def at(epoch: float, value: float) -> tuple[float, float]:
        across = (epoch - epochs[0]) / ((epochs[-1] - epochs[0]) or 1)
        up = (value - low) / ((high - low) or 1)
        return left + across * (width - left - right), top + (1 - up) * (height + legend - top - bottom)

    for tick in y_ticks:
        y = at(epochs[0], tick)[1]
        _add(svg, "line", class_="tick", x1=left, x2=width - right, y1=y, y2=y)
        _add(svg, "text", f"{tick:g}", x=left - 6, y=y + 4, text_anchor="end")
    for tick in x_ticks:
        if epochs[0] <= tick <= epochs[-1]:
            _add(svg, "text", f"{tick:g}", x=at(tick, low)[0], y=height + legend - bottom + 16, text_anchor="middle")
    for number, name in enumerate(series):
        x, y = left + 150 * (number % 2), 12 + 18 * (number // 2)
        _add(svg, "line", class_=f"series-{number % 6}", x1=x, x2=x + 22, y1=y - 4, y2=y - 4)
        _add(svg, "text", name, x=x + 28, y=y)
        points = [at(e, v) for e, v in zip(epochs, series[name], strict=True) if math.isfinite(v)]
        line = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        _add(svg, "polyline", class_=f"series-{number % 6}", points=line)
        if len(points) == 1:  # a line of one point would not be seen
            _add(svg, "circle", class_=f"series-{number % 6}", cx=points[0][0], cy=points[0][1], r=3)
    return ET.tostring(svg, encoding="unicode")


def _ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten that cover [low, high] in at most about `most` steps."""
    if high <= low:
        return [low]
    rough = (high - low) / most
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def score_bars(names: Sequence[str], scores: Sequence[float]) -> str:
    """Draw one horizontal bar per score in [0, 1] as a complete SVG file, for viewers that have no table.

    Args:
        names: A name per bar.
        scores: A number per bar; NaN draws no bar.
    """
    row, left, right = 26, 8 + 7.2 * max(map(len, names), default=0), 56
    width, height = left + 420 + right, row * len(names) + 12
    svg = _svg(width, height, "mAP by variant", "bars")
    svg.set("xmlns", "http://www.w3.org/2000/svg")
    svg.set("style", "background:#fff;font:13px ui-monospace,monospace")
    for i, (name, score) in enumerate(zip(names, scores, strict=True)):
        y = 6 + row * i
        _add(svg, "text", name, x=left - 8, y=y + 17, text_anchor="end", fill="#1f2430")
        if math.isfinite(score):
            _add(svg, "rect", x=left, y=y + 4, width=420.0 * score, height=row - 8, rx=3, fill="#2f6f8f")
            _add(svg, "text", f"{score:.3f}", x=left + 420 * score + 6, y=y + 17, fill="#1f2430")
        else:
            _add(svg, "text", "no labels", x=left + 6, y=y + 17, fill="#5b6270")
    return ET.tostring(svg, encoding="unicode") + "\n"
