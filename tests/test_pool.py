"""Items by stable id: each in exactly one place, and never across the border of the held-out set."""

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
from bootstrap.errors import InvalidInput, UnknownItem
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


# ids and contents


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


@pytest.mark.parametrize("unknown", ["x", 3, None, ["x"]])
def test_an_unknown_id_is_reported_with_how_many_there_are(unknown):
    pool = a_pool()
    pool.add(["a", "b"])
    with pytest.raises(UnknownItem, match="the pool holds 2 ids"):
        pool.row(unknown)
    if not isinstance(unknown, list):
        assert unknown not in pool


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


# labels from outside


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


def test_an_exception_that_holds_on_to_the_places_does_not_forbid_the_next_add():
    pool = a_pool()
    pool.add(["x", "y"])
    kept = pool._places()
    pool.add(["z"])
    assert (len(kept), len(pool)) == (2, 3)
