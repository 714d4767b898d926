"""The history as a table and as files: nothing is lost, and not measured is not zero."""

from __future__ import annotations

import csv
import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.history import History
from bootstrap.records import Round

COLUMNS = [field.name for field in dataclasses.fields(Round)]
WHOLE = {
    "round",
    "n_labels",
    "n_trained",
    "n_audited",
    "n_unsettled",
    "n_given",
    "n_skipped",
    "n_classes",
    "n_decided_alone",
    "n_wrong",
}

UNMEASURED = Round(1, 24, 20, 4, 0, 0, 2, 0.2, seconds=0.25)
MEASURED = Round(
    2, 48, 40, 8, 5, 1, 3, 0.2, 0.21, 0.77, 6, 1, 0.875, 0.9, 0.6, 0.97, 0.5, 0.99, 5 / 6, 0.4, seconds=0.5
)

shares = st.none() | st.floats(0, 1)
counts = st.integers(0, 10**6)
rounds = st.lists(
    st.builds(
        Round,
        **{
            name: counts if name in WHOLE else shares
            for name in COLUMNS
            if name not in ("review_rate", "seconds")
        },
        review_rate=st.floats(0, 1),
        seconds=st.floats(0, 1e6),
    ),
    max_size=5,
)


def a_history(*rounds: Round, **more) -> History:
    return History(rounds, review_rate=0.2, target_accuracy=0.95, target_of="alone", delta=0.05, **more)


def same(one: Round, other: Round) -> bool:
    """Equal, the seconds included."""
    return one == other and one.seconds == other.seconds


def test_a_history_is_a_sequence_of_its_rounds():
    history = a_history(UNMEASURED, MEASURED, stop_reason="2 of 2 rounds done")
    assert len(history) == 2
    assert list(history) == [UNMEASURED, MEASURED]
    assert history[0] is UNMEASURED
    assert history[-1] is MEASURED
    assert history.stop_reason == "2 of 2 rounds done"
    assert history.people_error is None


def test_a_history_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        a_history().rounds = ()


def test_the_table_has_the_promised_columns_and_a_row_a_round():
    frame = a_history(UNMEASURED, MEASURED).to_frame()
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 2
    promised = (
        "round n_labels n_trained n_audited accuracy accuracy_at_review_rate accuracy_low accuracy_high"
    )
    promised += " running_low running_high selective_accuracy review_rate_for_target seconds"
    assert set(promised.split()) <= set(frame.columns)


@pytest.mark.parametrize("rounds", [(), (UNMEASURED,), (MEASURED,), (UNMEASURED, MEASURED)])
def test_columns_have_the_same_types_whatever_was_measured(rounds):
    kinds = a_history(*rounds).to_frame().dtypes
    assert {name for name in COLUMNS if kinds[name].kind == "i"} == WHOLE
    assert all(kinds[name] == np.float64 for name in COLUMNS if name not in WHOLE)


def test_not_measured_is_nan_in_the_table_and_null_in_json_and_empty_in_csv(tmp_path):
    history = a_history(UNMEASURED)
    assert math.isnan(history.to_frame().loc[0, "accuracy"])
    assert json.loads(history.to_jsonl(tmp_path / "h.jsonl").read_text())["accuracy"] is None
    header, row = history.to_csv(tmp_path / "h.csv").read_text().splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["accuracy"] == ""


def test_an_empty_history_makes_an_empty_table_and_files(tmp_path):
    history = a_history()
    assert history.to_frame().shape == (0, len(COLUMNS))
    assert history.to_jsonl(str(tmp_path / "h.jsonl")).read_text() == ""
    assert list(pd.read_csv(history.to_csv(str(tmp_path / "h.csv"))).columns) == COLUMNS


def test_writing_again_replaces_the_file(tmp_path):
    path = tmp_path / "h.jsonl"
    a_history(UNMEASURED, MEASURED).to_jsonl(path)
    assert len(a_history(UNMEASURED).to_jsonl(path).read_text().splitlines()) == 1


@given(rounds)
def test_rounds_come_back_from_jsonl_as_they_were(tmp_path_factory, rounds):
    path = a_history(*rounds).to_jsonl(tmp_path_factory.getbasetemp() / "h.jsonl")
    back = [Round(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(back) == len(rounds)
    assert all(same(one, other) for one, other in zip(back, rounds, strict=True))


@given(rounds)
def test_rounds_come_back_from_csv_as_they_were(tmp_path_factory, rounds):
    path = a_history(*rounds).to_csv(tmp_path_factory.getbasetemp() / "h.csv")
    kinds = {name: int if name in WHOLE else float for name in COLUMNS}
    with path.open(newline="") as file:
        back = [
            Round(**{name: kinds[name](text) if text else None for name, text in row.items()})
            for row in csv.DictReader(file)
        ]
    assert len(back) == len(rounds)
    assert all(same(one, other) for one, other in zip(back, rounds, strict=True))


def test_a_history_shows_itself_in_a_line_and_in_a_notebook_as_a_table():
    history = History((), 0.2, 0.95, "alone", 0.05)
    assert repr(history) == "History(0 rounds; to_frame() shows them)"
    assert history._repr_html_().startswith("<table")
