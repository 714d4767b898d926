"""Kappa against published and hand-computed figures, in degenerate cases, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import InvalidInput
from bootstrap.measuring.agreement import cohen_kappa, fleiss_kappa

# The worked example usually given for Fleiss (1971): 10 items, 5 classes, 14 raters, kappa 0.210.
FOURTEEN_RATERS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]

pairs_of_answers = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1)


def kappa_from_the_definition(pairs: list[tuple[str, str]]) -> float:
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    expected = sum(sum(a == c for a, _ in pairs) * sum(b == c for _, b in pairs) for c in "abc") / n**2
    return 1.0 if expected == 1.0 else (observed - expected) / (1.0 - expected)


def test_fleiss_kappa_of_the_table_with_fourteen_raters_is_the_published_one() -> None:
    assert fleiss_kappa(FOURTEEN_RATERS) == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa(np.array(FOURTEEN_RATERS)) == fleiss_kappa(FOURTEEN_RATERS)


def test_fleiss_kappa_does_not_depend_on_the_order_of_items_or_classes() -> None:
    table = np.array(FOURTEEN_RATERS)

    assert fleiss_kappa(table[::-1, [3, 1, 4, 0, 2]]) == pytest.approx(fleiss_kappa(table), abs=1e-12)


def test_fleiss_kappa_is_one_where_all_agree_on_each_item() -> None:
    assert fleiss_kappa([[3, 0], [0, 3], [3, 0]]) == pytest.approx(1.0, abs=1e-12)


def test_fleiss_kappa_of_one_class_alone_is_one_by_convention() -> None:
    assert fleiss_kappa([[3, 0], [3, 0]]) == 1.0
    assert fleiss_kappa([[2]]) == 1.0


def test_fleiss_kappa_is_negative_where_readers_always_differ() -> None:
    assert fleiss_kappa([[1, 1], [1, 1]]) == pytest.approx(-1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ([[1, 2], [3]], "rows of different lengths"),
        ([["a", "b"]], "no numbers"),
        ([3, 4], r"shape \(2,\)"),
        ([], r"shape \(0,\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        ([[2, 1], [2, 0]], "3 in row 0 and 2 in row 1"),
        ([[1, 0], [0, 1]], "at least 2 answers for each item; found 1"),
        ([[0, 0]], "at least 2 answers for each item; found 0"),
        ([[3, -1]], "-1 in row 0, column 1"),
        ([[2.0, 1.0], [1.5, 1.5]], "1.5 in row 1, column 0"),
        ([[2, float("nan")]], "nan in row 0, column 1"),
        ([[float("inf"), 2]], "inf in row 0, column 0"),
    ],
)
def test_fleiss_kappa_refuses_what_is_no_table_of_counts(counts: object, found: str) -> None:
    with pytest.raises(InvalidInput, match=found):
        fleiss_kappa(counts)  # type: ignore[arg-type]


@given(pairs_of_answers)
def test_cohen_kappa_follows_its_definition(pairs: list[tuple[str, str]]) -> None:
    found = cohen_kappa([a for a, _ in pairs], [b for _, b in pairs])

    assert found == pytest.approx(kappa_from_the_definition(pairs), abs=1e-12)


@given(pairs_of_answers)
def test_cohen_kappa_is_the_same_in_both_directions(pairs: list[tuple[str, str]]) -> None:
    a, b = [a for a, _ in pairs], [b for _, b in pairs]

    assert cohen_kappa(a, b) == pytest.approx(cohen_kappa(b, a), abs=1e-12)


def test_cohen_kappa_of_a_two_by_two_table_by_hand() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: observed 0.7, expected 0.5
    a = ["yes"] * 25 + ["no"] * 25
    b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15

    assert cohen_kappa(a, b) == pytest.approx(0.4, abs=1e-12)


def test_cohen_kappa_of_one_class_alone_is_one_by_convention() -> None:
    assert cohen_kappa(["ham"] * 5, ["ham"] * 5) == 1.0


def test_cohen_kappa_is_zero_where_each_reader_knows_one_class_and_they_differ() -> None:
    assert cohen_kappa(["ham"] * 5, ["spam"] * 5) == 0.0


def test_cohen_kappa_takes_classes_of_any_kind() -> None:
    assert cohen_kappa([1, "1", True, False], [1, "1", False, True]) == cohen_kappa(
        list("abac"), list("abca")
    )


def test_cohen_kappa_refuses_answers_of_different_length() -> None:
    with pytest.raises(InvalidInput, match="found 3 and 2 answers"):
        cohen_kappa("abc", "ab")


def test_cohen_kappa_refuses_no_items_at_all() -> None:
    with pytest.raises(InvalidInput, match="at least one item"):
        cohen_kappa([], [])
