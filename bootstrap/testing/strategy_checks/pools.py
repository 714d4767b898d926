"""What pools are like: equal rows, missing values, sparse, tables, texts, other types of numbers."""

from __future__ import annotations

from typing import Any, Final

import joblib
import numpy as np

from bootstrap.testing.strategy_checks.case import (
    N_ITEMS,
    Case,
    Check,
    Finding,
    expect_items,
    expect_same,
    labeled_rows,
    pool,
    table,
    texts,
    wide_rows,
)

__all__ = ["CHECKS"]

#: Items in the check of equal rows (odd, so that no block size divides them), and unlike ones of them.
_REPEATED, _DISTINCT = 1999, 50


def constant_features(case: Case) -> None:
    """Items that are all equal to the learner are picked like any others."""
    learner = case.learner()
    for same, what in ((np.ones((20, 3)), "20 equal items"), (np.zeros((20, 3)), "20 items of zeros only")):
        expect_items(case.ask(learner, same, 6, rng=0), 6, 20, what)
        expect_items(case.ask(learner, same, 20, rng=0), 20, 20, what)


def duplicated_rows(case: Case) -> None:
    """Where rows repeat, positions still don't."""
    learner, twice = case.learner(), np.repeat(pool(8), 4, axis=0)
    for n_instances in (3, 12, 31, 32):
        expect_items(case.ask(learner, twice, n_instances, rng=0), n_instances, 32, "8 items, 4 times each")
    known = (twice[:8], np.arange(8) % 3)
    answer = case.ask(learner, twice, 12, rng=0, labeled=known)
    expect_items(answer, 12, 32, "8 items, 4 times each, two of which are labeled")


def equal_rows(case: Case) -> None:
    """Equal rows have equal utilities, to the last digit, wherever in a large pool they stand.

    A product of matrices rounds the rows at the end of a block otherwise than those within, and two
    threads share out the blocks otherwise than one; by its last digit a position would win every tie.
    Utilities of equal rows may differ by more than rounding: where items are compared with those
    picked before, the second of them adds nothing. Left out with `chance=True` and `in_turn=True`.
    """
    from threadpoolctl import threadpool_limits

    learner, rows = case.learner("wide"), wide_rows(_DISTINCT, seed=5)
    row = np.arange(_REPEATED) % _DISTINCT
    options = {"labeled": (wide_rows(12, seed=6), np.arange(12) % 3)} if case.needs_labels else {}
    for limit in (1, 2):
        with threadpool_limits(limits=limit):
            indices, utilities = case.ask(learner, rows[row], _REPEATED, rng=0, **options)
        order = np.lexsort((utilities, row[indices]))
        sorted_rows, values = row[indices][order], utilities[order]
        gaps = np.where(np.diff(sorted_rows) == 0, np.diff(values), 0.0)
        rounding = (gaps > 0) & (gaps <= 1e-9 * np.maximum(1.0, np.abs(values[1:])))
        if rounding.any():
            at = int(np.argmax(rounding))
            raise Finding(
                f"of {_REPEATED} items equal rows have the utilities {float(values[at])} and "
                f"{float(values[at + 1])} "
                f"(threads: {limit})",
                "Round utilities to some 12 digits before they are compared",
            )


def missing_values(case: Case) -> None:
    """NaN and infinity in the features are refused with a ValueError, where the learner can't use them.

    With `takes_nan=True`: they have an answer like any other.
    """
    learner = case.learner()
    for bad in (np.nan, np.inf):
        X = pool()
        X[40, 1] = bad
        if case.takes_nan:
            expect_items(case.ask(learner, X, 13, rng=0), 13, N_ITEMS, f"items with {bad}")
            continue
        try:
            indices, _ = case.ask(learner, X, 13, rng=0)
        except ValueError:
            continue
        raise Finding(
            f"with {bad} in a feature it picked {indices.tolist()}",
            "Refuse what can't be compared (strategies.top refuses NaN), or say takes_nan=True if it is no "
            "trouble",
        )


def number_types(case: Case) -> None:
    """Features as float32, float16 and int give the picks that the same numbers give as float64."""
    learner = case.learner()
    for dtype in (np.float32, np.float16, np.int64):
        X = (100 * pool()).astype(dtype) if dtype is np.int64 else pool().astype(dtype)
        wide = case.ask(learner, X.astype(np.float64), 11, rng=0)
        narrow = case.ask(learner, X, 11, rng=0)
        expect_items(narrow, 11, N_ITEMS, f"items of {X.dtype}")
        if not np.array_equal(wide[0], narrow[0]):
            raise Finding(
                f"the picks are {narrow[0].tolist()} as {X.dtype} and {wide[0].tolist()} as float64",
                "Compute in float64 where the order is decided",
            )


