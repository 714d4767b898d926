"""The model of a loop: fitted from labels, and asked once a round about every item that matters.

Predictions for the pool and the held-out set are made in one call after a refit; the strategy, the
measuring and the history share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
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
from bootstrap.pool import Place, Pool
from bootstrap.scoring import HeldOutScores
from bootstrap.strategy_call import pick
from bootstrap.transformed import TransformedRows

__all__ = ["Model"]

#: Below this many numbers in a dense matrix one BLAS thread is quicker than several that wait for each
#: other; texts and sparse features leave little to BLAS at any size.
_ONE_THREAD_BELOW = 1_000_000


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
    given : list of tuple
        Training features and labels that came inside modAL learners.
    held_out : HeldOutScores or None
        This model on the held-out set; None before the first fit or where nothing is held out.
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
        self._originals = [seeded(m.estimator, seed + i) for i, m in enumerate(members)]
        self.given = [(m.X_training, m.y_training) for m in members if m.X_training is not None]
        fresh = [Learner(e, classes=classes) for e in self._originals]
        self.learner: AnyLearner = fresh[0] if len(fresh) == 1 else CommitteeLearner(fresh, n_jobs=n_jobs)
        plain = len(fresh) == 1 and is_plain(self._originals[0])
        self._plain = self._originals[0] if plain else None  # copying it is quicker than cloning
        self._transformed = TransformedRows(self._originals[0] if len(fresh) == 1 else None)
        self._review_rate = review_rate
        self._rows = np.empty(0, dtype=np.intp)  # rows of the pool that a strategy may pick from
        self._X: Features | None = None  # their features: what the learner remembers scores for
        self._n_scored = 0  # rows of the pool when it was last scored
        self.held_out: HeldOutScores | None = None

    @property
    def takes_nan(self) -> bool:
        """Whether NaN features are fine."""
        return takes_nan(self._originals)

    @property
    def is_fitted(self) -> bool:
        """Whether it can predict."""
        return self.learner.is_fitted

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
        self._keep(*scores)

    def score(self, pool: Pool) -> None:
        """Predict for the held-out set and everything that may be queried, in one call."""
        self._keep(*self._scores(self.learner, pool, self._transformed.extend(pool.X)))

    def _scores(
        self, learner: AnyLearner, pool: Pool, X: Features
    ) -> tuple[int, NDArray[np.intp], Features | None, NDArray[np.float64], HeldOutScores | None]:
        """(rows of the pool, rows free to query, their features, their scores, the held-out set's).

        `X` are the features that the learner works on, for all rows of the pool.
        """
        held, free = pool.held_out_rows(), pool.rows(Place.AVAILABLE)
        if len(held) + len(free) == 0:
            return n_rows(pool.X), free, None, np.empty(0), None
        X = take(X, np.concatenate([held, free]))
        scores = learner.scores(X)
        if not np.isfinite(scores).all():
            raise InvalidInput("the estimator predicts NaN or infinity: nothing can be ranked by that")
        held_out = HeldOutScores.of(
            held, learner.proba(scores[: len(held)]), np.asarray(learner.classes_), self._review_rate
        )
        return n_rows(pool.X), free, X[len(held) :], scores[len(held) :], held_out

    def _keep(
        self,
        n_scored: int,
        rows: NDArray[np.intp],
        X: Features | None,
        scores: NDArray[np.float64],
        held_out: HeldOutScores | None,
    ) -> None:
        self._n_scored, self._rows, self._X, self.held_out = n_scored, rows, X, held_out
        if X is not None:
            self.learner.remember(X, scores)

    def refresh(self, pool: Pool) -> None:
        """Predict again if items were added since; the model itself stays."""
        if self.is_fitted and n_rows(pool.X) != self._n_scored:
            with _few_threads(pool.X, n_rows(pool.X)):
                self.score(pool)

    def choose(self, strategy: Any, pool: Pool, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """Rows of the pool to query: by `strategy`, or a diverse start where nothing is fitted yet."""
        free = pool.rows(Place.AVAILABLE)
        if n == 0 or len(free) == 0:
            return free[:0]
        if not self.is_fitted:
            return self._cold_start(pool, free, n, rng)
        if not np.array_equal(free, self._rows):
            with _few_threads(pool.X, len(free)):
                self.score(pool)
        return free[pick(strategy, self.learner, self._X, n, rng)]

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

        fitted = [clone(e).fit(X, labels) for e in self._originals]
        return fitted[0] if len(fitted) == 1 else fitted


def _few_threads(X: Features, n: int) -> AbstractContextManager[Any]:
    """One BLAS thread for work on `n` rows like those of `X`, where several would wait for each other."""
    dense = hasattr(X, "shape") and not sp.issparse(X)
    if not dense or n * np.prod(X.shape[1:]) < _ONE_THREAD_BELOW:
        limit: AbstractContextManager[Any] = _thread_pools().limit(limits=1, user_api="blas")
        return limit
    return nullcontext()


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looking for the libraries takes milliseconds
