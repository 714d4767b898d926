"""The picture of whether the model's confidence means what it says: no basis for any decision.

Bins with few audits are hollow and thin, and under the picture stands what it is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bootstrap.measuring import Reliability
from bootstrap.report.canvas import GREY, INK, NAVY, SMALL, head, new_axes, note_below
from bootstrap.report.figures import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_reliability"]

#: The share of a bin with fewer audits than this swings by several points with every single one.
_FEW: Final = 20


def plot_reliability(record: Reliability, ax: Axes | None = None) -> Axes:
    """Accuracy against confidence on audited items, beside the line where the two are the same.

    Below the line the model is too sure of itself, above it less sure than it could be. For display only:
    a certificate rests on audited items, never on confidence.

    Parameters
    ----------
    record : Reliability
        From :func:`bootstrap.measuring.reliability`.
    ax : matplotlib Axes, optional
        Where to draw. By default a new figure, which shows by itself in a notebook and touches no
        global state elsewhere; save it with ``ax.figure.savefig("reliability.png")``.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    own, ax = ax is None, new_axes() if ax is None else ax
    sure = "below the dashed line the model is too sure of itself; numbers count audited items"
    head(ax, "Confidence and accuracy", sure, "mean confidence")
    left = np.floor(10 * max(0.0, record.confidence.min() - 0.02)) / 10
    bottom = min(left, np.floor(10 * record.accuracy.min()) / 10)
    ax.set_xlim(left, 1.0 + 0.04 * (1.0 - left))
    room = 0.09 * (1.0 - bottom)  # for the numbers above and below the outermost points
    ax.set_ylim(bottom - room, 1.0 + room)
    ax.plot([left, 1.0], [left, 1.0], color=GREY, ls="--", lw=1.2, label="as sure as it is right")
    many = record.count >= _FEW
    ax.plot(record.confidence, record.accuracy, color=NAVY, lw=1.0, alpha=0.5, zorder=3)
    for kind, fill, label in ((many, NAVY, f"{_FEW} or more items"), (~many, "white", f"fewer than {_FEW}")):
        if kind.any():
            x, y = record.confidence[kind], record.accuracy[kind]
            ax.plot(x, y, "o", ms=6, mec=NAVY, mfc=fill, zorder=4, label=label)
    for x, y, n in zip(record.confidence, record.accuracy, record.count, strict=True):
        _count_beside(ax, x, y, int(n))
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)} if own else {"loc": "best"}
    ax.legend(**place, frameon=False, fontsize=9, borderaxespad=0, labelspacing=0.9)
    note_below(ax, _note(record), own=own)
    return ax


def _count_beside(ax: Axes, x: float, y: float, n: int) -> None:
    """The number of items on the side that faces away from the dashed line."""
    away = -1 if y < x else 1
    ax.annotate(
        f"{n:,}",
        xy=(x, y),
        xytext=(0, 8 * away),
        textcoords="offset points",
        ha="center",
        va="top" if away < 0 else "bottom",
        color=INK,
        fontsize=SMALL,
        zorder=5,
    )


def _note(record: Reliability) -> str:
    items = count(record.n_audited, "audited held-out item")
    error = f"{record.expected_calibration_error:.3f}"
    return (
        f"Measured on {items}; labels by people taken as the truth. "
        f"Expected calibration error {error} in {count(record.bins, 'bin')}. For display and for planning "
        "costs: confidence is no evidence, and nothing here is a certificate."
    )
