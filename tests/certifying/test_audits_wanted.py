"""Where audits go: not to what waits, to what can't be shown, or to a model that is too wrong."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop
from bootstrap.pool import Place


def truth(query) -> str:
    return "big" if float(query.item[0]) > 5 else "small"


def a_round(loop: BootstrapLoop, answer=truth) -> None:
    loop.tell({query.id: answer(query) for query in loop.ask()}, by="Ann")
    loop.refit()


def candidates(loop: BootstrapLoop) -> list:
    return loop._certifying.trial.candidates


def test_audits_that_wait_for_a_second_answer_are_not_asked_over_and_over(disputed_audit):
    loop, *_ = disputed_audit(audit_share="auto", n=900)
    loop.refit()
    for _ in range(30):  # nobody ever gives the second answer
        a_round(loop)
    assert loop.history[-1].n_trained >= 40
    assert loop._pool.count(Place.HELD_OUT) > 100


def test_where_one_class_nearly_fills_the_pool_audits_do_not_use_up_the_held_out_set(a_loop):
    def rare(query) -> str:
        return "rare" if float(query.item[0]) > 9.8 else "common"

    loop = a_loop(
        n=900, first_candidate=40, batch_size=20, target_accuracy=0.7, estimator=LogisticRegression()
    )
    for _ in range(40):
        a_round(loop, rare)
    rung = candidates(loop)[-1].next_rung
    assert rung.commonest_would_do
    assert all(tally.proved for tally in rung.tallies.values())
    assert loop.history[-1].n_trained > 200
    assert loop.certified_review_rate == 1.0


def test_no_audits_beyond_the_floor_are_asked_for_a_candidate_that_is_too_wrong(a_loop):
    loop = a_loop(n=900, target_accuracy=0.98)
    rng = np.random.default_rng(4)
    for _ in range(8):
        a_round(loop, lambda query: rng.choice(["big", "small"]))
    assert loop._certifying.audits_wanted() == 0
    assert loop.history[-1].n_audited < 20
