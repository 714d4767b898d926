"""The models of a loop that is resumed: fitted again, and seen to be the same or said not to be."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bootstrap.certifying import StoredCandidate
from bootstrap.errors import NotReady, StoreError
from bootstrap.model import FrozenModel, Model
from bootstrap.phaseout import Candidate
from bootstrap.refitting import TOLERANCE, changed_packages, described, difference
from bootstrap.replay import Replay
from bootstrap.rounds import Rounds
from bootstrap.store.database import Database
from bootstrap.store.loops.loop_reading import LoopReader
from bootstrap.store.loops.loop_record import LoopRecord
from bootstrap.store.loops.loop_rows import StoredModel
from bootstrap.unwritten import Unwritten

__all__ = ["StoredModels"]

#: So many characters before a difference of two estimators, and twice as many after it, are shown.
_SHOWN: Final = 40


class _TooLittleLeft(Exception):
    """Items that a model was trained on were erased, and the others are not enough to fit one."""


class StoredModels:
    """Fits the models of one loop again.

    Parameters
    ----------
    loop : Rounds
    database : Database
    record : LoopRecord
    replay : Replay
    unwritten : Unwritten
        Takes down what has to be written of it.
    """

    def __init__(
        self, loop: Rounds, database: Database, record: LoopRecord, replay: Replay, unwritten: Unwritten
    ) -> None:
        self._loop = loop
        self._database = database
        self._record = record
        self._replay = replay
        self._unwritten = unwritten

    def refuse_another_estimator(self) -> None:
        """Whoever takes another estimator may have looked at how the first one did: it is no resumed loop.

        Raises
        ------
        StoreError
        """
        number = self._replay.model
        if number is None:
            return
        was, now = self._stored_model(number).estimator, described(self._loop._model)
        if was != now:
            was, now = _where_they_differ(was, now)
            raise StoreError(
                f"The loop {self._record.name!r} was begun with the estimator {was}, and this is {now}. "
                "Pass its own; another kind of model is tested beside it by loop.candidate(estimator), or "
                "in a loop of another name (tested_before= says how many were tested on these labels). "
                "Nothing was changed."
            )

    def fit_again(self) -> None:
        """Fit the model that the loop uses, where others have fitted it."""
        number = self._replay.model
        if number is None or number == self._unwritten.fit_in_memory:
            return
        loop = self._loop
        stored = self._stored_model(number)
        try:
            loop.trained_rows = self._learn(loop._model, stored)
        except _TooLittleLeft as error:
            self._forget_model(error)
            return
        self._unwritten.fit_in_memory = number
        by = self._difference(loop._model, stored)
        if by > TOLERANCE:
            loop._n_fits += 1  # what is in use now is another model, and is written as one
            warnings.warn(
                f"the model in use, fitted again, is not the same: probabilities differ by "
                f"up to {by:.2g} ({self._why(stored)}). The loop goes on with the new one",
                stacklevel=2,
            )

    def _misses(self, stored: StoredModel) -> bool:
        """Whether items that it was trained on were erased."""
        return bool(self._replay.erased & set(stored.training.tolist()))

    def _forget_model(self, error: Exception) -> None:
        """Go on without a model, as before the first fit: what is left of its items is too little for one."""
        loop = self._loop
        own = loop._model.originals
        loop._model = loop._new_model(own if len(own) > 1 else own[0])
        loop._n_trained, loop.trained_rows = 0, np.empty(0, dtype=np.intp)
        loop._given_since_fit = True
        self._replay.model = self._unwritten.fit_in_memory = None
        warnings.warn(
            f"the model in use can't be fitted again ({error}): items that it was trained "
            "on were erased. The loop goes on without one until there are labels enough",
            stacklevel=2,
        )

    def _why(self, stored: StoredModel) -> str:
        if self._misses(stored):
            return "items that it was trained on were erased"
        return changed_packages(stored.packages)

    def _stored_model(self, number: int) -> StoredModel:
        with self._database.reading() as connection:
            return LoopReader(connection, self._record.id).model(number)

    def _learn(self, model: Model, stored: StoredModel) -> NDArray[np.intp]:
        """Fit on the rows of a stored model that are still there; returns them.

        Raises
        ------
        _TooLittleLeft
            If that fails and others of its rows were erased.
        """
        loop = self._loop
        rows = stored.training.astype(np.intp)
        rows = rows[[row not in self._replay.erased for row in rows.tolist()]]
        try:
            classes, codes = loop._classes.encoding(loop._exchange.codes(rows))
            model.fit(loop._pool, rows, codes, classes)
        except Exception as error:
            if not self._misses(stored):
                raise
            raise _TooLittleLeft(error) from error
        return rows

    def refit_candidate(self, candidate: Candidate) -> FrozenModel:
        """The frozen model of a candidate, fitted again; what it predicted stays as it was stored."""
        number = self._replay.model_at.get(candidate.round)
        if candidate.by_hand or number is None:
            raise NotReady(
                f"candidate {candidate.number} ({candidate.name}) was registered by hand, and its model is "
                "not in the store: register it again with loop.candidate(estimator)"
            )
        stored = self._stored_model(number)
        model = self._loop._new_model(self._loop._estimator)
        try:
            self._learn(model, stored)
        except _TooLittleLeft as error:
            raise NotReady(
                f"the model of candidate {candidate.number} can't be fitted again: items that it was trained "
                f"on were erased ({error})"
            ) from error
        by = self._difference(model, stored)
        if by > TOLERANCE:
            self._loop._certifying.others[candidate.number] = self._said(by, stored)
        return dataclasses.replace(model.frozen(), predictions=candidate.predictions)

    def _difference(self, model: Model, stored: StoredModel) -> float:
        if stored.fingerprint is None:
            return 0.0
        return difference(model, self._loop._pool, stored.fingerprint, frozenset(self._replay.erased))

    def _said(self, by: float, stored: StoredModel) -> str:
        return (
            f"fitted again, its probabilities differ by up to {by:.2g} ({self._why(stored)}), so that its "
            "certificates do not apply"
        )

    def check_candidates(self) -> None:
        """See that the models under test are those that were tested; one that is not begins anew."""
        trial = self._loop._certifying.trial
        champion = None if trial.champion is None else trial.champion.candidate
        for candidate in list(trial.candidates):
            if candidate.closed and candidate is not champion:
                continue
            reason, new = self._checked(candidate)
            if reason is None:
                continue
            warnings.warn(f"candidate {candidate.number} is tested no more: {reason}", stacklevel=2)
            again, number = None, None
            if new is not None:
                fitted = self._unwritten.refitted[-1]
                again = StoredCandidate(
                    candidate.name, candidate.round, fitted.n_trained, False, new.predictions
                )
                number = self._loop._certifying.ledger.next()[0]
                self._replay.model_at[candidate.round] = fitted.number
            self._loop._certifying.replace(candidate, again, new, reason)
            self._unwritten.mark(
                "replaced",
                candidate=candidate.number,
                new=number,
                model=None if number is None else self._unwritten.refitted[-1].number,
                reason=reason,
            )

    def _checked(self, candidate: Candidate) -> tuple[str | None, FrozenModel | None]:
        """(why it is another model, that model), or (None, None) where it is the same."""
        number = self._replay.model_at.get(candidate.round)
        if candidate.by_hand or number is None:
            return "it was registered by hand, and its model is not in the store", None
        stored = self._stored_model(number)
        model = self._loop._new_model(self._loop._estimator)
        try:
            rows = self._learn(model, stored)
        except _TooLittleLeft as error:
            return f"items that it was trained on were erased, and without them it can't learn: {error}", None
        by = self._difference(model, stored)
        frozen = model.frozen()
        if by <= TOLERANCE:
            same = dataclasses.replace(frozen, predictions=candidate.predictions)
            self._loop._certifying.put_model(candidate, same)
            return None, None
        self._unwritten.refitted.append(self._unwritten.as_stored(model, rows))
        return self._said(by, stored), frozen


def _where_they_differ(one: str, other: str) -> tuple[str, str]:
    """Two long texts, each cut down to what stands about the first difference."""
    one, other = " ".join(one.split()), " ".join(other.split())
    pairs = enumerate(zip(one, other, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = max(0, same - _SHOWN) if same > 2 * _SHOWN else 0
    last = same + 2 * _SHOWN

    def about(text: str) -> str:
        return f"{'…' if start else ''}{text[start:last]}{'…' if len(text) > last else ''}"

    return about(one), about(other)
