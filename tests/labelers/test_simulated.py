"""The simulated person: the same answer to the same item always, errors and skips at their rates."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.content import content_id
from bootstrap.errors import InvalidInput, LabelerError
from bootstrap.labelers import SimulatedLabeler
from bootstrap.labelers.simulated import _pick
from bootstrap.records import SKIP, Class, Query, Skip

N = 4_000
TRUTH = {f"item {i}": ("a", "b", "c", "d")[i % 4] for i in range(N)}
QUERIES = [Query(id, id, f"token {id}") for id in TRUTH]


def within(count: int, p: float, n: int) -> bool:
    """Whether a binomial count is within 5 standard deviations of its mean (fails 6 times in 10 million)."""
    return abs(count - n * p) <= 5 * math.sqrt(n * p * (1 - p))


def test_without_errors_it_answers_the_truth() -> None:
    person = SimulatedLabeler(TRUTH)

    assert person(QUERIES) == list(TRUTH.values())
    assert (person.n_answered, person.n_skipped, person.n_wrong) == (N, 0, 0)
    assert person.name == "simulated"


def test_the_truth_may_be_a_function_of_the_query() -> None:
    person = SimulatedLabeler(lambda query: np.str_(query.item[-1]))

    assert person([Query("x", "ends in 7", "t")]) == ["7"]
    assert type(person([Query("x", "ends in 7", "t")])[0]) is str


@given(st.permutations(range(40)), st.integers(1, 40))
def test_the_answer_to_an_item_depends_on_no_order_and_no_batch(order: list[int], cut: int) -> None:
    def person() -> SimulatedLabeler:
        return SimulatedLabeler(TRUTH, error_rate=0.4, skip_rate=0.2, random_state=1)

    asked = [QUERIES[i] for i in order]
    at_once = dict(zip(order, person()(asked), strict=True))
    in_parts = person()
    parts = [*in_parts(asked[:cut]), *in_parts(asked[cut:])]

    assert person()(QUERIES[:40]) == [at_once[i] for i in range(40)]
    assert parts == list(at_once.values())


def test_asking_twice_gives_the_same_answer_and_counts_twice() -> None:
    person = SimulatedLabeler(TRUTH, error_rate=0.5, random_state=2)

    assert person(QUERIES) == person(QUERIES)
    assert person.n_answered == 2 * N


def test_another_seed_makes_other_mistakes() -> None:
    answers = [SimulatedLabeler(TRUTH, error_rate=0.5, random_state=seed)(QUERIES) for seed in (0, 1)]
    unseeded = [SimulatedLabeler(TRUTH, error_rate=0.5)(QUERIES) for _ in range(2)]

    assert answers[0] != answers[1]
    assert unseeded[0] != unseeded[1]


def test_errors_and_skips_come_at_their_rates_and_wrong_classes_evenly() -> None:
    """Each of 6 checks fails by chance 6 times in 10 million; catches an error rate off by 0.04."""
    person = SimulatedLabeler(TRUTH, error_rate=0.3, skip_rate=0.2, random_state=3)
    answers = person(QUERIES)
    answered = [(a, t) for a, t in zip(answers, TRUTH.values(), strict=True) if a is not SKIP]
    wrong = Counter((t, a) for a, t in answered if a != t)

    assert within(person.n_skipped, 0.2, N)
    assert within(person.n_wrong, 0.3, len(answered))
    assert (person.n_answered, person.n_wrong) == (len(answered), sum(wrong.values()))
    for answer in "bcd":
        from_a = sum(n for (truth, _), n in wrong.items() if truth == "a")
        assert within(wrong["a", answer], 1 / 3, from_a)


def test_a_confusion_row_says_how_a_class_is_answered() -> None:
    """Each of 3 checks fails by chance 6 times in 10 million."""
    confusion = {"a": {"b": 0.25, "a": 0.5, SKIP: 0.25}, "b": {"b": 0.0, "e": 1.0}}
    person = SimulatedLabeler(TRUTH, confusion=confusion, random_state=4)
    said = Counter(zip(TRUTH.values(), person(QUERIES), strict=True))

    assert within(said["a", "b"], 0.25, N // 4)
    assert within(said["a", "a"], 0.5, N // 4)
    assert within(said["a", SKIP], 0.25, N // 4)
    assert (said["b", "e"], said["c", "c"], said["d", "d"]) == (N // 4, N // 4, N // 4)
    assert person.n_skipped == said["a", SKIP]
    assert person.n_wrong == said["a", "b"] + said["b", "e"]
    assert person.classes == ("a", "b", "c", "d", "e")


def test_a_row_that_sums_to_a_hair_below_one_still_answers() -> None:
    assert _pick([("a", 0.5), ("b", 0.4999999), ("c", 0.0)], 0.99999999) == "b"


def test_time_and_money_are_counted_for_skipped_queries_too() -> None:
    truth: dict[str, Class | Skip] = {"x": "a", "y": SKIP}
    person = SimulatedLabeler(truth, seconds_per_label=2.5, cost_per_label=0.1)
    person([Query("x", "", "t1"), Query("y", "", "t2")])

    assert (person.n_answered, person.n_skipped) == (1, 1)
    assert person.seconds == 5.0
    assert person.cost == pytest.approx(0.2)


def test_an_item_that_nobody_can_tell_is_skipped_whatever_the_error_rate() -> None:
    truth: dict[str, Class | Skip] = {**dict.fromkeys((f"s{i}" for i in range(50)), SKIP), "x": "a", "y": "b"}
    person = SimulatedLabeler(truth, error_rate=0.9, random_state=0)

    assert set(person([Query(f"s{i}", "", f"t{i}") for i in range(50)])) == {SKIP}
    assert person.n_wrong == 0


def test_an_item_without_truth_is_a_clear_error_and_counts_nothing() -> None:
    person = SimulatedLabeler(TRUTH, name="Ann")

    with pytest.raises(
        LabelerError, match="'Ann' knows no truth for 1 of 2 queries, the first with id 'who'"
    ):
        person([QUERIES[0], Query("who", "", "t")])
    assert person.n_answered == 0


def test_ids_that_are_numbers_are_matched_as_text() -> None:
    assert SimulatedLabeler({7: "a"})([Query("7", "", "t")]) == ["a"]


@pytest.mark.parametrize(
    "items",
    [
        np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]]),
        sp.csr_matrix(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])),
        pd.DataFrame({"age": [1, 2, 3], "town": ["Ulm", "Aix", "Bath"]}),
        ["first text", "second text", "third text"],
    ],
    ids=["array", "CSR", "DataFrame", "list"],
)
@pytest.mark.parametrize("labels", [["x", "y", "x"], np.array(["x", "y", "x"]), pd.Series(["x", "y", "x"])])
def test_labels_aligned_with_items_are_found_by_content(items: Any, labels: Any) -> None:
    from bootstrap.features import rows_as_items

    rows = list(rows_as_items(items))
    person = SimulatedLabeler(labels, items)
    queries = [Query(content_id(row), row, f"t{i}") for i, row in enumerate(rows)]

    assert person(queries[::-1]) == ["x", "y", "x"]
    assert person.n_contradictions == 0


def test_equal_items_with_different_labels_keep_the_first_and_are_counted() -> None:
    person = SimulatedLabeler(["x", "y", "x", "z"], ["one", "one", "one", "two"])

    assert person([Query(content_id("one"), "one", "t")]) == ["x"]
    assert person.n_contradictions == 1


def test_as_many_labels_as_items_are_needed() -> None:
    with pytest.raises(InvalidInput, match="2 labels for 3 items"):
        SimulatedLabeler(["x", "y"], ["one", "two", "three"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"error_rate": 1.0}, "error_rate is 1.0. Pass a number of at least 0 and below 1"),
        ({"error_rate": -0.1}, "error_rate is -0.1"),
        ({"error_rate": True}, "error_rate is True"),
        ({"error_rate": "0.1"}, "error_rate is '0.1'"),
        ({"error_rate": float("nan")}, "error_rate is nan"),
        ({"skip_rate": 1.1}, "skip_rate is 1.1. Pass a number of at least 0 and at most 1"),
        ({"seconds_per_label": -1}, r"seconds_per_label is -1. Pass a number of at least 0\."),
        ({"cost_per_label": float("inf")}, "cost_per_label is inf"),
        ({"name": 3}, "name is 3"),
        ({"random_state": "seven"}, "random_state"),
        ({"classes": "abcd"}, "classes is the string 'abcd'"),
        ({"classes": ["a", "b"]}, r"names 'c', 'd', not among classes=\['a', 'b'\]"),
        ({"classes": ["a", None]}, "The truth at classes is no label"),
        ({"confusion": [[1.0]]}, "confusion must be a dict"),
        ({"confusion": {"a": [1.0]}}, "confusion must be a dict"),
        ({"confusion": {"a": {"a": 0.5}}}, "sums to 0.5, not 1"),
        ({"confusion": {"a": {"a": 1.5, "b": -0.5}}}, r"confusion\['a'\]\['a'\] is 1.5"),
        ({"confusion": {"a": {None: 1.0}}}, "is no label"),
        ({"confusion": {"a": {"a": 1.0}}, "error_rate": 0.1}, "Both error_rate=0.1 and confusion"),
        ({"confusion": {"a": {"z": 1.0}}, "classes": list("abcd")}, "names 'z'"),
        ({"items": ["x"]}, "truth is no sequence"),
    ],
)
def test_a_wrong_argument_is_refused_early(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        SimulatedLabeler(TRUTH, **arguments)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ("abc", "truth is 'abc'"),
        (3, "truth is 3"),
        (None, "truth is None"),
        (["a", "b"], "nothing says which items"),
        (pd.Series(["a"]), "truth is a Series of labels"),
        ({"x": None}, "The truth at id 'x' is no label"),
        ({"x": 0.5}, "The truth at id 'x' is no label"),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused_early(truth: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        SimulatedLabeler(truth)


@pytest.mark.parametrize("truth", [{"x": "a"}, lambda query: "a"])
def test_errors_need_a_second_class(truth: Any) -> None:
    with pytest.raises(InvalidInput, match=r"Pass classes=\[...\] with at least two"):
        SimulatedLabeler(truth, error_rate=0.1)


def test_given_classes_are_what_errors_are_drawn_from() -> None:
    person = SimulatedLabeler(lambda query: 1, error_rate=0.9, classes=np.array([3, 1, 2]), random_state=0)
    answers = person(QUERIES[:200])

    assert person.classes == (3, 1, 2)
    assert set(answers) == {1, 2, 3}
    assert {type(answer) for answer in answers} == {int}
