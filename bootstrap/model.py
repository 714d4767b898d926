"""The model of a loop: fitted from labels, and asked once a round about every item that matters.

Predictions for the pool and the held-out set are made in one call after a refit; the strategy, the
measuring and the history share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from bootstrap import strategies
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.estimators import is_plain, seeded, takes_nan
from bootstrap.features import Features, check_features, n_rows, take
from bootstrap.learner import AnyLearner, CommitteeLearner, Learner, as_learner, members_of
from bootstrap.phaseout import Predictions
from bootstrap.pool import Place, Pool
from bootstrap.scoring import HeldOutScores
from bootstrap.strategy_call import pick
from bootstrap.transformed import TransformedRows

__all__ = ["FrozenModel", "Model"]

#: Below this many numbers in a dense matrix one BLAS thread is quicker than several that wait for each
#: other; texts and sparse features leave little to BLAS at any size.
_ONE_THREAD_BELOW = 1_000_000


@dataclass(frozen=True, slots=True)
class _Scored:
    """What one model makes of the pool."""

    n_rows: int  # of the pool, when it was scored
    rows: NDArray[np.intp]  # those whose turn is random, then those that a strategy may pick from
    scores: NDArray[np.float64]  # of these rows
    free: NDArray[np.intp]  # the latter of them
    X: Features | None  # their features: what the learner remembers scores for
    random: Predictions | None  # for all rows whose turn is random: held out, or reserved
    held_out: HeldOutScores | None


@dataclass(frozen=True, slots=True)
class FrozenModel:
    """A model as it was after one fit, for items that come later."""

    learner: AnyLearner
    transformed: TransformedRows
    predictions: Predictions
    takes_nan: bool

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, K) for raw features, columns in the order of `learner.classes_`."""
        X = check_features(X, allow_nan=self.takes_nan)
        with _few_threads(X, n_rows(X)):
            return self.learner.predict_proba(self.transformed.transform(X))

    def predict(self, pool: Pool, rows: NDArray[np.intp]) -> Predictions:
        """Class and confidence for these rows of the pool."""
        return _predict(self.learner, self.transformed, pool, rows)


