"""Rows of features in any of the four shapes people bring: dense array, CSR, DataFrame, list.

One place knows how to check them, count them, pick rows, put two together, and turn a row into what
a person looks at. Everything else in the package treats features as opaque.
"""

from __future__ import annotations

import numbers
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput

__all__ = ["Features", "check_features", "n_rows", "row_as_item", "rows_as_items", "stack", "take"]

#: A dense array (n, d), CSR (n, d), DataFrame with n rows, or a list of n raw items (texts, dicts).
Features: TypeAlias = Any


def _is_frame(X: Any) -> bool:
    pandas = sys.modules.get("pandas")  # whoever passes a DataFrame has imported pandas
    return pandas is not None and isinstance(X, pandas.DataFrame)


def n_rows(X: Features) -> int:
    """Number of rows, for any kind of features."""
    return len(X) if isinstance(X, list) else int(X.shape[0])


def take(X: Features, rows: NDArray[np.intp] | Sequence[int]) -> Features:
    """The given rows, in the given order, as the same kind of features."""
    if isinstance(X, list):
        return [X[i] for i in rows]
    if _is_frame(X):
        return X.iloc[rows]
    return X[rows]


def stack(first: Features, second: Features) -> Features:
    """`second` below `first`; both of the same kind.

    Raises
    ------
    InvalidInput
        If the kinds, widths, columns or precisions differ.
    """
    if type(first) is not type(second):
        raise InvalidInput(
            f"features came as {type(first).__name__} before and as {type(second).__name__} now: "
            "pass the same kind each time"
        )
    if isinstance(first, list):
        return first + second
    if _is_frame(first):
        if list(first.columns) != list(second.columns):
            raise InvalidInput(
                f"the table had columns {list(first.columns)} before and has "
                f"{list(second.columns)} now: pass the same columns in the same order"
            )
        for column, before, now in zip(first.columns, first.dtypes, second.dtypes, strict=True):
            same = before == now or (before.kind in "biuf" and now.kind in "biuf")
            if not same:
                raise InvalidInput(
                    f"column {column!r} was {before} before and is {now} now: make it the same kind (for "
                    "categories: the same pandas.CategoricalDtype)"
                )
        import pandas as pd

        return pd.concat([first, second])
    if first.shape[1:] != second.shape[1:]:
        raise InvalidInput(f"features had {first.shape[1]} columns before and have {second.shape[1]} now")
    if first.dtype.kind == second.dtype.kind == "f" and first.dtype != second.dtype:
        raise InvalidInput(
            f"features were {first.dtype} before and are {second.dtype} now: equal items would not be known "
            f"as such; pass X.astype({str(first.dtype)!r})"
        )
    if sp.issparse(first):
        return sp.vstack([first, second], format="csr")
    return np.concatenate([first, second])


def check_features(X: Any, *, allow_nan: bool = False, name: str = "X") -> Features:
    """`X` as one of the four kinds, or an error that says what is wrong with it.

    A Series, a 1-D array of objects or strings, or any other sequence of raw items becomes a list;
    nested lists of numbers become a dense array; other sparse formats become CSR.

    Parameters
    ----------
    X : array, sparse matrix, DataFrame, Series or sequence
    allow_nan : bool
        Whether NaN may stand for a missing value (the estimator must take it).
    name : str
        How errors call the argument.

    Raises
    ------
    InvalidInput
        For no rows' shape at all, NaN or infinity, or a missing raw item.
    """
    if sp.issparse(X):  # one of the formats is a mapping too
        return _check_sparse(X, allow_nan, name)
    if isinstance(X, str | bytes | Mapping) or np.isscalar(X) or X is None:
        raise InvalidInput(
            f"{name} is a single {type(X).__name__}; pass one row per item (a list, array, CSR or DataFrame)"
        )
    if _is_frame(X):
        return _check_frame(X, allow_nan, name)
    if isinstance(X, np.ndarray):
        X = np.asarray(X)  # a memory-mapped file stays one, as a plain array
        if X.ndim >= 2 and X.dtype.kind in "biufc":
            _refuse_not_finite(X, allow_nan, name)
            return X
    return _check_rows(_as_rows(X, name), allow_nan, name)


def _check_sparse(X: Any, allow_nan: bool, name: str) -> Features:
    X = X.tocsr()
    if not X.has_canonical_format or not X.data.all():  # equal rows must look equal: entries once, no zeros
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    _refuse_not_finite(X.data, allow_nan, name, lambda i: int(np.searchsorted(X.indptr, i, side="right")) - 1)
    return X


