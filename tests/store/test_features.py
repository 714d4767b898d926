from __future__ import annotations

import datetime
import json
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from bootstrap.errors import InvalidInput, StoreError
from bootstrap.features import rows_as_items
from bootstrap.store.database import Database
from bootstrap.store.features import (
    BLOCK_ROWS,
    blank_rows,
    payload_from,
    payload_text,
    read_features,
    read_rows,
    write_block,
    write_features,
)
from bootstrap.store.frames import _texts_with_nan
from bootstrap.store.schema import blocks


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.writing() as connection:
        yield connection


def frame() -> Any:
    return pd.DataFrame(
        {
            "n": np.array([1, -(2**62), 3], dtype=np.int64),
            "small": np.array([1, 2, 3], dtype=np.uint8),
            "x": [0.1, np.nan, 1e300],
            "half": np.array([0.1, 0.2, 0.3], dtype=np.float32),
            "yes": [True, False, True],
            "text": ["a", None, 'quote " and ü'],
            "nullable text": pd.array(["a", None, ""], dtype="string[python]"),
            "mixed": pd.Series(["a", None, {"b": Path("c")}], dtype=object),
            "day": pd.to_datetime(["2026-01-01 00:00:00.5", None, "2026-01-03 04:05:06.789"]),
            "zoned": pd.to_datetime(["2026-01-01", None, "2026-07-01"]).tz_localize("Europe/Berlin"),
            "span": pd.to_timedelta([1, None, 3], unit="h"),
            "kind": pd.Categorical(["b", None, "a"], categories=["b", "a", "c"], ordered=True),
            "code": pd.Categorical([7, 8, 7]),
            "maybe": pd.array([1, None, 3], dtype="Int16"),
            "maybe x": pd.array([0.1, None, 3], dtype="Float64"),
            "maybe yes": pd.array([True, None, False], dtype="boolean"),
            5: [1.5, 2.5, 3.5],
        }
    )


KINDS = {
    "dense": np.array([[0.1, np.nan], [-0.0, 1e300], [3, 4]]),
    "single precision": np.array([[0.1, 2], [3, 4], [5, 6]], dtype=np.float32),
    "whole numbers": np.array([[2**62, 2], [3, 4], [5, 6]]),
    "yes or no": np.array([[True, False], [False, False], [True, True]]),
    "images": np.arange(12.0).reshape(3, 2, 2),
    "columns first": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
    "csr": sp.csr_matrix([[0.1, 0, 0], [0, 0, 0], [0, 2, 3]]),
    "csr array": sp.csr_array([[0.1, 0, 0], [0, 0, 0], [0, 2, 3]], dtype=np.float32),
    "frame": frame(),
    "texts": ["where is my card?", "", "\x00 \ud800 ü"],
    "mappings": [{"a": 1}, {"b": Path("x.png")}, {"$": "a", "b": [1.5, None]}],
}


def as_comparable(X: Any) -> Any:
    if sp.issparse(X):
        return type(X).__name__, X.dtype, X.toarray().tolist()
    if isinstance(X, np.ndarray):
        return X.dtype, X.shape, X.tobytes()
    return X


def assert_same(got: Any, wanted: Any) -> None:
    if isinstance(wanted, pd.DataFrame):
        pd.testing.assert_frame_equal(got, wanted, check_exact=True)
    else:
        assert as_comparable(got) == as_comparable(wanted)


@pytest.mark.parametrize("X", KINDS.values(), ids=KINDS)
def test_features_come_back_as_they_were(connection: Connection, X: Any) -> None:
    places = write_features(connection, X)
    assert len(places) == 3
    assert_same(read_features(connection, places), X)


@pytest.mark.parametrize("X", KINDS.values(), ids=KINDS)
def test_rows_come_back_in_the_order_asked_for_from_several_blocks(connection: Connection, X: Any) -> None:
    first, second = write_features(connection, X), write_features(connection, X)
    got = read_features(connection, [second[2], first[0], second[1], first[0]])
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(got.reset_index(drop=True), X.iloc[[2, 0, 1, 0]].reset_index(drop=True))
    elif isinstance(X, list):
        assert got == [X[2], X[0], X[1], X[0]]
    else:
        assert as_comparable(got) == as_comparable(X[[2, 0, 1, 0]])


