"""What makes the figures true: who was held out, what was trained on, and where thresholds come from."""

from __future__ import annotations

import runpy
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop, SimulatedLabeler
from bootstrap.content import content_id


def digits_loop(digits: Any, labeler: Any, **changes: Any) -> BootstrapLoop:
    chosen = {"batch_size": 20, "audit_share": 0.2, "random_state": 11} | changes
    return BootstrapLoop(LogisticRegression(max_iter=1000), labeler, **chosen)


def test_no_held_out_content_is_ever_trained_on(digits):
    X, y = digits
    loop = digits_loop(digits, SimulatedLabeler(y, items=X), audit_share=1.0)
    seen: list[np.ndarray] = []
    loop.run(X, rounds=8, callbacks=[lambda loop, round_: seen.append(loop.learner.X_training.copy())])
    trained = {content_id(row) for rows in seen for row in rows}
    held_out = {item for item in loop._pool if loop.is_held_out(item)}
    assert len(trained) == 160
    assert len(held_out) > 200
    assert not trained & held_out
    assert loop.history[-1].n_audited == 160


def test_flipping_every_held_out_label_leaves_what_is_trained_bit_identical(digits):
    X, y = digits
    ids = [str(i) for i in range(len(X))]
    truth = dict(zip(ids, y.tolist(), strict=True))

    def run(flip: bool) -> tuple[list[bytes], list[str], BootstrapLoop]:
        models: list[bytes] = []

        def labeler(queries: Any) -> list[int]:
            return [
                (truth[q.id] + 5) % 10 if flip and loop.is_held_out(q.id) else truth[q.id] for q in queries
            ]

        def keep(loop: BootstrapLoop, round_: Any) -> None:
            models.append(loop.learner.estimator.coef_.tobytes())

        loop = digits_loop(digits, labeler)
        loop.run(X, ids=ids, rounds=10, callbacks=[keep])
        return models, [label.id for label in loop.labels], loop

    models, asked, loop = run(flip=False)
    flipped_models, flipped_asked, flipped = run(flip=True)
    assert models == flipped_models
    assert asked == flipped_asked
    assert loop.history[-1].accuracy != flipped.history[-1].accuracy


def test_the_review_rate_of_fresh_items_stays_at_the_nominal_rate_while_the_pool_is_depleted(digits):
    """40 rounds of margin; the realised rate on 400 items that never were in the pool.

    The threshold is a quantile of about 280 held-out confidences, so that the difference to r = 0.2 has a
    standard error of sqrt(.16 (1/280 + 1/400)) = 0.031. The average over 40 rounds has at most this error
    (rounds are highly correlated); 4 of them is 0.125, a false failure in fewer than 1 in 10,000. The
    quantile of the unlabeled rest of the pool, the tempting choice, ends far outside: checked too.
    """
    X, y = digits
    shuffled = np.random.default_rng(0).permutation(len(X))
    fresh, pool = shuffled[:400], shuffled[400:]
    rates, tempting = [], []

    def look(loop: BootstrapLoop, round_: Any) -> None:
        confidence = loop.predict_proba(X[fresh]).max(axis=1)
        rates.append(np.mean(confidence <= round_.threshold))
        rest = loop.learner.predict_proba(loop._model._scored.X).max(axis=1)
        tempting.append(np.mean(confidence <= np.quantile(rest, 0.2)))

    loop = digits_loop(digits, SimulatedLabeler(y[pool], items=X[pool]), audit_share=0.1)
    loop.run(X[pool], rounds=40, callbacks=[look])
    assert len(rates) == 40
    assert abs(np.mean(rates) - 0.2) < 0.125
    assert max(abs(np.array(rates) - 0.2)) < 0.16
    assert abs(tempting[-1] - 0.2) > 0.2
    realised = [r.realised_review_rate for r in loop.history]
    assert min(realised) >= 0.2
    assert max(realised) < 0.21


def test_the_held_out_reading_is_true_and_training_on_held_out_items_would_show(digits, repository):
    """Held-out reading minus truth on items outside the pool, 12 seeds; 100 seeds in `make bench`.

    Honest: within 4 standard errors of 0 (false failure in 2 of 1,000 with 11 degrees of freedom, and the
    seeds are fixed). With the held-out items trained on, on purpose: off by more than 7.
    """
    benchmark = runpy.run_path(str(repository / "tests" / "benchmarks" / "bench_held_out_bias.py"))
    honest, cheating = benchmark["held_out_bias"](*digits, range(12))
    assert abs(honest) < 4
    assert cheating > 7
