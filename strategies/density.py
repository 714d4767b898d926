"""Where the items are dense: information density, alone and as a weight on uncertainty.

Density is the mean similarity to the pool: to all of it while that is feasible, else to some of it drawn at
random (:mod:`strategies.pairs`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from strategies.geometry import Metric, Points, geometry
from strategies.pairs import drawn, mean_over_pairs
from strategies.scoring import Score, pool_scores
from strategies.selection import Picked, Rng, as_count, as_rng, n_rows, top
from strategies.uncertainty import entropy_utilities, least_confident_utilities, margin_utilities

__all__ = [
    "Uncertainty",
    "density_utilities",
    "density_weighted",
    "density_weighted_utilities",
    "information_density",
]

Uncertainty: TypeAlias = Literal["margin", "entropy", "least_confident"]

#: Pools up to this size, and those of which one in so many is wanted, are computed in float64 straight away.
_SMALL: Final = 2048
_SHARE: Final = 4
#: float32 is used where so many items show no larger relative error of density than this.
_CHECKED: Final = 64
_TOLERANCE: Final = 2e-5

#: From densities, and the positions of the items they belong to, to utilities.
_Weigh: TypeAlias = Callable[[NDArray[np.float64], Any], NDArray[np.float64]]

_SCORES: Final[dict[str, Score]] = {
    "margin": lambda proba: 1.0 + margin_utilities(proba),
    "entropy": entropy_utilities,
    "least_confident": least_confident_utilities,
}


def density_utilities(
    points: Points,
    references: Points | None = None,
    *,
    metric: Metric = "euclidean",
    dtype: Any = np.float64,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """Mean of 1 / (1 + distance) over all points, or over `references`; of shape (n,), in (0, 1].

    The parameters are those of :func:`strategies.pairs.mean_over_pairs`.
    """

    def similarities(distances: NDArray[Any]) -> None:
        distances += 1.0
        np.divide(1.0, distances, out=distances)

    return mean_over_pairs(points, references, similarities, metric=metric, dtype=dtype, n_jobs=n_jobs)


def density_weighted_utilities(
    uncertainty: NDArray[np.float64], density: NDArray[np.float64], beta: float = 1.0
) -> NDArray[np.float64]:
    """`uncertainty` times `density` to the power `beta`, both of shape (n,) and not negative."""
    return np.asarray(uncertainty * density**beta)


def information_density(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    representation: Any = None,
    metric: Metric = "euclidean",
    n_references: int | None = None,
    n_jobs: int | None = None,
) -> Picked:
    """Pick where items are dense: those most similar to all others on average.

    Parameters
    ----------
    learner : object or None
        Looked at for a Pipeline only; need not be fitted.
    X : array, CSR, DataFrame or list
        The items to pick from.
    n_instances : int
        How many to pick.
    rng : None, int or Generator
        Breaks ties, and draws the reference items.
    labeled : (X, y), optional
        Not used (but a pair as `representation` has to be aligned with it).
    representation : transformer, callable or array, optional
        Where distances are measured, as in :func:`strategies.geometry.geometry`.
    metric : "euclidean" or "cosine"
        Cosine distance is 1 - cosine.
    n_references : int, optional
        Each item is compared with so many others drawn at random. Default: with all items in pools of up
        to 100,000, with 2,000 in larger ones.
    n_jobs : int, optional
        Threads, as in joblib; the picks do not depend on it.

    Returns
    -------
    indices, utilities : ndarray
        Densest first.

    Raises
    ------
    TypeError, ValueError
        For options out of range, or items that can't be turned into finite numbers, one row each.

    Notes
    -----
    Paper: Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks", EMNLP
    2008, section 3.4 (its density term), with the similarity that modAL uses.

    Utility: mean over all items x_j of 1 / (1 + distance(x, x_j)), in (0, 1], itself included. With r
    references its standard error is s / sqrt(r), s being the standard deviation of the similarities (at
    most 0.5, so at most 0.011 for 2,000; mostly below 1 % of the value); all items share the references.

    Cost: O(n² d) for n items of d features, half of it saved by symmetry; with r references O(n r d). In
    float32 where that is seen to do, and float64 for those that may be among the best.

    Memory: about 4 MB a thread and 150 bytes for each item (with references 70 bytes).

    Not when: a model exists (it does not look at it: use `density_weighted`), or a batch should be diverse:
    the densest items lie side by side.
    """
    rng = as_rng(rng)
    count = as_count(n_instances)
    _check_references(n_references)
    if min(count, n_rows(X)) == 0:
        return top(np.zeros(n_rows(X)), 0, rng)
    points, _ = geometry(learner, X, labeled, representation, metric)
    references = drawn(points, n_references, rng)

    def weigh(density: NDArray[np.float64], items: Any) -> NDArray[np.float64]:
        return density

    return _best(points, references, count, rng, weigh, 1.0, metric=metric, n_jobs=n_jobs)


def density_weighted(
    learner: Any,
    X: Any,
    n_instances: int = 1,
    *,
    rng: Rng = None,
    labeled: tuple[Any, Any] | None = None,
    beta: float = 1.0,
    uncertainty: Uncertainty = "margin",
    representation: Any = None,
    metric: Metric = "euclidean",
    n_references: int | None = None,
    n_jobs: int | None = None,
) -> Picked:
    """Ask where the model is uncertain and items are dense, so that outliers are not asked about.

    Parameters
    ----------
    learner : object
        Fitted, as in :func:`strategies.margin`.
    X, n_instances, rng, labeled, representation, metric, n_references, n_jobs
        As in :func:`information_density`.
    beta : float
        How much density counts, 0 or more; 0 is uncertainty alone.
    uncertainty : "margin", "entropy" or "least_confident"
        Margin counts as 1 minus the difference of the two highest probabilities.

    Returns
    -------
    indices, utilities : ndarray
        Most useful first.

    Raises
    ------
    TypeError, ValueError
        For options out of range, or items that can't be turned into finite numbers, one row each.

    Notes
    -----
    Paper: Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks", EMNLP
    2008, section 3.4.

    Utility: uncertainty(x) * density(x)^beta, density as in `information_density`; 0 or more.

    Cost: that of `information_density`, O(n² d) up to 100,000 items, plus one prediction of the pool.

    Memory: that of `information_density`, plus n class probabilities.

    Not when: rare classes matter, which lie where items are sparse; or in each round of a loop over a large
    pool without `n_references`, since density is computed anew each time.
    """
    rng = as_rng(rng)
    count = as_count(n_instances)
    _check_references(n_references)
    _check_weights(beta, uncertainty)
    if min(count, n_rows(X)) == 0:
        return top(np.zeros(n_rows(X)), 0, rng)
    uncertain = pool_scores(_SCORES[uncertainty], learner, X)
    points, _ = geometry(learner, X, labeled, representation, metric)
    references = drawn(points, n_references, rng)

    def weigh(density: NDArray[np.float64], items: Any) -> NDArray[np.float64]:
        return density_weighted_utilities(uncertain[items], density, beta)

    return _best(points, references, count, rng, weigh, beta, metric=metric, n_jobs=n_jobs)


def _best(
    points: Points,
    references: Points | None,
    count: int,
    rng: np.random.Generator,
    weigh: _Weigh,
    beta: float,
    **how: Any,
) -> Picked:
    """The `count` items of highest `weigh(density, items)`, which goes with the power `beta` of density.

    Among all pairs float32 only finds those items that may be among the best; float64 decides.
    """
    n = len(points)
    single = n > _SMALL and _single_is_enough(points, references, **how)
    if references is not None or not single or _SHARE * count >= n:
        dtype = np.float32 if references is not None and single else np.float64
        return top(weigh(density_utilities(points, references, dtype=dtype, **how), slice(None)), count, rng)
    rough = weigh(density_utilities(points, dtype=np.float32, **how), slice(None))
    least = np.partition(rough, n - count)[n - count]
    items = np.flatnonzero(rough >= least * (1.0 - 10.0 * _TOLERANCE * beta))
    if _SHARE * len(items) >= n:
        return top(weigh(density_utilities(points, **how), slice(None)), count, rng)
    indices, utilities = top(weigh(density_utilities(points.only(items), points, **how), items), count, rng)
    return items[indices], utilities


def _single_is_enough(points: Points, references: Points | None, **how: Any) -> bool:
    """Whether float32 gives some of the items the density that float64 gives them."""
    some = points.only(slice(None, None, -(-len(points) // _CHECKED)))
    others = points if references is None else references
    with np.errstate(over="ignore", invalid="ignore"):
        rough = density_utilities(some, others, dtype=np.float32, **how)
        return bool(np.allclose(rough, density_utilities(some, others, **how), rtol=_TOLERANCE, atol=0.0))


def _check_references(n_references: Any) -> None:
    if n_references is None:
        return
    if isinstance(n_references, bool) or not isinstance(n_references, int | np.integer):
        raise TypeError(f"n_references must be None or a whole number, got {n_references!r}")
    if n_references < 1:
        raise ValueError(f"n_references must be 1 or more, got {n_references}")


def _check_weights(beta: Any, uncertainty: Any) -> None:
    if isinstance(beta, bool) or not isinstance(beta, int | float | np.integer | np.floating):
        raise TypeError(f"beta must be a number, got {beta!r}")
    if not 0 <= beta < np.inf:
        raise ValueError(f"beta must be 0 or more and finite, got {beta}")
    if uncertainty not in _SCORES:
        raise ValueError(f"uncertainty must be one of {', '.join(_SCORES)}, got {uncertainty!r}")
