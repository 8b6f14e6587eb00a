"""The scores as figures."""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from castsearch.plotting import ACCENT, DASHES, LINE, SERIES, look, to_svg


def score_bars(ablation: pd.DataFrame) -> str:
    """Draw one horizontal bar per split and variant, as long as its mAP, as an SVG file.

    Args:
        ablation: see `tables.Scores`; a row whose mAP is NaN has no bar.
    """
    names = [f"{split}: {variant}" for split, variant in zip(ablation["split"], ablation["variant"], strict=True)]
    scores = ablation["mAP"].tolist()
    rows = range(len(names))
    with look():
        figure = Figure(figsize=(7, 0.6 + 0.3 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        bars = axes.barh(rows, [0 if math.isnan(score) else score for score in scores], height=0.7, color=ACCENT)
        axes.bar_label(bars, ["no labels" if math.isnan(score) else f"{score:.3f}" for score in scores], padding=4)
        axes.set(yticks=rows, yticklabels=names, xlim=(0, 1.1), xlabel="mAP")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        return to_svg(figure, "mAP of each variant of the search")


def reliability_curves(reliability: pd.DataFrame) -> str:
    """Draw the share of right names over their confidence, a curve per split, as an SVG file.

    Args:
        reliability: see `name_scores.NameScores`; a bin without boxes has no point.
    """
    with look():
        figure = Figure(figsize=(4, 4), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=LINE)
        for number, (split, rows) in enumerate(reliability.dropna().groupby("split", sort=False)):
            style: dict[str, Any] = {"color": SERIES[number % len(SERIES)], "linestyle": DASHES[number % len(DASHES)]}
            axes.plot(rows["confidence"], rows["right"], marker="o", label=split, **style)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share of right names")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left")
        return to_svg(figure, "Share of right names by confidence")
