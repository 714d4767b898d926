"""What a loop can tell: history, predictions, figures, candidates, certificates and the verdict."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bootstrap.certified_model import CertifiedModel
from bootstrap.closing import PoolAudit
from bootstrap.errors import NotReady
from bootstrap.features import take
from bootstrap.history import History
from bootstrap.learner import AnyLearner
from bootstrap.measuring import review_curve
from bootstrap.mistakes import by_cross_validation, mistakes
from bootstrap.outlook import plan_for
from bootstrap.phaseout import Candidate, Certificate, ClosedPool, Verdict
from bootstrap.planning import Plan
from bootstrap.pool import Place
from bootstrap.records import Class, Label
from bootstrap.rounds import Rounds, two_classes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bootstrap.report import ReviewCurveReport

__all__ = ["Results"]


class Results(Rounds):
    """Everything that one asks a loop about; nothing here asks a person or trains the loop's model."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every answer in the order it came, skips and extra labels included."""
        self._journal.look()
        return tuple(self._exchange.labels.log)

    @property
    def n_labels(self) -> int:
        """Labels that people gave to this loop's queries so far, audits included."""
        self._journal.look()
        return self._exchange.labels.n_asked

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes given, or seen so far in any label."""
        self._journal.look()
        return self._classes.shown

    @property
    def history(self) -> History:
        """The finished rounds."""
        self._journal.look()
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
        self._journal.look()
        return self._model.learner

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels of shape (n,) for raw features, by this round's model."""
        codes = self.predict_proba(X).argmax(axis=1)
        return np.asarray(np.asarray(self.learner.classes_)[codes])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, K) for raw features; columns in the order of `loop.learner.classes_`."""
        self._journal.look()
        if self._given_since_fit:
            self._journal.refresh()
        return self._model.predict_proba(X)

    def fitted_estimator(self) -> Any:
        """Your estimator (a list for a committee), fitted on all training labels: ready to save and use."""
        self._journal.look()
        rows, codes = self._exchange.training()
        if not two_classes(codes):
            raise NotReady("there is no model yet: it takes labels of at least two classes")
        classes, codes = self._classes.encoding(codes)
        return self._model.for_export(take(self._pool.X, rows), classes[codes])

    def review_curve(self) -> ReviewCurveReport:
        """Accuracy against review rate for this round's model, on the audited held-out items.

        Those that nobody could tell, or that people disagree about, count as wrong until they are settled.

        Raises
        ------
        NotReady
            If no held-out item has been audited yet, or there is no model.
        """
        from bootstrap.report import ReviewCurveReport

        self._journal.refresh()
        held_out, (rows, truth) = self._model.held_out, self._audits()
        if held_out is None or len(rows) == 0:
            raise NotReady("nothing is measured yet: it takes a model and at least one audited held-out item")
        if self._certifying.waits_for_apart:
            raise NotReady(
                "a class was split, and audits of it are asked again: until they are in, the others are no "
                "random part of the held-out set. Answer them first (loop.run)"
            )
        curve = review_curve(
            *held_out.outcomes(rows, truth),
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

    def verdict(self, present_rate: float = 1.0) -> Verdict:
        """Whether people may review less: advance, hold or step back, with the reason and the numbers.

        Parameters
        ----------
        present_rate : float
            The share that people review now, in (0, 1]: an advance is a certified rate below it.
        """
        self._journal.look()
        if self._certifying.trial.champion is None:
            self._refuse_if_closed()
        n_disputed = len(self._disputed(Place.HELD_OUT, Place.AUDITING))
        found = self._certifying.verdict(
            self.n_labels, self._n_trained, self.classes, present_rate, n_disputed=n_disputed
        )
        notes = [note for note in (self._says_what_is_new(), self._says_what_is_disputed()) if note]
        return dataclasses.replace(found, next_step=" ".join([found.next_step, *notes]))

    def _says_what_is_new(self) -> str:
        rows, _ = self._exchange.training()
        taken = len(rows) - self._n_trained if self._given_since_fit or self._exchange.told_since_round else 0
        n = max(0, taken) + self._journal.n_untaken()
        return f"Not in this yet: labels that came since the last refit ({n})." if n else ""

    def _says_what_is_disputed(self) -> str:
        n = len(self._disputed(Place.ASKED, Place.AVAILABLE, Place.RESERVED))
        if n == 0:
            return ""
        items = "item to learn from waits" if n == 1 else "items to learn from wait"
        return f"{n} {items} for an adjudicator (add_reviewer(storage, name, is_adjudicator=True))."

    def plan(self) -> Plan:
        """What the next certificate may still cost, in labels and days: a forecast, not evidence."""
        self._journal.look()
        return plan_for(
            self.settings,
            self._certifying,
            self._rounds,
            self._exchange.labels.log,
            self._n_trained,
            self._rng(5),
        )

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every certificate, in the order in which they were given. `print` one to read it.

        Empty while nothing is certified, so that ``certificates[-1]`` is an IndexError:
        ``print(loop.verdict())`` says what is missing.
        """
        self._journal.look()
        return tuple(self._certifying.certificates)

    def certified_model(self) -> CertifiedModel:
        """The champion, frozen as it was certified: the model to use, with its threshold.

        Raises
        ------
        NotReady
            If nothing is certified, or the champion was withdrawn.
        """
        self._journal.look()
        found = self._certifying.certified_model()
        if found is None:
            raise NotReady(
                "nothing is certified, so there is no model to use: print(loop.verdict()) says why"
            )
        return CertifiedModel(*found)

    @property
    def certified_review_rate(self) -> float:
        """The lowest certified review rate of the champion; 1 while there is none."""
        self._journal.look()
        return self._certifying.certified_review_rate

    def candidate(self, estimator: Any) -> Candidate:
        """Have another kind of model tested: fitted on the labels that there are, and frozen.

        It draws on the same ledger, and only audits asked from now on count for it: whoever chose it
        may have looked at those before. The loop goes on with its own estimator.

        Parameters
        ----------
        estimator : classifier, Pipeline, modAL learner, or list of classifiers

        Returns
        -------
        Candidate
            Its evidence is brought up to date as audits come in.

        Raises
        ------
        NotReady
            If there are no labels of two classes, or nothing is held out.
        InvalidInput
            For something that is no classifier.
        """
        with self._journal.step():
            self._refuse_if_closed()
            rows, codes = self._exchange.training()
            if not two_classes(codes):
                raise NotReady("a candidate needs labels of at least two classes to learn from")
            model = self._new_model(estimator)
            classes, codes = self._classes.encoding(codes)
            model.fit(self._pool, rows, codes, classes)
            if model.held_out is None:
                raise NotReady("nothing is held out, so that no candidate can be tested: use held_out=0.2")
            return self._certifying.register_by_hand(model.frozen(), len(rows), len(self._rounds), model.name)

    def close_pool(self, review_rate: float | None = None) -> PoolAudit:
        """Certify the rest of this very pool, where it is the whole product and nothing comes after it.

        The model is frozen as it is, people label the least confident share of the items without a label,
        and audits drawn from the others without replacement show how many errors these hold. The more
        of them are audited, the cheaper that is than a statement about items that may still come. It is the
        last step: afterwards what is left of the held-out set is no random part any more, and no candidate
        is tested. It may be closed again, with people reviewing more.

        Parameters
        ----------
        review_rate : float, optional
            Share of the items without a label that people decide; by default the loop's.

        Returns
        -------
        PoolAudit
            `ask(n)`, `tell(answers)`, and `print` for what follows.

        Raises
        ------
        NotReady
            If there is no model, or queries wait for their answers.
        """
        if self._journal.is_stored:
            raise NotReady(
                "close_pool is not kept in a store yet: close the pool in a loop in memory (storage=None) "
                "with these labels, loop.add_labels(ids, labels, blind=True)"
            )
        chosen = self.settings
        if chosen.targets or chosen.traps or chosen.target_of == "system" or self._certifying.adjudicated:
            raise NotReady(
                "close_pool shows accuracy of what is decided alone, by one answer each: it knows no "
                'targets=, traps=, adjudicator= or target_of="system", and this loop was made with such'
            )
        if self._exchange.waiting:
            raise NotReady("queries wait for answers: tell them or refit first, then close the pool")
        rate = self.settings.review_rate if review_rate is None else review_rate
        self._catch_up()
        rows = self._pool.rows(Place.AVAILABLE, Place.RESERVED, Place.HELD_OUT)
        found = self._model.predict_rows(self._pool, rows)
        ledger = self._certifying.ledger
        number, delta = ledger.next()
        audit = ClosedPool(
            [self._pool.id(row) for row in rows.tolist()],
            found.predicted.tolist(),
            found.confidence.tolist(),
            review_rate=rate,
            target=self.settings.target_accuracy,
            delta=delta,
            key=self._key,
            name=f"{self._model.name} (candidate {number})",
        )
        ledger.draw()
        self._certifying.end()
        skipped = self._pool.rows(Place.SKIPPED, Place.AUDIT_SKIPPED)
        audit.to_review += tuple(self._pool.id(row) for row in skipped.tolist())
        return PoolAudit(audit, self._exchange, self._pool)

    def errors(self, *, audited: bool = False, folds: int = 5) -> pd.DataFrame:
        """Items that the model gets wrong, the most confident mistakes first.

        Parameters
        ----------
        audited : bool
            By default, mistakes on training labels, found by cross-validation: look at them as much as you
            like. True shows mistakes on audited items, and retires all audits so far, since whoever has
            seen how they came out can't be surprised by them any more: they count for no later candidate.
        folds : int
            For cross-validation, at least 2.

        Returns
        -------
        DataFrame
            Columns id, item, label, predicted, confidence.

        Raises
        ------
        NotReady
            If there is no model yet, or too few labels of some class for cross-validation.
        """
        self._journal.refresh()
        if audited:
            with self._journal.step():
                held_out, rows = self._model.held_out, self._pool.rows(Place.AUDITED)
                if held_out is None:
                    raise NotReady("there is no model yet, or nothing is held out: no audit can be wrong")
                self._certifying.trial.retire()
                self._journal.mark("retired")
            found = held_out.only(rows)
            return mistakes(self._pool, rows, self._exchange.labels.of(rows), *found)
        rows, _ = self._exchange.training()
        labels = self._exchange.labels.of(rows)
        found = by_cross_validation(
            self._model.originals,
            self._pool,
            rows,
            labels,
            folds=folds,
            seed=int(self._rng(4).integers(2**31)),
        )
        return mistakes(self._pool, rows, labels, *found)

    def _refuse_if_closed(self) -> None:
        if self._certifying.has_ended:
            raise NotReady(
                "the pool was closed (close_pool), so that no candidate is tested any more: print what "
                "close_pool returned for its verdict"
            )
