"""`BootstrapLoop`: ask people about the uncertain items, retrain, measure on a blind random audit.

`ask`, `tell` and `refit` do the work, in any order and in parts; `run` only drives them. The state of a loop
is its labels and its settings: a model can always be fitted again from them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Self

from bootstrap.asking import Asking
from bootstrap.callbacks import Callback
from bootstrap.desk_driver import DeskDriver, wait_for
from bootstrap.driver import Driver
from bootstrap.errors import InvalidInput
from bootstrap.history import History
from bootstrap.journal import Journal
from bootstrap.labels import Told
from bootstrap.opening import open_journal
from bootstrap.protocols import Clock, Labeler
from bootstrap.records import Round
from bootstrap.saving import Saving
from bootstrap.settings import Settings, check_queue
from bootstrap.stopping import StopCondition
from bootstrap.stored_settings import as_stored
from bootstrap.strategy_call import resolve

__all__ = ["BootstrapLoop"]

#: Share of the audits that an adjudicator answers too, whether or not anything is disputed.
_ASKED_TWICE = 0.1


class BootstrapLoop(Asking):
    """Sends uncertain items to people, retrains, and tracks accuracy at a fixed review rate.

    Parameters
    ----------
    estimator : classifier, Pipeline, modAL learner, or list of classifiers
        See :func:`bootstrap.as_learner`. It is cloned; a `random_state` left at None is set from the loop's.
    labeler : callable, optional
        Who answers; see :class:`bootstrap.protocols.Labeler`. Only `run` needs one.
    strategy : str or callable
        A name or function of `bootstrap.strategies`, one of modAL's query strategies, your own, or a
        mixture. `"auto"` spreads over the pool while labels are few, and asks where the model is
        uncertain, spread out too, from then on. The first batch, without any label, is diverse
        (`cold_start`).
    batch_size : int
        Training queries a round. Audits come on top.
    review_rate : float
        The share r, in [0, 1], of least confident items that people would decide.
    target_accuracy : float
        What is aimed at, in (0, 1).
    target_of : {"alone", "system"}
        Whether the target is about what the model decides alone or about all that goes out.
    delta : float
        Each interval fails with at most this probability, in (0, 1).
    held_out : float
        Share of contents, in [0, 1), set aside before any strategy looks: audited, never trained on.
    audit_share : "auto" or float
        Audits, asked blind and at random from the held-out set. `"auto"` spends labels on them where that
        brings a certificate soonest. A number is audits for each training query.
    random_share : float
        Share of the training queries, in [0, 1], that are drawn at random once there is a candidate: evidence
        for it before they are trained on. It pays where the strategy is hardly better than random.
    adjudicator : callable, optional
        A second labeler, asked blind where a candidate and the first answer differ.
    targets : mapping, optional
        Further targets by class: ``{"spam": {"recall": 0.9}}``, or ``"accuracy"`` where the model
        decides that class alone.
    people_error : float, optional
        Share of wrong answers by people, for estimates, which take it as 0 otherwise. A certificate never
        rests on it.
    asked_twice : float, optional
        Share of the audits, in [0, 1], that are answered a second time to measure how often people
        differ: by the adjudicator, or without one by the same labeler later. By default 0.1 with an
        adjudicator and 0 without.
    traps : (caught, shown), optional
        How many known errors of a model people were shown like any other item, blind, and how many they
        caught. Certificates allow for those that they miss.
    tested_before : int
        Candidates that were tested on these very labels by another loop: one that is begun anew on the same
        label log, with another estimator or other settings, has to say so. Each takes its part of `delta`.
    classes : sequence, optional
        All classes, where they are known; any other answer is refused then. A loop that is resumed goes
        by the classes in its store.
    storage : str, optional
        Keep everything in a store, `sqlite:///labels.db` or `postgresql://user@host/name`, and go on with
        the loop of this name where the store has one. Without a labeler, `run` publishes queries there and
        waits for people at their desks (:class:`bootstrap.Desk`, in any process).
    overlap : int
        With people at desks: how many different ones answer each query.
    queue_ahead : int, optional
        Only with people at desks: queries to learn from that stay open beside the batch, so that nobody waits
        for a refit; by default as many as a batch has. What nobody has taken yet is ranked anew after each
        refit. 0 waits for the whole batch: the same questions then, whoever answers them.
    name : str
        Of the loop in its store, and in the tokens of queries.
    random_state : int, optional
        Same number and same labels: same history, whatever `n_jobs`.
    n_jobs : int, optional
        Committee members fitted at a time.
    clock : callable, optional
        Seconds since the epoch, for the time on labels.

    Attributes
    ----------
    stop_reason : str or None
        Why the last `run` ended.

    Raises
    ------
    InvalidInput
        For a setting or an estimator that can't work, before anything else happens.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from bootstrap import BootstrapLoop
    >>> loop = BootstrapLoop(LogisticRegression(), batch_size=2, held_out=0, audit_share=0, random_state=7)
    >>> loop.add([[float(i)] for i in range(9)])
    Added(new=9, held_out=0, copies=0)
    >>> loop.tell({query.id: "big" if query.item[0] > 4 else "small" for query in loop.ask()})
    Told(kept=2, repeated=0, extra=0, skipped=0)
    """

    def __init__(
        self,
        estimator: Any,
        labeler: Labeler | None = None,
        *,
        strategy: Any = "auto",
        batch_size: int = 20,
        review_rate: float = 0.2,
        target_accuracy: float = 0.95,
        target_of: Literal["alone", "system"] = "alone",
        delta: float = 0.05,
        held_out: float = 0.2,
        audit_share: float | Literal["auto"] | None = None,
        random_share: float = 0.0,
        adjudicator: Labeler | Literal["desks"] | None = None,
        targets: Mapping[Any, Mapping[str, float]] | None = None,
        people_error: float | None = None,
        asked_twice: float | None = None,
        traps: tuple[int, int] | None = None,
        tested_before: int = 0,
        classes: Sequence[Any] | None = None,
        storage: str | None = None,
        overlap: int = 1,
        queue_ahead: int | None = None,
        name: str = "default",
        random_state: int | None = None,
        n_jobs: int | None = None,
        clock: Clock = time.time,
    ) -> None:
        if audit_share is None:
            audit_share = "auto" if held_out != 0 else 0.0
        if asked_twice is None:
            asked_twice = 0.0 if adjudicator is None else _ASKED_TWICE
        settings = Settings(
            batch_size=batch_size,
            review_rate=review_rate,
            target_accuracy=target_accuracy,
            target_of=target_of,
            delta=delta,
            held_out=held_out,
            audit_share=audit_share,
            random_share=random_share,
            people_error=people_error,
            targets=targets,
            asked_twice=asked_twice,
            traps=traps,
            tested_before=tested_before,
            name=name,
            random_state=random_state,
            n_jobs=n_jobs,
            overlap=overlap,
        )
        at_desks = storage is not None and adjudicator == "desks"
        for role, person in (("labeler", labeler), ("adjudicator", None if at_desks else adjudicator)):
            if person is not None and not callable(person):
                raise InvalidInput(f"{role} is a function on a list of queries, got {person!r}")
        check_queue(storage, labeler, overlap, queue_ahead)
        if adjudicator is not None and adjudicator is labeler:
            raise InvalidInput(
                "adjudicator is the labeler itself: a second answer must come from somebody else. To have "
                "the same person answer twice, later, say asked_twice=0.1 and leave adjudicator out"
            )
        self.labeler = labeler
        self.adjudicator: Labeler | None = None if adjudicator == "desks" else adjudicator
        self._queue_ahead = batch_size if queue_ahead is None else queue_ahead
        super().__init__(
            settings,
            estimator,
            strategy=resolve(strategy),
            classes=classes,
            adjudicated=adjudicator is not None,
            clock=clock,
        )
        if storage is not None:
            kept = as_stored(
                settings,
                strategy=strategy,
                classes=classes,
                adjudicated=adjudicator is not None,
            )
            open_journal(self, storage, kept)

    def run(
        self,
        X: Any = None,
        *,
        ids: Iterable[Any] | None = None,
        items: Any = None,
        labeled: tuple[Any, ...] | None = None,
        budget: int | None = None,
        rounds: int | None = None,
        until: StopCondition | Any = None,
        callbacks: Iterable[Callback] = (),
    ) -> History:
        """Ask the labeler, tell, refit; round after round until there is a reason to stop.

        Whatever the labeler answered before it stopped, failed or was interrupted is kept; run again
        to go on where it left off.

        Parameters
        ----------
        X, items, ids
            Passed to :meth:`add` first.
        labeled : (features, labels) or (features, labels, ids), optional
            Labels that exist for items outside the pool: trained on, never evidence. One whose content is
            in the held-out set is not trained on. With ids they can be erased by these later.
        budget : int, optional
            Labels that people give in this loop, audits included, in all its runs together; a SKIP is none.
            With people at desks it allows for what they have in hand; the last query may go beyond it by
            `overlap - 1` labels, and what settles a disagreement comes on top.
        rounds : int, optional
            Rounds of this loop, in all its runs together.
        until : StopCondition or function of the loop, optional
            See `bootstrap.stopping`; joined with `|` and `&`.
        callbacks : callables (loop, round)
            Called after each round.

        Returns
        -------
        History
            Its `stop_reason` says why the run ended; the end of the pool is a reason like others.

        Raises
        ------
        InvalidInput
            If there is no labeler, or no item in the pool.
        LabelerError, AnswersRejected
            If the labeler breaks its contract.
        """
        driver = self._driver(budget=budget, rounds=rounds, until=until, callbacks=callbacks)
        with self._journal.holding():
            return self._run(driver, X, ids=ids, items=items, labeled=labeled)

    def _driver(self, **limits: Any) -> Driver | DeskDriver:
        """Who asks: a labeler in this process, or people at desks."""
        if self.labeler is not None:
            self._journal.close_desks()
            return Driver(self.labeler, self.adjudicator or self.labeler, **limits)
        if not isinstance(self._journal, Journal):
            raise InvalidInput(
                "run needs a labeler, BootstrapLoop(estimator, labeler), or storage=, so that people in "
                "other processes can answer; or use ask and tell"
            )
        return DeskDriver(self._journal, self.settings.batch_size, self._queue_ahead, **limits)

    def _run(
        self, driver: Driver | DeskDriver, X: Any, *, ids: Any, items: Any, labeled: tuple[Any, ...] | None
    ) -> History:
        if X is not None:
            self.add(X, items=items, ids=ids)
        elif items is not None or ids is not None:
            raise InvalidInput("items= and ids= go with X: pass run(X, items=..., ids=...)")
        if labeled is not None:
            if not isinstance(labeled, tuple | list) or len(labeled) not in (2, 3):
                raise InvalidInput("labeled is a pair: labeled=(features, labels), or with ids a triple")
            with self._journal.step(answers=True):
                self._add_outside(*labeled)
        if len(self._pool) == 0:
            raise InvalidInput("the pool is empty: pass the items to label, run(X), or add them first")
        with self._journal.step():
            self._catch_up()
        self.stop_reason = None
        self.stop_reason = driver.run(self)
        self._warn_of_one_class()
        return self.history

    def take_saved(self) -> Told:
        """Take what is in the store and not taken yet: from people at desks, or a run that was killed.

        They count from now on, and can't be undone any more. `ask`, `tell` and `refit` do it too.
        """
        with self._journal.holding():
            return self._journal.catch_up()

    def write_what_waits(self) -> None:
        """Write what `run` would write with the next questions: what a refit has brought."""
        self._journal.write_rest()

    def publish_more(self, limit: int | None) -> bool:
        """Publish a further batch beside the one that waits; whether there was anything left to ask."""
        with self._journal.step():
            before = self._exchange.n_queries
            self._new_batch(limit)
            return self._exchange.n_queries > before

    def close_round_of_desks(self) -> Round:
        """Take back what nobody has in hand, and refit on what has come."""
        self._journal.withdraw()
        with self._journal.step():
            return self._refit(release=False)

    def saving(self, by: str | None) -> Saving | None:
        """What puts each answer on the disk as it comes; None where everything is in memory."""
        found: Saving | None = self._journal.saving(by)
        return found

    def wait(self, new_labels: int = 1, timeout: float | None = None) -> int:
        """Wait for people at desks; returns at once where labels came while nobody looked.

        Parameters
        ----------
        new_labels : int
            How many labels to wait for that no round has used yet: `refit` uses them.
        timeout : float, optional
            Seconds to wait at most; None waits for ever.

        Returns
        -------
        int
            How many there are; fewer than `new_labels` after the timeout.

        Raises
        ------
        InvalidInput
            If the loop has no store.
        """
        if not isinstance(self._journal, Journal):
            raise InvalidInput("wait is for a loop with a store: BootstrapLoop(..., storage=...)")
        return wait_for(self._journal.n_unused_labels, new_labels, timeout)

    def close(self) -> None:
        """Let go of the store, if there is one. What is told later opens it again.

        `with BootstrapLoop(...) as loop:` does so at its end.
        """
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"BootstrapLoop({self.learner!r}, {len(self._pool)} items, "
            f"{self.n_labels} labels in {len(self._rounds)} rounds)"
        )
