"""Each item is in exactly one place, never across the border of the held-out set; audits have one order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bootstrap.content import content_id
from bootstrap.errors import InvalidInput
from bootstrap.features import rows_as_items
from bootstrap.measuring import audit_order, is_held_out, new_key
from bootstrap.pool import Added, Place, Pool

KEY = new_key(7)
BY_OTHER_WAYS = (Place.OUTSIDE, Place.ERASED, Place.HELD_OUT_ERASED)  # nothing is moved there
INSIDE = [place for place in Place if place < Place.HELD_OUT and place not in BY_OTHER_WAYS]
SET_ASIDE = [place for place in Place if place >= Place.HELD_OUT and place not in BY_OTHER_WAYS]
TEXTS = [f"text {i}" for i in range(12)]
EVERY_KIND = {
    "dense": np.arange(20.0).reshape(10, 2),
    "csr": sp.csr_array(np.arange(20.0).reshape(10, 2)),
    "frame": pd.DataFrame({"a": range(10), "b": list("abcdefghij")}),
    "texts": TEXTS[:10],
    "images": np.arange(40.0).reshape(10, 2, 2),
}


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


# what always holds


texts = st.lists(st.sampled_from(TEXTS), max_size=6)


class PoolStory(RuleBasedStateMachine):
    """Any order of adding, with and without ids, labels from outside, and moves."""

    @initialize(
        key=st.binary(min_size=1, max_size=8),
        share=st.sampled_from([0.0, 0.3, 0.5, 0.9]),
        reserved=st.sampled_from([0.0, 0.25, 1.0]),
    )
    def begin(self, key: bytes, share: float, reserved: float) -> None:
        self.key, self.share, self.reserved = key, share, reserved
        self.pool = Pool(key, share, reserved=reserved)
        self.homes: dict[int, tuple[Place, float]] = {}  # row -> home and turn, as first seen
        self.content_of: dict[str, str] = {}  # id -> content, as told
        self.row_of: dict[str, int] = {}  # id -> row, as first seen
        self.from_outside: set[str] = set()  # contents that came from outside first
        self.in_pool: set[str] = set()
        self.n_outside = 0

    @rule(X=texts)
    def add(self, X: list[str]) -> None:
        before = len(self.in_pool)
        added = self.pool.add(X)
        for text in X:
            self.content_of[content_id(text)] = text
        self.in_pool |= set(X) - self.from_outside
        assert added.new == len(self.in_pool) - before
        assert added.copies == len(X) - added.new

    @rule(X=texts, numbers=st.lists(st.integers(0, 15), min_size=6, max_size=6, unique=True))
    def add_with_ids(self, X: list[str], numbers: list[int]) -> None:
        ids = [f"id {number}" for number in numbers[: len(X)]]
        taken = [name for name, text in zip(ids, X, strict=True) if self.content_of.get(name, text) != text]
        if taken:
            before = state(self.pool)
            with pytest.raises(InvalidInput, match="is taken by another item"):
                self.pool.add(X, ids=ids)
            assert state(self.pool) == before
            return
        self.pool.add(X, ids=ids)
        self.content_of |= dict(zip(ids, X, strict=True))
        self.in_pool |= set(X) - self.from_outside

    @rule(X=texts)
    def add_outside(self, X: list[str]) -> None:
        known = self.in_pool | self.from_outside
        rows = self.pool.add_outside(X)
        assert [self.pool.X[row] for row in rows] == X
        new = [text for text in X if text not in known]
        self.n_outside += len(new)
        self.from_outside |= set(new)
        own = [row for row, text in zip(rows.tolist(), X, strict=True) if text in set(new)]
        assert len(set(own)) == len(new)  # equal ones are each kept

    @rule(data=st.data())
    def move_within_the_border(self, data: st.DataObject) -> None:
        rows = [row for row in range(self.pool.count(*Place)) if self.pool.place(row) is not Place.OUTSIDE]
        if rows:
            row = data.draw(st.sampled_from(rows))
            place = data.draw(st.sampled_from(SET_ASIDE if self.pool.is_held_out(row) else INSIDE))
            self.pool.move(row, place)
            assert self.pool.place(row) is place

    @rule(data=st.data())
    def move_across_the_border(self, data: st.DataObject) -> None:
        n = self.pool.count(*Place)
        if n:
            row = data.draw(st.integers(0, n - 1))
            place = data.draw(st.sampled_from(INSIDE if self.pool.is_held_out(row) else SET_ASIDE))
            before = self.pool.place(row)
            with pytest.raises(InvalidInput, match="fixed before anything is trained"):
                self.pool.move(row, place)
            assert self.pool.place(row) is before

    @invariant()
    def every_item_is_in_exactly_one_place(self) -> None:
        found = np.concatenate([self.pool.rows(place) for place in Place])
        assert sorted(found.tolist()) == list(range(len(self.in_pool) + self.n_outside))
        assert sum(self.pool.count(place) for place in Place) == self.pool.count(*Place)
        assert len(self.pool) == len(self.in_pool) == len(list(self.pool))
        assert self.pool.count(Place.OUTSIDE) == self.n_outside

    @invariant()
    def every_id_leads_to_its_content_and_always_to_the_same_row(self) -> None:
        for item_id, text in self.content_of.items():
            row = self.pool.row(item_id)
            assert item_id in self.pool
            assert self.pool.item(row) == text
            assert self.row_of.setdefault(item_id, row) == row

    @invariant()
    def the_held_out_set_is_a_function_of_key_and_content(self) -> None:
        drawn = {text for text in self.in_pool if is_held_out(self.key, content_id(text), self.share)}
        rows = self.pool.held_out_rows()
        assert sorted(self.pool.item(row) for row in rows.tolist()) == sorted(drawn)
        assert all(self.pool.is_held_out(row) for row in rows.tolist())

    @invariant()
    def a_home_and_a_turn_never_change(self) -> None:
        for row in range(self.pool.n_rows):
            found = (self.pool.home(row), self.pool.turn(row))
            assert self.homes.setdefault(row, found) == found
            home, turn = found
            assert (home is Place.AVAILABLE) == np.isinf(turn)
            assert np.isinf(turn) or 0 <= turn <= 1
            assert (home is Place.HELD_OUT) == self.pool.is_held_out(row)
            if self.pool.place(row) is not Place.OUTSIDE and home is not Place.HELD_OUT:
                assert self.reserved > 0 or home is Place.AVAILABLE
                assert self.reserved < 1 or home is Place.RESERVED

    @invariant()
    def what_comes_next_is_in_the_order_of_its_turns(self) -> None:
        for found, place in (
            (self.pool.next_audits(99), Place.HELD_OUT),
            (self.pool.next_reserved(99), Place.RESERVED),
        ):
            turns = [self.pool.turn(row) for row in found.tolist()]
            assert turns == sorted(turns)
            assert sorted(found.tolist()) == self.pool.rows(place).tolist()

    @invariant()
    def nothing_from_outside_can_be_asked_about(self) -> None:
        for place in (Place.AVAILABLE, Place.RESERVED, Place.HELD_OUT):
            items = {self.pool.item(row) for row in self.pool.rows(place).tolist()}
            assert not items & self.from_outside


TestPoolStory = PoolStory.TestCase
TestPoolStory.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


@given(st.permutations(TEXTS), st.lists(st.integers(0, 12), max_size=3))
def test_the_held_out_draw_is_the_same_whatever_the_order_and_the_batches(texts, cuts):
    once = a_pool()
    once.add(TEXTS)
    in_parts = a_pool()
    for start, end in pairwise([0, *sorted(cuts), 12]):
        in_parts.add(texts[start:end])
    assert held_out_ids(in_parts) == held_out_ids(once)
    assert 0 < len(held_out_ids(once)) < 12
    audits = [[pool.id(row) for row in pool.next_audits(12).tolist()] for pool in (once, in_parts)]
    assert audits[0] == audits[1]


@pytest.mark.parametrize("X", EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_kind_of_features_can_come_at_once_in_parts_and_again(X):
    whole, parts = a_pool(), a_pool()
    assert whole.add(X).new == 10
    pick = X.iloc.__getitem__ if isinstance(X, pd.DataFrame) else X.__getitem__
    parts.add(pick(slice(0, 4)))
    parts.add(pick(slice(2, 10)))
    assert state(parts) == state(whole)
    assert parts.add(X) == Added(new=0, held_out=0, copies=10)
    assert state(parts) == state(whole)


def test_each_place_is_another_one():
    assert len(Place) == len(Place.__members__) == 13


# audits


def test_audits_come_in_the_order_of_the_keyed_hash_and_never_twice():
    pool = a_pool(0.9)
    pool.add(TEXTS)
    waiting = [pool.id(row) for row in pool.held_out_rows().tolist()]
    expected = [waiting[i] for i in audit_order(KEY, waiting)]
    asked = []
    while (rows := pool.next_audits(2)).size:
        for row in rows.tolist():
            asked.append(pool.id(row))
            pool.move(row, Place.AUDITING)
    assert asked == expected


def test_items_added_late_take_their_place_in_one_order_for_all():
    late, at_once = a_pool(0.9), a_pool(0.9)
    at_once.add([*TEXTS, *(f"late {i}" for i in range(50))])
    late.add(TEXTS)
    late.add([f"late {i}" for i in range(50)])
    assert [late.id(r) for r in late.next_audits(99)] == [at_once.id(r) for r in at_once.next_audits(99)]


def test_what_was_asked_and_had_no_answer_keeps_its_turn():
    pool = a_pool(0.9)
    pool.add(TEXTS)
    first = pool.next_audits(3).tolist()
    for row in first:
        pool.move(row, Place.AUDITING)
    pool.add([f"late {i}" for i in range(50)])
    for row in first:
        pool.move(row, pool.home(row))
    up_to = max(pool.turn(row) for row in first)
    assert pool.last_turn(Place.HELD_OUT) == up_to
    assert set(first) <= set(pool.next_audits(99).tolist())


def test_the_reserved_share_is_drawn_among_what_is_not_held_out():
    """A share of 0.25 of about 1,000: outside 0.19 to 0.31 with probability 1e-5."""
    pool = a_pool(0.5, reserved=0.25)
    pool.add([f"text {i}" for i in range(2000)])
    reserved, others = pool.count(Place.RESERVED), pool.count(Place.AVAILABLE)
    assert 0.19 < reserved / (reserved + others) < 0.31
    assert a_pool(0.5).add(TEXTS).new == len(TEXTS)
    plain = a_pool(0.5)
    plain.add([f"text {i}" for i in range(2000)])
    assert plain.held_out_rows().tolist() == pool.held_out_rows().tolist()
    assert plain.next_audits(50).tolist() == pool.next_audits(50).tolist()


def test_a_share_of_zero_holds_nothing_out():
    pool = a_pool(0.0)
    assert pool.add(TEXTS).held_out == 0
    assert pool.held_out_rows().size == 0


def test_an_exception_that_holds_on_to_the_places_does_not_forbid_the_next_add():
    pool = a_pool()
    pool.add(["x", "y"])
    kept = pool._places()
    pool.add(["z"])
    assert (len(kept), len(pool)) == (2, 3)
