"""Weighted k-means, cluster margin and FALCUN: uncertain and diverse at little more than the cost of asking.

scikit-activeml has FALCUN, and CLUE, which is weighted k-means over all items.
"""

from __future__ import annotations

import numpy as np
import pytest

from strategies.cluster_margin import cluster_margin, weighted_kmeans
from strategies.falcun import falcun

BATCH = 100
STRATEGIES = pytest.mark.parametrize("strategy", [weighted_kmeans, cluster_margin, falcun])


@STRATEGIES
def test_a_million_items(task, beside, strategy):
    pool = task(10**6)
    beside(lambda: strategy(pool.model, pool.X, BATCH, rng=0), megabytes=200)


def test_weighted_kmeans_beside_clue(task, beside):
    pool = task(10**5)
    pytest.importorskip("skactiveml", reason="CLUE is in scikit-activeml")
    from skactiveml.pool import Clue

    X = np.concatenate([pool.labeled[0], pool.X])
    y = np.concatenate([pool.labeled[1], np.full(len(pool.X), np.nan)])

    def theirs():
        clue = Clue(random_state=0, cluster_algo_dict={"n_init": 1})
        return clue.query(X, y, estimator=peer(pool), fit_estimator=False, batch_size=BATCH)

    beside(
        lambda: weighted_kmeans(pool.model, pool.X, BATCH, rng=0),
        theirs,
        peer_name="scikit-activeml's CLUE",
        times_quicker=5,
        megabytes=50,
    )


def test_falcun_beside_scikit_activeml(task, beside):
    pool = task(10**5)
    pytest.importorskip("skactiveml", reason="the peer of FALCUN is in scikit-activeml")
    from skactiveml.pool import Falcun

    def theirs():
        return Falcun(random_state=0).query(
            *pool.labeled, clf=peer(pool), fit_clf=False, candidates=pool.X, batch_size=BATCH
        )

    beside(
        lambda: falcun(pool.model, pool.X, BATCH, rng=0),
        theirs,
        peer_name="scikit-activeml",
        times_quicker=2,
        megabytes=50,
    )


@STRATEGIES
def test_growth_from_100k_to_1m(strategy, growth):
    growth(lambda of: strategy(of.model, of.X, BATCH, rng=0), repeats=4)


def peer(pool):
    from skactiveml.classifier import SklearnClassifier

    return SklearnClassifier(pool.model, classes=pool.model.classes_).fit(*pool.labeled)
