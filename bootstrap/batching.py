"""What to ask next: training queries by the strategy, some in random turn, and audits.

What is trained depends on no held-out label. A rule that reads them decides only how many audits are asked
between the training batches. How much is left to spend then depends on held-out labels too, so a limit may
cut a batch in two, but never changes what is in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.certifying import Certifying
from bootstrap.exchange import Exchange
from bootstrap.model import Model
from bootstrap.pool import Place, Pool
from bootstrap.settings import Settings

__all__ = ["Batching"]


class Batching:
    """Puts the batches of one loop together.

    Parameters
    ----------
    settings : Settings
    strategy : callable
        Which items to train on.
    pool : Pool
    exchange : Exchange
        Knows what was asked so far.
    certifying : Certifying
        Knows which audits may bring a certificate.
    rng : callable
        From whole numbers, naming a purpose, to a generator that is the same each time.
    """

    def __init__(
        self,
        settings: Settings,
        strategy: Any,
        pool: Pool,
        exchange: Exchange,
        certifying: Certifying,
        rng: Callable[..., np.random.Generator],
    ) -> None:
        self._settings = settings
        self._strategy = strategy
        self._pool = pool
        self._exchange = exchange
        self._certifying = certifying
        self._rng = rng
        self._first_random = 0  # training queries asked before some of them were drawn at random
        self._chosen = np.empty(0, dtype=np.intp)  # the training queries of the batch chosen last
        self._n_chosen = 0  # batches chosen so far
        self._n_before = 0  # training queries asked before the last of them

    def next(self, model: Model, limit: int | None) -> NDArray[np.intp]:
        """Rows of the pool to ask about, in the order in which they are shown; none at the end.

        Parameters
        ----------
        model : Model
            The strategy asks it.
        limit : int or None
            At most so many.
        """
        audits = self._audits_alone(limit)
        if len(audits) > 0:
            return audits
        left = self._left_of_batch()
        if len(left) == 0:
            left, n = self._training(model, self._rng(1, self._n_chosen)), self._exchange.n_training
            # all three, or none if interrupted
            self._chosen, self._n_before, self._n_chosen = left, n, self._n_chosen + 1
        if len(left) == 0:
            self._certifying.batch_is_cut = False
            return self._audits_alone(limit, reach=1.0)  # nothing is left to train on: try what may be tried
        n_train, n_audit = self._share_out(len(left), limit)
        self._certifying.batch_is_cut = n_train < len(left)
        rows = np.concatenate([left[:n_train], self._pool.next_audits(n_audit)])
        return self._rng(3, self._exchange.n_batches).permutation(rows)

    def rank_anew(self) -> None:
        """Forget what was chosen and not asked: the next batch is chosen by the model as it is then."""
        self._chosen, self._n_before = self._chosen[:0], self._exchange.n_training

    @property
    def state(self) -> dict[str, Any]:
        """What the next batch depends on beside labels and settings, as plain JSON."""
        return {
            "chosen": self._chosen.tolist(),
            "n_chosen": self._n_chosen,
            "n_before": self._n_before,
            "first_random": self._first_random,
            "is_cut": self._certifying.batch_is_cut,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Put back what :attr:`state` gave."""
        self._chosen = np.array(state["chosen"], dtype=np.intp)
        self._n_chosen, self._n_before = state["n_chosen"], state["n_before"]
        self._first_random = state["first_random"]
        self._certifying.batch_is_cut = state["is_cut"]

    def _left_of_batch(self) -> NDArray[np.intp]:
        """What a limit has kept back of the batch chosen last."""
        left = self._chosen[self._exchange.n_training - self._n_before :]
        waiting = (Place.AVAILABLE, Place.RESERVED)
        return left[[self._pool.place(row) in waiting for row in left.tolist()]]

    def _audits_alone(self, limit: int | None, reach: float = 0.6) -> NDArray[np.intp]:
        """With `audit_share="auto"`: the audits to ask before anything else is trained."""
        wanted = 0
        if self._settings.is_auto and self._certifying.has_candidates:
            wanted = self._certifying.audits_wanted(reach)
        if wanted == 0:
            return np.empty(0, dtype=np.intp)
        batch_size = self._settings.batch_size
        audits = self._pool.next_audits(min(wanted, batch_size, limit or batch_size))
        return self._rng(3, self._exchange.n_batches).permutation(audits)

    def _training(self, model: Model, rng: np.random.Generator) -> NDArray[np.intp]:
        """The next training queries: the strategy's, and some whose random turn it is."""
        n, done = self._settings.batch_size, self._exchange.n_training
        if not self._certifying.has_candidates:
            self._first_random = done + n
        due = math.floor(self._settings.random_share * (done + n - self._first_random) + 1e-9)
        reserved = self._pool.next_reserved(max(0, due - self._exchange.n_reserved))
        picked = model.choose(self._strategy, self._pool, n - len(reserved), rng)
        missing = n - len(reserved) - len(picked)
        if missing > 0:  # the strategy has nothing left to pick from
            reserved = self._pool.next_reserved(len(reserved) + missing)
        return np.concatenate([picked, reserved])

    def _share_out(self, n_train: int, limit: int | None) -> tuple[int, int]:
        """(training queries, audits) for a batch of at most `limit`, so that the audit share holds."""
        done, left = self._exchange, self._pool.count(Place.HELD_OUT)
        for n in range(n_train, 0, -1):
            due = max(0, self._settings.audits_due(done.n_training + n) - done.n_audits)
            n_audit = min(due, left)
            if limit is None or n + n_audit <= limit:
                if limit is not None and n < n_train:
                    n_audit = min(limit - n, left)  # one more query would bring an audit: that comes first
                return n, n_audit
        # so small a limit asks either for a training query or for the audits that those so far have brought
        due = min(max(0, self._settings.audits_due(done.n_training) - done.n_audits), left, limit or 1)
        return (0, due) if due > 0 else (1, 0)
