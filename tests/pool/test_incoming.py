"""What is refused when items are added, with nothing changed: ids, raw items and features that do not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bootstrap.errors import InvalidInput
from bootstrap.features import rows_as_items
from bootstrap.measuring import new_key
from bootstrap.pool import Added, Place, Pool

KEY = new_key(7)


def a_pool(held_out: float = 0.5, **options) -> Pool:
    return Pool(KEY, held_out, **options)


def state(pool: Pool) -> tuple:
    """All that can be seen of a pool."""
    rows = range(pool.count(*Place))
    return (
        [(pool.id(row), str(pool.item(row)), pool.place(row)) for row in rows],
        len(pool),
        pool.n_items,
        None if pool.X is None else [str(item) for item in rows_as_items(pool.X)],
        pool.next_audits(100).tolist(),
    )


# ids and items


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": ["1", "2", "1"]}, "1 ids come more than once (such as '1')"),
        ({"ids": ["1", "2"]}, "X has 3 rows and ids has 2"),
        ({"ids": "abc"}, "ids is a single string"),
        ({"ids": b"abc"}, "ids is a single string"),
        ({"ids": ["1", None, "3"]}, "ids has none for row 1"),
        ({"ids": [1.0, 2.0, float("nan")]}, "ids has none for row 2"),
        ({"items": ["x"]}, "X has 3 rows and items has 1"),
        ({"items": "abc"}, "items is a single string"),
        ({"items": b"abc"}, "items is a single string"),
        ({"items": ["x", "y", "z"]}, "items came without items= before"),
    ],
    ids=str,
)
def test_bad_ids_and_items_are_refused_and_nothing_is_added(options, message):
    pool = a_pool()
    pool.add(["known"])
    before = state(pool)
    with pytest.raises(InvalidInput) as caught:
        pool.add(["x", "y", "z"], **options)
    assert message in str(caught.value)
    assert state(pool) == before


# features


@pytest.mark.parametrize("method", ["add", "add_outside"])
@pytest.mark.parametrize(
    "X", [["text"], np.ones((1, 3)), sp.csr_array(np.ones((1, 2))), pd.DataFrame({"a": [1]})]
)
def test_features_of_another_kind_or_width_are_refused_and_nothing_is_added(method, X):
    pool = a_pool()
    pool.add(np.eye(2))
    before = state(pool)
    with pytest.raises(InvalidInput, match=r"same kind|columns"):
        getattr(pool, method)(X)
    assert state(pool) == before


def test_features_of_another_kind_are_refused_even_for_items_that_are_known():
    pool = a_pool()
    pool.add(np.eye(2), items=["x", "y"])
    with pytest.raises(InvalidInput, match="same kind"):
        pool.add(["a text", "another"], items=["x", "y"])


@pytest.mark.parametrize("method", ["add", "add_outside"])
def test_missing_numbers_are_refused_unless_the_estimator_takes_them(method):
    X = np.array([[1.0, np.nan]])
    with pytest.raises(InvalidInput, match="NaN"):
        getattr(a_pool(), method)(X)
    pool = a_pool(allow_nan=True)
    getattr(pool, method)(X)
    assert pool.n_items == 1
    assert pool.add(-X * [[-1, 1]]).copies == 1  # another bit pattern of NaN


@pytest.mark.parametrize("nothing", [[], np.empty((0, 2))], ids=["list", "array"])
def test_adding_nothing_changes_nothing(nothing):
    pool = a_pool()
    assert pool.add(nothing) == Added(0, 0, 0)
    assert len(pool) == 0
    assert pool.rows(Place.AVAILABLE).size == pool.held_out_rows().size == pool.next_audits(5).size == 0
    pool.add(np.eye(2))  # what was empty decides no kind
    before = state(pool)
    assert pool.add(nothing) == Added(0, 0, 0)
    assert pool.add_outside(nothing).size == 0
    assert state(pool) == before


def test_adding_what_is_known_copies_nothing():
    pool = a_pool()
    pool.add(np.eye(3))
    X = pool.X
    pool.add(np.eye(3)[1:])
    pool.add_outside(np.eye(3)[:1])
    assert pool.X is X


def test_features_of_another_precision_are_refused_since_copies_would_not_be_known():
    pool = a_pool()
    pool.add(np.ones((2, 2), dtype=np.float32))
    with pytest.raises(InvalidInput, match=r"X.astype\('float32'\)"):
        pool.add_outside(np.full((2, 2), 0.1))
    assert len(pool) == 1


def test_a_column_of_another_kind_is_refused_and_named():
    pool = a_pool()
    pool.add(pd.DataFrame({"size": [1.0, 2.0], "kind": pd.Categorical(["a", "b"])}))
    with pytest.raises(InvalidInput, match="'size' was float64 before"):
        pool.add(pd.DataFrame({"size": ["x"], "kind": pd.Categorical(["a"], ["a", "b"])}))
    with pytest.raises(InvalidInput, match="'kind' was category"):
        pool.add(pd.DataFrame({"size": [3], "kind": pd.Categorical(["c"])}))
    assert pool.add(pd.DataFrame({"size": [3], "kind": pd.Categorical(["a"], ["a", "b"])})).new == 1
