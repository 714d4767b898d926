"""The picture of a comparison of strategies: accuracy against labels, with bands for paired differences.

A band stands around a strategy's own mean curve and is as wide as the interval for its difference to the
baseline, at that number of labels alone: among many of them some miss the baseline's curve by chance, and
the verdict is the interval of the area. Bands for each mean alone would be wider, since they hold what the
seeds have in common.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bootstrap.report.canvas import GREY, NAVY, head, new_axes, note_below
from bootstrap.report.figures import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["paired_interval", "plot_label_efficiency", "signed_interval"]

#: Lines differ in dash and marker as well as in colour, so that they read in grey print.
_COLORS: Final = (NAVY, "#b3450b", "#2a7f62", "#8b3a8b", "#b08900", "#4b7bb5", "#a02040", "#5a5a20")
_DASHES: Final = ("-", "-.", (0, (6, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1, 1, 1)))
_MARKERS: Final = ("o", "^", "D", "v", "P", "X", "*")
_MOST_MARKERS: Final = 15


def paired_interval(differences: NDArray[np.float64], level: float = 0.95) -> NDArray[np.float64]:
    """Student's interval for the mean of paired differences (Student, Biometrika, 1908).

    Parameters
    ----------
    differences : ndarray of shape (n,) or (n, m)
        A row a pair.
    level : float
        In (0, 1).

    Returns
    -------
    ndarray of shape (2,) or (2, m)
        Low and high; NaN from fewer than two pairs.
    """
    from scipy.stats import t

    n, mean = len(differences), differences.mean(axis=0)
    if n < 2:
        return np.stack([mean, mean]) * np.nan
    half = t.ppf((1.0 + level) / 2.0, n - 1) * differences.std(axis=0, ddof=1) / np.sqrt(n)
    return np.stack([mean - half, mean + half])


def signed_interval(low: float, high: float, between: str = " to ") -> str:
    """An interval for a difference, with signs and rounded outwards: -0.017 to +0.019."""
    return f"{np.floor(1000 * low) / 1000:+.3f}{between}{np.ceil(1000 * high) / 1000:+.3f}"


def plot_label_efficiency(
    curves: pd.DataFrame, baseline: str, ax: Axes | None = None, *, note: str = ""
) -> Axes:
    """Mean accuracy of each strategy against the labels that its model has learned from.

    The band around a curve is the pointwise 95 % interval for its paired difference to the baseline, drawn
    around the curve itself; there is none from a single seed.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns `strategy`, `seed`, `n_labels` and `accuracy`; the same seeds and numbers of labels for
        each strategy.
    baseline : str
        The strategy that the others are compared with.
    ax : matplotlib Axes, optional
        Where to draw. By default a new figure, which shows by itself in a notebook and touches no
        global state elsewhere.
    note : str
        What the picture rests on, written below it.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    own, ax = ax is None, new_axes() if ax is None else ax
    names = list(dict.fromkeys(curves["strategy"].tolist()))
    each = {
        name: curves[curves["strategy"] == name].pivot(index="seed", columns="n_labels", values="accuracy")
        for name in names
    }
    n_seeds = len(each[baseline])
    band = f"bands: 95 % for the difference to {baseline}, each point by itself"
    band = band if n_seeds > 1 else "a single run each"
    head(ax, "Accuracy for labels spent", f"means over {count(n_seeds, 'seed')}; {band}", "labels")
    ax.set_ylabel("accuracy on the test set")
    styles = cycle(zip(_COLORS, cycle(_DASHES), cycle(_MARKERS), strict=False))
    for name in sorted(names, key=lambda name: -each[name].to_numpy().mean()):  # as the legend reads
        color, dash, marker = (GREY, "--", "s") if name == baseline else next(styles)
        style: dict[str, Any] = {"color": color, "ls": dash, "marker": marker}
        _curve(ax, each[name], each[baseline], f"{each[name].to_numpy().mean():.3f}  {name}", style)
    means = np.concatenate([runs.to_numpy().mean(axis=0) for runs in each.values()])
    ax.set_ylim(_floor(means.min() - 0.02), min(1.01, _floor(means.max() + 0.07)))  # wide bands may leave it
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)} if own else {"loc": "best"}
    ax.legend(
        **place,
        title="mean accuracy over the rounds",
        title_fontsize=9,
        alignment="left",
        frameon=False,
        fontsize=9,
        borderaxespad=0,
        handlelength=3.2,
        labelspacing=0.9,
    )
    if note:
        note_below(ax, note, own=own)
    return ax


def _curve(ax: Axes, runs: pd.DataFrame, baseline: pd.DataFrame, label: str, style: dict[str, Any]) -> None:
    x, mean = runs.columns.to_numpy(), runs.to_numpy().mean(axis=0)
    every = max(1, -(-len(x) // _MOST_MARKERS))
    ax.plot(x, mean, **style, lw=1.8, ms=4, markevery=((len(x) - 1) % every, every), label=label, zorder=4)
    differences = runs.to_numpy() - baseline.to_numpy()
    low, high = paired_interval(differences)
    half = (high - low) / 2.0
    if np.isfinite(half).all() and half.any():
        below, above = np.clip([mean - half, mean + half], 0.0, 1.0)
        ax.fill_between(x, below, above, color=style["color"], alpha=0.15, lw=0, zorder=1)


def _floor(accuracy: float) -> float:
    return max(0.0, float(np.floor(20 * accuracy) / 20))
