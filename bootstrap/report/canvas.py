"""Where a picture is drawn, and what all pictures share: the title, the note below, the colours.

A new figure is made through pyplot only where somebody uses pyplot already or a notebook is running:
there it shows by itself, as people expect. Elsewhere (a script, a server, a test) it is a plain figure
that no window manager knows and that goes away with its last reference.
"""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

from bootstrap.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GREY", "INK", "NAVY", "SMALL", "head", "new_axes", "note_below"]

NAVY: Final = "#0b3060"
GREY: Final = "#707070"
INK: Final = "#303030"  #: for what is written beside the data
SMALL: Final = 8.5  #: points

_SIZE = (9.0, 5.4)  # inches: half a page, and a slide


def new_axes() -> Axes:
    """Axes on a new figure that leaves room for what is written around them.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise MissingExtra("Drawing a plot", "matplotlib", "plots") from missing
    if "matplotlib.pyplot" in sys.modules or _in_a_notebook():
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=_SIZE, layout="constrained")
    else:
        figure = Figure(figsize=_SIZE, layout="constrained")
        FigureCanvasAgg(figure)
    return figure.add_subplot()


def head(ax: Axes, title: str, subtitle: str, x: str) -> None:
    """Title, the line below it, the names of both axes, and a quiet grid."""
    ax.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=22)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(subtitle, xy=(0, 1), xytext=(0, 7), **above, color=INK, fontsize=9.5)
    ax.set_xlabel(x)
    ax.set_ylabel("accuracy on audited items")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.grid(axis="y", color="0.9", lw=0.7, zorder=0)
    ax.set_axisbelow(True)


def note_below(ax: Axes, text: str, *, own: bool) -> None:
    """What a picture rests on, below the name of the x axis; wider on a figure of our own."""
    ax.annotate(
        "\n".join(textwrap.wrap(text, 125 if own else 70)),
        xy=(0, 0),
        xycoords="axes fraction",
        xytext=(0, -40),
        textcoords="offset points",
        va="top",
        color=INK,
        fontsize=SMALL,
    )


def _in_a_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
