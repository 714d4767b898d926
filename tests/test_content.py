"""Equal contents have equal ids, today and on any machine; different contents have different ones."""

from __future__ import annotations

import datetime
import enum
from collections import OrderedDict
from itertools import combinations
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.content import content_id, content_ids
from bootstrap.errors import InvalidInput

# These ids are in the logs of everybody who has labeled something: they may never change.
FROZEN = [
    ("", "0499e2595283b1d6195b"),
    ("where is my card?", "43b4d179e57e7e0004b1"),
    ("naïve — 日本 🙂", "7a33179a6c116f71fb9c"),
    ("\ud83d", "cb0cb908c8b605d93342"),  # half of a pair, as a broken file may hold
    (b"\x00\xff", "69ff61a1a3d6be14224a"),
    ([1, 2], "ce256c2db03f152c26fa"),
    ([0.5, -3], "dbd9cbeeee4ed0b1d7f2"),
    ([2**53 + 1], "3566e83c7d21358d35a7"),
    ([float("nan")], "b607f327d8bf21240865"),
    (np.zeros((2, 2)), "b0da66851016f419274f"),
    ({"a": 1, "b": [None, True, "x"]}, "7fda6ac1f4d872b91552"),
    ({}, "a9f866c53ea135a3c85a"),
    ([], "31d976c47926b5b62174"),
    (["a", "b"], "51cddb6bc5060b7fad2d"),
    (None, "1254634f2a5dd4e05058"),
    (True, "663b8471f273e9c37057"),
    (1, "509528dadb037540ecc0"),
    (2.5, "77588fa96cfbae9e35c0"),
]


@pytest.mark.parametrize(("item", "expected"), FROZEN, ids=[repr(item) for item, _ in FROZEN])
def test_the_id_of_a_content_never_changes(item, expected):
    assert content_id(item) == expected


# few letters and numbers, so that equal contents do come up
texts = st.text(alphabet='a1,"[ ', max_size=3)
numbers = st.sampled_from([0, -0.0, 1, 1.0, -1, 0.5, 2**53, 1e300, float("inf")])
contents = st.recursive(
    st.none() | st.booleans() | numbers | texts | st.binary(max_size=2).filter(bool),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2),
)


def holds_bytes(item) -> bool:
    """Whether there are bytes inside: these are taken on their own only."""
    if isinstance(item, dict | list):
        return any(
            isinstance(value, bytes) or holds_bytes(value)
            for value in (item.values() if isinstance(item, dict) else item)
        )
    return False


def meaning(item) -> object:
    """What is to be equal: `True` is not 1, but 1.0 is, and the order of keys does not count."""
    if isinstance(item, dict):
        return dict, frozenset((key, meaning(value)) for key, value in item.items())
    if isinstance(item, list):
        return list, tuple(meaning(value) for value in item)
    kind = float if isinstance(item, int | float) and not isinstance(item, bool) else type(item)
    return kind, item


@given(st.lists(contents.filter(lambda item: not holds_bytes(item)), min_size=2, max_size=8))
def test_two_ids_are_equal_exactly_where_the_contents_are(items):
    for one, other in combinations(items, 2):
        assert (content_id(one) == content_id(other)) == (meaning(one) == meaning(other)), (one, other)


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
def test_whole_numbers_are_the_same_as_integers_and_in_floating_point(values):
    as_integers = np.array(values, dtype=np.int64)
    ids = {
        content_id(row)
        for row in (
            values,
            tuple(values),
            as_integers,
            as_integers.astype(float),
            list(as_integers),
            list(map(float, values)),
        )
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float32, ">f8", bool]
)
def test_the_type_of_an_array_does_not_count(dtype):
    assert content_id(np.array([0, 1, 1], dtype=dtype)) == content_id([0, 1, 1])


def test_a_view_of_every_other_number_is_like_a_copy():
    row = np.arange(6.0)
    assert content_id(row[::2]) == content_id(row[::2].copy())


def test_the_item_is_left_as_it_is():
    row = np.array([-0.0, np.nan])
    before = row.tobytes()
    content_id(row)
    assert row.tobytes() == before


def test_negative_zero_is_zero():
    assert content_id(np.array([-0.0])) == content_id(np.array([0.0])) == content_id([0])
    assert content_id({"a": -0.0}) == content_id({"a": 0})


def test_every_bit_pattern_of_nan_is_the_same():
    assert content_id(np.array([np.nan])) == content_id(-np.array([np.nan]))
    assert content_id({"a": np.nan}) == content_id({"a": -np.nan}) != content_id({"a": None})


