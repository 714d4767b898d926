"""The progress bar shows where the loop is, and leaves the terminal tidy."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bootstrap.callbacks import ProgressBar
from bootstrap.records import Round


def a_round(number: int, n_labels: int, **measured) -> Round:
    return Round(
        round=number,
        n_labels=n_labels,
        n_trained=n_labels,
        n_audited=measured.pop("n_audited", 0),
        n_given=0,
        n_skipped=0,
        n_classes=2,
        review_rate=0.2,
        **measured,
    )


def a_console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)


def shown(console: Console) -> str:
    return console.file.getvalue()


def test_the_bar_shows_labels_spent_and_the_last_rounds_figures():
    console = a_console()
    with ProgressBar(40, console=console) as progress:
        progress(None, a_round(1, 12))
        progress(None, a_round(2, 24, accuracy=0.875, n_audited=8))
    last = [line for line in shown(console).splitlines() if "labels" in line][-1]
    assert "24/40" in last
    assert "round 2, model alone 0.875 on 8 audited" in last


def test_what_was_not_measured_is_not_shown():
    console = a_console()
    with ProgressBar(40, console=console) as progress:
        progress(None, a_round(1, 12))
    assert "round 1" in shown(console)
    assert "model alone" not in shown(console)


def test_an_accuracy_of_zero_is_a_measurement():
    console = a_console()
    with ProgressBar(40, console=console) as progress:
        progress(None, a_round(1, 12, accuracy=0.0, n_audited=2))
    assert "model alone 0.000 on 2 audited" in shown(console)


def test_the_cursor_comes_back_after_an_error():
    console = a_console()
    with pytest.raises(KeyboardInterrupt), ProgressBar(40, console=console):
        raise KeyboardInterrupt
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert hide in shown(console)
    assert shown(console).rindex(show) > shown(console).rindex(hide)


def test_it_draws_on_standard_error_unless_told_otherwise(capsys):
    with ProgressBar(40) as progress:
        progress(None, a_round(1, 12))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "12/40" in printed.err
