"""Where distances are measured: what is labeled, items as rows of numbers, and distances in blocks.

Strategies that look at more than one model's opinion of one item at a time need to know which items are
alike. This is the one place that turns what a user has (arrays, CSR, tables, texts through a Pipeline)
into such rows, and the one place that computes distances, never more than a block of them at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from strategies.selection import n_rows

__all__ = [
    "Metric",
    "NoGeometry",
    "Points",
    "blocks",
    "check_metric",
    "dense",
    "geometry",
    "geometry_of",
    "labeled_items",
    "take",
]

#: How items are compared. `"cosine"` means: rows are scaled to length 1 first.
Metric: TypeAlias = Literal["euclidean", "cosine"]

#: Bytes of one block of numbers: it stays in the cache of one core.
_BLOCK_BYTES: Final = 1 << 21


class NoGeometry(ValueError):
    """The items can't be turned into rows of finite numbers; the message says what to pass."""


class _Misfit(ValueError):
    """What was passed beside the items does not fit them: a mistake, whatever else might be tried."""


class Points:
    """Rows of finite numbers, and squared Euclidean distances between them.

    Parameters
    ----------
    rows : ndarray of shape (n, d) or CSR
        float32 or float64; distances are computed in that type.

    Attributes
    ----------
    rows : ndarray or CSR
    squared_lengths : ndarray of shape (n,)
    """

    __slots__ = ("rows", "squared_lengths")

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.squared_lengths: NDArray[Any] = _squared_lengths(rows)

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @property
    def is_sparse(self) -> bool:
        """Whether the rows are CSR."""
        return hasattr(self.rows, "tocsr")

    def only(self, index: Any) -> Points:
        """Some of the rows: a slice or an array of positions."""
        part = object.__new__(Points)
        part.rows, part.squared_lengths = self.rows[index], self.squared_lengths[index]
        return part

    def squared_distances(self, others: Points) -> NDArray[Any]:
        """Squared distances of shape (n, m) to the rows of `others`, never negative.

        By |a|² + |b|² - 2ab, whose rounding error is about 1e-16 (float32: 1e-7) of the squared lengths:
        where near ties matter, take the rows relative to their mean first, or subtract.
        """
        products: NDArray[Any] = dense(self.rows @ others.rows.T)
        products *= -2.0
        products += self.squared_lengths[:, np.newaxis]
        products += others.squared_lengths
        np.maximum(products, 0.0, out=products)
        return products

    def nearest(self, others: Points) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """(distances, positions in `others`) of the nearest other row, each of shape (n,)."""
        from sklearn.metrics import pairwise_distances_argmin_min

        distances, positions = np.empty(len(self)), np.empty(len(self), dtype=np.intp)
        for rows in blocks(len(self), 8 * len(others) if self.is_sparse else 8 * self.rows.shape[1]):
            positions[rows], distances[rows] = pairwise_distances_argmin_min(self.rows[rows], others.rows)
        return distances, positions


def geometry(
    learner: Any,
    X: Any,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
    *,
    as_fitted: bool = False,
) -> tuple[Points, Points | None]:
    """`X`, and the features of what is labeled already, as rows that can be compared.

    Parameters
    ----------
    learner : object or None
        Looked at for a Pipeline (its own, its `estimator`'s, or the first member's) and for `X_training`.
    X : array, CSR, DataFrame or list
        n items.
    labeled : (X, y), optional
        Labeled already; otherwise `learner.X_training`, if that is there.
    representation : transformer, callable or array, optional
        A fitted transformer is used as it is, an unfitted one is cloned and fitted on `X`; a callable
        gets `X`; an array (n, d) or CSR is aligned with `X`, or is a pair of two, the second of them
        aligned with what is labeled. Without it: the output of the transformers in the learner's
        Pipeline, cloned and fitted on `X` (those that were fitted have seen only what is labeled: a few
        words, of texts; those that can't be fitted without labels are used as they are), or else `X` itself.
    metric : "euclidean" or "cosine"
        For cosine each row is scaled to length 1, so that squared distances are 2 (1 - cosine).
    as_fitted : bool
        Take the Pipeline's transformers as they are: what the classifier itself sees.

    Returns
    -------
    points : Points
        n rows.
    known : Points or None
        A row for each labeled item; None if there are none, or if `representation` is a single array.

    Raises
    ------
    NoGeometry
        A ValueError: where no way leads to finite numbers whose squares are finite, one row per item.
    ValueError
        For an unknown metric; if `representation` or what is labeled does not fit `X`.
    """
    check_metric(metric)
    known, _ = labeled_items(learner, labeled)
    if representation is not None:
        points, known_points = _represented(representation, X, known)
    else:
        points, known_points = _by_default(learner, X, known, as_fitted)
    if metric == "cosine":
        return _unit_rows(points), None if known_points is None else _unit_rows(known_points)
    return points, known_points


