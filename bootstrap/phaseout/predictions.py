"""What a frozen model says about each item: its class and its confidence, by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import checked_confidence
from bootstrap.records import Class

__all__ = ["Predictions"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """One model's predictions, frozen.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Which items, ascending: any whole numbers that name items.
    predicted : ndarray of shape (n,)
        The class of each.
    confidence : ndarray of float, shape (n,)
        Its probability.

    Raises
    ------
    InvalidInput
        For lengths that differ, rows that do not ascend, or a confidence that is NaN or infinite.
    """

    rows: NDArray[np.intp]
    predicted: NDArray[Any]
    confidence: NDArray[np.float64]

    def __post_init__(self) -> None:
        confidence = checked_confidence(self.confidence)
        if not len(self.rows) == len(self.predicted) == len(confidence):
            raise InvalidInput(
                f"predictions need one class and one confidence for each item, found {len(self.rows)} items, "
                f"{len(self.predicted)} classes and {len(confidence)} confidences"
            )
        if (np.diff(self.rows) <= 0).any():
            raise InvalidInput("rows must ascend, each item once")

    @classmethod
    def of(cls, rows: ArrayLike, predicted: ArrayLike, confidence: ArrayLike) -> Predictions:
        """From rows in any order."""
        where = np.asarray(rows, dtype=np.intp)
        order = np.argsort(where, kind="stable")
        return cls(where[order], np.asarray(predicted)[order], checked_confidence(confidence)[order])

    def joined(self, other: Predictions) -> Predictions:
        """These and those of other items."""
        return Predictions.of(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.predicted, other.predicted]),
            np.concatenate([self.confidence, other.confidence]),
        )

    def only(self, rows: NDArray[np.intp]) -> Predictions:
        """Those of some of the items, rows ascending.

        Raises
        ------
        InvalidInput
            If the model was never asked about one of them.
        """
        missing = np.setdiff1d(rows, self.rows)
        if len(missing):
            raise InvalidInput(
                f"{len(missing)} of {len(rows)} items have no prediction, item {missing[0]} for one"
            )
        at = np.searchsorted(self.rows, rows)
        return Predictions(self.rows[at], self.predicted[at], self.confidence[at])

    def at(self, row: int) -> tuple[Class, float]:
        """(class, confidence) of one item.

        Raises
        ------
        InvalidInput
            If the model was never asked about it.
        """
        i = int(np.searchsorted(self.rows, row))
        if i == len(self.rows) or self.rows[i] != row:
            raise InvalidInput(f"the candidate has no prediction for item {row}: it came after registration")
        found: Class = self.predicted[i : i + 1].tolist()[0]  # a plain str, int or bool, as labels are
        return found, float(self.confidence[i])
