"""How figures are drawn: one look, and SVG text that depends on nothing but what is drawn.

Where a viewer prefers dark pages, a style sheet inside the SVG replaces each light colour by its dark one. A viewer
without support for such style sheets shows the light colours.
"""

import io
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK, QUIET, LINE, CARD, ACCENT = "#1d2129", "#5a6170", "#d9d7d0", "#ffffff", "#1f6583"
SERIES = (ACCENT, "#b3541e", "#5d7a1f", "#8b3f8f", "#a02c44", "#4b5563")
DASHES = ("-", "--", ":", "-.", (0, (4, 4)), (0, (8, 3)))  # so that nobody has to tell the colours apart
_DARK = {
    INK: "#e7e9ee",
    QUIET: "#a4abb8",
    LINE: "#363c47",
    CARD: "#1d2128",
    **dict(zip(SERIES, ("#7cc4e0", "#f0a06a", "#b3d06a", "#d59ad9", "#f28aa0", "#b6bdc9"), strict=True)),
}
_FONTS = "DejaVu Sans, Verdana, sans-serif"  # where the first is not installed, one that is about as wide
_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": LINE,
    "axes.facecolor": CARD,
    "axes.grid": True,
    "axes.labelcolor": QUIET,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "figure.facecolor": CARD,
    "font.family": "DejaVu Sans",  # it comes with matplotlib, so that text has the same size on every machine
    "font.size": 9,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "legend.fontsize": "small",
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "svg.fonttype": "none",  # text stays text, which can be searched, copied and read aloud
    "svg.hashsalt": "castsearch",  # in place of random names
    "text.color": INK,
    "text.parse_math": False,  # a name with two dollar signs is a name
    "xtick.color": QUIET,
    "ytick.color": QUIET,
}


def look() -> AbstractContextManager[None]:
    """Return the context in which figures are drawn and written."""
    return mpl.rc_context(_STYLE)


def to_svg(figure: Figure, title: str) -> str:
    """Write a figure that was drawn in the context `look`, and in that context.

    Args:
        figure: the figure.
        title: what it shows, in words, for readers who cannot see it.

    Returns:
        A complete SVG file.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}: {dark} !important}}'
        for light, dark in _DARK.items()
        for part in ("fill", "stroke")
    )
    sheet = f"text{{font-family: {_FONTS} !important}} @media (prefers-color-scheme: dark) {{{rules}}}"
    return buffer.getvalue().replace("</style>", f"{sheet}</style>", 1)
