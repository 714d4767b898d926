"""A history as a table for the terminal: a row a round, 80 columns wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bootstrap.history import History
from bootstrap.records import Round
from bootstrap.report.figures import NOT_MEASURED, about_percent, interval, percent, share

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["history_table"]


_CERTIFIED = " A certificate is about a model frozen earlier: loop.certificates tells which."


def history_table(history: History) -> Table:
    """The rounds of a history; a dash is not measured, or not certified.

    The last column is the certified review rate as soon as there is one, and until then the estimate of the
    rate for the target: side by side they would be taken for each other.

    Parameters
    ----------
    history : History
        The rounds, and the settings they were measured under.

    Returns
    -------
    rich.table.Table
        At most 80 columns wide. `rich.print` shows it.
    """
    from rich import box
    from rich.table import Table

    alone = history.target_of == "alone"
    certified = any(r.certified_review_rate < 1 for r in history)
    about = "what the model decides alone" if alone else "what goes out"
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
        caption=(
            f"\nTarget: {history.target_accuracy:g} for {about}. Estimates on audited held-out items; "
            "an interval for this round alone is no certificate."
            f"{_CERTIFIED if certified else ''}"
        ),
        caption_justify="left",
    )
    for heading in (
        "round",
        "labels",
        "audited",
        "model\nalone",
        *(["decided\nalone"] if alone else []),
        f"at {percent(history.review_rate)}\nreview",
        "interval\n(this\nround)",
        "running\ninterval",
        "certi-\nfied\nreview\nrate" if certified else "est.\nreview\nrate for\ntarget",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for r in history:
        table.add_row(
            *_row(r, alone), _certified(r) if certified else about_percent(r.review_rate_for_target)
        )
    return table


def _certified(r: Round) -> str:
    return percent(r.certified_review_rate) if r.certified_review_rate < 1 else NOT_MEASURED


def _row(r: Round, alone: bool) -> list[str]:
    return [
        str(r.round),
        f"{r.n_labels:,}",
        f"{r.n_audited:,}",
        share(r.accuracy),
        *([share(r.selective_accuracy)] if alone else []),
        share(r.accuracy_at_review_rate),
        interval(r.accuracy_low, r.accuracy_high),
        interval(r.running_low, r.running_high),
    ]
