"""Review logs: which rows count, in which order, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.cli.review_log import LogColumns, ReviewLog, parse_time, read_review_log
from bootstrap.cli.table_file import Table
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP

COLUMNS = LogColumns("id", "label", "class", "p", blind="blind", at="day")
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = {"id": "1", "label": "a", "class": "a", "p": "0.9", "blind": "1", "day": "2026-03-02", "chance": "0.5"}


def log_of(*rows: dict[str, str], since: datetime | None = MARCH, columns: LogColumns = COLUMNS) -> ReviewLog:
    full = tuple(GOOD | row for row in rows)
    table = Table(Path("log.csv"), tuple(GOOD), tuple(range(2, len(rows) + 2)), full)
    return read_review_log(table, columns, since)


def refusal(*rows: dict[str, str], **more: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        log_of(*rows, **more)
    return str(refused.value)


def test_a_row_becomes_an_item_with_its_answer() -> None:
    log = log_of({"id": " 7 ", "label": " b ", "class": "a", "p": " .25 "})

    assert (log.ids, log.predicted, log.labels, log.classes) == (("7",), ("a",), ("b",), ("a", "b"))
    assert (log.confidence.tolist(), log.blind.tolist(), log.evidence) == ([0.25], [True], ("b",))
    assert (log.n_rows, log.n_labeled, log.n_anchored, log.n_unanswered) == (1, 1, 0, 0)
    assert log.notes() == ["1 row. 1 is about the model as it is, and 1 of these has a label."]


def test_only_blind_answers_are_evidence_and_a_blind_row_without_answer_counts_as_one_that_is_missing() -> (
    None
):
    log = log_of(
        {"id": "1"},
        {"id": "2", "blind": "no"},
        {"id": "3", "label": ""},
        {"id": "4", "label": "", "blind": ""},
    )

    found = dict(zip(log.ids, log.evidence, strict=True))
    assert found == {"1": "a", "2": None, "3": SKIP, "4": None}
    assert (log.n_anchored, log.n_unanswered) == (1, 1)
    told = " ".join(log.notes())
    assert "1 answer was given with the suggestion in view" in told
    assert "1 row is marked as asked blind and has no answer: counted as wrong" in told


@pytest.mark.parametrize("since", [None, MARCH])
def test_without_the_word_of_the_log_nothing_is_evidence(since: datetime | None) -> None:
    blind = "blind" if since is None else None
    log = log_of({}, since=since, columns=LogColumns("id", "label", "class", "p", blind=blind, at="day"))

    assert (log.evidence, log.n_labeled) == ((None,), 1)
    assert (log.says_blind, log.says_since) == (since is None, since is not None)


def test_what_may_have_trained_the_model_is_left_out_and_counted() -> None:
    log = log_of(
        {"id": "old", "day": "2026-02-28T23:59:59+00:00"},
        {"id": "old", "day": "2026-03-02"},
        {"id": "unlabeled before", "label": "", "day": "2026-02-01"},
        {"id": "unlabeled before", "day": "2026-03-02"},
        {"id": "timeless", "day": ""},
        {"id": "new", "day": "2026-03-01"},
    )

    assert sorted(log.ids) == ["new", "unlabeled before"]
    assert (log.n_before, log.n_seen_before, log.n_without_time, log.n_rows) == (2, 1, 1, 6)
    told = log.notes()[1]
    assert "2 from before the model" in told
    assert "1 without a time" in told
    assert "1 whose id had a label before the model" in told


def test_rows_from_before_the_model_need_no_confidence_and_no_class() -> None:
    assert log_of({"id": "old", "p": "", "class": "", "day": "2025-01-01"}, {"id": "new"}).ids == ("new",)


def test_an_id_counts_once_with_the_label_that_came_first() -> None:
    log = log_of(
        {"label": "c", "day": "2026-03-05"},
        {"label": "b", "day": "2026-03-04"},
        {"label": "b", "day": "2026-03-06"},
        {"label": "", "day": "2026-03-07"},
    )

    assert (log.labels, log.n_repeated, log.n_contradicting) == (("b",), 3, 1)
    assert "1 of the repeated rows has another label than the first, which counts." in log.notes()


def test_an_item_that_nobody_was_asked_about_gets_no_answer_from_a_later_row() -> None:
    log = log_of({"label": "", "blind": "", "day": "2026-03-02"}, {"label": "a", "day": "2026-03-09"})

    assert (log.evidence, log.n_repeated) == ((None,), 1)


@given(rows=st.permutations([(f"item-{i}", f"2026-03-{1 + i // 4:02d}") for i in range(12)]))
def test_the_order_is_that_of_arrival_whatever_the_order_of_the_file(rows: list[tuple[str, str]]) -> None:
    log = log_of(*({"id": name, "day": day} for name, day in rows))
    days = dict(rows)

    assert [days[name] for name in log.ids] == sorted(days.values())
    assert log.ids == log_of(*({"id": name, "day": day} for name, day in sorted(rows))).ids
    assert log.ids != tuple(sorted(log.ids))  # within a day it is a hash that decides


@pytest.mark.parametrize(
    ("cell", "blind"),
    [("1", True), ("TRUE", True), ("Yes", True), ("1.0", True), ("0", False), ("", False), ("False", False)],
)
def test_yes_and_no_are_read_as_people_write_them(cell: str, blind: bool) -> None:
    assert log_of({"blind": cell}).blind.tolist() == [blind]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            {"p": "nan"},
            "Line 3 of log.csv has 'nan' in 'p' (--confidence). Wanted is the model's probability",
        ),
        ({"p": ""}, "Line 3 of log.csv has '' in 'p'"),
        ({"p": "97%"}, "such as 0.97"),
        ({"p": "1.01"}, "a number in [0, 1]"),
        ({"p": "-0.1"}, "a number in [0, 1]"),
        ({"blind": "perhaps"}, "'perhaps' in 'blind' (--blind). Wanted is yes or no"),
        ({"day": "01/03/2026"}, "'01/03/2026' in 'day' (--at). Wanted is a date such as 2026-03-01"),
        ({"id": " "}, "Line 3 of log.csv has no id in 'id'"),
        ({"class": ""}, "Line 3 of log.csv has no class in 'class'"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused_with_its_line(row: dict[str, str], said: str) -> None:
    assert said in refusal({"id": "fine"}, {"id": "odd"} | row)


@pytest.mark.parametrize("chance", ["0", "1.5", "nan", "often"])
def test_a_chance_of_an_audit_is_above_0_and_at_most_1(chance: str) -> None:
    columns = LogColumns("id", "label", "class", "p", blind="blind", at="day", probability="chance")
    log = log_of({}, columns=columns)

    assert log.probability is not None
    assert log.probability.tolist() == [0.5]
    assert "a number in (0, 1] such as 0.05" in refusal({"chance": chance}, columns=columns)


@pytest.mark.parametrize(
    ("label", "predicted"), [("Spam", "spam"), ("1.0", "1"), ("not  spam", "not spam"), ("INF", "inf")]
)
def test_one_class_written_in_two_ways_is_refused(label: str, predicted: str) -> None:
    assert "seem to be one class, written in two ways" in refusal({"label": label, "class": predicted})


def test_a_class_that_the_model_never_predicts_is_a_class() -> None:
    assert log_of({"label": "b"}).classes == ("a", "b")


def test_unknown_columns_are_refused_with_a_near_one() -> None:
    said = refusal({}, columns=LogColumns("id", "lable", "class", "p"), since=None)

    assert "has no column 'lable' (--label). Did you mean 'label'?" in said


def test_a_date_of_the_model_needs_the_column_of_times() -> None:
    assert "--at is missing" in refusal({}, columns=LogColumns("id", "label", "class", "p"))


def test_a_model_that_is_newer_than_all_rows_leaves_an_empty_log() -> None:
    log = log_of({}, since=datetime(2027, 1, 1, tzinfo=UTC))

    assert (log.ids, log.evidence, log.n_before) == ((), (), 1)
    assert (log.confidence.dtype, log.confidence.shape) == (np.dtype(np.float64), (0,))


def test_times_are_utc_where_they_do_not_say() -> None:
    assert parse_time("2026-03-01") == MARCH
    assert parse_time("2026-03-01T01:00:00+01:00") == MARCH
    assert parse_time("") is None
