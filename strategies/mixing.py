"""Mixing chance into a strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.inner import as_strategy, ask, name_of
from strategies.selection import Picked, Rng, Strategy, as_count, as_rng, n_rows

__all__ = ["Mixture", "mixture"]


@dataclass(frozen=True, slots=True)
class Mixture:
    """A strategy with chance mixed in; made by :func:`mixture`.

    Attributes
    ----------
    strategy : callable
        What fills the slots that chance does not.
    epsilon : float
        Share of random slots, in [0, 1].
    """

    strategy: Strategy
    epsilon: float

    def __call__(
        self,
        learner: Any,
        X: Any,
        n_instances: int = 1,
        *,
        rng: Rng = None,
        labeled: tuple[Any, Any] | None = None,
    ) -> Picked:
        """Pick items; the strategy is not called where chance fills all slots (utilities are 0 then).

        The random items are drawn from all of `X`, whatever the strategy thinks of them. Each carries
        the utility of the strategy's item that would have had its slot.

        Raises
        ------
        TypeError, ValueError
            If the inner strategy does not return as many indices and utilities as it was asked for.
        """
        rng = as_rng(rng)
        n = n_rows(X)
        count = min(as_count(n_instances), n)
        by_chance = rng.random(count) < self.epsilon
        drawn = rng.choice(n, by_chance.sum(), replace=False)
        if by_chance.all():
            return drawn.astype(np.intp), np.zeros(count)
        wanted, utilities = ask(self.strategy, learner, X, count, rng, labeled)
        free = ~np.isin(wanted, drawn)
        return _fill(by_chance, drawn, wanted[free], utilities[free])

    def __repr__(self) -> str:
        return f"mixture({name_of(self.strategy)}, epsilon={self.epsilon:g})"


def _fill(
    by_chance: NDArray[np.bool_],
    drawn: NDArray[np.intp],
    wanted: NDArray[np.intp],
    utilities: NDArray[np.float64],
) -> Picked:
    """Put `drawn` into the slots marked by chance and the best of `wanted` into the others, in order."""
    before = np.concatenate([[0], np.cumsum(~by_chance)[:-1]])  # of `wanted`, used up before each slot
    indices = np.empty(len(by_chance), dtype=np.intp)
    indices[by_chance] = drawn
    indices[~by_chance] = wanted[before[~by_chance]]
    return indices, utilities[np.minimum(before, len(utilities) - 1)]


def mixture(strategy: str | Strategy, epsilon: float = 0.1) -> Mixture:
    """Ask as another strategy does, with each slot of the batch drawn at random with probability `epsilon`.

    Chance keeps a strategy from never looking at a part of the pool that its model is wrongly sure of.

    Parameters
    ----------
    strategy : str or callable
        A name as in :func:`by_name`, or any strategy; modAL's functions too.
    epsilon : float
        In [0, 1].

    Returns
    -------
    Mixture
        A strategy; it can be pickled if `strategy` can.

    Raises
    ------
    TypeError, ValueError
        If `strategy` is not callable, its name is unknown, or `epsilon` is not a number in [0, 1].

    Notes
    -----
    Paper: epsilon-greedy, as in Sutton & Barto, "Reinforcement learning: an introduction", 2nd edition, MIT
    Press 2018, section 2.2, for each slot of a batch.

    Utility: that of the strategy's item that would have had the slot.

    Cost: that of the strategy for the same batch, and O(n).

    Memory: O(n).

    Not when: every label counts and the strategy's blind spots are known to be few: a share of epsilon is
    spent as at random.

    Examples
    --------
    >>> mixture("margin", epsilon=0.2)
    mixture(margin, epsilon=0.2)
    """
    inner = as_strategy(strategy)
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float | np.integer | np.floating):
        raise TypeError(f"epsilon must be a number in [0, 1], got {epsilon!r}")
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"epsilon must be in [0, 1], got {epsilon}: it is the share of random slots")
    return Mixture(inner, float(epsilon))