class Model:
    """A learner, the transformed features it works on, and its predictions for this round.

    Parameters
    ----------
    estimator : classifier, Pipeline, modAL learner or list of classifiers
        Left alone: clones are fitted.
    classes : sequence, optional
        All classes, where they are fixed.
    seed : int
        For every `random_state` that the estimator leaves open.
    review_rate : float
        For the threshold of :attr:`held_out`.
    n_jobs : int, optional
        For committees.

    Attributes
    ----------
    learner : Learner or CommitteeLearner
    originals : list of classifier
        As they came, seeded and unfitted.
    given : list of tuple
        Training features and labels that came inside modAL learners.
    """

    def __init__(
        self,
        estimator: Any,
        *,
        classes: Sequence[Any] | None,
        seed: int,
        review_rate: float,
        n_jobs: int | None,
    ) -> None:
        members = members_of(as_learner(estimator, classes=classes))
        self.originals = [seeded(m.estimator, seed + i) for i, m in enumerate(members)]
        self.given = [(m.X_training, m.y_training) for m in members if m.X_training is not None]
        fresh = [Learner(e, classes=classes) for e in self.originals]
        self.learner: AnyLearner = fresh[0] if len(fresh) == 1 else CommitteeLearner(fresh, n_jobs=n_jobs)
        plain = len(fresh) == 1 and is_plain(self.originals[0])
        self._plain = self.originals[0] if plain else None  # copying it is quicker than cloning
        self._transformed = TransformedRows(self.originals[0] if len(fresh) == 1 else None)
        self._review_rate = review_rate
        none = np.empty(0, dtype=np.intp)
        self._scored = _Scored(0, none, np.empty(0), none, None, None, None)

    @property
    def takes_nan(self) -> bool:
        """Whether NaN features are fine."""
        return takes_nan(self.originals)

    @property
    def is_fitted(self) -> bool:
        """Whether it can predict."""
        return self.learner.is_fitted

    @property
    def held_out(self) -> HeldOutScores | None:
        """The held-out set as this model sees it; None before the first fit or where nothing is held out."""
        return self._scored.held_out

    @property
    def name(self) -> str:
        """What people call it."""
        kind = type(self.originals[0]).__name__
        return kind if len(self.originals) == 1 else f"a committee of {len(self.originals)} ({kind}, ...)"

    def frozen(self) -> FrozenModel:
        """The model as it is, with its predictions for every item whose turn is random.

        Raises
        ------
        NotReady
            If nothing is fitted, or no item's turn is random.
        """
        if self._scored.random is None:
            raise NotReady("no candidate can be tested without a model and a held-out set (held_out=0.2)")
        return FrozenModel(
            self.learner.without_data(),
            self._transformed.without_output(),
            self._scored.random,
            self.takes_nan,
        )

    def predict_rows(self, pool: Pool, rows: NDArray[np.intp]) -> Predictions:
        """Class and confidence for these rows of the pool, as the model is now."""
        if not self.is_fitted:
            raise NotReady("there is no model yet: it takes labels of at least two classes")
        if len(rows) == 0:
            return Predictions.of([], [], [])
        return _predict(self.learner, self._transformed, pool, rows)

    def probabilities(self, pool: Pool, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Probabilities (n, K) for these rows of the pool, as the model is now."""
        X = take(pool.X, rows)
        with _few_threads(X, len(rows)):
            return self.learner.proba(self.learner.scores(self._transformed.transform(X)))

    def spread(self, pool: Pool, n: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """(rows, probabilities) of `n` rows all over the pool, or of all where it has fewer.

        Predictions that were made after the fit are used again, where there are as many.
        """
        scored = self._scored
        if len(scored.rows) >= n:
            at = np.linspace(0, len(scored.rows) - 1, n).astype(np.intp)
            return scored.rows[at], self.learner.proba(scored.scores[at])
        end = n_rows(pool.X)
        rows = np.linspace(0, end - 1, min(n, end)).astype(np.intp)
        return rows, self.probabilities(pool, rows)

    def fit(self, pool: Pool, rows: NDArray[np.intp], codes: NDArray[np.intp], classes: NDArray[Any]) -> None:
        """Learn `rows` of the pool from scratch, labels as `codes` into `classes`; predict for the rest.

        A model that was fitted before stays as it was: a clone is fitted, and put in its place only
        when it has predicted too.
        """
        with _few_threads(pool.X, len(rows)):
            transformed, learner = self._transformed.copy(), copy(self.learner)
            X = pool.X
            if transformed:
                X = transformed.refit(X, rows, classes[codes])
                members_of(learner)[0].estimator = transformed.rest
            unfitted = {} if self._plain is None else {"unfitted": copy(self._plain)}
            learner.learn_codes(take(X, rows), codes, classes, **unfitted)
            scores = self._scores(learner, pool, X)
        self._transformed, self.learner = transformed, learner
        self._keep(scores)

    def score(self, pool: Pool) -> None:
        """Predict for the held-out set and everything that may be queried, in one call."""
        self._keep(self._scores(self.learner, pool, self._transformed.extend(pool.X)))

    def _scores(self, learner: AnyLearner, pool: Pool, X: Features) -> _Scored:
        """What `learner` makes of the pool; `X` are the features it works on, for all rows."""
        held, free = pool.held_out_rows(), pool.rows(Place.AVAILABLE)
        random = np.concatenate([held, pool.rows(Place.RESERVED)])
        rows = np.concatenate([random, free])
        if len(rows) == 0:
            return _Scored(n_rows(pool.X), rows, np.empty(0), free, None, None, None)
        X = take(X, rows)
        scores = learner.scores(X)
        if not np.isfinite(scores).all():
            raise InvalidInput("the estimator predicts NaN or infinity: nothing can be ranked by that")
        n = len(random)
        predictions = _predictions(learner, random, scores[:n]) if n else None
        held_out = HeldOutScores.of(held, predictions, self._review_rate)
        return _Scored(n_rows(pool.X), rows, scores, free, X[n:], predictions, held_out)

    def _keep(self, scored: _Scored) -> None:
        self._scored = scored
        if scored.X is not None:
            self.learner.remember(scored.X, scored.scores[len(scored.rows) - len(scored.free) :])

    def refresh(self, pool: Pool) -> None:
        """Predict again if items were added since; the model itself stays."""
        if self.is_fitted and n_rows(pool.X) != self._scored.n_rows:
            with _few_threads(pool.X, n_rows(pool.X)):
                self.score(pool)

    def choose(self, strategy: Any, pool: Pool, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Rows of the pool to query: by `strategy`, or a diverse start where nothing is fitted yet."""
        free = pool.rows(Place.AVAILABLE)
        if n == 0 or len(free) == 0:
            return free[:0]
        if not self.is_fitted:
            return self._cold_start(pool, free, n, rng)
        if not np.array_equal(free, self._scored.free):
            with _few_threads(pool.X, len(free)):
                self.score(pool)
        return free[pick(strategy, self.learner, self._scored.X, n, rng)]

    def _cold_start(
        self, pool: Pool, free: NDArray[np.intp], n: int, rng: np.random.Generator
    ) -> NDArray[np.intp]:
        X = pool.X
        if self._transformed:
            X = self._transformed.start(X, free)
            members_of(self.learner)[0].estimator = self._transformed.rest
        known = pool.rows(Place.LABELED, Place.OUTSIDE)  # of one class only, or there would be a model
        start = partial(strategies.cold_start, rng=rng, labeled=(take(X, known), None))
        with _few_threads(X, len(free)):
            return free[pick(start, self.learner, take(X, free), n, rng)]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, K) for new raw features, columns in the order of `learner.classes_`."""
        if not self.is_fitted:
            raise NotReady("there is no model yet: it takes labels of at least two classes")
        X = check_features(X, allow_nan=self.takes_nan)
        with _few_threads(X, n_rows(X)):
            return self.learner.predict_proba(self._transformed.transform(X))

    def for_export(self, X: Features, labels: NDArray[Any]) -> Any:
        """The user's estimator (a list for a committee), fitted on labels instead of codes."""
        from sklearn.base import clone

        fitted = [clone(e).fit(X, labels) for e in self.originals]
        return fitted[0] if len(fitted) == 1 else fitted


def _few_threads(X: Features, n: int) -> AbstractContextManager[Any]:
    """One BLAS thread for work on `n` rows like those of `X`, where several would wait for each other."""
    dense = hasattr(X, "shape") and not sp.issparse(X)
    if not dense or n * np.prod(X.shape[1:]) < _ONE_THREAD_BELOW:
        limit: AbstractContextManager[Any] = _thread_pools().limit(limits=1, user_api="blas")
        return limit
    return nullcontext()


def _predict(
    learner: AnyLearner, transformed: TransformedRows, pool: Pool, rows: NDArray[np.intp]
) -> Predictions:
    X = take(pool.X, rows)
    with _few_threads(X, len(rows)):
        return _predictions(learner, rows, learner.scores(transformed.transform(X)))


def _predictions(learner: AnyLearner, rows: NDArray[np.intp], scores: NDArray[np.float64]) -> Predictions:
    proba = learner.proba(scores)
    classes = np.asarray(learner.classes_)
    return Predictions.of(rows, classes[proba.argmax(axis=1)], proba.max(axis=1))


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looking for the libraries takes milliseconds
