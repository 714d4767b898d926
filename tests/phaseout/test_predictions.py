"""What a frozen model says, by item."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import Predictions


def test_rows_may_come_in_any_order():
    predictions = Predictions.of([7, 2], ["b", "a"], [0.9, 0.6])
    assert predictions.at(2) == ("a", 0.6)
    assert predictions.at(7) == ("b", 0.9)


@pytest.mark.parametrize(
    ("predicted", "kind"),
    [
        (np.array(["a", "b"]), str),
        (np.array(["a", "b"], dtype=object), str),
        (np.array([0, 1]), int),
        (np.array([True, False]), bool),
    ],
)
def test_classes_come_back_as_plain_python(predicted, kind):
    found, confidence = Predictions.of([0, 1], predicted, [0.5, 0.6]).at(1)
    assert type(found) is kind
    assert found == predicted[1]
    assert type(confidence) is float


@pytest.mark.parametrize("row", [-1, 3, 9])
def test_an_item_that_the_model_never_saw_is_refused(row):
    with pytest.raises(InvalidInput, match=f"no prediction for item {row}"):
        Predictions.of([0, 5], ["a", "b"], [0.5, 0.6]).at(row)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_confidence_that_is_no_number_is_refused(broken):
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        Predictions.of([0, 1], ["a", "b"], [0.5, broken])
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        Predictions(np.array([0]), np.array(["a"]), np.array([broken]))


def test_lengths_have_to_agree():
    with pytest.raises(InvalidInput, match="2 items, 2 classes and 1 confidences"):
        Predictions(np.array([0, 1]), np.array(["a", "b"]), np.array([0.5]))


def test_an_item_counts_once():
    with pytest.raises(InvalidInput, match="each item once"):
        Predictions.of([1, 1], ["a", "b"], [0.5, 0.6])


def test_later_items_are_joined():
    joined = Predictions.of([5], ["bb"], [0.5]).joined(Predictions.of([2], ["a"], [0.6]))
    assert joined.rows.tolist() == [2, 5]
    assert joined.at(5) == ("bb", 0.5)


def test_some_of_the_items_can_be_picked():
    some = Predictions.of([1, 4, 6], ["a", "b", "c"], [0.5, 0.6, 0.7]).only(np.array([1, 6]))
    assert some.predicted.tolist() == ["a", "c"]


@pytest.mark.parametrize("row", [0, 5, 9])
def test_picking_an_item_without_a_prediction_is_refused_and_never_answered_by_its_neighbour(row):
    with pytest.raises(InvalidInput, match=f"1 of 2 items have no prediction, item {row}"):
        Predictions.of([1, 4, 6], ["a", "b", "c"], [0.5, 0.6, 0.7]).only(np.array([1, row]))