def test_whole_numbers_too_large_for_floating_point_stay_apart():
    large = 2**53
    assert content_id([large]) != content_id([large + 1]) != content_id([large + 2])
    assert content_id([large + 1, 0.5]) != content_id([large, 0.5])
    assert content_id([-large - 1]) != content_id([-large])
    assert content_id([10**400]) != content_id([10**400 + 1])
    assert content_id(np.array([large + 1])) == content_id([large + 1])
    assert content_id(np.array([2**64 - 1], dtype=np.uint64)) == content_id([2**64 - 1])


def test_the_shape_of_an_array_counts():
    shapes = [(16,), (4, 4), (2, 8), (8, 2), (1, 16)]
    assert len({content_id(np.zeros(shape)) for shape in shapes}) == len(shapes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yes", "yes"),
        ("yes", "yes "),
        ("é", "e\u0301"),
        ("text", b"text"),
        ("1", 1),
        (1, True),
        (0, False),
        (None, "null"),
        ([], {}),
        ([1, 2], [2, 1]),
        ([1, 2], [[1, 2]]),
        ([True, False], [1, 0]),
        ([1.5, 2], "[1.5, 2]"),
        ({"a": 1}, {"a": "1"}),
        ({"a": {"b": 1}}, {"a": 1, "b": 1}),
    ],
    ids=repr,
)
def test_what_a_person_or_a_model_could_tell_apart_is_not_the_same(one, other):
    assert content_id(one) != content_id(other)


def test_the_order_of_keys_does_not_count():
    assert content_id({"a": 1, "b": [2]}) == content_id({"b": [2], "a": 1})
    assert content_id(OrderedDict(b=2, a=1)) == content_id(MappingProxyType({"a": 1, "b": 2}))


@pytest.mark.parametrize(
    ("given_as", "plain"),
    [
        ({"n": np.int64(3)}, {"n": 3}),
        ({"x": np.float32(0.5)}, {"x": 0.5}),
        ({"x": np.float64(3.0)}, {"x": 3}),
        ({"yes": np.bool_(True)}, {"yes": True}),
        ({"word": np.str_("a")}, {"word": "a"}),
        ({"row": np.array([[1.0, 2.5]])}, {"row": [[1, 2.5]]}),
        ({"one": np.array(4.0)}, {"one": 4}),
        ({"words": np.array(["a", "b"])}, {"words": ["a", "b"]}),
        ({"pair": (1, "a")}, {"pair": [1, "a"]}),
        ({7: "a"}, {"7": "a"}),
        ({"file": PurePosixPath("a/b.png")}, {"file": "a/b.png"}),
        ({"day": datetime.date(2024, 2, 29)}, {"day": "2024-02-29"}),
        ({"at": pd.Timestamp("2024-02-29 12:00")}, {"at": "2024-02-29T12:00:00"}),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.float64(2.0), 2),
        (np.str_("a"), "a"),
        (np.bytes_(b"a"), b"a"),
        (Path("image.png"), "image.png"),
        (enum.StrEnum("Word", {"A": "a"}).A, "a"),
    ],
    ids=repr,
)
def test_other_spellings_of_plain_values_are_the_plain_values(given_as, plain):
    assert content_id(given_as) == content_id(plain)


@pytest.mark.parametrize(
    "item",
    [
        object(),
        {1, 2},
        lambda: None,
        {"a": {1}},
        {"a": b"bytes"},
        [object()],
        1j,
        np.array([1j]),
        pd.Series(["a"]),
    ],
    ids=repr,
)
def test_what_has_no_stable_content_is_refused_with_what_to_do(item):
    with pytest.raises(
        InvalidInput, match=r"has no stable content .* pass ids=, or items= with what people see"
    ):
        content_id(item)


def test_keys_that_are_the_same_as_text_are_refused():
    with pytest.raises(InvalidInput, match="two of its keys are the same as text"):
        content_id({1: "a", "1": "b"})


@pytest.mark.parametrize(
    "matrix",
    [
        np.arange(30_000).reshape(-1, 3),
        np.array([[0.0, -0.0], [np.nan, 1.5]]),
        np.array([[True, False]]),
        np.array([[2**60, 1], [3, 4]]),
        np.eye(3, dtype=np.float32)[:, ::-1],
        np.empty((0, 4)),
    ],
)
def test_the_rows_of_a_matrix_have_the_ids_they_have_one_by_one(matrix: np.ndarray) -> None:
    assert content_ids(matrix) == [content_id(row) for row in matrix]