@pytest.mark.parametrize("X", KINDS.values(), ids=KINDS)
def test_people_see_the_same_rows(connection: Connection, X: Any) -> None:
    places = write_features(connection, X)
    got = read_rows(connection, places[::-1])
    assert repr(got) == repr(list(rows_as_items(X))[::-1])


def test_rows_of_different_kinds_can_be_seen_together_but_are_no_one_table(connection: Connection) -> None:
    text, vector = write_features(connection, ["a"]), write_features(connection, np.array([[1.0]]))
    seen = read_rows(connection, [*vector, *text])
    assert [list(seen[0]), seen[1]] == [[1.0], "a"]
    with pytest.raises(InvalidInput, match="dense, objects"):
        read_features(connection, [*vector, *text])


def test_many_rows_go_into_several_blocks(connection: Connection) -> None:
    X = np.arange(2 * BLOCK_ROWS + 1.0).reshape(-1, 1)
    places = write_features(connection, X)
    assert len({block for block, _ in places}) == 3
    assert_same(read_features(connection, places), X)
    with pytest.raises(InvalidInput, match="use write_features"):
        write_block(connection, X)


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((20, 2**17)),
        sp.csr_matrix(np.ones((20, 2**17), dtype=np.float32)),
        ["x" * 2**20] * 20,
        pd.DataFrame({"text": ["x" * 2**20] * 20}),
    ],
    ids=["dense", "csr", "texts", "frame"],
)
def test_long_rows_go_into_blocks_of_few(connection: Connection, X: Any) -> None:
    write_features(connection, X)
    assert connection.execute(select(func.max(blocks.c.n_rows))).scalar_one() <= 2


def test_many_short_texts_go_into_several_blocks(connection: Connection) -> None:
    texts = [str(i) for i in range(BLOCK_ROWS + 5)]
    places = write_features(connection, texts)
    assert places[BLOCK_ROWS][1] == 0
    assert read_features(connection, places) == texts


def test_no_rows_are_nothing(connection: Connection) -> None:
    assert write_features(connection, []) == write_features(connection, np.empty((0, 3))) == []
    assert read_features(connection, []) == read_rows(connection, []) == []


