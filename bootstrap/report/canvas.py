"""Where a picture is drawn: on axes that were given, or on a new figure without touching global state.

A new figure is made through pyplot only where somebody uses pyplot already or a notebook is running:
there it shows by itself, as people expect. Elsewhere (a script, a server, a test) it is a plain figure
that no window manager knows and that goes away with its last reference.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bootstrap.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["new_axes"]

_SIZE = (9.0, 5.0)  # inches: half a page, and a slide


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


def _in_a_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
