"""`BootstrapLoop`: ask people about the uncertain items, retrain, measure on a blind random audit.

`ask`, `tell` and `refit` do the work, in any order and in parts; `run` only drives them. The state of a loop
is its labels and its settings: a model can always be fitted again from them.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bootstrap.callbacks import Callback
from bootstrap.classes import ClassList
from bootstrap.driver import Driver
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.exchange import Exchange
from bootstrap.features import check_features, n_rows, take
from bootstrap.history import History
from bootstrap.labels import Told
from bootstrap.learner import AnyLearner
from bootstrap.measuring import new_key, review_curve
from bootstrap.model import Model
from bootstrap.pool import Added, Place, Pool
from bootstrap.protocols import Clock, Labeler
from bootstrap.records import Class, Label, Query, Round
from bootstrap.scoring import RunningErrors
from bootstrap.settings import Settings
from bootstrap.stopping import StopCondition
from bootstrap.strategy_call import check_serves, resolve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bootstrap.report import ReviewCurveReport

__all__ = ["BootstrapLoop"]


class BootstrapLoop:
    """Sends uncertain items to people, retrains, and tracks accuracy at a fixed review rate.

    Parameters
    ----------
    estimator : classifier, Pipeline, modAL learner, or list of classifiers
        See :func:`bootstrap.as_learner`. It is cloned; a `random_state` left at None is set from the loop's.
    labeler : callable, optional
        Who answers; see :class:`bootstrap.protocols.Labeler`. Only `run` needs one.
    strategy : str or callable
        A name or function of `bootstrap.strategies`, one of modAL's query strategies, your own, or a
        mixture. `"auto"` is margin. The first batch, without any label, is diverse (`cold_start`).
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
    audit_share : float
        Audits for each training query, asked blind and at random from the held-out set.
    people_error : float, optional
        Share of wrong answers by people, where it was measured; estimates take it as 0 otherwise.
    classes : sequence, optional
        All classes, where they are known; any other answer is refused then.
    name : str
        Goes into the tokens of queries.
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
        audit_share: float = 0.2,
        people_error: float | None = None,
        classes: Sequence[Any] | None = None,
        name: str = "default",
        random_state: int | None = None,
        n_jobs: int | None = None,
        clock: Clock = time.time,
    ) -> None:
        self.settings = Settings(
            batch_size=batch_size,
            review_rate=review_rate,
            target_accuracy=target_accuracy,
            target_of=target_of,
            delta=delta,
            held_out=held_out,
            audit_share=audit_share,
            people_error=people_error,
            name=name,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        if labeler is not None and not callable(labeler):
            raise InvalidInput(f"labeler is a function on a list of queries, got {labeler!r}")
        self.labeler = labeler
        self.stop_reason: str | None = None
        self._strategy = resolve(strategy)
        self._entropy = np.random.SeedSequence(random_state).entropy
        self._classes = ClassList(classes)
        self._model = Model(
            estimator,
            classes=self._classes.fixed,
            seed=int(self._rng(0).integers(2**31)),
            review_rate=review_rate,
            n_jobs=n_jobs,
        )
        check_serves(self._strategy, self._model.learner)
        self._pool = Pool(new_key(random_state), held_out, allow_nan=self._model.takes_nan)
        self._running = RunningErrors()
        self._exchange = Exchange(
            self._pool, self._classes, name=name, clock=clock, on_audit=self._running.settle
        )
        self._rounds: list[Round] = []
        self._n_trained = 0
        self._given_since_fit = False
        for X, y in self._model.given:
            self._add_outside(X, y)

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
        return self._pool.add(X, items=items, ids=ids)

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
        rows = self._exchange.rows_of(ids)
        checked = self._exchange.check_given(labels, len(rows))
        self._given_since_fit = True
        return self._exchange.give(rows, checked, by, blind)

    def is_held_out(self, item_id: str) -> bool:
        """Whether the item's content is in the held-out set: never trained on."""
        return self._pool.is_held_out(self._pool.row(str(item_id)))

    @property
    def batch_is_answered(self) -> bool:
        """Whether every query of this round has its answer, so that only `refit` is missing."""
        return self._exchange.is_answered and self._exchange.told_since_round

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every answer in the order it came, skips and extra labels included."""
        return tuple(self._exchange.labels.log)

    @property
    def n_labels(self) -> int:
        """Labels that people gave to this loop's queries so far, audits included."""
        return self._exchange.labels.n_asked

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes given, or seen so far in any label."""
        return self._classes.shown

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
        if not self._exchange.waiting:
            self._new_batch(limit)
        return self._exchange.waiting

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
        return self._exchange.take(answers, by)

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
        if not self._exchange.labels.log:
            raise NotReady("there are no labels yet: ask, tell, then refit; or start with add_labels")
        if self._rounds and not self._exchange.told_since_round:
            return self._rounds[-1]
        began = time.perf_counter()
        self._exchange.release()
        self._fit()  # if it fails, the round goes on and the next refit tries again
        self._rounds.append(self._measure(began))
        self._exchange.next_round()
        return self._rounds[-1]

    def run(
        self,
        X: Any = None,
        *,
        ids: Iterable[Any] | None = None,
        items: Any = None,
        labeled: tuple[Any, Any] | None = None,
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
        labeled : (features, labels), optional
            Labels that exist for items outside the pool: trained on, never evidence. One whose content is
            in the held-out set is not trained on.
        budget : int, optional
            Labels that people give in this loop, audits included, in all its runs together.
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
        if self.labeler is None:
            raise InvalidInput("run needs a labeler: BootstrapLoop(estimator, labeler); or use ask and tell")
        driver = Driver(self.labeler, budget=budget, rounds=rounds, until=until, callbacks=callbacks)
        if X is not None:
            self.add(X, items=items, ids=ids)
        elif items is not None or ids is not None:
            raise InvalidInput("items= and ids= go with X: pass run(X, items=..., ids=...)")
        if labeled is not None:
            if not isinstance(labeled, tuple | list) or len(labeled) != 2:
                raise InvalidInput("labeled is a pair: labeled=(features, labels)")
            self._add_outside(*labeled)
        if len(self._pool) == 0:
            raise InvalidInput("the pool is empty: pass the items to label, run(X), or add them first")
        self._catch_up()
        self.stop_reason = None
        self.stop_reason = driver.run(self)
        self._warn_of_one_class()
        return self.history

    # results

    @property
    def history(self) -> History:
        """The finished rounds."""
        chosen = self.settings
        return History(
            tuple(self._rounds),
            review_rate=chosen.review_rate,
            target_accuracy=chosen.target_accuracy,
            target_of=chosen.target_of,
            delta=chosen.delta,
            people_error=chosen.people_error,
            stop_reason=self.stop_reason,
        )

    @property
    def learner(self) -> AnyLearner:
        """The modAL learner in the loop; it works on the output of leading Pipeline steps that are kept."""
        return self._model.learner

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels of shape (n,) for raw features, by this round's model."""
        codes = self.predict_proba(X).argmax(axis=1)
        return np.asarray(np.asarray(self.learner.classes_)[codes])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, K) for raw features; columns in the order of `loop.learner.classes_`."""
        if self._given_since_fit:
            self._fit()
        return self._model.predict_proba(X)

    def fitted_estimator(self) -> Any:
        """Your estimator (a list for a committee), fitted on all training labels: ready to save and use."""
        rows, codes = self._exchange.training()
        if not _two_classes(codes):
            raise NotReady("there is no model yet: it takes labels of at least two classes")
        classes, codes = self._classes.encoding(codes)
        return self._model.for_export(take(self._pool.X, rows), classes[codes])

    def review_curve(self) -> ReviewCurveReport:
        """Accuracy against review rate for this round's model, on the audited held-out items.

        Raises
        ------
        NotReady
            If no held-out item has been audited yet, or there is no model.
        """
        from bootstrap.report import ReviewCurveReport

        self._catch_up()
        held_out, audited = self._model.held_out, self._pool.rows(Place.AUDITED)
        if held_out is None or len(audited) == 0:
            raise NotReady("nothing is measured yet: it takes a model and at least one audited held-out item")
        curve = review_curve(
            *held_out.outcomes(audited, self._exchange.labels.of(audited)),
            delta=self.settings.delta,
            people_error=self.settings.people_error or 0.0,
            confidence_all=held_out.confidence,
        )
        return ReviewCurveReport(
            curve, self.settings.target_accuracy, self.settings.target_of, self.settings.review_rate
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Accuracy at the review rate, with its interval, against labels spent (needs matplotlib)."""
        from bootstrap.report import plot_history

        return plot_history(self.history, ax)

    def reopen_skipped(self, ids: Iterable[Any] | None = None) -> int:
        """Let skipped items be asked again: all of them, or these; returns how many."""
        return self._exchange.reopen_skipped(ids)

    def __repr__(self) -> str:
        return (
            f"BootstrapLoop({self.learner!r}, {len(self._pool)} items, "
            f"{self.n_labels} labels in {len(self._rounds)} rounds)"
        )

    # inside a round

    def _rng(self, *purpose: int) -> np.random.Generator:
        """Randomness for one purpose, the same whatever was drawn for others."""
        return np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=purpose))

    def _new_batch(self, limit: int | None) -> None:
        self._catch_up()
        rng = self._rng(1, self._exchange.n_batches)
        picked = self._model.choose(self._strategy, self._pool, self.settings.batch_size, rng)
        if len(picked) == 0:
            return
        n_train, n_audit = self._share_out(len(picked), limit)
        picked = picked[:n_train]  # cut afterwards: with more to spend, the same items come first
        audits = self._pool.next_audits(n_audit)
        if self._model.held_out is not None:
            self._running.expect(audits, self._model.held_out)
        batch = rng.permutation(np.concatenate([picked, audits]))
        self._exchange.publish(batch.tolist())

    def _share_out(self, n_train: int, limit: int | None) -> tuple[int, int]:
        """(training queries, audits) for a batch of at most `limit`, so that the audit share holds."""
        done, left = self._exchange, self._pool.count(Place.HELD_OUT)
        for n in range(n_train, 0, -1):
            due = max(0, self.settings.audits_due(done.n_training + n) - done.n_audits)
            n_audit = min(due, left)
            if limit is None or n + n_audit <= limit:
                if limit is not None and n < n_train:
                    n_audit = min(limit - n, left)  # one more query would bring an audit: that comes first
                return n, n_audit
        return 1, 0  # a limit of 1: the audit is due next time

    def _catch_up(self) -> None:
        """Take in labels that were given and items that were added since the last refit."""
        if self._given_since_fit:
            self._fit()
        else:
            self._model.refresh(self._pool)

    def _fit(self) -> None:
        """Train anew if there are new training labels, of two classes at least."""
        rows, codes = self._exchange.training()
        if len(rows) != self._n_trained and _two_classes(codes):
            classes, codes = self._classes.encoding(codes)
            try:
                self._model.fit(self._pool, rows, codes, classes)
            except Exception as error:
                if self._model.is_fitted:
                    raise
                warnings.warn(
                    f"no model yet: the estimator can't learn from {len(rows)} labels of {len(classes)} "
                    f"classes ({error}). Asking goes on without one",
                    stacklevel=2,
                )
            else:
                self._n_trained = len(rows)
        else:
            self._model.refresh(self._pool)
        self._given_since_fit = False

    def _measure(self, began: float) -> Round:
        figures = self._running.figures(self.settings)
        audited = self._pool.rows(Place.AUDITED)
        labels = self._exchange.labels
        if self._model.held_out is not None:
            figures |= self._model.held_out.figures(audited, labels.of(audited), self.settings)
        return Round(
            round=len(self._rounds) + 1,
            n_labels=labels.n_asked,
            n_trained=self._n_trained,
            n_audited=len(audited),
            n_given=labels.n_given,
            n_skipped=labels.n_skipped,
            n_classes=len(self._classes),
            review_rate=self.settings.review_rate,
            seconds=time.perf_counter() - began,
            **figures,
        )

    def _add_outside(self, X: Any, y: Any) -> None:
        X = check_features(X, allow_nan=self._model.takes_nan, name="labeled features")
        labels = self._exchange.check_given(y, n_rows(X))
        self._given_since_fit = True
        self._exchange.give(self._pool.add_outside(X).tolist(), labels, None, blind=False)

    def _warn_of_one_class(self) -> None:
        rows, codes = self._exchange.training()
        if len(rows) == 0 or _two_classes(codes):
            return
        found = self._exchange.labels.of(rows[:1])[0]
        warnings.warn(
            f"no model was fitted: all training labels so far are {found!r}. Go on until another class "
            "comes, or bring labels of it (run(labeled=...), add_labels)",
            stacklevel=3,
        )


def _two_classes(codes: NDArray[np.intp]) -> bool:
    return bool((codes != codes[:1]).any())
