"""CPU time of the loop, measuring switched on, beside a bare hand-written loop on the same trained items.

Digits, logistic regression, 50 rounds of 20, audits on top; both with one BLAS thread, in turn, in one run.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from bootstrap import BootstrapLoop

ROUNDS, BATCH = 50, 20


def the_loop(X: Any, y: Any, ids: list[str], strategy: str) -> tuple[float, BootstrapLoop]:
    """CPU seconds of the project's loop with audits and intervals each round."""
    truth = dict(zip(ids, y.tolist(), strict=True))
    loop = BootstrapLoop(
        LogisticRegression(max_iter=1000),
        lambda queries: [truth[query.id] for query in queries],
        strategy=strategy,
        batch_size=BATCH,
        audit_share=0.2,  # with "auto" some rounds only audit, and the bare loop knows no such round
        random_state=7,
    )
    began = time.process_time()
    loop.run(X, ids=ids, rounds=ROUNDS)
    return time.process_time() - began, loop


def bare_loop(X: Any, y: Any, batches: list[Any]) -> float:
    """CPU seconds of fit, predict_proba, argpartition by hand; the trained items are `batches`."""
    began = time.process_time()
    labeled, pool = np.empty(0, dtype=int), np.arange(len(X))
    for batch in batches:
        labeled = np.concatenate([labeled, batch])
        pool = np.setdiff1d(pool, batch, assume_unique=True)
        model = LogisticRegression(max_iter=1000).fit(X[labeled], y[labeled])
        top = np.partition(model.predict_proba(X[pool]), -2, axis=1)
        np.argpartition(top[:, -1] - top[:, -2], BATCH)[:BATCH]
    return time.process_time() - began


def in_turn(repeats: int, strategy: str) -> tuple[list[float], list[float]]:
    """CPU seconds of the loop and of the bare loop, one pair a repeat."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    ids = [str(i) for i in range(len(X))]
    ours, bare = [], []
    for _ in range(repeats):
        seconds, loop = the_loop(X, y, ids, strategy)
        ours.append(seconds)
        batches: list[list[int]] = [[] for _ in range(ROUNDS)]
        for label in loop.labels:
            if label.source == "training":
                batches[label.round - 1].append(int(label.id))
        bare.append(bare_loop(X, y, [np.array(batch) for batch in batches]))
    return ours, bare


@pytest.mark.parametrize(("strategy", "at_most"), [("margin", 1.10), ("auto", 1.50)])
def test_the_loop_beside_a_bare_loop(strategy, at_most, capsys):
    """With margin both do the same work; the default, `auto`, does more."""
    in_turn(1, strategy)  # warms up imports and caches
    with threadpool_limits(1):
        ours, bare = in_turn(15, strategy)
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    ratio = min(ours) / min(bare)  # as timeit does: what others do on the machine only ever adds
    with capsys.disabled():
        print(
            f"\nCPU seconds, least of {len(ours)}: loop with {strategy} {min(ours):.3f}, "
            f"bare loop {min(bare):.3f}, ratio {ratio:.3f} "
            f"(median of the pairs' ratios {statistics.median(ratios):.3f})"
        )
    assert ratio <= at_most
