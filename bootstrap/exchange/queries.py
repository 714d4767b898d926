"""Queries out: what was asked, what still waits for an answer, and what was taken back.

No model, no statistics and no answers here. Publishing a batch can be interrupted anywhere: the next call
finishes it, and all of it is asked and counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from bootstrap.classes import ClassList
from bootstrap.content import hidden_id
from bootstrap.errors import InvalidInput
from bootstrap.pool import Place, Pool
from bootstrap.records import Class, Query

__all__ = ["Queries"]


class Queries:
    """The queries of one loop.

    Parameters
    ----------
    pool : Pool
        Items are moved there as they are asked, or go back unanswered.
    classes : ClassList
        What may be answered.
    name : str
        Goes into the tokens.

    Attributes
    ----------
    round : int
        The round that queries belong to, from 1.
    """

    def __init__(self, pool: Pool, classes: ClassList, *, name: str) -> None:
        self.round = 1
        self._counts = (0, 0, 0, 0)  # of batches, and of queries in them: see the properties
        self._asked_this_round = False
        self._pool = pool
        self._classes = classes
        self._name = name
        self._queries: dict[str, Query] = {}  # token -> query, every one so far
        self._asked: set[int] = set()  # rows that were ever asked about
        self._publishing: dict[int, Query] = {}  # row -> query: for longer than a call where interrupted
        self._open: dict[int, Query] = {}  # row -> query that waits for its answer
        self._pool_audits: set[int] = set()  # rows asked about to certify the closed pool
        self._second: dict[int, Query] = {}  # row -> query for a second answer

    # how many, and which wait

    @property
    def n_batches(self) -> int:
        """Batches published so far."""
        return self._counts[0]

    @property
    def n_training(self) -> int:
        """Training queries published so far."""
        return self._counts[1]

    @property
    def n_reserved(self) -> int:
        """Those of them that were drawn at random."""
        return self._counts[2]

    @property
    def n_audits(self) -> int:
        """Audits published so far."""
        return self._counts[3]

    @property
    def waiting(self) -> list[Query]:
        """Queries without an answer, in the order they were published."""
        self._finish_publishing()
        return list(self._open.values())

    @property
    def n_open(self) -> int:
        """Queries that wait for an answer."""
        return len(self._open)

    @property
    def n_queries(self) -> int:
        """Queries there ever were, for second answers and closed pools too."""
        return len(self._queries)

    @property
    def is_answered(self) -> bool:
        """Whether a batch was published in this round and nothing of it waits any more."""
        return self._asked_this_round and not self._open

    def queries_since(self, n: int) -> list[Query]:
        """All queries but the first `n`, in the order in which they were published."""
        new = islice(reversed(self._queries.values()), len(self._queries) - n)
        return list(new)[::-1]

    # out

    def publish(self, rows: Iterable[int]) -> None:
        """Make a batch of queries about these rows of the pool, in this order."""
        self._finish_publishing()
        classes, batch = self._classes.shown, str(self.n_batches)
        self._publishing = {row: self._query(row, batch, classes) for row in rows}
        self._finish_publishing()

    def _finish_publishing(self) -> None:
        """Put the batch out, or what an interruption has left of it: all of it is asked, and counted once."""
        homes: Counter[Place] = Counter()
        for row, query in self._publishing.items():
            home = self._pool.home(row)
            homes[home] += 1
            self._pool.move(row, Place.AUDITING if home is Place.HELD_OUT else Place.ASKED)
            self._asked.add(row)
            self._queries[query.token] = query
            if not self._pool.is_erased(row):  # by another process, while it was chosen
                self._open[row] = query
        if not homes:
            return
        self._asked_this_round = True
        n_audits = self.n_audits + homes[Place.HELD_OUT]
        n_reserved = self.n_reserved + homes[Place.RESERVED]
        n_training = self.n_training + homes.total() - homes[Place.HELD_OUT]
        # both, or neither if interrupted
        self._counts, self._publishing = (self.n_batches + 1, n_training, n_reserved, n_audits), {}

    def publish_second(self, rows: Iterable[int]) -> list[Query]:
        """Queries for a second answer about these rows; one that waits already is the same query again."""
        classes, queries = self._classes.shown, []
        for row in rows:
            query = self._second.get(row) or self._query(row, "second", classes, second=True)
            self._second[row] = self._queries[query.token] = query
            queries.append(query)
        return queries

    def publish_pool_audits(self, rows: Iterable[int]) -> list[Query]:
        """Queries to certify a closed pool; they are part of no batch."""
        classes = self._classes.shown
        queries = [self._query(row, "pool", classes) for row in rows]
        for query in queries:
            row = self._pool.row(query.id)
            self._queries[query.token] = query
            self._asked.add(row)
            self._pool_audits.add(row)
        return queries

    def _query(self, row: int, batch: str, classes: tuple[Class, ...], *, second: bool = False) -> Query:
        item_id = self._pool.id(row)
        if second and self._classes.version > 1:  # it may have been asked under an older version
            batch = f"{batch} {self._classes.version}"
        return Query(
            id=item_id,
            item=self._pool.item(row),
            token=f"{self._name}/{batch}/{row}",  # an id may be personal, and has to go once it is erased
            classes=classes,
            open_classes=self._classes.is_open,
            round=self.round,
            second=second,
        )

    # taken back

    def release(self, rows: Iterable[int] | None = None) -> None:
        """What waits, or of that only these rows, goes back to where it came from.

        A late answer is still taken.
        """
        self._finish_publishing()
        for row in list(self._open) if rows is None else rows:
            if self._open.pop(row, None) is not None:
                self._pool.move(row, self._pool.home(row))

    def erase(self, rows: Iterable[int]) -> None:
        """Nobody is asked about these rows any more, and nothing is learned from them."""
        self._finish_publishing()
        for row in rows:
            self._open.pop(row, None)
            self._pool.erase(row)

    def withdraw(self, rows: Iterable[int]) -> None:
        """Take back queries that nobody has seen: as if they had never been asked."""
        batches, training, reserved, audits = self._counts
        for row in rows:
            if row in self._open:
                home = self._pool.home(row)
                audits -= home is Place.HELD_OUT
                training -= home is not Place.HELD_OUT
                reserved -= home is Place.RESERVED
                self.release([row])
        self._counts = (batches, training, reserved, audits)

    def _show_classes_anew(self) -> None:
        """Queries that wait ask about the classes that there are now."""
        shown, is_open = self._classes.shown, self._classes.is_open
        for query in [*self._open.values(), *self._second.values()]:
            now = replace(query, classes=shown, open_classes=is_open)
            known = self._second if query.second else self._open
            known[self._pool.row(query.id)] = self._queries[query.token] = now

    # which item an answer is about

    def _row(self, item_id: Any) -> int:
        return self._pool.row(item_id if isinstance(item_id, str) else str(item_id))

    def _second_row(self, key: Any) -> int:
        row = self._named_row(key)
        if row not in self._second:
            raise InvalidInput("no second answer was asked for; ask_second gives those that are wanted")
        return row

    def _asked_row(self, key: Any) -> int:
        row = self._named_row(key)
        if row not in self._asked:
            raise InvalidInput("was not asked about; for labels that exist already use add_labels")
        return row

    def _named_row(self, key: Any) -> int:
        """The row that a query's id or token names; an id comes first, also one that was erased since."""
        if not isinstance(key, str) or key in self._pool:
            return self._row(key)
        query = self._queries.get(key)
        if query is None and (hidden := hidden_id(key)) in self._pool:
            return self._row(hidden)
        return self._row(key if query is None else query.id)
