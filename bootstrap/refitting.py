"""The same model once more: how one is fitted again from a store, and how it shows that it is the same.

Nothing is unpickled. A model is its estimator, the rows it was trained on and their labels; fitted again, it
has to predict what it predicted, for some fixed items, to within 1e-6. Where it does not, it is another
model, and whatever was proved about the first one does not hold for it.
"""

from __future__ import annotations

import platform
import re
from functools import cache
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from bootstrap.model import Model
from bootstrap.pool import Pool

__all__ = [
    "N_FIXED",
    "TOLERANCE",
    "changed_packages",
    "described",
    "difference",
    "fingerprint",
    "packages_in_use",
]

#: Items that a fingerprint is of.
N_FIXED = 200

#: Probabilities that differ by more are another model's.
TOLERANCE = 1e-6

_PACKAGES = ("bootstrap-labels", "modAL-python", "numpy", "scikit-learn", "scipy")


def described(model: Model) -> str:
    """What its estimator is called: the same in every process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(model.originals))


def fingerprint(model: Model, pool: Pool) -> NDArray[np.float64]:
    """Row, then its probabilities, for rows that are fixed by it: an array (n, 1 + K)."""
    rows, probabilities = model.spread(pool, N_FIXED)
    return np.column_stack([rows.astype(float), probabilities])


def difference(model: Model, pool: Pool, stored: NDArray[np.float64], erased: frozenset[int]) -> float:
    """By how much the model differs from a stored fingerprint: the largest difference of a probability.

    Items that were erased since can't be compared. Infinite where the classes are others.
    """
    rows = stored[:, 0].astype(np.intp)
    kept = np.array([row not in erased for row in rows.tolist()], dtype=bool)
    if not kept.any():
        return np.inf
    found = model.probabilities(pool, rows[kept])
    if found.shape[1] != stored.shape[1] - 1:
        return np.inf
    return float(np.abs(found - stored[kept, 1:]).max())


@cache
def packages_in_use() -> dict[str, str]:
    """Versions of what a model's numbers may depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # run from its source, without being installed
            found[name] = "unknown"
    return found


def changed_packages(before: dict[str, str]) -> str:
    """What is installed in another version now, in words."""
    now = packages_in_use()
    changed = [
        f"{name} {before[name]} then, {now.get(name)} now" for name in before if now.get(name) != before[name]
    ]
    return "; ".join(changed) or "the same versions of everything are installed"
