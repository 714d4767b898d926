"""Which items are the same: ids, contents, and what people see of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bootstrap.content import content_id
from bootstrap.errors import InvalidInput, UnknownItem
from bootstrap.features import rows_as_items
from bootstrap.measuring import is_held_out, new_key
from bootstrap.pool import Added, Place, Pool

KEY = new_key(7)


def a_pool(held_out: float = 0.5, **options) -> Pool:
    return Pool(KEY, held_out, **options)


def held_out_ids(pool: Pool) -> set[str]:
    return {pool.id(row) for row in pool.held_out_rows().tolist()}


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


def test_the_default_id_is_a_hash_of_the_raw_item_and_never_its_position():
    pool = a_pool()
    pool.add(["b", "a"])
    assert list(pool) == [content_id("b"), content_id("a")]
    pool.add(["c", "a"])
    assert pool.id(pool.row(content_id("a"))) == content_id("a")


def test_copies_are_one_content_and_each_id_leads_to_it():
    pool = a_pool()
    assert pool.add(["x", "y", "x"], ids=["1", "2", "3"]) == Added(
        new=2, held_out=len(pool.held_out_rows()), copies=1
    )
    assert pool.row("1") == pool.row("3") != pool.row("2")
    assert pool.id(pool.row("3")) == "1"
    assert (len(pool), pool.n_items) == (2, 3)
    assert pool.add(["y"], ids=["4"]).copies == 1
    assert pool.row("4") == pool.row("2")


def test_ids_are_taken_as_text():
    pool = a_pool()
    pool.add(["x", "y"], ids=np.array([10, 11]))
    assert pool.id(0) == "10"
    assert "11" in pool


def test_items_decide_which_are_the_same_and_are_what_people_see():
    pool = a_pool()
    embeddings = np.arange(6.0).reshape(3, 2)
    assert pool.add(embeddings, items=["x", "y", "x"]).new == 2
    assert pool.item(pool.row(content_id("x"))) == "x"
    assert np.array_equal(pool.X, embeddings[:2])
    assert pool.add(embeddings[2:], items=["z"]).new == 1  # other text, other content


@pytest.mark.parametrize(
    ("items", "first"),
    [
        (pd.Series(["x", "y"], index=[4, 4]), "x"),
        (np.array(["x", "y"]), "x"),
        (({"a": i} for i in range(2)), {"a": 0}),
        (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), {"a": 1, "b": "x"}),
        (np.array([["x", "y"], ["z", "w"]]), ["x", "y"]),
    ],
    ids=["series", "array", "generator", "frame", "table"],
)
def test_items_can_be_any_sequence_or_table(items, first):
    pool = a_pool()
    pool.add(np.eye(2), items=items)
    assert np.array_equal(pool.item(0), first)


def test_without_items_people_see_the_row_of_features():
    pool = a_pool()
    pool.add(pd.DataFrame({"size": [1, 2]}))
    assert pool.item(1) == {"size": 2}


def test_what_has_no_content_is_told_apart_by_its_id():
    things = [object(), object()]
    pool = a_pool()
    with pytest.raises(InvalidInput, match="pass ids="):
        pool.add(things)
    assert state(pool) == state(a_pool())
    assert pool.add(things, ids=["a", "b"]).new == 2
    assert pool.add(things, ids=["a", "b"]).new == 0
    assert pool.row("a") != pool.row("b")
    assert held_out_ids(pool) == {name for name in "ab" if is_held_out(KEY, f"id:{name}", 0.5)}


def test_an_id_that_is_taken_by_another_content_is_refused_and_nothing_is_added():
    pool = a_pool()
    pool.add(["x"], ids=["1"])
    before = state(pool)
    with pytest.raises(InvalidInput, match="the id '1' is taken by another item"):
        pool.add(["new", "y"], ids=["2", "1"])
    with pytest.raises(InvalidInput, match="came without items= before and come with it now"):
        pool.add(["new"], items=["y"], ids=["2"])
    assert state(pool) == before
    assert "2" not in pool


@pytest.mark.parametrize("unknown", ["x", 3, None, ["x"]])
def test_an_unknown_id_is_reported_with_how_many_there_are(unknown):
    pool = a_pool()
    pool.add(["a", "b"])
    with pytest.raises(UnknownItem, match="the pool holds 2 ids"):
        pool.row(unknown)
    if not isinstance(unknown, list):
        assert unknown not in pool


def test_numbers_with_ids_and_items_are_one_item_where_people_see_the_same():
    pool = a_pool(0.0)
    assert pool.add(np.eye(2), items=["x", "x"], ids=["1", "2"]).new == 1


def test_numbers_with_ids_are_items_of_their_own_beside_equal_ones_from_outside():
    pool = a_pool(0.0)
    pool.add_outside([[1.0]])
    assert pool.add([[1.0]], ids=["patient"]).new == 1


def test_numbers_with_ids_are_an_item_each_but_one_where_they_are_held_out():
    rows = np.repeat(np.arange(20.0), 2).reshape(-1, 1)
    ids = [f"patient {i}" for i in range(40)]
    pool = a_pool(0.5)
    added = pool.add(rows, ids=ids)
    held = [i for i in range(20) if pool.is_held_out(pool.row(ids[2 * i]))]
    assert 0 < len(held) < 20
    for i in range(20):
        first, second = pool.row(ids[2 * i]), pool.row(ids[2 * i + 1])
        assert pool.is_held_out(first) == pool.is_held_out(second)
        assert (first == second) == (i in held)
    assert added == Added(new=40 - len(held), held_out=len(held), copies=len(held))
    assert pool.add(rows, ids=ids).new == 0
    outside = pool.add_outside(rows[::2])
    assert [int(row) < len(pool) for row in outside] == [i in held for i in range(20)]


def test_a_raw_item_without_a_stable_content_needs_an_id():
    with pytest.raises(InvalidInput, match="pass ids="):
        a_pool().add(["x", "y"], items=[{1}, "y"])


def test_equal_features_under_different_items_are_held_out_together_or_not_at_all():
    """One picture under two paths: two items to ask about, and no way to train on a held-out one."""
    pool = a_pool(0.5)
    pictures = np.repeat(np.arange(30.0), 2).reshape(-1, 1)
    pool.add(pictures[:40], items=[f"path {i}" for i in range(40)])
    pool.add(pictures[40:], items=[f"path {i}" for i in range(40, 60)])
    pool.add(pictures, items=[f"copy {i}" for i in range(60)])
    sides = {}
    for kind in ("path", "copy"):
        for i in range(60):
            side = pool.is_held_out(pool.row(content_id(f"{kind} {i}")))
            assert sides.setdefault(i // 2, side) == side
    assert len(pool) == 120
    assert {True, False} == set(sides.values())
