"""How far people agree with each other beyond chance: Cohen's kappa for two, Fleiss' for many.

Pure functions on plain arrays. Kappa is (observed - expected) / (1 - expected) agreement; where all
answers are one class the expected agreement is 1 and the quotient is 0 / 0. Both functions then
return 1.0, because nobody disagreed; it means "no evidence of disagreement", not "reliable readers".
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from bootstrap.errors import InvalidInput

__all__ = ["cohen_kappa", "fleiss_kappa"]


def cohen_kappa(a: Iterable[Hashable], b: Iterable[Hashable]) -> float:
    """Agreement of two readers on the same items, corrected for chance.

    Wraps scikit-learn's `cohen_kappa_score` (imported on the first call), which is well kept, and
    adds what it leaves open: a value where every answer is one class (it returns NaN there), and
    classes of any hashable type.

    Parameters
    ----------
    a, b : iterable of hashable, shape (n_items,)
        The two readers' classes, item by item. Leave out items that either of them skipped.

    Returns
    -------
    float
        1 for identical answers (also if all are one class; see the module), 0 for agreement as by
        chance, down to -1.

    Raises
    ------
    InvalidInput
        If the lengths differ or there are no items.

    References
    ----------
    J. Cohen (1960), A coefficient of agreement for nominal scales, eq. 1.

    Examples
    --------
    >>> round(cohen_kappa(["cat", "cat", "dog", "dog"], ["cat", "dog", "dog", "dog"]), 3)
    0.5
    """
    first, second = list(a), list(b)
    if len(first) != len(second):
        raise InvalidInput(
            f"Cohen's kappa needs two answers for each item; found {len(first)} and {len(second)} "
            "answers. Pass only the items that both readers answered, in the same order."
        )
    if not first:
        raise InvalidInput("Cohen's kappa needs at least one item that both readers answered; found none.")
    codes: dict[Hashable, int] = {}
    coded = [[codes.setdefault(answer, len(codes)) for answer in reader] for reader in (first, second)]
    if len(codes) == 1:
        return 1.0
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(coded[0], coded[1]))


def fleiss_kappa(counts: npt.ArrayLike) -> float:
    """Agreement among several readers, corrected for chance; they may differ from item to item.

    Parameters
    ----------
    counts : array-like of int, shape (n_items, n_classes)
        How many readers put each item into each class. Every row has the same sum, at least 2.

    Returns
    -------
    float
        1 if all readers agree on every item (also if all answers are one class; see the module), 0
        for agreement as by chance; negative below that.

    Raises
    ------
    InvalidInput
        If `counts` is ragged, not a matrix, empty, has entries that are no counts, or rows with
        different sums or sums below 2.

    References
    ----------
    J. L. Fleiss (1971), Measuring nominal scale agreement among many raters, eq. 3-7.

    Examples
    --------
    >>> round(fleiss_kappa([[3, 0], [2, 1], [0, 3]]), 3)
    0.55
    """
    table = _count_matrix(counts)
    n_ratings = table[0].sum()
    observed = ((table * (table - 1)).sum(axis=1) / (n_ratings * (n_ratings - 1))).mean()
    shares = table.sum(axis=0) / table.sum()
    expected = (shares**2).sum()
    if np.count_nonzero(shares) == 1:
        return 1.0
    return float((observed - expected) / (1.0 - expected))


def _count_matrix(counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return `counts` as floats, checked."""
    try:
        table: npt.NDArray[np.float64] = np.asarray(counts, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "Fleiss' kappa needs a matrix of counts, a row for each item and a column for each class; "
            f"found rows of different lengths or entries that are no numbers ({error})."
        ) from None
    if table.ndim != 2 or table.size == 0:
        raise InvalidInput(
            "Fleiss' kappa needs a matrix of counts with at least one item and one class; "
            f"found shape {table.shape}."
        )
    whole = np.isfinite(table) & (table >= 0) & (table == np.floor(table))
    if not whole.all():
        row, column = (int(place) for place in np.argwhere(~whole)[0])
        raise InvalidInput(
            "Fleiss' kappa needs whole counts of 0 or more; "
            f"found {_short(table[row, column])} in row {row}, column {column}."
        )
    sums = table.sum(axis=1)
    odd = np.flatnonzero(sums != sums[0])
    if odd.size:
        raise InvalidInput(
            "Fleiss' kappa needs the same number of answers for every item; "
            f"found {_short(sums[0])} in row 0 and {_short(sums[odd[0]])} in row {int(odd[0])}. "
            "Leave out the items that some reader skipped."
        )
    if sums[0] < 2:
        raise InvalidInput(f"Fleiss' kappa needs at least 2 answers for each item; found {_short(sums[0])}.")
    return table


def _short(number: Any) -> str:
    """Return a count without its '.0'."""
    return f"{number:g}"
