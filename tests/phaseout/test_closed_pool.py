"""A closed pool: audits without replacement, of exactly the items that the statement is about."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bootstrap.errors import InvalidInput
from bootstrap.measuring import finite_pool_upper
from bootstrap.phaseout import ClosedPool
from bootstrap.records import SKIP


def ids_of(n: int) -> list[str]:
    return [f"item {i}" for i in range(n)]


def a_pool(n: int = 100, **changes) -> ClosedPool:
    """n items, classes in turn, the model surer of later ones; at a review rate of 0 it decides them all."""
    chosen = {"review_rate": 0.0, "target": 0.9, "delta": 0.05, "key": b"key"} | changes
    says = chosen.pop("predicted", ["ab"[i % 2] for i in range(n)])
    return ClosedPool(ids_of(n), says, chosen.pop("confidence", np.linspace(0.5, 0.99, n)), **chosen)


def truth(item: str) -> str:
    return "ab"[int(item.split()[1]) % 2]


def audit(pool: ClosedPool, n: int, answer=truth) -> list[str]:
    asked = pool.next(n)
    pool.tell({item: answer(item) for item in asked})
    return asked


def test_the_least_confident_share_is_left_to_people_and_ties_are_too():
    pool = a_pool(10, review_rate=0.2, confidence=[0.5, 0.6, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9, 0.95, 0.99])
    assert pool.to_review == ("item 0", "item 1", "item 2")
    assert pool.size == 7
    assert pool.threshold == 0.6
    assert set(pool.next(99)) == set(ids_of(10)) - set(pool.to_review)


def test_audits_come_in_an_order_that_the_key_alone_decides():
    orders = [a_pool(key=key).next(100) for key in (b"one", b"one", b"two")]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == sorted(ids_of(100))
    shuffled = [int(item.split()[1]) for item in orders[0]]
    assert shuffled != sorted(shuffled)


def test_the_order_says_nothing_of_the_confidence():
    """The share of the surer half among 1,000 is within 4 sd of a half; fails falsely once in 15,000."""
    n = 10_000
    first = a_pool(n, key=b"any").next(n // 10)
    surer = np.mean([int(item.split()[1]) >= n // 2 for item in first])
    assert abs(surer - 0.5) < 4 * 0.5 / math.sqrt(n // 10)


def test_the_numbers_are_those_of_the_bound_for_finite_pools():
    pool = a_pool(200)
    wrong = set(pool.next(60)[::20])
    audit(pool, 60, lambda item: "c" if item in wrong else truth(item))
    assert (pool.n_audited, pool.n_wrong, pool.allowed) == (60, 3, 20)
    assert pool.upper == finite_pool_upper(3, 60, 200, 0.05)
    to_go = pool.audits_to_go
    assert finite_pool_upper(3, 60 + to_go, 200, 0.05) <= 20
    assert to_go == 0 or finite_pool_upper(3, 60 + to_go - 1, 200, 0.05) > 20


def test_it_is_proved_at_the_audit_that_was_foretold_and_stays_so():
    pool = a_pool(200)
    to_go = pool.audits_to_go
    assert "HOLD" in str(pool)
    assert f"{to_go} more audits without an error" in str(pool)
    audit(pool, to_go - 1)
    assert not pool.proved
    assert pool.audits_to_go == 1
    audit(pool, 1)
    assert pool.proved
    assert pool.audits_to_go == 0
    audit(pool, 20, lambda item: SKIP)
    assert pool.upper > pool.allowed
    assert pool.proved
    assert str(pool).startswith("ADVANCE: of the 200 distinct items that the model decides alone")
    assert "nothing of items outside this pool" in str(pool)


def test_an_audit_that_waits_holds_up_those_drawn_after_it():
    pool = a_pool()
    first, *others = pool.next(40)
    pool.tell({item: truth(item) for item in others})
    assert pool.n_audited == 0
    assert pool.next(3)[0] == first
    assert len(set(pool.next(100))) == 61
    pool.tell({first: truth(first)})
    assert pool.n_audited == 40


def test_a_skip_counts_as_wrong_and_the_first_answer_stays():
    pool = a_pool()
    item = pool.next(1)[0]
    pool.tell({item: SKIP})
    pool.tell({item: truth(item)})
    assert (pool.n_audited, pool.n_wrong) == (1, 1)


def test_once_all_is_audited_the_errors_are_known():
    pool = a_pool(20)
    wrong = set(pool.next(2))
    audit(pool, 20, lambda item: "c" if item in wrong else truth(item))
    assert (pool.n_audited, pool.n_wrong, pool.upper, pool.allowed) == (20, 2, 2, 2)
    assert pool.proved
    assert pool.next(5) == []
    too_many = a_pool(20)
    wrong = set(too_many.next(20)[-3:])
    audit(too_many, 17)
    audit(too_many, 3, lambda item: "c")
    assert (too_many.upper, too_many.n_wrong, too_many.audits_to_go) == (
        3,
        3,
        None if not too_many.proved else 0,
    )


def test_more_errors_than_are_allowed_cannot_be_made_good_by_any_audit():
    pool = a_pool(50)
    audit(pool, 6, lambda item: "c")
    assert pool.audits_to_go is None
    assert str(pool).startswith("HOLD")
    assert "more than the target allows" in str(pool)


def test_a_pool_of_one_item():
    pool = a_pool(1)
    assert pool.audits_to_go == 1
    audit(pool, 1)
    assert pool.upper == 0
    assert not pool.proved  # one class only: always answering it would do
    assert "one class" in str(pool)


def test_where_one_class_nearly_fills_it_accuracy_shows_nothing_of_use():
    pool = a_pool(300, predicted=["a"] * 300)
    audit(pool, 300, lambda item: "a")
    assert pool.upper == 0
    assert not pool.proved
    assert "always answering it might be as good" in str(pool)


def test_classes_that_are_numbers_or_truth_values_are_classes():
    for classes in ((0, 1), (False, True)):
        pool = a_pool(60, predicted=[classes[i % 2] for i in range(60)])
        audit(pool, 60, lambda item: classes[int(item.split()[1]) % 2])  # noqa: B023
        assert pool.proved


def test_what_was_missed_is_told_by_class():
    pool = a_pool(60)
    first_b = next(item for item in pool.next(60) if truth(item) == "b")
    audit(pool, 60, lambda item: "a" if item == first_b else truth(item))
    assert "a" in str(pool)
    assert pool.n_wrong == 1


@pytest.mark.parametrize("answers", [{"nobody": "a"}, {"item 0": "a"}])
def test_an_id_that_is_not_audited_here_is_refused_and_nothing_is_taken(answers):
    pool = a_pool(10, review_rate=0.3)
    good = pool.next(1)[0]
    with pytest.raises(InvalidInput, match="is not among the 7 items"):
        pool.tell({good: truth(good), **answers})
    assert pool.n_audited == 0
    assert pool.next(1) == [good]


@pytest.mark.parametrize(
    ("ids", "says", "sure", "changes", "why"),
    [
        (["x", "x"], ["a", "b"], [0.5, 0.6], {}, "each id once"),
        (["x", "y"], ["a"], [0.5, 0.6], {}, "one class and one confidence"),
        (["x", "y"], ["a", "b"], [0.5], {}, "one class and one confidence"),
        (["x", "y"], ["a", "b"], [0.5, math.nan], {}, "NaN|nan|finite"),
        ([], [], [], {}, "none of 0 items"),
        (["x", "y"], ["a", "b"], [0.5, 0.5], {"review_rate": 0.5}, "nothing to certify"),
        (["x", "y"], ["a", "b"], [0.5, 0.6], {"target": 1.0}, "target"),
        (["x", "y"], ["a", "b"], [0.5, 0.6], {"delta": 0.0}, "delta"),
        (["x", "y"], ["a", "b"], [0.5, 0.6], {"review_rate": 1.5}, "review_rate|review rate"),
    ],
)
def test_what_cannot_be_audited_is_refused(ids, says, sure, changes, why):
    with pytest.raises(InvalidInput, match=why):
        ClosedPool(
            ids, says, sure, **{"review_rate": 0.0, "target": 0.9, "delta": 0.05, "key": b"k"} | changes
        )


def test_a_pool_with_one_error_too_many_is_hardly_ever_claimed():
    """500 pools with allowed + 1 errors, looked at after each audit until few are left.

    A claim may be false with probability 0.1; more than 0.1 + 3 sd of 500, that is 70, fails a correct method
    once in 700 at worst, and a method with 0.2 is caught with probability 0.99.
    """
    n, delta, n_false = 60, 0.1, 0
    rng = np.random.default_rng(17)
    for i in range(500):
        pool = a_pool(n, delta=delta, key=f"key {i}".encode())
        wrong = {f"item {j}" for j in rng.choice(n, size=pool.allowed + 1, replace=False)}
        while pool.n_audited < n and not pool.proved:
            audit(pool, 1, lambda item: "c" if item in wrong else truth(item))  # noqa: B023
        n_false += pool.proved
    assert 0 < n_false <= 70
