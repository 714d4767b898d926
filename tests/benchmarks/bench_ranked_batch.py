"""Ranked batch beside modAL's: the same items, and how time grows."""

from __future__ import annotations

import numpy as np
from modAL.batch import ranked_batch as modals

from strategies.batch import ranked_batch

BATCH = 100


class OfModal:
    """As much of a modAL learner as its function for ranked batches looks at."""

    on_transformed = False

    def __init__(self, known):
        self.X_training = known

    def transform_without_estimating(self, X):
        return X


def test_ranked_batch(task, beside):
    pool = task(10**5)

    def peer():
        uncertainty = 1.0 - pool.model.predict_proba(pool.X).max(axis=1)
        return modals(OfModal(pool.labeled[0]), pool.X, uncertainty, BATCH, "euclidean", None)

    ours, peers = beside(
        lambda: ranked_batch(pool.model, pool.X, BATCH, rng=0, labeled=pool.labeled), peer, times_quicker=80
    )
    assert np.array_equal(ours[0], peers[0])


def test_ranked_batch_of_a_million(task, beside):
    pool = task(10**6)
    beside(
        lambda: ranked_batch(pool.model, pool.X, BATCH, rng=0, labeled=pool.labeled), seconds=3, megabytes=100
    )


def test_ranked_batch_of_a_million_where_nothing_is_labeled(task, beside):
    pool = task(10**6)
    beside(lambda: ranked_batch(pool.model, pool.X, BATCH, rng=0), seconds=6, repeats=1)


def test_ranked_batch_grows_with_the_pool_at_most(growth):
    growth(lambda of: ranked_batch(of.model, of.X, BATCH, rng=0, labeled=of.labeled))
