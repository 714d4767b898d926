"""The strip below the picture of a history: which review rate is certified, as steps over the labels.

The curves above are estimates that move every round. The strip moves only when something was proved, or
when a champion was withdrawn: the one part of the picture that a decision may rest on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bootstrap.history import History
from bootstrap.report.canvas import GREY, INK, NAVY, SMALL
from bootstrap.report.figures import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["add_certified_strip", "certified_in_words"]

#: Bottom and height in inches, seen from the lower edge of the axes above: in shares of them a layout engine
#: would chase its own tail.
_BOTTOM, _HEIGHT = -0.8, 0.55

#: Where nothing lays the figure out: what axes keep of their height at the least.
_KEPT = 0.5


def certified_in_words(history: History) -> str:
    """The state at the end in a few words: certified at a rate, not any more, or nothing yet."""
    now = history[-1].certified_review_rate
    if now < 1:
        return f"certified: {percent(now)} review"
    before = [r.certified_review_rate for r in history if r.certified_review_rate < 1]
    return f"nothing certified any more (was {percent(before[-1])})" if before else "nothing certified yet"


def add_certified_strip(ax: Axes, history: History) -> Axes:
    """Draw the strip below `ax`, sharing its x axis and taking over its label.

    Parameters
    ----------
    ax : matplotlib Axes
        With the limits and the label of its x axis set.
    history : History
        At least one round.

    Returns
    -------
    matplotlib Axes
        The strip, a child of `ax`: the axes of the figure stay as many as they were.
    """
    from matplotlib.patheffects import withStroke
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    figure: Any = ax.get_figure(root=True)
    if figure.get_layout_engine() is None:
        _make_room(ax, -_BOTTOM / figure.get_figheight())
    shares: Any = ax.transAxes
    inches = figure.dpi_scale_trans + ScaledTranslation(0, 0, shares)
    place = blended_transform_factory(shares, inches)
    strip = ax.inset_axes((0.0, _BOTTOM, 1.0, _HEIGHT), transform=place, sharex=ax)
    strip.set_xlabel(ax.get_xlabel())
    ax.set_xlabel("")
    ax.tick_params(axis="x", labelbottom=False)
    # certified when a round ends, and in force until another one says otherwise
    x = [0.0, *(r.n_labels for r in history), ax.get_xlim()[1]]
    rate = [1.0, *(r.certified_review_rate for r in history), history[-1].certified_review_rate]
    ever = min(rate) < 1
    steps: dict[str, Any] = {"color": NAVY if ever else GREY, "lw": 2.0 if ever else 1.2}
    strip.step(x, rate, where="post", **steps, label="certified review rate")
    strip.fill_between(x, 0, rate, step="post", color=NAVY if ever else GREY, alpha=0.12, lw=0)
    strip.set_ylim(0, 1.12)
    strip.set_yticks([0, 1], ["0 %", "100 %"], fontsize=SMALL)
    strip.set_ylabel("review", fontsize=SMALL)
    for side in ("top", "right"):
        strip.spines[side].set_visible(False)
    strip.text(
        0.012,
        0.42,
        certified_in_words(history),
        transform=strip.transAxes,
        va="center",
        color=NAVY if ever else INK,
        fontweight="bold" if rate[-1] < 1 else "normal",
        fontsize=9.5,
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )
    return strip


def _make_room(ax: Axes, wanted: float) -> None:
    """Raise the lower edge of axes that no layout engine will move, by a share of the figure."""
    box = ax.get_position()
    height = max(box.height - wanted, _KEPT * box.height)
    ax.set_position((box.x0, box.y1 - height, box.width, height))
    ax.set_in_layout(True)  # a later tight_layout() may still place them