def check_metric(metric: Any) -> None:
    """Raise a ValueError unless it is "euclidean" or "cosine"."""
    if metric not in ("euclidean", "cosine"):
        raise ValueError(f'metric must be "euclidean" or "cosine", got {metric!r}')


def geometry_of(
    learner: Any, X: Any, rows: NDArray[np.intp], representation: Any = None, metric: Metric = "euclidean"
) -> Points:
    """:func:`geometry` of some items of `X` only, without what is labeled.

    Transformers that are fitted anew see these items alone: what a few hundred candidates cost does not
    depend on the size of the pool.

    Parameters
    ----------
    learner, X, representation, metric
        As in :func:`geometry`.
    rows : ndarray of int
        Positions in `X`, at least one.

    Raises
    ------
    NoGeometry, ValueError
        As in :func:`geometry`.
    """
    aligned = representation[0] if isinstance(representation, tuple) else representation
    if aligned is not None and not callable(aligned) and not hasattr(aligned, "transform"):
        if n_rows(aligned) != n_rows(X):
            raise _Misfit(_misaligned(n_rows(aligned), n_rows(X)))
        representation = take(aligned, rows)
    return geometry(learner, take(X, rows), (None, None), representation, metric)[0]


def labeled_items(learner: Any, labeled: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
    """(X, y) of what is labeled: as given, or what the learner was trained on; (None, None) for nothing.

    y may be None where only X was given.

    Raises
    ------
    ValueError
        If `labeled` is no pair, or its parts differ in length.
    """
    if labeled is None:
        first = _first_member(learner)
        source = learner if getattr(learner, "X_training", None) is not None else first
        labeled = (getattr(source, "X_training", None), getattr(source, "y_training", None))
    elif not isinstance(labeled, tuple | list) or len(labeled) != 2:
        raise ValueError(f"labeled must be a pair (X, y) of what is labeled, got {type(labeled).__name__}")
    known, y = labeled
    if known is None or n_rows(known) == 0:
        return None, None
    if y is not None:
        y = np.asarray(y)
        if y.dtype == object and any(label is None for label in y.tolist()):
            raise ValueError("labels of what is labeled hold None: leave out the items without a label")
        if len(y) != n_rows(known):
            raise ValueError(f"labeled has {n_rows(known)} items and {len(y)} labels: they must match")
    return known, y


def blocks(n: int, bytes_each: int) -> Iterator[slice]:
    """Slices that cover `n` rows, each as long as fits a core's cache at `bytes_each` a row."""
    size = max(256, _BLOCK_BYTES // max(1, bytes_each))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def take(X: Any, rows: Any) -> Any:
    """Rows of `X` (array, CSR, DataFrame or list): a slice or an array of positions."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if isinstance(X, list | tuple):
        return X[rows] if isinstance(rows, slice) else [X[i] for i in rows]
    if hasattr(X, "tocsr") and getattr(X, "format", "csr") != "csr":
        X = X.tocsr()
    return X[rows]


def dense(values: Any) -> NDArray[Any]:
    """An array of what is one already, or sparse."""
    return values.toarray() if hasattr(values, "toarray") else np.asarray(values)


def _by_default(learner: Any, X: Any, known: Any, as_fitted: bool) -> tuple[Points, Points | None]:
    fitted = _transformers(learner)
    anew = None if as_fitted or fitted is None else _unfitted(fitted)
    refusals = []
    for way in (anew, fitted, _as_it_is):
        if way is None:
            continue
        try:
            return _represented(way, X, known)
        except _Misfit:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            refusals.append(error)  # transformers that need labels, texts without any, missing values
    raise NoGeometry(
        f"X ({type(X).__name__}) can't be turned into rows of finite numbers ({refusals[-1]}), and this "
        "strategy measures distances: pass representation= (a transformer, a function or an array with one "
        "row per item), or a learner that is a Pipeline with transformers"
    ) from refusals[-1]


def _represented(representation: Any, X: Any, known: Any) -> tuple[Points, Points | None]:
    """Points for `X` and `known`, by a transformer, a callable or aligned arrays."""
    if hasattr(representation, "transform"):
        rows, transform = _transformed(representation, X)
    elif callable(representation):
        rows, transform = representation(X), representation
    elif isinstance(representation, tuple):
        rows, aligned = representation
        if known is None or n_rows(aligned) != n_rows(known):
            raise _Misfit(
                f"representation has {n_rows(aligned)} rows for what is labeled, where there are "
                f"{0 if known is None else n_rows(known)}: they must be aligned"
            )
        known, transform = aligned, _as_it_is
    else:
        rows, known, transform = representation, None, _as_it_is
    points = _numbers(rows)
    if len(points) != n_rows(X):
        raise _Misfit(_misaligned(len(points), n_rows(X)))
    return points, None if known is None else _fitting(points, transform, known)


def _fitting(points: Points, transform: Any, known: Any) -> Points:
    """What is labeled, in the same form as `points`: dense or sparse."""
    try:
        found = _numbers(transform(known))
    except (TypeError, ValueError, AttributeError) as error:
        raise _Misfit(f"what is labeled can't be compared with X: {error}") from error
    width, wanted = found.rows.shape[1], points.rows.shape[1]
    if width != wanted:
        raise _Misfit(f"what is labeled has {width} columns and X has {wanted}: they must match")
    if found.is_sparse == points.is_sparse:
        return found
    return Points(type(points.rows)(found.rows) if points.is_sparse else dense(found.rows))


def _misaligned(found: int, n: int) -> str:
    return (
        f"representation gives {found} rows for {n} items: it needs one row per item of X, in the same order"
    )


def _as_it_is(X: Any) -> Any:
    return X


def _first_member(learner: Any) -> Any:
    members = learner if isinstance(learner, list | tuple) else getattr(learner, "learner_list", [learner])
    return members[0] if len(members) else None


def _transformers(learner: Any) -> Any:
    """What stands before the classifier in the learner's Pipeline, fitted or not, or None."""
    first = _first_member(learner)
    pipeline: Any = first if hasattr(first, "steps") else getattr(first, "estimator", None)
    return pipeline[:-1] if len(getattr(pipeline, "steps", ())) > 1 else None


def _transformed(transformer: Any, X: Any) -> tuple[Any, Any]:
    """The transformer's output for `X`, and its fitted `transform`; it is not changed itself."""
    from sklearn.base import BaseEstimator, clone
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if isinstance(transformer, BaseEstimator):
        try:
            check_is_fitted(transformer)
        except NotFittedError:
            own = clone(transformer)
            return own.fit_transform(X), own.transform
    return transformer.transform(X), transformer.transform


def _unfitted(transformers: Any) -> Any:
    from sklearn.base import clone

    return clone(transformers)


def _numbers(rows: Any) -> Points:
    """`rows` as a float array (n, d) or CSR; NoGeometry if they are no finite numbers."""
    import scipy.sparse as sp

    if sp.issparse(rows):
        rows = rows.tocsr()
        if not rows.has_canonical_format:
            rows = rows.copy()
            rows.sum_duplicates()
        rows = rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float64)
        if rows.indices.dtype != np.int32 and max(rows.nnz, *rows.shape) < np.iinfo(np.int32).max:
            rows = sp.csr_matrix(rows)  # scikit-learn's k-means takes no 64-bit positions
            rows.indices, rows.indptr = rows.indices.astype(np.int32), rows.indptr.astype(np.int32)
    else:
        rows = np.asarray(rows)
        single = rows.dtype in (np.float16, np.float32)
        rows = rows.astype(np.float32 if single else np.float64, copy=False)
        rows = rows.reshape(len(rows), -1)
    with np.errstate(over="ignore", invalid="ignore"):
        points = Points(rows)
    if not np.isfinite(points.squared_lengths).all():
        raise NoGeometry(
            "the representation holds NaN or infinity, or numbers so large that their squares are: "
            "distances need finite numbers (StandardScaler brings large ones down)"
        )
    return points


def _squared_lengths(rows: Any) -> NDArray[Any]:
    if hasattr(rows, "tocsr"):
        return np.asarray(rows.multiply(rows).sum(axis=1), dtype=rows.dtype).ravel()
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def _unit_rows(points: Points) -> Points:
    """Rows scaled to length 1; a row of zeros stays one."""
    from sklearn.preprocessing import normalize

    return Points(normalize(points.rows))
