"""Figures of the report: the curves of a training."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from castsearch.plotting import DASHES, SERIES, look, to_svg

# The columns of a training's history that share a panel, by the panel's title.
PANELS = {
    "loss": ("loss", "cross_entropy", "triplet"),
    "accuracy on the training images": ("top1", "accuracy"),
    "validation": ("mAP", "CMC@1"),
    "learning rate": ("learning_rate",),
}


def training_curves(history: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Draw the history of a training, a figure for each of `PANELS` that has values.

    Args:
        history: a row per epoch: `epoch` and columns of `PANELS`. Any of these may be missing, or empty in some epochs.

    Yields:
        What the figure shows, in words, and the figure as an SVG file.
    """
    for title, names in PANELS.items():
        shown = [name for name in names if name in history and history[name].notna().any()]
        if shown:
            words = f"{title} by epoch: {', '.join(shown)}"
            yield words, _panel(title, words, history.set_index("epoch")[shown])


def _panel(title: str, words: str, series: pd.DataFrame) -> str:
    with look():
        figure = Figure(figsize=(3.6, 2.5), layout="constrained")
        axes = figure.add_subplot()
        for name, color, dash in zip(series, SERIES, DASHES, strict=False):
            values = series[name].dropna()  # validation is not done after every epoch
            marker = "o" if len(values) == 1 else None  # a line of one point would not be seen
            axes.plot(values.index, values, color=color, linestyle=dash, marker=marker, label=name)
        axes.set(title=title, xlabel="epoch")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        if len(series.columns) > 1:
            figure.legend(loc="outside lower center", ncols=len(series.columns))
        return to_svg(figure, words)
