"""The two pictures: accuracy against labels spent, and accuracy against the review rate.

Lines differ in dash and marker as well as in colour, so that they read in grey print. Under each picture
stands what it was measured on, and that an interval is no certificate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bootstrap.history import History
from bootstrap.measuring import ReviewCurve
from bootstrap.report.canvas import GREY, INK, NAVY, SMALL, head, new_axes, note_below
from bootstrap.report.certified_strip import add_certified_strip
from bootstrap.report.figures import count, interval, percent, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_history", "plot_review_curve"]

_Floats: TypeAlias = NDArray[np.float64]
_Style: TypeAlias = dict[str, Any]

_SKY, _RUST = "#a6cee3", "#b3450b"
_SYSTEM: Final[_Style] = {"color": NAVY, "ls": "-", "lw": 2.8, "marker": "o", "ms": 6, "zorder": 4}
# thinner, and on top: where the lines coincide all of them stay visible
_ALONE: Final[_Style] = {"color": _RUST, "ls": "-.", "lw": 1.6, "marker": "^", "ms": 4, "zorder": 5}
_MODEL: Final[_Style] = {"color": GREY, "ls": "--", "lw": 1.4, "marker": "s", "ms": 3, "zorder": 5}
_RUNNING: Final[_Style] = {"color": NAVY, "ls": ":", "lw": 1.2, "zorder": 2}
_BAND: Final[_Style] = {"color": _SKY, "alpha": 0.45, "lw": 0, "zorder": 1}
_MOST_MARKERS: Final = 15  # more of them along one line would hide it

#: Accuracy decided alone on fewer audits than this is drawn thin: it swings with every single one.
_FEW: Final = 20


def plot_history(history: History, ax: Axes | None = None) -> Axes:
    """Accuracy against the labels that people gave, audits included.

    Shown are the accuracy at the history's review rate with the interval for this round's model, the
    interval for the average over the rounds, the model on its own, and the target in the colour of the
    accuracy that it is about. What is not measured yet leaves a gap. The strip below shows the certified
    review rate as steps; it is a child of the axes (``ax.child_axes[0]``), with the name of the x axis.

    Parameters
    ----------
    history : History
        The rounds, and the settings they were measured under.
    ax : matplotlib Axes, optional
        Where to draw. By default a new figure, which shows by itself in a notebook and touches no
        global state elsewhere; save it with ``ax.figure.savefig("history.png")``.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    own, ax = ax is None, new_axes() if ax is None else ax
    rate = percent(history.review_rate)
    x = _column(history, "n_labels")
    system, model = _column(history, "accuracy_at_review_rate"), _column(history, "accuracy")
    low, high = _column(history, "accuracy_low"), _column(history, "accuracy_high")
    running_low, running_high = _column(history, "running_low"), _column(history, "running_high")
    alone = _column(history, "selective_accuracy")

    title, who = f"Accuracy at a review rate of {rate}", _who_decides(history.review_rate)
    head(ax, title, who, "labels that people gave, audits included")
    ax.set_xlim(0, 1.03 * max([20.0, *x]))
    if np.isnan(model).all():
        _say_that_nothing_is_measured(ax)
        return ax

    _line(ax, x, system, f"at {rate} review", _SYSTEM)
    _band(ax, x, low, high, f"{_last_pair(low, high)}  its interval,\nfor this round alone")
    _dotted(
        ax,
        x,
        running_low,
        running_high,
        f"{_last_pair(running_low, running_high)}  interval,\naverage over all rounds",
    )
    shown = [system, model]
    if history.target_of == "alone":
        _line(ax, x, alone, "decided alone", _ALONE)
        shown.append(alone)
    _line(ax, x, model, "model on every item", _MODEL)
    _fit_y(ax, [*shown, running_low[-1:]], low, history.target_accuracy)
    _target(ax, history.target_accuracy, history.target_of, own)
    strip = add_certified_strip(ax, history)
    _legend(ax, own, history.target_accuracy)
    note_below(strip, _history_note(history), own=own)
    return ax