def _check_frame(X: Any, allow_nan: bool, name: str) -> Features:
    twice = [column for column, n in Counter(str(c) for c in X.columns).items() if n > 1]
    if twice:
        raise InvalidInput(f"{name} has more than one column {twice[0]!r}: give each column its own name")
    numeric = X.select_dtypes("number")
    if numeric.shape[1]:
        _refuse_not_finite(numeric.to_numpy(dtype=float, na_value=np.nan), allow_nan, name)
    return X


def _as_rows(X: Any, name: str) -> list[Any]:
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1 and not hasattr(X, "tolist"):  # such as polars: it lists columns
        raise InvalidInput(f"{name} is a {type(X).__module__}.{type(X).__name__}: pass numpy.asarray({name})")
    try:
        rows = X.tolist() if hasattr(X, "tolist") else list(X)
        if not isinstance(rows, list):  # what an array without dimensions becomes
            raise TypeError
    except TypeError:
        raise InvalidInput(f"{name} is a {type(X).__name__}; pass a list, array, CSR or DataFrame") from None
    return rows


def _check_rows(rows: list[Any], allow_nan: bool, name: str) -> Features:
    if rows and isinstance(rows[0], list | tuple | np.ndarray):
        dense = _as_numbers(rows)
        if dense is None:
            return rows
        _refuse_not_finite(dense, allow_nan, name)
        return dense
    missing = [i for i, row in enumerate(rows) if row is None or (isinstance(row, float) and row != row)]
    if missing:
        raise InvalidInput(
            f"{name} has no content in {len(missing)} of {len(rows)} rows (first: row {missing[0]}): "
            "drop these rows, or fill them with an empty string"
        )
    if rows and isinstance(rows[0], numbers.Number):
        raise InvalidInput(
            f"{name} is a flat list of {len(rows)} numbers; one row per item is needed: "
            f"use numpy.reshape({name}, (-1, 1)) for a single feature"
        )
    return rows


def _as_numbers(rows: list[Any]) -> NDArray[np.float64] | None:
    """Rows of numbers as a dense array; None for anything else, numerals in strings included."""
    try:
        table = np.asarray(rows)
        if table.dtype.kind == "O" and any(isinstance(value, str) for value in table.flat):
            return None
        return table.astype(float) if table.dtype.kind in "biufO" else None
    except (TypeError, ValueError):
        return None


def _refuse_not_finite(
    values: NDArray[Any], allow_nan: bool, name: str, row_of: Callable[[int], int] = int
) -> None:
    """Refuse NaN (unless allowed) and infinity; `row_of` a position along the first axis."""
    with np.errstate(over="ignore", invalid="ignore"):  # the sum is only a quick first look
        if values.dtype.kind not in "fc" or np.isfinite(values.sum()):
            return
    bad = np.isinf(values) if allow_nan else ~np.isfinite(values)
    if not bad.any():
        return
    first = row_of(np.argwhere(bad)[0][0])
    raise InvalidInput(
        f"{name} has NaN or infinity in {int(bad.sum())} places (first: row {first}): "
        "fill them, or put a SimpleImputer in front of the estimator (a Pipeline that takes NaN may have it)"
    )


def row_as_item(X: Features, row: int) -> Any:
    """One row as what a person looks at; see :func:`rows_as_items`."""
    if isinstance(X, list):
        return X[row]
    if isinstance(X, np.ndarray):
        return X[row].copy()  # whoever scales it for display must not change what is measured
    return next(rows_as_items(take(X, [row])))


def rows_as_items(X: Features) -> Iterator[Any]:
    """Each row as what a person looks at: a text, a dict of columns, a vector.

    Sparse rows come as `{column: value}` of their non-zero entries.
    """
    if isinstance(X, list):
        yield from X
    elif _is_frame(X):
        columns = [str(c) for c in X.columns]
        for row in X.itertuples(index=False, name=None):
            yield dict(zip(columns, row, strict=True))
    elif sp.issparse(X):
        X = X.tocsr()
        for i in range(X.shape[0]):
            start, end = X.indptr[i], X.indptr[i + 1]
            yield {int(j): float(v) for j, v in zip(X.indices[start:end], X.data[start:end], strict=True)}
    else:
        yield from X
