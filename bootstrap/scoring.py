"""What the held-out set says: about this round's model, and about the models as they were live.

Both are read only from blind labels of held-out items, which no strategy picked and no model was trained
on. The threshold comes from the confidences of the whole held-out set, answered or not: the
unlabeled rest of the pool has been depleted of uncertain items by the strategy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.measuring.curve import fewest_audits, review_rate_for_target
from bootstrap.measuring.error_interval import error_interval
from bootstrap.measuring.review import review_threshold
from bootstrap.phaseout import Predictions
from bootstrap.records import Class
from bootstrap.settings import Settings

__all__ = ["HeldOutScores", "RunningErrors"]


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """One model's predictions on the held-out set, frozen when the model was fitted.

    Attributes
    ----------
    rows : ndarray of shape (n,)
        Rows of the pool, ascending.
    predicted : ndarray of shape (n,)
        The class of each.
    confidence : ndarray of shape (n,)
        Its probability.
    threshold : float
        Above it the model decides alone.
    """

    rows: NDArray[np.intp]
    predicted: NDArray[Any]
    confidence: NDArray[np.float64]
    threshold: float

    @classmethod
    def of(
        cls, rows: NDArray[np.intp], predictions: Predictions | None, review_rate: float
    ) -> HeldOutScores | None:
        """From predictions that hold at least these rows; None where nothing is held out."""
        if len(rows) == 0 or predictions is None:
            return None
        found = predictions if len(rows) == len(predictions.rows) else predictions.only(rows)
        return cls(rows, found.predicted, found.confidence, review_threshold(found.confidence, review_rate))

    @property
    def realised_review_rate(self) -> float:
        """Share of the held-out set at or below the threshold."""
        return float(np.mean(self.confidence <= self.threshold))

    def only(self, rows: NDArray[np.intp]) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """(predicted, confidence) of some of them."""
        at = np.searchsorted(self.rows, rows)
        return self.predicted[at], self.confidence[at]

    def confidence_of(self, row: int) -> float:
        """The confidence in one of them."""
        return float(self.confidence[np.searchsorted(self.rows, row)])

    def outcomes(
        self, rows: NDArray[np.intp], truth: list[Any]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """(correct, confidence) for audited rows whose labels are `truth`, in the same order."""
        predicted, confidence = self.only(rows)
        return np.asarray(predicted == np.array(truth)), confidence

    def figures(self, rows: NDArray[np.intp], truth: list[Any], settings: Settings) -> dict[str, Any]:
        """The measured columns of a :class:`~bootstrap.records.Round` for this model."""
        figures: dict[str, Any] = {
            "threshold": self.threshold,
            "realised_review_rate": self.realised_review_rate,
        }
        if not truth:
            return figures
        correct, confidence = self.outcomes(rows, truth)
        alone = confidence > self.threshold
        n_alone, n_wrong = int(alone.sum()), int((alone & ~correct).sum())
        reviewed, people_error = self.realised_review_rate, settings.people_error or 0.0

        def system(error: float) -> float:
            return 1 - (1 - reviewed) * error - reviewed * people_error

        low, high = error_interval(n_wrong, n_alone, settings.delta)
        measured = n_alone > 0 or reviewed == 1
        return figures | {
            "accuracy": float(correct.mean()),
            "accuracy_at_review_rate": system(n_wrong / max(n_alone, 1)) if measured else None,
            "accuracy_low": system(high),
            "accuracy_high": system(low),
            "selective_accuracy": 1 - n_wrong / n_alone if n_alone else None,
            "n_decided_alone": n_alone,
            "n_wrong": n_wrong,
            "review_rate_for_target": self._rate_for_target(correct, confidence, settings),
        }

    def _rate_for_target(
        self, correct: NDArray[np.bool_], confidence: NDArray[np.float64], settings: Settings
    ) -> float | None:
        """The estimate, or None where so few audits would look good by luck alone."""
        if len(correct) < fewest_audits(settings.target_accuracy, settings.delta):
            return None
        return review_rate_for_target(
            correct,
            confidence,
            settings.target_accuracy,
            target_of=settings.target_of,
            people_error=settings.people_error or 0.0,
            confidence_all=self.confidence,
        )


class RunningErrors:
    """Audits scored when they come in, by the model that was live when they were asked.

    An audit counts as an error when the model would have decided it alone and was wrong, so that the share
    of errors is what went out wrong at the review rate.
    """

    def __init__(self) -> None:
        self._expected: dict[int, tuple[Any, bool]] = {}  # row -> predicted class, decided alone
        self._outcomes: dict[int, tuple[bool, bool]] = {}  # row -> whether wrong, decided alone

    def expect(self, rows: NDArray[np.intp], live: HeldOutScores) -> None:
        """Note what the live model makes of rows that are about to be asked."""
        at = np.searchsorted(live.rows, rows)
        alone = live.confidence[at] > live.threshold
        self._expected.update(
            zip(rows.tolist(), zip(live.predicted[at].tolist(), alone.tolist(), strict=True), strict=True)
        )

    def expected(self, row: int) -> tuple[Class, bool] | None:
        """(class, decided alone) by the model that was live when the row was asked; None without one."""
        return self._expected.get(row)

    def restore(self, expected: dict[int, tuple[Class, bool]]) -> None:
        """Put back what :meth:`expected` gave."""
        self._expected |= expected

    def settle(self, row: int, label: Class) -> None:
        """Count the answer; one that no live model had predicted (in the first batch) says nothing here."""
        if row in self._expected:
            predicted, alone = self._expected[row]
            self._outcomes[row] = (predicted != label, alone)

    def figures(self, unsettled: list[int], settings: Settings) -> dict[str, Any]:
        """`running_low` and `running_high` of a Round; empty before the first audit of a live model.

        Rows without a label, since people could not tell or disagree, count as errors.
        """
        open_ = {row: (True, self._expected[row][1]) for row in unsettled if row in self._expected}
        outcomes = (open_ | self._outcomes).values()
        n = len(outcomes)
        if n == 0:
            return {}
        n_wrong = sum(wrong and alone for wrong, alone in outcomes)
        n_reviewed = sum(not alone for _, alone in outcomes)
        low, high = error_interval(n_wrong, n, settings.delta)
        people = n_reviewed / n * (settings.people_error or 0.0)
        return {"running_low": max(0.0, 1 - high - people), "running_high": 1 - low - people}