def plot_review_curve(
    curve: ReviewCurve,
    ax: Axes | None = None,
    target: float | None = None,
    *,
    target_of: str = "alone",
    review_rate: float | None = None,
) -> Axes:
    """Accuracy against the review rate: of what goes out, and of what the model decides alone.

    Parameters
    ----------
    curve : ReviewCurve
        From :func:`bootstrap.measuring.review_curve`.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure, as in :func:`plot_history`.
    target : float, optional
        Accuracy aimed at, in (0, 1]: drawn as a line.
    target_of : {"alone", "system"}
        What the target is about; said beside its line.
    review_rate : float, optional
        The rate in use, in [0, 1]: marked.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    own, ax = ax is None, new_axes() if ax is None else ax
    x = 100 * curve.review_rate
    few = curve.n_decided_alone < _FEW
    who = "people decide the items that the model is least sure of, the model the rest"
    head(ax, "What a review rate buys", who, "review rate: items that people decide, %")
    ax.set_xlim(0, 100)
    ax.plot(x, curve.accuracy, **_SYSTEM | {"marker": None}, label="what goes out")
    _band(ax, x, curve.low, curve.high, "its interval,\nfor each rate alone")
    many = np.where(few, np.nan, curve.selective_accuracy)
    ax.plot(x, many, **_ALONE | {"marker": None}, label="decided alone")
    ax.plot(x, curve.selective_accuracy, color=_RUST, lw=0.8, alpha=0.5, zorder=2)
    if review_rate is not None:
        ax.axvline(100 * review_rate, color=INK, lw=0.8, ls=(0, (1, 3)), zorder=1)
        ax.annotate(
            f" {percent(review_rate)}",
            xy=(100 * review_rate, 0.02),
            xycoords=ax.get_xaxis_transform(),
            color=INK,
            fontsize=SMALL,
        )
    _fit_y(ax, [curve.accuracy, many], curve.low, target)
    if target is not None:
        _target(ax, target, target_of, own)
    _legend(ax, own, target)
    thin = bool((few & (curve.n_decided_alone > 0)).any())
    note_below(ax, _curve_note(curve, thin), own=own)
    return ax


def _column(history: History, name: str) -> _Floats:
    return np.array([np.nan if (v := getattr(r, name)) is None else v for r in history], dtype=np.float64)


def _line(ax: Axes, x: _Floats, y: _Floats, label: str, style: _Style) -> None:
    every = max(1, -(-len(x) // _MOST_MARKERS))
    # counted from the end, so that the last round always has its marker
    ax.plot(x, y, **style, label=f"{_last(y)}  {label}", markevery=((len(x) - 1) % every, every))


def _band(ax: Axes, x: _Floats, low: _Floats, high: _Floats, label: str) -> None:
    ax.fill_between(x, low, high, **_BAND, label=label)
    lonely = _lonely(low)
    ax.vlines(x[lonely], low[lonely], high[lonely], color=_SKY, lw=7, alpha=0.6, zorder=1)


def _dotted(ax: Axes, x: _Floats, low: _Floats, high: _Floats, label: str) -> None:
    lonely = np.flatnonzero(_lonely(low)).tolist()
    marks: _Style = {"marker": "_", "ms": 12, "markevery": lonely} if lonely else {}
    ax.plot(x, low, **_RUNNING, **marks, label=label)
    ax.plot(x, high, **_RUNNING, **marks)


def _lonely(y: _Floats) -> NDArray[np.bool_]:
    """Measured points without a measured neighbour: no line and no band would show them."""
    there = np.concatenate(([False], np.isfinite(y), [False]))
    return there[1:-1] & ~there[:-2] & ~there[2:]


def _fit_y(ax: Axes, lines: list[_Floats], low: _Floats, target: float | None) -> None:
    """Show every line, the target and the typical band; a very wide early band may leave the picture."""
    typical = [np.median(low[np.isfinite(low)])] if np.isfinite(low).any() else []
    values = np.concatenate([*lines, typical, [1.0 if target is None else target]])
    bottom = np.nanmin(values)
    bottom = np.floor(20 * max(0.0, bottom - 0.02)) / 20
    ax.set_ylim(bottom, 1 + 0.03 * (1 - bottom))


def _target(ax: Axes, target: float, target_of: str, own: bool) -> None:
    """The target's line; its label beside the axes of our own figure, inside those of somebody else's."""
    from matplotlib.patheffects import withStroke

    color, about = (_RUST, "what is decided alone") if target_of == "alone" else (NAVY, "what goes out")
    ax.axhline(target, color=color, lw=1.0, zorder=2)
    between = "\n" if own else " "
    ax.annotate(
        f"target {target:g}{between}for {about}",
        xy=(1 if own else 0, target),
        xycoords=ax.get_yaxis_transform(),
        xytext=(6, 0 if own else 3),
        textcoords="offset points",
        va="center" if own else "bottom",
        color=color,
        fontsize=9,
        path_effects=[withStroke(linewidth=3, foreground="white")],
        zorder=5,
    )


def _say_that_nothing_is_measured(ax: Axes) -> None:
    ax.set_ylim(0, 1.03)
    ax.text(
        0.5,
        0.5,
        "Nothing is measured yet.\nIt takes a model and audited held-out items.",
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=INK,
    )


def _legend(ax: Axes, own: bool, target: float | None) -> None:
    place: _Style = {"loc": "lower right", "framealpha": 0.8, "edgecolor": "none"}
    if own:  # beside the data, at the end where the target's label is not
        low = target is not None and target > sum(ax.get_ylim()) / 2
        place = {
            "loc": "lower left" if low else "upper left",
            "bbox_to_anchor": (1.01, 0 if low else 1),
            "frameon": False,
        }
    ax.legend(**place, fontsize=9, borderaxespad=0, handlelength=3.2, labelspacing=0.9)


def _who_decides(rate: float) -> str:
    if rate == 0:
        return "the model decides every item, people none"
    if rate == 1:
        return "people decide every item, the model none"
    return f"people decide the {percent(rate)} of items that the model is least sure of, the model the rest"


def _last(y: _Floats) -> str:
    return share(float(y[-1]))


def _last_pair(low: _Floats, high: _Floats) -> str:
    return interval(float(low[-1]), float(high[-1]))


def _history_note(history: History) -> str:
    last = history[-1]
    given = f"{count(last.n_given, 'label')} that existed before not counted." if last.n_given else ""
    return _note(
        last.n_audited,
        f"Each interval misses with a chance of at most {history.delta:g};",
        "an interval for this round alone is no certificate.",
        "What is certified is a model frozen earlier (loop.certificates)."
        if last.certified_review_rate < 1
        else "",
        _people(history.people_error or 0.0),
        given,
        _unsettled(last.n_unsettled),
    )


def _curve_note(curve: ReviewCurve, thin: bool) -> str:
    return _note(
        curve.n_audited,
        f"Each interval misses with a chance of at most {curve.delta:g}, at a rate fixed beforehand:",
        "not at the one that looks best here. Nothing here is a certificate.",
        _people(curve.people_error),
        f"Thin: fewer than {_FEW} audited items decided alone." if thin else "",
    )


def _note(n_audited: int, *sentences: str) -> str:
    items = count(n_audited, "audited held-out item")
    measured = f"Measured on {items}; labels by people taken as the truth."
    return " ".join(filter(None, (measured, *sentences)))


def _unsettled(n: int) -> str:
    return (
        f"Audits without a label ({n:,}: nobody could tell, or people disagree) count as wrong." if n else ""
    )


def _people(error: float) -> str:
    return f"People taken to be wrong on {percent(error)} of what they review." if error else ""
