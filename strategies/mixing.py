"""Mixing chance into a strategy."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strategies.catalogue import by_name
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
        wanted, utilities = self._ask(learner, X, count, rng, labeled)
        free = ~np.isin(wanted, drawn)
        return _fill(by_chance, drawn, wanted[free], utilities[free])

    def _ask(
        self, learner: Any, X: Any, count: int, rng: np.random.Generator, labeled: Any
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        # modAL's own functions take neither option, and hand unknown ones on to predict_proba.
        taken = inspect.signature(self.strategy).parameters
        options: dict[str, Any] = {k: v for k, v in (("rng", rng), ("labeled", labeled)) if k in taken}
        answer = self.strategy(learner, X, n_instances=count, **options)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TypeError(
                f"{_name(self.strategy)} returned {type(answer).__name__}: a strategy returns a pair "
                "(indices, utilities)"
            )
        indices, utilities = np.asarray(answer[0], dtype=np.intp), np.asarray(answer[1], dtype=np.float64)
        if indices.shape != (count,) or utilities.shape != (count,):
            raise ValueError(
                f"{_name(self.strategy)} was asked for {count} items and returned indices of shape "
                f"{indices.shape} with utilities of shape {utilities.shape}"
            )
        return indices, utilities

    def __repr__(self) -> str:
        return f"mixture({_name(self.strategy)}, epsilon={self.epsilon:g})"


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
    """A strategy in which each slot of the batch is drawn at random with probability `epsilon`.

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

    Examples
    --------
    >>> mixture("margin", epsilon=0.2)
    mixture(margin, epsilon=0.2)
    """
    if isinstance(strategy, str):
        strategy = by_name(strategy)
    if not callable(strategy):
        raise TypeError(f"strategy must be a name or a function, got {type(strategy).__name__}")
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float | np.integer | np.floating):
        raise TypeError(f"epsilon must be a number in [0, 1], got {epsilon!r}")
    if not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"epsilon must be in [0, 1], got {epsilon}: it is the share of random slots")
    return Mixture(strategy, float(epsilon))


def _name(strategy: Any) -> str:
    return str(getattr(strategy, "__name__", None) or repr(strategy))
