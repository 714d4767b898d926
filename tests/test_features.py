"""Rows of features of every kind: checked, counted, picked, put together, and shown to people."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bootstrap.errors import InvalidInput
from bootstrap.features import check_features, n_rows, row_as_item, rows_as_items, stack, take

NUMBERS = np.array([[1.0, 0.0], [0.0, 2.5], [3.0, 4.0]])
TEXTS = ["a text", "another", "a third"]
KINDS = {
    "dense": NUMBERS,
    "csr": sp.csr_array(NUMBERS),
    "frame": pd.DataFrame({"size": [1.0, 0.0, 3.0], "color": ["red", "blue", "red"]}, index=[7, 7, 3]),
    "texts": TEXTS,
    "images": np.arange(12.0).reshape(3, 2, 2),
}

every_kind = pytest.mark.parametrize("X", KINDS.values(), ids=KINDS)


def items(X) -> list:
    return [np.asarray(item).tolist() if isinstance(item, np.ndarray) else item for item in rows_as_items(X)]


def refusal(X, **options) -> str:
    with pytest.raises(InvalidInput) as caught:
        check_features(X, **options)
    return str(caught.value)


# what is taken


@every_kind
def test_good_features_are_taken_as_they_are(X):
    checked = check_features(X)
    assert type(checked) is type(X)
    assert items(checked) == items(X)
    assert n_rows(checked) == 3


def test_an_array_is_not_copied():
    assert check_features(NUMBERS) is NUMBERS


@pytest.mark.parametrize(
    "texts",
    [
        pd.Series(TEXTS, index=[5, 5, 9]),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        tuple(TEXTS),
        iter(TEXTS),
    ],
    ids=["series", "array of strings", "array of objects", "tuple", "iterator"],
)
def test_any_sequence_of_raw_items_becomes_a_list(texts):
    assert check_features(texts) == TEXTS


@pytest.mark.parametrize("form", ["coo", "csc", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", [sp.coo_array, sp.coo_matrix])
def test_other_sparse_formats_become_csr(kind, form):
    checked = check_features(kind(NUMBERS).asformat(form))
    assert checked.format == "csr"
    assert np.array_equal(checked.toarray(), NUMBERS)


def test_a_sparse_entry_in_two_parts_is_put_together_without_touching_the_original():
    parts = sp.csr_array((np.array([1.0, 2.0]), np.array([1, 1]), np.array([0, 2])), shape=(1, 3))
    checked = check_features(parts)
    assert items(checked) == items(sp.csr_array([[0.0, 3.0, 0.0]]))
    assert parts.nnz == 2


@pytest.mark.parametrize(
    "rows",
    [NUMBERS.tolist(), [tuple(row) for row in NUMBERS], list(NUMBERS), NUMBERS.astype(object)],
    ids=["lists", "tuples", "arrays", "objects"],
)
def test_nested_numbers_become_a_dense_array(rows):
    checked = check_features(rows)
    assert type(checked) is np.ndarray
    assert checked.dtype == float
    assert np.array_equal(checked, NUMBERS)


@pytest.mark.parametrize(
    "rows",
    [
        [["a", "b"], ["c"]],
        [["1", "02"], ["3", "4"]],
        [["a", 1], ["b", 2]],
        [["1", None], ["2", None]],
        [[{"page": 1}], [{"page": 2}]],
        [[1, 2], [3]],
    ],
    ids=["tokens", "numerals", "text and number", "numeral and nothing", "mappings", "unequal lengths"],
)
def test_nested_lists_of_anything_else_stay_lists(rows):
    assert check_features(rows) == rows


def test_an_array_of_mixed_objects_becomes_rows():
    assert check_features(np.array([["red", 1], ["blue", 2]], dtype=object)) == [["red", 1], ["blue", 2]]


def test_a_memory_mapped_file_can_grow_like_any_array(tmp_path):
    np.save(tmp_path / "embeddings.npy", NUMBERS)
    checked = check_features(np.load(tmp_path / "embeddings.npy", mmap_mode="r"))
    assert np.array_equal(stack(checked, take(checked, [0])), NUMBERS[[0, 1, 2, 0]])


@pytest.mark.parametrize("X", [[], np.empty((0, 3)), sp.csr_array((0, 3)), pd.DataFrame({"a": []})])
def test_no_rows_are_fine(X):
    assert n_rows(check_features(X)) == 0


def test_half_precision_numbers_whose_sum_overflows_are_fine():
    X = np.full((100, 100), 100, dtype=np.float16)
    assert check_features(X) is X


def test_dicts_as_rows_are_raw_items():
    rows = [{"size": 1}, {"size": 2}]
    assert check_features(rows) == rows


def test_features_work_where_pandas_was_never_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "pandas")
    assert check_features(TEXTS) == TEXTS
    assert items(take(NUMBERS, [0])) == [[1.0, 0.0]]


# what is refused


@pytest.mark.parametrize("X", ["a text", b"bytes", {"a": [1]}, 5, 2.5, None], ids=repr)
def test_a_single_thing_is_refused(X):
    assert "X is a single" in refusal(X)
    assert "pass one row per item" in refusal(X)


@pytest.mark.parametrize("X", [np.array(5.0), np.array("a text"), object(), test_an_array_is_not_copied])
def test_what_has_no_rows_is_refused(X):
    assert "pass a list, array, CSR or DataFrame" in refusal(X)


@pytest.mark.parametrize(
    "X", [np.arange(4), [1.0, 2.0, 3.0, 4.0], pd.Series([1, 2, 3, 4]), np.ones(4, dtype=bool)]
)
def test_a_flat_row_of_numbers_is_refused_with_the_cure(X):
    assert "flat list of 4 numbers" in refusal(X)
    assert "numpy.reshape(X, (-1, 1))" in refusal(X)
    assert check_features(np.reshape(X, (-1, 1))).shape == (4, 1)


class TableOfColumns:
    """Has a shape, and iterates over its columns, as a polars DataFrame does."""

    shape = (3, 2)

    def __iter__(self):
        return iter([[1, 2, 3], [4, 5, 6]])

    def __array__(self, dtype=None, copy=None):
        return np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])


def test_a_table_of_an_unknown_kind_is_not_taken_for_its_columns():
    assert "TableOfColumns: pass numpy.asarray(X)" in refusal(TableOfColumns())
    assert n_rows(check_features(np.asarray(TableOfColumns()))) == 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.array, np.ndarray.tolist, sp.csr_array, sp.csc_array, pd.DataFrame])
def test_nan_and_infinity_are_refused_with_their_row(kind, bad):
    X = np.ones((4, 3))
    X[2, 1] = bad
    assert "X has NaN or infinity in 1 places (first: row 2)" in refusal(kind(X))


def test_infinities_that_cancel_out_are_still_found():
    assert "in 2 places (first: row 0)" in refusal(np.array([[np.inf, -np.inf]]))


@pytest.mark.parametrize("kind", [np.array, sp.csr_array, pd.DataFrame])
def test_nan_is_taken_where_the_estimator_takes_it_but_infinity_never(kind):
    X = np.array([[1.0, np.nan], [2.0, 3.0]])
    assert n_rows(check_features(kind(X), allow_nan=True)) == 2
    X[1, 1] = np.inf
    assert "in 1 places (first: row 1)" in refusal(kind(X), allow_nan=True)


def test_nothing_among_nested_numbers_counts_as_nan():
    assert "in 1 places (first: row 1)" in refusal([[1.0, 2.0], [3.0, None]])


def test_missing_numbers_in_a_nullable_column_are_found():
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "text": ["x", "y"]})
    assert "in 1 places (first: row 1)" in refusal(frame)
    assert check_features(frame, allow_nan=True) is frame


def test_a_frame_without_numbers_is_left_to_the_estimator():
    frame = pd.DataFrame({"text": ["a", None]})
    assert check_features(frame) is frame


@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_a_missing_raw_item_is_refused_with_its_row(nothing):
    message = refusal(["a text", nothing, nothing])
    assert "no content in 2 of 3 rows (first: row 1)" in message
    assert "fill them with an empty string" in message
    assert "no content in 1 of 2 rows (first: row 0)" in refusal([nothing, "a text"])


def test_columns_that_share_a_name_are_refused():
    frame = pd.DataFrame([[1, 2, 3]], columns=["1", "b", 1])
    assert "more than one column '1'" in refusal(frame)


def test_errors_use_the_name_of_the_argument():
    assert refusal("x", name="labeled features").startswith("labeled features is a single str")


# picking rows and putting them together


@every_kind
def test_rows_are_taken_by_position_in_the_given_order(X):
    for rows in ([2, 0], np.array([2, 0])):
        taken = take(X, rows)
        assert type(taken) is type(X)
        assert items(taken) == [items(X)[2], items(X)[0]]
    assert n_rows(take(X, np.empty(0, dtype=np.intp))) == 0


@every_kind
def test_rows_that_are_cut_apart_and_stacked_are_the_same_rows(X):
    whole = stack(take(X, [0]), take(X, [1, 2]))
    assert type(whole) is type(X)
    assert items(whole) == items(X)


@given(st.data())
def test_stacking_any_parts_in_order_gives_the_whole(data):
    X = KINDS[data.draw(st.sampled_from(sorted(KINDS)))]
    cut = data.draw(st.integers(0, 3))
    assert items(stack(take(X, range(cut)), take(X, range(cut, 3)))) == items(X)


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_another_kind_of_features_is_refused(first, second):
    if type(KINDS[first]) is type(KINDS[second]):
        return
    with pytest.raises(InvalidInput, match="pass the same kind each time"):
        stack(KINDS[first], KINDS[second])


@pytest.mark.parametrize("kind", [np.array, sp.csr_array])
def test_another_number_of_columns_is_refused(kind):
    with pytest.raises(InvalidInput, match="features had 2 columns before and have 3 now"):
        stack(kind(NUMBERS), kind(np.ones((1, 3))))


@pytest.mark.parametrize("columns", [["color", "size"], ["size"], ["size", "colour"]])
def test_a_table_with_other_columns_or_another_order_is_refused(columns):
    other = pd.DataFrame([[0] * len(columns)], columns=columns)
    with pytest.raises(InvalidInput, match="same columns in the same order"):
        stack(KINDS["frame"], other)


# what people see


@every_kind
def test_one_row_is_the_same_item_as_in_the_list_of_all(X):
    for i, item in enumerate(rows_as_items(X)):
        shown = row_as_item(X, i)
        assert np.array_equal(shown, item) if isinstance(item, np.ndarray) else shown == item


def test_a_table_row_is_shown_as_a_mapping_of_its_columns():
    assert row_as_item(KINDS["frame"], 1) == {"size": 0.0, "color": "blue"}


def test_a_sparse_row_is_shown_as_its_entries():
    assert items(KINDS["csr"]) == [{0: 1.0}, {1: 2.5}, {0: 3.0, 1: 4.0}]


@given(
    hnp.arrays(
        float, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.sampled_from([0.0, 1.5, -2.0])
    )
)
def test_a_sparse_row_does_not_show_zeros_however_it_was_stored(X):
    columns = np.indices(X.shape)[1].ravel()
    with_zeros = sp.csr_array((X.ravel(), columns, np.arange(0, X.size + 1, X.shape[1])), X.shape)
    assert items(check_features(with_zeros)) == items(check_features(sp.csr_array(X)))
    assert with_zeros.nnz == X.size  # the original stays