def test_the_rows_of_a_table_with_another_index_come_back(connection: Connection) -> None:
    X = pd.DataFrame({"a": [1, 2, 3]}, index=["x", "y", "x"])
    got = read_features(connection, write_features(connection, X))
    assert got["a"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("X", KINDS.values(), ids=KINDS)
def test_blanked_rows_are_gone_and_the_others_are_as_before(connection: Connection, X: Any) -> None:
    places = write_features(connection, X)
    blank_rows(connection, [places[0], places[2]])
    got = read_features(connection, places)
    before, after = repr(read_rows(connection, [places[1]])), repr(list(rows_as_items(X))[1:2])
    assert before == after
    if isinstance(X, pd.DataFrame):
        assert got.dtypes.tolist() == X.dtypes.tolist()
        blanked = got.iloc[[0, 2]]
        assert (blanked.isna() | (blanked == 0)).all(axis=None)
    elif isinstance(X, list):
        assert not any([got[0], got[2]])
    else:
        assert got.dtype == X.dtype
        assert not (got.toarray() if sp.issparse(got) else got)[[0, 2]].any()


def test_the_bytes_of_a_blanked_row_are_not_in_its_block(connection: Connection) -> None:
    for X in (["SECRET", "b"], pd.DataFrame({"a": ["SECRET", "b"]}), np.array([[7.5], [8.5]])):
        (first, _) = write_features(connection, X)
        blank_rows(connection, [first])
        data = connection.execute(select(blocks.c.data).where(blocks.c.id == first[0])).scalar_one()
        assert b"SECRET" not in bytes(data)
        assert np.float64(7.5).tobytes() not in bytes(data)


def test_a_row_that_cannot_be_kept_is_named(connection: Connection) -> None:
    with pytest.raises(InvalidInput, match=r"row 1: a object can't be kept .* a text"):
        write_features(connection, ["a", object()])
    with pytest.raises(InvalidInput, match="column 'b': a object can't be kept"):
        write_features(connection, pd.DataFrame({"a": [1], "b": [object()]}))
    with pytest.raises(InvalidInput, match=r"column 'p': the dtype period\[D\] can't be kept"):
        write_features(connection, pd.DataFrame({"p": pd.period_range("2026", periods=2, freq="D")}))
    with pytest.raises(InvalidInput, match="ndarray can't be kept"):
        write_features(connection, np.array([["a"]]))


def test_a_block_that_is_not_there_is_named(connection: Connection) -> None:
    with pytest.raises(StoreError, match="no block 77"):
        read_features(connection, [(77, 0)])


PAYLOADS = [
    "where is my card?",
    "",
    0,
    2**70,
    -0.5,
    True,
    float("inf"),
    b"\x00\xff",
    Path("images/a b.png"),
    [1, "a", [None, {}]],
    (1, ("a",)),
    {"text": "a", "score": 0.1},
    {"$": "path", "of": "no path at all"},
    {1: "a", (2, 3): "b", None: "c"},
    OrderedDict(a=1),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
    datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    datetime.date(2026, 1, 2),
    datetime.time(1, 2),
    datetime.timedelta(days=-1, microseconds=3),
    Decimal("0.10"),
    uuid.UUID(int=7),
    1 + 2j,
    np.float32(0.1),
    np.int64(7),
    np.bool_(True),
    np.str_("a"),
    np.datetime64("2026-01-02T03:04:05"),
    pd.Timestamp("2026-01-02 03:04:05.123456789"),
    pd.Timestamp("2026-01-02", tz="Europe/Berlin"),
    pd.Timedelta("1 days 00:00:00.000000001"),
]


@pytest.mark.parametrize("item", PAYLOADS, ids=repr)
def test_what_people_see_comes_back_equal(item: Any) -> None:
    text = payload_text(item)
    assert text is not None
    json.loads(text)
    got = payload_from(text)
    assert got == item
    if not isinstance(item, OrderedDict | np.str_):
        assert type(got) is type(item)


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.1, np.nan, -np.inf]),
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.zeros((100, 100, 3), dtype=np.uint8),
        np.array([1 + 2j]),
        np.array(["2026-01-02"], dtype="datetime64[D]"),
        np.array(["a", "ü"]),
        np.array([b"a"]),
        np.array([["a", None], [b"c", 1]], dtype=object),
        np.empty((0, 3)),
        np.array(5.0),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_an_array_that_people_see_comes_back_as_it_was(array: Any) -> None:
    got = payload_from(payload_text(array))
    assert (got.dtype, got.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(got, array)
    assert got.flags.writeable


def test_nothing_to_see_is_no_payload() -> None:
    assert payload_text(None) is None
    assert payload_from(None) is None
    assert payload_from(payload_text([pd.NA, pd.NaT])) == [pd.NA, pd.NaT]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("$") | st.integers(), inner),
        max_leaves=12,
    )
)
def test_any_nested_payload_comes_back_equal(item: Any) -> None:
    assert payload_from(payload_text(item)) == item


@pytest.mark.parametrize(
    "item",
    [object(), {1, 2}, [print], np.array([object()]), np.longdouble(1), np.zeros(1, dtype="i4,f4"),
     pd.Period("2026"), pd.DataFrame({"a": [1]})],
    ids=lambda item: type(item).__name__,
)  # fmt: skip
def test_what_could_not_come_back_equal_is_refused(item: Any) -> None:
    with pytest.raises(InvalidInput, match="pass what people see as a text"):
        payload_text(item)


def test_a_payload_of_a_later_version_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'hologram' is not known"):
        payload_from('{"$": "hologram"}')


def test_texts_of_a_newer_pandas_are_objects_in_an_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    known = pd.StringDtype

    def of_before(storage: str) -> pd.StringDtype:
        return known(storage)

    monkeypatch.setattr(pd, "StringDtype", of_before)
    assert _texts_with_nan("python") == np.dtype(object)
