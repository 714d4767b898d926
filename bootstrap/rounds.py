"""What a loop is made of, and what happens inside a round: choose, publish, fit, measure."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.batching import Batching
from bootstrap.certifying import Certifying
from bootstrap.class_changes import ClassChange
from bootstrap.classes import ClassList
from bootstrap.exchange import Exchange
from bootstrap.features import check_features, n_rows
from bootstrap.measuring import new_key
from bootstrap.model import Model
from bootstrap.pool import Place, Pool
from bootstrap.protocols import Clock
from bootstrap.records import SKIP, Class, Label, Round, Skip, Source
from bootstrap.scoring import RunningErrors
from bootstrap.settings import Settings
from bootstrap.steps import InMemory, Steps
from bootstrap.strategy_call import check_serves

__all__ = ["Rounds", "two_classes"]


class Rounds:
    """The parts of one loop, and the steps that change them.

    Parameters
    ----------
    settings : Settings
    estimator : classifier, Pipeline, modAL learner, or list of classifiers
    strategy : callable
        Which items to train on.
    classes : sequence or None
        All classes, where they are known.
    adjudicated : bool
        Whether a second person decides where a candidate and the first answer differ.
    clock : callable
        Seconds since the epoch.

    Attributes
    ----------
    settings : Settings
    stop_reason : str or None
        Why the last `run` ended.
    trained_rows : ndarray of int
        Rows of the pool that the model was fitted on last.
    """

    def __init__(
        self,
        settings: Settings,
        estimator: Any,
        *,
        strategy: Any,
        classes: Sequence[Any] | None,
        adjudicated: bool,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.stop_reason: str | None = None
        self._estimator = estimator
        self._strategy = strategy
        self._given_classes = classes
        self._adjudicated = adjudicated
        self._clock = clock
        entropy = np.random.SeedSequence(settings.random_state).entropy
        self._journal: Steps = InMemory(self._catch_up)
        self._begin(entropy, new_key(settings.random_state), outside=True)

    def _begin(self, entropy: Any, key: bytes, *, outside: bool) -> None:
        """Begin with no item and no label; `outside` puts in what came inside the estimator."""
        settings, strategy = self.settings, self._strategy
        self._entropy, self._key = entropy, key
        self._classes = classes = ClassList(self._given_classes)
        self._model = self._new_model(self._estimator)
        check_serves(strategy, self._model.learner)
        self._pool = Pool(
            self._key, settings.held_out, reserved=settings.random_share, allow_nan=self._model.takes_nan
        )
        self._running = RunningErrors()
        self._certifying = Certifying(settings, self._pool, adjudicated=self._adjudicated, key=self._key)
        self._exchange = Exchange(
            self._pool,
            classes,
            name=settings.name,
            clock=self._clock,
            on_answer=self._answered,
            on_split=self._certifying.set_apart,
        )
        self._batching = Batching(settings, strategy, self._pool, self._exchange, self._certifying, self._rng)
        self._rounds: list[Round] = []
        self._n_trained = 0
        self._n_fits = 0
        self.trained_rows = np.empty(0, dtype=np.intp)
        self._given_since_fit = False
        self._was_answered = False  # whether all queries of the last round had their answer
        for X, y in self._model.given if outside else ():
            self._add_outside(X, y)

    def _rng(self, *purpose: int) -> np.random.Generator:
        """Randomness for one purpose, the same whatever was drawn for others."""
        return np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=purpose))

    def _new_model(self, estimator: Any) -> Model:
        return Model(
            estimator,
            classes=self._classes.fixed,
            seed=int(self._rng(0).integers(2**31)),
            review_rate=self.settings.review_rate,
            n_jobs=self.settings.n_jobs,
        )

    def _new_batch(self, limit: int | None) -> None:
        self._catch_up()
        rows = self._batching.next(self._model, limit)
        if len(rows) == 0:
            return
        if self._model.held_out is not None:
            audits = rows[[self._pool.is_held_out(row) for row in rows.tolist()]]
            self._running.expect(audits, self._model.held_out)
        self._certifying.asked(rows)
        self._exchange.publish(rows.tolist())

    def _withdraw(self, rows: list[int]) -> None:
        """Queries that nobody has seen are taken back, to be ranked anew."""
        self._exchange.withdraw(rows)
        self._batching.rank_anew()

    def _change_classes(self, change: ClassChange) -> None:
        """Go on to the next version of the classes: labels are mapped, and all that rests on them is new."""
        self._exchange.change_classes(change)
        self._certifying.change_classes(change, self._classes.version)
        self._batching.rank_anew()
        self._running = RunningErrors()
        own = self._model.originals
        self._model = self._new_model(own if len(own) > 1 else own[0])
        self._n_trained, self._given_since_fit = 0, True

    def _catch_up(self) -> None:
        """Take in labels that were given and items that were added since the last refit."""
        if self._given_since_fit:
            self._fit()
        else:
            self._model.refresh(self._pool)

    def _fit(self) -> None:
        """Train anew if there are new training labels, of two classes at least."""
        rows, codes = self._exchange.training()
        if len(rows) != self._n_trained and two_classes(codes):
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
                self._n_fits, self.trained_rows = self._n_fits + 1, rows
        else:
            self._model.refresh(self._pool)
        self._given_since_fit = False

    def _answered(self, row: int, entry: Label) -> None:
        was_random = entry.source is Source.AUDIT and not self._certifying.is_apart(row)
        if was_random and not isinstance(entry.label, Skip):
            self._running.settle(row, entry.label)
        self._certifying.answered(row, entry)

    def _measure(self, began: float) -> Round:
        unsettled = self._unsettled()
        figures = self._running.figures(unsettled.tolist(), self.settings)
        if self._model.held_out is not None:
            rows, truth = self._audits()
            if self._certifying.waits_for_apart:
                rows, truth = rows[:0], []
            figures |= self._model.held_out.figures(rows, truth, self.settings)
        labels = self._exchange.labels
        return Round(
            round=len(self._rounds) + 1,
            n_labels=labels.n_asked,
            n_trained=self._n_trained,
            n_audited=self._pool.count(Place.AUDITED) + len(unsettled),
            n_unsettled=len(unsettled),
            n_given=labels.n_given,
            n_skipped=labels.n_skipped,
            n_classes=len(self._classes),
            review_rate=self.settings.review_rate,
            certified_review_rate=self._certifying.certified_review_rate,
            seconds=time.perf_counter() - began,
            **figures,
        )

    def _audits(self) -> tuple[NDArray[np.intp], list[Class | Skip]]:
        """(rows, their labels) of all audits that were answered: SKIP, which nothing equals, where unsettled.

        Left out, those would make every model look better: what people can't tell, it can't either.
        """
        audited, unsettled = self._pool.rows(Place.AUDITED), self._unsettled()
        labels: list[Class | Skip] = [*self._exchange.labels.of(audited), *[SKIP] * len(unsettled)]
        return np.concatenate([audited, unsettled]), labels

    def _unsettled(self) -> NDArray[np.intp]:
        """Audits that people have answered, and that have no label: skipped, or disagreed about."""
        disputed = self._disputed(Place.HELD_OUT, Place.AUDITING)
        return np.union1d(self._pool.rows(Place.AUDIT_SKIPPED), disputed)

    def _disputed(self, *places: Place) -> NDArray[np.intp]:
        """Rows in these places that wait for somebody to settle them."""
        disputed = np.array(self._exchange.labels.disputed(), dtype=np.intp)
        return np.intersect1d(self._pool.rows(*places), disputed)

    def _add_outside(self, X: Any, y: Any, ids: Any = None) -> None:
        X = check_features(X, allow_nan=self._model.takes_nan, name="labeled features")
        labels = self._exchange.check_given(y, n_rows(X))
        self._given_since_fit = True
        self._exchange.give(self._pool.add_outside(X, ids).tolist(), labels, None, blind=False)

    def _warn_of_one_class(self) -> None:
        rows, codes = self._exchange.training()
        if len(rows) == 0 or two_classes(codes):
            return
        found = self._exchange.labels.of(rows[:1])[0]
        warnings.warn(
            f"no model was fitted: all training labels so far are {found!r}. Go on until another class "
            "comes, or bring labels of it (run(labeled=...), add_labels)",
            stacklevel=3,
        )


def two_classes(codes: NDArray[np.intp]) -> bool:
    """Whether there are labels of two classes at least."""
    return bool((codes != codes[:1]).any())
