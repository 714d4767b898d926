"""Where the error may be after more training: a curve drawn on, with an honest warning about its interval.

Errors are taken to follow ``a + b n^-c`` in the number of trained labels n (Cortes et al. 1994, "Learning
curves: asymptotic values and rate of convergence"), with a, b and c not negative, so that the curve never
rises. The outcomes of every round are drawn anew and the curve is fitted again, many times over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from bootstrap.errors import InvalidInput
from bootstrap.measuring.outcomes import Floats

__all__ = ["Forecast", "forecast_error"]

#: Exponents that are tried: from nearly flat to steeper than learning curves are.
_EXPONENTS: Final = np.linspace(0.05, 2.0, 40)

#: Three parameters need at least three different numbers of labels.
_FEWEST_ROUNDS: Final = 3

#: Ends and middle of a nominal 90 % interval.
_LEVELS: Final = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """The model's error after more training, by a fitted learning curve: a planning aid, never evidence.

    Take the interval with salt. It is a nominal 90 % one; on real learning curves such intervals held the
    later error in only 67-75 % of the cases, mostly because they were too pessimistic. About 15 % of
    learning curves are ill-behaved (they rise, or fall in steps), and this one can't.

    Attributes
    ----------
    at : array of float
        Numbers of trained labels that the forecast is for. Shape (m,), like all arrays here.
    low, median, high : array of float
        Error rate at each of them, in [0, 1]: 5 %, 50 % and 95 % quantiles over the fitted curves.
    n_rounds : int
        Measured rounds that the curves were fitted to.
    """

    at: Floats
    low: Floats
    median: Floats
    high: Floats
    n_rounds: int

    def __str__(self) -> str:
        points = "; ".join(
            f"{100 * error:.1f} % ({100 * low:.1f} to {100 * high:.1f} %) at {n:,.0f} trained labels"
            for n, low, error, high in zip(self.at, self.low, self.median, self.high, strict=True)
        )
        return (
            f"A forecast, not evidence: the error may be {points}. Drawn on from {self.n_rounds} rounds. "
            "Intervals of this kind, nominally 90 %, covered only 67-75 % in practice and were mostly too "
            "pessimistic; about 15 % of learning curves are ill-behaved."
        )

    def to_dict(self) -> dict[str, Any]:
        """The forecast as plain types, ready for JSON."""
        return {
            "kind": "forecast, not evidence",
            "at": self.at.tolist(),
            "low": self.low.tolist(),
            "median": self.median.tolist(),
            "high": self.high.tolist(),
            "n_rounds": self.n_rounds,
        }


def forecast_error(
    n_trained: ArrayLike,
    errors: ArrayLike,
    at: ArrayLike,
    *,
    n_audited: ArrayLike,
    rng: np.random.Generator,
    resamplings: int = 200,
) -> Forecast | None:
    """Draw the learning curve on to `at` trained labels: a planning aid, see :class:`Forecast`.

    In each resampling the errors of every round are drawn from a binomial distribution, at the rate that
    Jeffreys' prior gives for what was observed, and the curve is fitted by least squares, a round
    weighted by its audits. Rounds are drawn independently of each other, although they are mostly
    measured on the same items: one of the reasons why the interval is nominal.

    Parameters
    ----------
    n_trained : array of int
        Shape (rounds,): labels that the round's model was trained on.
    errors : array of int
        Shape (rounds,): how many audited items it got wrong. Counts, not shares.
    at : float or array of float
        Numbers of trained labels to forecast for, each at least 1.
    n_audited : array of int
        Shape (rounds,): how many items it was measured on. Rounds with none, and rounds before the first
        training, are left out.
    rng : numpy.random.Generator
        Draws the outcomes.
    resamplings : int
        How many curves are fitted, at least 20.

    Returns
    -------
    Forecast or None
        None where fewer than three different numbers of trained labels were measured.

    Raises
    ------
    InvalidInput
        If the arrays do not fit together, a count can't be, `at` is below 1, or `resamplings` below 20.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = forecast_error([50, 100, 200], [80, 60, 45], [400, 800], n_audited=[200] * 3, rng=rng)
    >>> bool((found.low <= found.median).all() and (found.median[1] <= found.median[0]))
    True
    """
    n, wrong, audited = _checked_rounds(n_trained, errors, n_audited)
    ahead = _checked_ahead(at)
    if resamplings < 20:
        raise InvalidInput(f"Quantiles need at least 20 resamplings, found {resamplings!r}. 200 are usual.")
    measured = (audited > 0) & (n > 0)
    n, wrong, audited = n[measured], wrong[measured], audited[measured]
    if len(np.unique(n)) < _FEWEST_ROUNDS:
        return None
    rate = (wrong + 0.5) / (audited + 1.0)
    drawn = rng.binomial(audited.astype(np.int64), rate, size=(resamplings, len(n))) / audited
    curves = _fitted(n, drawn, audited, ahead)
    low, median, high = np.quantile(np.clip(curves, 0.0, 1.0), _LEVELS, axis=0)
    for column in (ahead, low, median, high):
        column.setflags(write=False)
    return Forecast(ahead, low, median, high, n_rounds=len(n))


def _fitted(n: Floats, rates: Floats, weights: Floats, ahead: Floats) -> Floats:
    """Each resampling's best curve at `ahead`: shape (resamplings, len(ahead)).

    Given the exponent, ``a + b x`` with ``x = n^-c`` is a line, and the best one with a, b >= 0 is known:
    where the free fit breaks one of the two bounds, the best lies on that bound.
    """
    scale = n.min()
    x = (n / scale) ** -_EXPONENTS[:, None]
    share = weights / weights.sum()
    mean_x, mean_y = x @ share, rates @ share
    spread = (x**2) @ share - mean_x**2
    together = (rates * share) @ x.T - mean_y[:, None] * mean_x
    b = np.maximum(together / spread, 0.0)
    a = mean_y[:, None] - b * mean_x
    through_zero = ((rates * share) @ x.T) / ((x**2) @ share)
    b = np.where(a < 0.0, through_zero, b)
    a = np.maximum(a, 0.0)
    misfit = ((rates[:, None, :] - a[:, :, None] - b[:, :, None] * x) ** 2) @ share
    best = misfit.argmin(axis=1)
    row = np.arange(len(rates))
    steps = (ahead / scale) ** -_EXPONENTS[best, None]
    return np.asarray(a[row, best, None] + b[row, best, None] * steps)


def _checked_rounds(
    n_trained: ArrayLike, errors: ArrayLike, n_audited: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    try:
        columns = [np.asarray(column, dtype=np.float64) for column in (n_trained, errors, n_audited)]
    except (TypeError, ValueError) as wrong:
        raise InvalidInput(f"n_trained, errors and n_audited must be counts: {wrong}.") from None
    n, k, audited = columns
    if n.ndim != 1 or not n.shape == k.shape == audited.shape:
        raise InvalidInput(
            "n_trained, errors and n_audited must have one entry for each round, found shapes "
            f"{n.shape}, {k.shape} and {audited.shape}."
        )
    whole = all((np.isfinite(column) & (column == np.floor(column))).all() for column in columns)
    if not whole or not ((n >= 0) & (k >= 0) & (k <= audited)).all():
        raise InvalidInput(
            "n_trained, errors and n_audited must be whole numbers, 0 or more, and errors at most "
            "n_audited. Errors are counts here, not shares."
        )
    return n, k, audited


def _checked_ahead(at: ArrayLike) -> Floats:
    ahead: Floats = np.array(at, dtype=np.float64, ndmin=1)
    if ahead.ndim != 1 or not (np.isfinite(ahead) & (ahead >= 1.0)).all():
        raise InvalidInput(
            f"A forecast is for numbers of trained labels, each at least 1; found {ahead.tolist()}."
        )
    return ahead
