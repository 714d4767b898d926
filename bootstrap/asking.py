"""Items in, questions out, answers in, refit: the steps of a loop, in any order and in parts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.errors import InvalidInput, NotReady
from bootstrap.labels import Told
from bootstrap.pool import Added, Place
from bootstrap.records import Query, Round
from bootstrap.results import Results

__all__ = ["Asking"]


class Asking(Results):
    """The steps of a loop. Each is kept as a whole, where there is a store, before it returns."""

    # items and labels that exist

    def add(self, X: Any, *, items: Any = None, ids: Iterable[Any] | None = None) -> Added:
        """Add items to the pool, at any time.

        Parameters
        ----------
        X : array (n, d), CSR (n, d), DataFrame or list of n
            Features; anything that the estimator takes.
        items : n raw items, optional
            What people see (texts beside embeddings, say). Two equal items are one content, asked about once.
            By default the rows of `X`.
        ids : n ids, optional
            By default a hash of the raw item; never its position. Rows of numbers with ids and without
            `items` are an item each, even where they are equal.

        Returns
        -------
        Added
            How many were new, held out, and copies of known ones.

        Raises
        ------
        InvalidInput
            For NaN (unless the estimator takes it), unequal lengths or ids that come twice. Nothing
            was added then.
        """
        with self._journal.step():
            added = self._pool.add(X, items=items, ids=ids)
            self._certifying.extend()
        return added

    def add_labels(
        self, ids: Iterable[Any], labels: Iterable[Any], *, by: str | None = None, blind: bool = False
    ) -> Told:
        """Labels that exist for items of the pool: trained on, and counted apart (`n_given`).

        Those of held-out items are never trained on. They count as evidence only if `blind`.

        Parameters
        ----------
        ids, labels : sequences of one length
        by : str, optional
            Who gave them.
        blind : bool
            True says two things of these labels: whoever gave them saw no suggestion, and the items
            were not chosen for how they look (all of them, or drawn at random). Otherwise what
            is measured on them is wrong.

        Raises
        ------
        InvalidInput
            For an unknown id or a label that can't be one. Nothing was stored then.
        """
        with self._journal.step(answers=True):
            rows = self._exchange.rows_of(ids)
            checked = self._exchange.check_given(labels, len(rows))
            self._given_since_fit = True
            return self._exchange.give(rows, checked, by, blind)

    def is_held_out(self, item_id: str) -> bool:
        """Whether the item's content is in the held-out set: never trained on."""
        self._journal.look()
        return self._pool.is_held_out(self._pool.row(str(item_id)))

    @property
    def batch_is_answered(self) -> bool:
        """Whether every query of this round has its answer, so that only `refit` is missing."""
        return self._exchange.is_answered and self._exchange.told_since_round

    @property
    def batch_waits(self) -> bool:
        """Whether queries wait for their first answer."""
        return self._exchange.n_open > 0

    # ask, tell, refit

    def ask(self, limit: int | None = None) -> list[Query]:
        """The queries that wait for answers; a new batch where there are none.

        A batch has `batch_size` training queries, picked by the strategy, and the audits planned beside
        them, in mixed order. Asking again before all are answered gives the rest of the same batch.

        Parameters
        ----------
        limit : int, optional
            At most so many queries in a new batch, audits among them.

        Returns
        -------
        list of Query
            Empty when every item outside the held-out set has been asked about: the end of the pool.
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidInput(f"limit is a whole number of at least 1, got {limit!r}")
        with self._journal.step():
            before = self._exchange.n_queries
            if not self._exchange.waiting:
                self._new_batch(limit)
        waiting = self._exchange.waiting  # without what was erased while it was chosen
        if not waiting and self._exchange.n_queries > before:
            return self.ask(limit)
        return waiting

    def tell(self, answers: Mapping[Any, Any], *, by: str | None = None) -> Told:
        """Take answers: all at once or in parts, in any order, late or twice.

        Parameters
        ----------
        answers : mapping
            From a query's `id` or `token` to a class or `SKIP`.
        by : str, optional
            Who answered.

        Returns
        -------
        Told
            How many were first labels, repeated, extra (a second, different answer never overwrites the
            first) or skips.

        Raises
        ------
        AnswersRejected
            If some answers can't be taken: unknown ids, items that were never asked, unknown classes. The
            others are kept.
        """
        if not isinstance(answers, Mapping):
            raise InvalidInput(
                f"tell takes a mapping, got {type(answers).__name__}: "
                "loop.tell({query.id: answer, ...}), SKIP where you can't tell"
            )
        with self._journal.step(answers=True):
            return self._exchange.take(answers, by)

    def ask_second(self) -> list[Query]:
        """Queries that want a second, blind answer; by somebody else, or by the same person later.

        They are about disputed audits, where there is an `adjudicator`, and the share `asked_twice` of all
        audits. `run` asks them of the adjudicator; without one, of the labeler.
        """
        with self._journal.step():
            answered = self._pool.rows(Place.AUDITED)
            return self._exchange.publish_second(self._certifying.second_answers_wanted(answered))

    def tell_second(self, answers: Mapping[Any, Any], *, by: str | None = None) -> Told:
        """Take second answers; like :meth:`tell`, and the first answer stays what it is."""
        if not isinstance(answers, Mapping):
            raise InvalidInput(f"tell_second takes a mapping, got {type(answers).__name__}")
        with self._journal.step(answers=True):
            return self._exchange.take(answers, by, second=True)

    def refit(self) -> Round:
        """Retrain on all labels outside the held-out set, measure, and close the round.

        Queries still unanswered go back to where they came from; a late answer to one is still taken.

        Returns
        -------
        Round
            The new row of the history; the last one again where nothing was told since.

        Raises
        ------
        NotReady
            If there is no label at all.
        """
        with self._journal.step():
            return self._refit()

    def _refit(self, *, release: bool = True) -> Round:
        if not self._exchange.labels.log:
            raise NotReady("there are no labels yet: ask, tell, then refit; or start with add_labels")
        if self._rounds and not self._exchange.told_since_round:
            return self._rounds[-1]
        began = time.perf_counter()
        self._was_answered = self.batch_is_answered
        if release:
            self._exchange.release()
        self._fit()  # if it fails, the round goes on and the next refit tries again
        self._certifying.after_fit(self._model, self._n_trained, len(self._rounds) + 1)
        if len(self._rounds) < self._exchange.round:  # else interrupted just before the next line
            self._rounds.append(self._measure(began))
        self._exchange.next_round()
        return self._rounds[-1]

    def reopen_skipped(self, ids: Iterable[Any] | None = None) -> int:
        """Let skipped items be asked again: all of them, or these; returns how many."""
        with self._journal.step():
            rows = self._exchange.reopen_skipped(ids)
            self._journal.mark("reopened", rows=rows)
            return len(rows)
