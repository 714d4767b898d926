"""How much of `delta` each candidate may spend.

A certificate is false with probability at most delta over all candidates together, tried or not, passed or
not. So candidate number m gets ``delta / (m (m + 1))``, and these add up to delta however many there will
be. One ledger belongs to one held-out set: whoever tests another model on the same labels draws on it.
"""

from __future__ import annotations

from bootstrap.errors import InvalidInput

__all__ = ["Ledger"]


class Ledger:
    """Hands out candidate numbers with their share of delta.

    Parameters
    ----------
    delta : float
        Chance that any certificate of this held-out set is ever false, in (0, 1).
    n_drawn : int
        Candidates that were registered before, where the ledger is continued.

    Examples
    --------
    >>> ledger = Ledger(0.05)
    >>> [(number, round(delta, 6)) for number, delta in (ledger.draw(), ledger.draw())]
    [(1, 0.025), (2, 0.008333)]
    """

    def __init__(self, delta: float, n_drawn: int = 0) -> None:
        if not 0.0 < delta < 1.0:
            raise InvalidInput(f"delta is a share in (0, 1), found {delta!r}; 0.05 is usual")
        if n_drawn < 0:
            raise InvalidInput(f"n_drawn counts the candidates so far, found {n_drawn!r}")
        self.delta = delta
        self.n_drawn = n_drawn

    def next(self) -> tuple[int, float]:
        """(number, delta) that the next candidate will get; nothing is spent yet."""
        return self.n_drawn + 1, self.share(self.n_drawn + 1)

    def draw(self) -> tuple[int, float]:
        """(number, delta) for the next candidate; the entry stays, whatever becomes of the candidate."""
        drawn = self.next()
        self.n_drawn += 1
        return drawn

    def share(self, number: int) -> float:
        """What candidate `number` may spend."""
        return self.delta / (number * (number + 1))
