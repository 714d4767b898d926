"""The baseline: picking at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from strategies.selection import Picked, Rng, n_rows, top

__all__ = ["random_sampling"]


def random_sampling(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
) -> Picked:
    """Pick at random, each item as likely as any other: the baseline for every other strategy.

    Parameters
    ----------
    learner : object
        Not used; None will do.
    X : array, CSR, DataFrame or list
        The items to pick from.
    n_instances : int
        How many to pick.
    rng : None, int or Generator
        Decides everything.
    labeled : (X, y), optional
        Not used.

    Returns
    -------
    indices, utilities : ndarray
        Utilities are all 0.

    Notes
    -----
    Paper: Lewis & Gale, "A sequential algorithm for training text classifiers" (SIGIR 1994), section 4: the
    baseline that every strategy is held against.

    Utility: 0 for every item.

    Cost: O(n).

    Memory: O(n).

    Not when: labels are dear: most other strategies need fewer. It is what an audit uses, and what a strategy
    has to beat on your data.
    """
    return top(np.zeros(n_rows(X)), n_instances, rng)
