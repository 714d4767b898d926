"""Strategies made of others' utilities: their weighted sum, or their product.

The strategies inside are asked for all items, so only those that score each item by itself can be composed:
what a greedy one says of an item depends on what it has picked before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from strategies.inner import as_strategy, by_batch, name_of, refuse_turned, scores
from strategies.selection import Picked, Rng, Strategy, as_count, as_rng, n_rows, top
from strategies.uncertainty import margin

__all__ = ["LinearCombination", "Product", "linear_combination", "product"]

#: What the utilities of margin are at least; all others that can be multiplied are 0 or more.
_MARGIN_FLOOR: Final = -1.0


@dataclass(frozen=True, slots=True)
class LinearCombination:
    """The weighted sum of the utilities of others; made by :func:`linear_combination`.

    Attributes
    ----------
    strategies : tuple of callable
    weights : tuple of float
        One for each.
    """

    strategies: tuple[Strategy, ...]
    weights: tuple[float, ...]

    def __call__(
        self,
        learner: Any,
        X: Any,
        n_instances: int = 1,
        *,
        rng: Rng = None,
        labeled: tuple[Any, Any] | None = None,
    ) -> Picked:
        """Pick the items of the largest sum.

        Raises
        ------
        TypeError, ValueError
            If an inner strategy does not return each item once, with a finite utility.
        """
        rng, count, n = as_rng(rng), as_count(n_instances), n_rows(X)
        utilities = np.zeros(n)
        for strategy, weight in zip(self.strategies, self.weights, strict=True):
            utilities += weight * scores(strategy, learner, X, rng, labeled)
        return top(utilities, count, rng)

    def __repr__(self) -> str:
        return f"linear_combination({_names(self.strategies)}, weights={_numbers(self.weights)})"


@dataclass(frozen=True, slots=True)
class Product:
    """The product of powers of the utilities of others; made by :func:`product`.

    Attributes
    ----------
    strategies : tuple of callable
    exponents : tuple of float
        One for each, 0 or more.
    floors : tuple of float
        What each one's utilities are at least; this much is taken from them first.
    """

    strategies: tuple[Strategy, ...]
    exponents: tuple[float, ...]
    floors: tuple[float, ...]

    def __call__(
        self,
        learner: Any,
        X: Any,
        n_instances: int = 1,
        *,
        rng: Rng = None,
        labeled: tuple[Any, Any] | None = None,
    ) -> Picked:
        """Pick the items of the largest product.

        Raises
        ------
        TypeError, ValueError
            If an inner strategy does not return each item once, with a finite utility at or above its floor.
        """
        rng, count, n = as_rng(rng), as_count(n_instances), n_rows(X)
        utilities = np.ones(n)
        for strategy, exponent, floor in zip(self.strategies, self.exponents, self.floors, strict=True):
            utilities *= _above(floor, scores(strategy, learner, X, rng, labeled), strategy) ** exponent
        return top(utilities, count, rng)

    def __repr__(self) -> str:
        names, exponents = _names(self.strategies), _numbers(self.exponents)
        return f"product({names}, exponents={exponents}, floors={_numbers(self.floors)})"


def linear_combination(
    *strategies: str | Strategy, weights: Sequence[float] | None = None
) -> LinearCombination:
    """Ask where the weighted sum of other strategies' utilities is largest.

    Utilities are taken as they are: mind their scales (margin is in [-1, 0], entropy in [0, log classes]).

    Parameters
    ----------
    *strategies : str or callable
        Names as in :func:`by_name`, or strategies that score each item by itself: those that look for
        uncertainty, disagreement or density, modAL's too. Not greedy ones (badge, k_center, ranked_batch and
        the like), wrappers such as `mixture`, or modAL's `margin_sampling`, whose smaller values are better.
    weights : sequence of float, optional
        One for each, finite, negative ones too; by default all 1.

    Returns
    -------
    LinearCombination
        A strategy; it can be pickled if those inside can.

    Raises
    ------
    TypeError, ValueError
        If a strategy is none, or none of those that can be combined; if the weights are not one finite number
        each, or all 0.

    Notes
    -----
    Paper: Danka & Horvath, "modAL: a modular active learning framework for Python", arXiv 1805.00979, 2018,
    `make_linear_combination`.

    Utility: ``sum_k weight_k u_k``.

    Cost: that of the strategies for all items.

    Memory: O(n), and that of the strategies.

    Not when: the scales of the utilities differ and no weight makes up for it: try `product`.

    Examples
    --------
    >>> linear_combination("margin", "information_density", weights=(1, 0.5))
    linear_combination(margin, information_density, weights=(1, 0.5))
    """
    found = _combinable(strategies)
    weights_found = _one_each("weights", weights, len(found), 1.0)
    if not any(weights_found):
        raise ValueError("weights are all 0, and so would be every utility")
    return LinearCombination(found, weights_found)


def product(
    *strategies: str | Strategy,
    exponents: Sequence[float] | None = None,
    floors: Sequence[float] | None = None,
) -> Product:
    """Ask where the product of other strategies' utilities is largest.

    An item has to be good by each of them. Utilities below 0 would turn the order (the product of two bad
    ones is a good one), so each has a floor that is taken from it first: -1 for margin, which makes it
    1 - (gap between the top two), and 0 for others. A utility below its floor is refused.

    Parameters
    ----------
    *strategies : str or callable
        As in :func:`linear_combination`.
    exponents : sequence of float, optional
        One for each, 0 or more; by default all 1.
    floors : sequence of float, optional
        What each one's utilities are at least.

    Returns
    -------
    Product
        A strategy; it can be pickled if those inside can.

    Raises
    ------
    TypeError, ValueError
        If a strategy is none, or none of those that can be combined; if exponents or floors are not one
        finite number each; if an exponent is negative, or all are 0.

    Notes
    -----
    Paper: Danka & Horvath, "modAL: a modular active learning framework for Python", arXiv 1805.00979, 2018,
    `make_product`; with floors, which it lacks.

    Utility: ``prod_k (u_k - floor_k) ^ exponent_k``.

    Cost: that of the strategies for all items.

    Memory: O(n), and that of the strategies.

    Not when: one of the utilities is 0 for most items: nothing else decides among those then.

    Examples
    --------
    >>> product("margin", "information_density", exponents=(1, 2))
    product(margin, information_density, exponents=(1, 2), floors=(-1, 0))
    """
    found = _combinable(strategies)
    powers = _one_each("exponents", exponents, len(found), 1.0)
    if min(powers) < 0 or not any(powers):
        raise ValueError(f"exponents must be 0 or more, and one of them above 0, got {powers}")
    usual = tuple(_MARGIN_FLOOR if strategy is margin else 0.0 for strategy in found)
    lowest = usual if floors is None else _one_each("floors", floors, len(found), 0.0)
    return Product(found, powers, lowest)


def _combinable(strategies: tuple[Any, ...]) -> tuple[Strategy, ...]:
    if not strategies:
        raise TypeError("pass at least one strategy")
    found = tuple(as_strategy(strategy) for strategy in strategies)
    for strategy in found:
        refuse_turned(strategy)
        if by_batch(strategy):
            raise ValueError(
                f"{name_of(strategy)} gives an item the utility of its turn, which depends on what was "
                "picked before, so it can't be combined with others: combine strategies that score each item "
                "by itself, and wrap the whole in mixture or class_balanced"
            )
    return found


def _one_each(name: str, values: Any, n: int, default: float) -> tuple[float, ...]:
    if values is None:
        return (default,) * n
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise TypeError(f"{name} must be a sequence of numbers, one for each strategy, got {values!r}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{name} must be numbers, got {value!r}")
    found = tuple(float(value) for value in values)
    if len(found) != n or not np.isfinite(found).all():
        raise ValueError(f"{name} must be {n} finite numbers, one for each strategy, got {found}")
    return found


def _above(floor: float, utilities: NDArray[np.float64], strategy: Strategy) -> NDArray[np.float64]:
    """Utilities less their floor, 0 or more; rounding errors below it are forgiven."""
    above = utilities - floor
    least = above.min(initial=0.0)
    if least < -1e-9:
        raise ValueError(
            f"utilities of {name_of(strategy)} go down to {least + floor:.4g}, below their floor of "
            f"{floor:g}, and a product of negative numbers would turn their order: pass floors= with what "
            "they are at least, or use linear_combination"
        )
    return np.asarray(np.maximum(above, 0.0))


def _names(strategies: tuple[Strategy, ...]) -> str:
    return ", ".join(map(name_of, strategies))


def _numbers(values: tuple[float, ...]) -> str:
    return f"({', '.join(f'{value:g}' for value in values)}{',' if len(values) == 1 else ''})"
