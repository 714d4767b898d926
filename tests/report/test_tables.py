"""The table fits a terminal, and shows every round as it was measured."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from bootstrap.report import history_table


def _shown(history, width=80):
    console = Console(width=width, file=StringIO(), force_terminal=False)
    console.print(history_table(history))
    return console.file.getvalue()


@pytest.mark.parametrize("target_of", ["alone", "system"])
def test_a_long_history_fits_80_columns_without_cutting_anything(make_history, target_of):
    text = _shown(
        make_history(40, target_of=target_of, review_rate=0.125, n_labels=1_234_567, n_audited=123_456)
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "1,234,567" in text
    assert "123,456" in text


def test_each_round_is_a_row_and_what_is_not_measured_a_dash(make_history):
    lines = _shown(make_history(3)).splitlines()
    rows = [line.split() for line in lines if line.split() and line.split()[0] in {"1", "2", "3"}]
    assert rows[0] == ["1", "24", "0", *"––––––"]
    assert rows[2] == ["3", "72", "12", "0.833", "0.900", "0.920", "0.564–1.000", "0.327–0.975", "85", "%"]
    assert len(rows) == 3


def test_the_headings_are_for_people(make_history):
    table = history_table(make_history())
    headings = [str(column.header).replace("\n", " ") for column in table.columns]
    assert headings == [
        "round",
        "labels",
        "audited",
        "model alone",
        "decided alone",
        "at 20 % review",
        "interval (this round)",
        "running interval",
        "est. review rate for target",
    ]


def test_a_target_on_the_system_needs_no_column_for_what_is_decided_alone(make_history):
    table = history_table(make_history(target_of="system"))
    assert len(table.columns) == 8
    assert "for what goes out" in table.caption


def test_the_caption_says_what_the_figures_are(make_history):
    text = " ".join(_shown(make_history()).split())
    assert "Target: 0.95 for what the model decides alone." in text
    assert "Estimates on audited held-out items" in text
    assert "an interval for this round alone is no certificate" in text


def test_no_round_is_an_empty_table(make_history):
    assert history_table(make_history(0)).row_count == 0
    assert "round" in _shown(make_history(0))


@pytest.mark.parametrize("target_of", ["alone", "system"])
def test_a_certified_rate_takes_the_place_of_the_estimate(make_history, target_of):
    history = make_history(3, target_of=target_of, n_labels=1_234_567, certified_review_rate=0.125)
    text = _shown(history)
    rows = [line.split() for line in text.splitlines() if line.split()[:1] in (["1"], ["2"], ["3"])]
    assert [row[-1] for row in rows[:2]] == ["–", "–"]
    assert rows[2][-2:] == ["12.5", "%"]
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert str(history_table(history).columns[-1].header).replace("\n", " ") == "certi- fied review rate"
    assert "loop.certificates tells which" in " ".join(text.split())
    assert "certified" not in _shown(make_history(3))
