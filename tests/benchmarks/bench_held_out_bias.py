"""Is the held-out reading of accuracy true? Its difference to the truth on items outside the pool.

Digits over 100 seeds, all held-out items labeled, the default strategy. Beside it the same difference with
the held-out items trained on, on purpose: the check must be able to fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop

N_OUTSIDE, ROUNDS, BATCH = 600, 15, 20


def one_seed(X: Any, y: Any, seed: int) -> tuple[float, float]:
    """(honest, cheating) difference between the reading and the truth."""
    shuffled = np.random.default_rng(seed).permutation(len(X))
    outside, pool = shuffled[:N_OUTSIDE], shuffled[N_OUTSIDE:]
    ids = [str(i) for i in pool]
    truth = dict(zip(ids, y[pool].tolist(), strict=True))
    loop = BootstrapLoop(
        LogisticRegression(max_iter=1000),
        lambda queries: [truth[query.id] for query in queries],
        batch_size=BATCH,
        audit_share=0,
        random_state=seed,
    )
    loop.add(X[pool], ids=ids)
    held_out = [i for i in ids if loop.is_held_out(i)]
    loop.add_labels(held_out, [truth[i] for i in held_out], blind=True)
    history = loop.run(rounds=ROUNDS)
    honest = history[-1].accuracy - np.mean(loop.predict(X[outside]) == y[outside])

    held = np.array([int(i) for i in held_out])
    trained = np.array([int(label.id) for label in loop.labels if label.source == "training"])
    both = np.concatenate([trained, held])
    cheat = LogisticRegression(max_iter=1000).fit(X[both], y[both])
    return honest, cheat.score(X[held], y[held]) - cheat.score(X[outside], y[outside])


def held_out_bias(X: Any, y: Any, seeds: Iterable[int]) -> tuple[float, float]:
    """Mean difference in standard errors: (honest, cheating)."""
    results = Parallel(n_jobs=2)(delayed(one_seed)(X, y, seed) for seed in seeds)
    differences = np.array(results)
    errors = differences.std(axis=0, ddof=1) / np.sqrt(len(differences))
    honest, cheating = differences.mean(axis=0) / errors
    return float(honest), float(cheating)


def test_the_held_out_reading_is_true_over_100_seeds(capsys):
    digits = load_digits()
    honest, cheating = held_out_bias(digits.data / 16, digits.target, range(100))
    with capsys.disabled():
        print(
            "\nheld-out accuracy minus truth outside the pool, 100 seeds, in standard errors: "
            f"{honest:+.2f}; with held-out items trained on, on purpose: {cheating:+.2f}"
        )
    assert abs(honest) < 3
    assert cheating > 10
