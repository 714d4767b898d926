"""Audits that two people answered, and what they say about the people themselves.

Where a candidate and the first answer differ, an adjudicator decides. Besides, a share drawn at random is
answered twice: only that share measures how often people err.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bootstrap.certifying.out_of_turn import OutOfTurn
from bootstrap.measuring import people_error_interval, review_threshold, uniform_draw
from bootstrap.phaseout import People, Predictions, Trial, check_traps
from bootstrap.pool import Pool
from bootstrap.records import Class, Label, Source
from bootstrap.settings import Settings

__all__ = ["AnsweredTwice"]


class AnsweredTwice:
    """Which audits are answered a second time, who answered them, and what that measures.

    Parameters
    ----------
    settings : Settings
    pool : Pool
    trial : Trial
        Keeps the answers.
    adjudicated : bool
        Whether somebody decides where a candidate and the first answer differ.
    key : bytes
        Of the draw of audits that are answered twice.
    out_of_turn : OutOfTurn
        Audits that are asked again are no measure of people.
    """

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        trial: Trial,
        *,
        adjudicated: bool,
        key: bytes,
        out_of_turn: OutOfTurn,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._trial = trial
        self._adjudicated = adjudicated
        self._key = key
        self._out_of_turn = out_of_turn
        self._seen: set[int] = set()  # rows with two answers when the classes were changed
        self._by: dict[int, tuple[str | None, str | None]] = {}  # row -> who answered first and second

    def note(self, row: int, entry: Label) -> None:
        """Remember who gave this blind answer."""
        first, second = self._by.get(row, (None, None))
        self._by[row] = (first, entry.by) if entry.source is Source.SECOND else (entry.by, second)

    def wanted(self, answered: NDArray[np.intp]) -> list[int]:
        """Rows that somebody should answer a second time: disputes, and a share drawn at random."""
        wanted = dict.fromkeys(self._trial.disputed())
        if self._settings.asked_twice > 0.0:
            wanted |= dict.fromkeys(row for row in answered.tolist() if self.is_drawn(row))
        return [row for row in wanted if not self._trial.has_second(row)]

    def is_drawn(self, row: int) -> bool:
        """Whether this row is of the share that is answered twice."""
        if not self._pool.is_held_out(row):
            return False
        return uniform_draw(self._key, self._pool.id(row), "asked-twice") < self._settings.asked_twice

    def set_aside(self) -> None:
        """The classes are changed: who merges two may have seen that people mix them up."""
        self._seen |= {row for row, _, _ in self._trial.twice()}

    def people(self) -> People:
        """What is known of the people whose answers are the truth."""
        pairs = self._pairs()
        caught, shown = check_traps(self._settings.traps)
        return People(
            adjudicated=self._adjudicated,
            readers=self._settings.overlap,
            n_twice=len(pairs),
            n_disagreed=sum(first != second for _, first, second in pairs),
            same_person=any(self._is_one_person(row) for row, _, _ in pairs),
            caught=caught,
            shown=shown,
            delta=self._settings.delta,
        )

    def error_below(
        self, predictions: Predictions, held_out: NDArray[np.intp], rate: float, delta: float
    ) -> float:
        """Upper bound of people's error on what this candidate leaves to them; 1 where not measured."""
        threshold = review_threshold(predictions.only(held_out).confidence, rate)
        pairs = [
            pair
            for pair in self._pairs()
            if predictions.at(pair[0])[1] <= threshold and not self._is_one_person(pair[0])
        ]
        _, high = people_error_interval(sum(a != b for _, a, b in pairs), len(pairs), delta)
        return float(high)

    def _pairs(self) -> list[tuple[int, Class, Class]]:
        """Both labels of the audits that were drawn to be answered twice: those disputed are no measure.

        Nor are those that were there when the classes were changed, or that were asked again for it.
        """
        left_out = self._seen | self._out_of_turn.apart
        pairs = (pair for pair in self._trial.twice() if pair[0] not in left_out)
        return [pair for pair in pairs if self.is_drawn(pair[0])]

    def _is_one_person(self, row: int) -> bool:
        """Whether both answers are one person's; an adjudicator without a name is another one."""
        first, second = self._by[row]
        return first == second and not (first is None and self._adjudicated)