def sparse_rows(case: Case) -> None:
    """CSR gives the same answer as dense features."""
    import scipy.sparse as sp

    learner, X, (known, y) = case.learner(), pool(), labeled_rows()
    for rows in (X, known):
        rows[np.arange(len(rows)), np.arange(len(rows)) // 3 % 3] = 0.0  # no two rows alike
    for options in ({}, {"labeled": (known, y)}):
        dense = case.ask(learner, X, 10, rng=0, **options)
        for kind in (sp.csr_matrix, sp.csr_array):
            if options:
                options = {"labeled": (kind(known), y)}
            compressed = case.ask(learner, kind(X), 10, rng=0, **options)
            expect_same(
                dense, compressed, f"an array and {kind.__name__}", "Take rows with strategies' own functions"
            )


def tables(case: Case) -> None:
    """A DataFrame gives the same answer as its values, whatever its index says."""
    X, (known, y) = pool(), labeled_rows()
    for options, as_table in (({}, {}), ({"labeled": (known, y)}, {"labeled": (table(known), y)})):
        plain = case.ask(case.learner(), X, 8, rng=0, **options)
        named = case.ask(case.learner("table"), table(X), 8, rng=0, **as_table)
        remedy = "Take rows by position (.iloc), and give the learner the table with its names"
        expect_same(plain, named, "an array and a DataFrame", remedy)


def lists_of_texts(case: Case) -> None:
    """Texts are picked through the Pipeline that the learner is, from a list as from an array."""
    learner, n = case.learner("texts"), 30
    documents = texts(n)
    for options in ({}, {"labeled": (texts(12, seed=3), np.arange(12) % 3)}):
        listed = case.ask(learner, documents, 5, rng=0, **options)
        expect_items(listed, 5, n, "a list of texts")
        as_array = case.ask(learner, np.array(documents, dtype=object), 5, rng=0, **options)
        expect_same(listed, as_array, "a list of texts and an array of them", "Take rows by position")


def read_only_rows(case: Case) -> None:
    """Features that can't be written to will do, as in joblib's workers and memory maps."""
    import scipy.sparse as sp

    learner, X, (known, y) = case.learner(), pool(), labeled_rows()
    for array in (X, known, y):
        array.setflags(write=False)
    expect_items(case.ask(learner, X, 14, rng=0, labeled=(known, y)), 14, N_ITEMS, "a read-only array")
    compressed = sp.csr_matrix(X)
    for array in (compressed.data, compressed.indices, compressed.indptr):
        array.setflags(write=False)
    expect_items(case.ask(learner, compressed, 14, rng=0), 14, N_ITEMS, "read-only CSR")


def nothing_changed(case: Case) -> None:
    """Learner, pool and what is labeled are afterwards what they were."""
    import scipy.sparse as sp

    known, y = labeled_rows()
    forms: tuple[tuple[Any, Any, Any], ...] = (
        (case.learner(), pool(), known),
        (case.learner(), sp.csr_matrix(pool()), sp.csr_matrix(known)),
        (case.learner("table"), table(pool()), table(known)),
    )
    for learner, X, rows in forms:
        things = {"the learner": learner, "X": X, "labeled": (rows, y)}
        before = {name: _state(thing) for name, thing in things.items()}
        case.ask(learner, X, 5, rng=0, labeled=(rows, y))
        for name, thing in things.items():
            if _state(thing) != before[name]:
                raise Finding(
                    f"{name} is another one after asking ({type(X).__name__})",
                    "Work on a copy: sklearn.base.clone, numpy.array",
                )


def representations(case: Case) -> None:
    """`representation=` takes an array (or a pair, for what is labeled), a function or a transformer.

    One row per item. Only where the strategy has that option.
    """
    from sklearn.preprocessing import FunctionTransformer

    def turn(rows: Any) -> Any:
        return rows @ np.array([[0.0, 2.0, 0.0], [-2.0, 0.0, 0.0], [0.0, 0.0, 0.5]])

    learner, X, labeled = case.learner(), pool(), labeled_rows()
    aligned = (turn(X), turn(labeled[0]))
    expected = case.ask(learner, X, 6, rng=0, labeled=labeled, representation=aligned)
    expect_items(expected, 6, N_ITEMS, "items with a representation")
    for other in (turn, FunctionTransformer(turn)):
        found = case.ask(learner, X, 6, rng=0, labeled=labeled, representation=other)
        expect_same(
            expected, found, f"a pair of arrays and a {type(other).__name__}", "Use strategies.geometry"
        )
    if not case.needs_labels:
        alone = case.ask(learner, X, 6, rng=0, representation=turn(X))
        without = case.ask(learner, X, 6, rng=0, representation=turn)
        expect_same(alone, without, "an array and a function", "Use strategies.geometry")
    try:
        case.ask(learner, X, 6, rng=0, labeled=labeled, representation=(aligned[0][:-1], aligned[1]))
    except ValueError:
        return
    raise Finding(
        "an array with a row too few was taken",
        "Refuse a representation that has not one row per item, with a ValueError",
    )


def _state(thing: Any) -> Any:
    """A hash of all that it holds; of CSR without its notes on itself (whether indices are sorted)."""
    if hasattr(thing, "indptr"):
        return joblib.hash((thing.data, thing.indices, thing.indptr))
    return [_state(part) for part in thing] if isinstance(thing, tuple) else joblib.hash(thing)


CHECKS: Final[tuple[Check, ...]] = (
    Check(constant_features),
    Check(duplicated_rows),
    Check(equal_rows, lambda case: not (case.chance or case.in_turn)),
    Check(missing_values),
    Check(number_types),
    Check(sparse_rows),
    Check(tables),
    Check(lists_of_texts),
    Check(read_only_rows),
    Check(nothing_changed),
    Check(representations, lambda case: case.takes("representation")),
)
