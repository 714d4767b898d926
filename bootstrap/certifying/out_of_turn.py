"""Audits that do not come in their random turn, and what has to wait for them.

Audits are a random part of all items because they are asked in an order drawn at random. Two things break
it: items that come after audits had begun (those whose turn has passed are audited first), and items that
are asked again since their class was split (what was said of them brought them back).
"""

from __future__ import annotations

from bootstrap.phaseout import Trial
from bootstrap.pool import Place, Pool

__all__ = ["OutOfTurn"]


class OutOfTurn:
    """The audits of one loop that come first, or come again.

    Parameters
    ----------
    pool : Pool
    trial : Trial
        Proves nothing while `trial.catching_up`, and counts no row that is set apart for later candidates.

    Attributes
    ----------
    apart : set of int
        Rows that are asked again.
    """

    def __init__(self, pool: Pool, trial: Trial) -> None:
        self.apart: set[int] = set()
        self._pool = pool
        self._trial = trial
        self._frontier = 0.0  # turn up to which items that came late have to be audited first

    # items that came late

    def catch_up_to(self, turn: float) -> None:
        """Items came whose turn may have passed: what was audited before is no random part of all now."""
        self._frontier = max(self._frontier, turn)
        self._trial.catching_up = True

    def late(self) -> list[int]:
        """Rows that have to be audited before anything is certified for all."""
        waiting = self._pool.rows(Place.HELD_OUT, Place.AUDITING)
        return [row for row in waiting.tolist() if self._pool.turn(row) <= self._frontier]

    def see_whether_caught_up(self) -> bool:
        """Whether the last of them came in just now; the trial counts as before then."""
        if not self._trial.catching_up or self.late():
            return False
        self._trial.caught_up()
        self._frontier = 0.0
        return True

    def stop_catching_up(self) -> None:
        """No audit so far counts later on: late ones, which still come first, are no random part either."""
        if not self._trial.catching_up:
            return
        for row in self.late():
            self.set_apart(row)
        self._trial.catching_up, self._frontier = False, 0.0

    # items that are asked again

    def set_apart(self, row: int) -> None:
        """A row is asked again for what was said of it: its answer is evidence for nothing."""
        self.apart.add(row)
        self._trial.set_apart(row)

    @property
    def waits_for_apart(self) -> bool:
        """Whether audits are missing that were asked for again: the others are no random part until then."""
        waiting = (Place.HELD_OUT, Place.AUDITING)
        return any(self._pool.place(row) in waiting for row in self.apart)
