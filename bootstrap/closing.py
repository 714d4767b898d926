"""The last step of a loop whose pool is the whole product: audit what the model decides alone in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bootstrap.exchange import Exchange
from bootstrap.labels import Told
from bootstrap.phaseout.closed_pool import ClosedPool
from bootstrap.pool import Pool
from bootstrap.records import SKIP, Class, Query, Skip, Source

__all__ = ["PoolAudit"]


class PoolAudit:
    """Queries and answers of a closed pool; `print` it for what follows. See `BootstrapLoop.close_pool`.

    Attributes
    ----------
    audit : ClosedPool
        The evidence: `n_audited`, `n_wrong`, `upper`, `allowed`, `proved`, `audits_to_go`, `to_review`.
    """

    def __init__(self, audit: ClosedPool, exchange: Exchange, pool: Pool) -> None:
        self.audit = audit
        self._exchange = exchange
        self._pool = pool

    def ask(self, n: int) -> list[Query]:
        """The next queries, at most `n`; those without an answer come again."""
        return self._exchange.publish_pool_audits([self._pool.row(i) for i in self.audit.next(n)])

    def tell(self, answers: Mapping[Any, Any], *, by: str | None = None) -> Told:
        """Take blind answers by query id or token, like `BootstrapLoop.tell`; the loop keeps the labels."""
        try:
            return self._exchange.take(answers, by)
        finally:
            self._catch_up()

    def _catch_up(self) -> None:
        """Hand on what the loop knows by now; a label that was not blind has accepted no class."""
        waiting = set(self.audit.next(self.audit.size))
        found: dict[str, Class | Skip] = {}
        for entry in self._exchange.labels.log:
            if entry.id in waiting and not entry.extra and entry.source is not Source.SECOND:
                found[entry.id] = entry.label if entry.blind else SKIP
        self.audit.tell(found)

    def __str__(self) -> str:
        return str(self.audit)
