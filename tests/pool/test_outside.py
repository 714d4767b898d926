"""Labeled items from outside the pool: each is kept, known again, and never asked about."""

from __future__ import annotations

import numpy as np
import pytest

from bootstrap.content import content_id
from bootstrap.errors import InvalidInput
from bootstrap.features import rows_as_items
from bootstrap.measuring import new_key
from bootstrap.pool import Added, Place, Pool

KEY = new_key(7)
TEXTS = [f"text {i}" for i in range(12)]


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


def one_of_each_side(pool: Pool) -> tuple[str, str]:
    """(an available text, a held-out text) of TEXTS."""
    available = pool.item(int(pool.rows(Place.AVAILABLE)[0]))
    return available, pool.item(int(pool.held_out_rows()[0]))


def test_an_item_from_outside_that_is_in_the_pool_is_that_item_and_stays_where_it_is():
    pool = a_pool()
    pool.add(TEXTS)
    available, held_out = one_of_each_side(pool)
    before = state(pool)
    rows = pool.add_outside([available, held_out])
    assert rows.tolist() == [pool.row(content_id(available)), pool.row(content_id(held_out))]
    assert state(pool) == before
    assert pool.is_held_out(int(rows[1]))


def test_equal_items_from_outside_are_each_kept_and_the_same_list_again_is_not():
    pool = a_pool()
    rows = pool.add_outside(["x", "x", "y"])
    assert rows.tolist() == [0, 1, 2]
    assert (len(pool), pool.count(Place.OUTSIDE)) == (0, 3)
    assert pool.add_outside(["x", "y"]).tolist() == [0, 2]
    assert list(pool) == []


def test_a_copy_added_later_leads_outside_and_is_never_available():
    pool = a_pool()
    rows = pool.add_outside(TEXTS)
    assert pool.add(TEXTS, ids=[str(i) for i in range(12)]) == Added(new=0, held_out=0, copies=12)
    assert [pool.row(str(i)) for i in range(12)] == rows.tolist()
    assert pool.count(Place.AVAILABLE, Place.HELD_OUT) == 0


def test_an_item_from_outside_is_known_by_its_features_where_people_see_something_else():
    pool = a_pool()
    embeddings = np.arange(24.0).reshape(12, 2)
    pool.add(embeddings, items=TEXTS)
    before = state(pool)
    assert pool.add_outside(embeddings).tolist() == list(range(12))  # no held-out item is trained on
    assert state(pool) == before
    assert pool.add_outside([[-1.0, -1.0]]).tolist() == [12]


def test_features_that_came_labeled_are_never_available_whatever_people_see():
    pool = a_pool()
    embeddings = np.arange(24.0).reshape(12, 2)
    pool.add_outside(embeddings[:10])
    added = pool.add(embeddings, items=TEXTS)
    assert added.new == 2
    assert [pool.row(content_id(text)) for text in TEXTS] == list(range(12))
    assert pool.add(embeddings, items=TEXTS).new == 0
    assert pool.add([[5.0, -1.0]], items=["text of its own"]).new == 1


def test_items_that_look_different_but_have_equal_features_stay_apart_in_the_pool():
    pool = a_pool()
    pool.add(np.zeros((2, 1)), items=["x", "y"])
    assert pool.row(content_id("x")) != pool.row(content_id("y"))
    assert pool.add_outside([[0.0]]).tolist() == [0]


def test_things_without_content_from_outside_are_each_kept():
    pool = a_pool()
    thing = object()
    assert pool.add_outside([thing, thing]).tolist() == [0, 1]
    assert pool.add_outside([thing]).tolist() == [2]
    pool.add([thing], items=["x"])
    assert pool.item(pool.row(content_id("x"))) == "x"
    assert pool.add_outside([object()]).tolist() == [4]


def test_an_id_from_outside_takes_nobodys_place():
    pool = a_pool()
    pool.add(["x", "y"], ids=["outside-2", "outside-2'"])
    pool.add_outside(["new"])
    assert pool.item(pool.row("outside-2")) == "x"
    assert pool.id(2) == "outside-2''"
    with pytest.raises(InvalidInput, match="is taken by another item"):
        pool.add(["z"], ids=["outside-2''"])


def test_an_item_from_outside_is_no_audit():
    pool = a_pool(0.9)
    pool.add_outside(["x"])
    pool.add(TEXTS)
    assert 0 not in pool.next_audits(100).tolist()
    assert not pool.is_held_out(0)


def test_an_item_from_outside_is_found_by_the_id_that_it_came_with():
    pool = a_pool()
    pool.add(TEXTS[:6], ids=[f"id {i}" for i in range(6)])
    rows = pool.add_outside([*TEXTS[4:9], TEXTS[8]], [*(f"id {i}" for i in range(4, 9)), "copy"])
    assert [pool.row(f"id {i}") for i in range(4, 9)] == rows[:5].tolist()
    assert pool.row("copy") == rows[5] != rows[4]
    again = pool.add_outside([*TEXTS[4:9], TEXTS[8]], [*(f"id {i}" for i in range(4, 9)), "copy"])
    assert again.tolist() == rows.tolist()


@pytest.mark.parametrize("name", ["id 1", "outside-12"])
def test_an_id_of_another_item_is_refused_for_one_from_outside(name):
    pool = a_pool()
    pool.add(TEXTS, ids=[f"id {i}" for i in range(12)])
    pool.add_outside(["new"])
    before = state(pool)
    with pytest.raises(InvalidInput, match=f"{name!r} is taken by another item"):
        pool.add_outside(["newer"], [name])
    with pytest.raises(InvalidInput, match="ids"):
        pool.add_outside(["newer"], ["a", "b"])
    assert state(pool) == before
