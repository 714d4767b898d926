"""The candidates of a loop under test: audits and answers in, certificates and the verdict out.

It freezes the model at fixed counts of trained labels, hands audits and answers on in the order in which
they were asked, keeps the certificates and gives the verdict. When a candidate is frozen, and what it is,
depends on no held-out label.

`candidates.py` makes the candidates, `answered_twice.py` knows how people's own error enters,
`out_of_turn.py` which audits are no random part of all, `audits_wanted.py` where labels are worth an audit.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from bootstrap.certifying.audits_wanted import audits_wanted
from bootstrap.certifying.candidates import Candidates, StoredCandidate
from bootstrap.class_changes import ClassChange
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.model import FrozenModel, Model
from bootstrap.phaseout import (
    Candidate,
    Certificate,
    Situation,
    Verdict,
    certify,
    give_verdict,
)
from bootstrap.pool import Place, Pool
from bootstrap.records import SKIP, Class, Label, Source
from bootstrap.settings import Settings

__all__ = ["FIRST_CANDIDATE", "Certifying"]

#: Trained labels at which the first candidate is frozen; the next ones at each doubling.
FIRST_CANDIDATE = 100


class Certifying(Candidates):
    """The candidates of one loop as they are tested, their certificates and the verdict.

    Attributes
    ----------
    certificates : list of Certificate
        In the order in which they were given; those of withdrawn candidates stay in the list.
    next_candidate_at : int
        Trained labels at which the next candidate is frozen.
    batch_is_cut : bool
        Whether only a part of the present training batch has been asked: what was left to spend has cut
        it, and that depends on held-out labels. No candidate is frozen before the rest is asked.
    has_ended : bool
        Whether the pool was closed: no candidate is tested any more.
    """

    def __init__(self, settings: Settings, pool: Pool, *, adjudicated: bool, key: bytes) -> None:
        super().__init__(settings, pool, adjudicated=adjudicated, key=key)
        self.certificates: list[Certificate] = []
        self.next_candidate_at = FIRST_CANDIDATE
        self.batch_is_cut = False
        self.has_ended = False
        self._beginning: tuple[Candidate, FrozenModel] | None = None  # longer than a call: interrupted
        self._n_known = 0  # rows of the pool that the candidates have predictions for
        self._n_collected = 0  # certified rungs that have their certificate
        self._class_version = 1

    # audits and answers

    def asked(self, rows: NDArray[np.intp]) -> None:
        """These rows are asked about; those whose turn is random are evidence."""
        self.extend()
        self._see_whether_caught_up()
        homes = {row: self._pool.home(row) for row in rows.tolist()}
        random = (Place.HELD_OUT, Place.RESERVED) if self.has_candidates else (Place.HELD_OUT,)
        if self.trial.catching_up:  # reserved ones can't be replayed, so that they would never balance
            random = (Place.HELD_OUT,)
        drawn = [row for row, home in homes.items() if home in random]
        self._predict(np.array(drawn, dtype=np.intp))  # some may have been out when a model was frozen
        for row in drawn:
            self.trial.ask(row, held_out=homes[row] is Place.HELD_OUT)
        gone = [row for row in drawn if self._pool.is_erased(row)]
        if gone:  # erased while they were chosen: no answer will come
            self.erase(gone)

    def answered(self, row: int, entry: Label) -> None:
        """An entry of the label log; taken into account once or twice makes no difference."""
        if entry.source is Source.GIVEN and entry.blind and self._pool.is_held_out(row):
            self.extend()
            self.trial.ask(row)
        if row not in self.trial:
            return
        if entry.source is Source.SECOND:
            self._answered_twice.note(row, entry)
            self.trial.answer_second(row, entry.label)
        elif entry.blind:
            self._answered_twice.note(row, entry)
            self.trial.answer(row, entry.label)
        else:  # an audit that still waits will get no blind answer any more: nobody has accepted the model's
            self.trial.answer(row, SKIP)
        if self.trial.n_certified > self._n_collected:
            self._collect()

    def second_answers_wanted(self, answered: NDArray[np.intp]) -> list[int]:
        """Rows that somebody should answer a second time: disputes, and a share drawn at random."""
        return self._answered_twice.wanted(answered)

    # candidates

    def after_fit(self, model: Model, n_trained: int, round_: int) -> None:
        """Freeze the model as a candidate where its time has come."""
        self._settle()
        if self._beginning is None:
            if self.has_ended or self.batch_is_cut or n_trained < self.next_candidate_at:
                return
            if not model.is_fitted or len(self._thresholds_from()) == 0:
                return
            frozen = model.frozen()
            self.extend()
            candidate = self._candidate(frozen.predictions, n_trained, round_, model.name)
            self._beginning = (candidate, frozen)
        while self.next_candidate_at <= n_trained:
            self.next_candidate_at *= 2
        self._begin(*self._beginning)
        self._beginning = None

    def end(self) -> None:
        """Test no candidate any more, present or later: what is left to audit is no random part any more."""
        self.has_ended = True
        self.trial.end()

    def register_by_hand(self, model: FrozenModel, n_trained: int, round_: int, name: str) -> Candidate:
        """Freeze any model as a candidate: only audits asked from now on count for it."""
        self.extend()
        if self.trial.catching_up:
            raise NotReady(
                "items were added, and those whose turn to be audited has passed come first: register the "
                "candidate when they are audited (loop.run), since it counts only audits asked from now on"
            )
        candidate = self._candidate(model.predictions, n_trained, round_, name, by_hand=True)
        self._begin(candidate, model)
        return candidate

    def _begin(self, candidate: Candidate, model: FrozenModel | None) -> None:
        if model is not None:
            self._models[candidate.number] = model
        self.trial.register(candidate)
        self._collect()

    def replay_fit(self, n_trained: int, found: StoredCandidate | None) -> None:
        """What :meth:`after_fit` did: a candidate was frozen, or none."""
        self._settle()
        if found is None:
            return
        self.extend()
        while self.next_candidate_at <= n_trained:
            self.next_candidate_at *= 2
        self._replay(found)

    def replay_by_hand(self, found: StoredCandidate) -> None:
        """What :meth:`register_by_hand` did."""
        self.extend()
        self._replay(found)

    def _replay(self, found: StoredCandidate) -> None:
        candidate = self._candidate(
            found.predictions, found.n_trained, found.round, found.name, by_hand=found.by_hand
        )
        self._begin(candidate, None)

    def erase(self, rows: list[int]) -> None:
        """The content of these rows is gone."""
        self.trial.erase(rows)
        self._collect()

    # classes

    def change_classes(self, change: ClassChange, version: int) -> None:
        """Nothing that was tested or proved is about this version: candidates begin anew.

        Whoever changes classes has seen which are confused, so that no audit so far counts later on.
        """
        self.trial.withdraw(f"the classes were changed (version {version})")
        self._answered_twice.set_aside()
        self.trial.rename(change.now)
        self._out_of_turn.stop_catching_up()
        self._beginning = None
        self.next_candidate_at = FIRST_CANDIDATE
        self._class_version, self._n_older = version, len(self.trial.candidates)

    def set_apart(self, row: int) -> None:
        """A row is asked again for what was said of it: its answer is evidence for nothing."""
        self._out_of_turn.set_apart(row)

    def is_apart(self, row: int) -> bool:
        """Whether it is asked again for what was said of it."""
        return row in self._out_of_turn.apart

    @property
    def waits_for_apart(self) -> bool:
        """Whether audits are missing that were asked for again: the others are no random part until then."""
        return self._out_of_turn.waits_for_apart

    def replace(
        self, candidate: Candidate, new: StoredCandidate | None, model: FrozenModel | None, reason: str
    ) -> None:
        """It is another model now: end its test, and test the other under a new number of the ledger."""
        self.trial.dismiss(candidate, reason)
        if new is not None:
            again = self._candidate(new.predictions, new.n_trained, new.round, new.name)
            self._begin(again, model)

    # reading

    @property
    def certified_review_rate(self) -> float:
        """The lowest certified review rate of the champion; 1 while there is none."""
        champion = self.trial.champion
        return 1.0 if champion is None else champion.rung.review_rate

    def certified_model(self) -> tuple[FrozenModel, Certificate] | None:
        """The champion's model and the certificate for its lowest rate; None without a champion."""
        champion = self.trial.champion
        if champion is None:
            return None
        number = champion.candidate.number
        held = [c for c in self.certificates if c.candidate == number]
        model = self.model_of(champion.candidate)
        if number in self.others:
            raise NotReady(f"the certified model is not at hand: {self.others[number]}")
        return model, min(held, key=lambda c: c.review_rate)

    def verdict(
        self,
        n_labels: int,
        n_trained: int,
        classes: tuple[Class, ...],
        present_rate: float,
        *,
        n_disputed: int = 0,
    ) -> Verdict:
        """Advance, hold or step back, and why."""
        if isinstance(present_rate, bool) or not 0.0 < present_rate <= 1.0:
            raise InvalidInput(f"present_rate is the share reviewed now, in (0, 1]; got {present_rate!r}")
        self.extend()
        self._settle()
        left = self._pool.count(Place.HELD_OUT, Place.RESERVED) if len(self._pool.held_out_rows()) else 0
        found = give_verdict(
            self.trial,
            Situation(
                claims=self._settings.claims,
                ladder=self._settings.ladder,
                present_rate=present_rate,
                n_labels=n_labels,
                n_trained=n_trained,
                next_candidate_at=self.next_candidate_at,
                n_left=left,
                n_disputed=n_disputed,
                people=self.people(),
                certificates=tuple(self.certificates),
                classes=classes,
            ),
        )
        notes = self._notes()
        if not notes:
            return found
        reason = found.reason[:1].upper() + found.reason[1:]
        return dataclasses.replace(found, reason=" ".join([*notes, reason]))

    def _notes(self) -> list[str]:
        """What has to be said before any reason: which items the evidence is not about."""
        notes = []
        champion = self.trial.champion
        if champion is not None and champion.candidate.closed and not self.has_ended:
            notes.append("Items were added since this was certified: it speaks of those before.")
        if self.trial.catching_up:
            late = len(self._out_of_turn.late())
            notes.append(
                f"Items were added after audits had begun: {late} of them have to be audited before anything "
                "is certified for all."
            )
        labeled = self._pool.count(Place.HELD_OUT_LABELED)
        if labeled:
            notes.append(
                f"{labeled} held-out items came with labels that were not blind: this speaks of the others."
            )
        return notes

    def audits_wanted(self, reach: float = 0.6) -> int:
        """Audits that may bring the next certificate soon; 0 where labels are better spent on training.

        Parameters
        ----------
        reach : float
            The candidate may be hoped to err on less than this share of what the target allows.
        """
        if self.trial.catching_up and self.trial.present is not None:
            return max(1, len(self._out_of_turn.late()))
        return audits_wanted(self.trial, reach)

    # inside

    def extend(self) -> None:
        """Let every candidate predict for items that were added since, and test it on all of them anew."""
        n = self._pool.n_rows
        if n == self._n_known:
            return
        rows = self._pool.rows(Place.HELD_OUT, Place.RESERVED)
        new = rows[rows >= self._n_known]
        self._predict(new)
        self._n_known = n
        asked_up_to = self._pool.last_turn(Place.HELD_OUT)
        if asked_up_to > 0.0 and any(self._pool.is_held_out(row) for row in new.tolist()):
            self._catch_up_to(asked_up_to)

    def _catch_up_to(self, turn: float) -> None:
        """Items came after audits had begun: those with an earlier turn are audited first.

        What was audited before is no random part of all items until then. The present candidate is
        tested on all of them under a new number of the ledger: it is another claim.
        """
        self._out_of_turn.catch_up_to(turn)
        tested = [c for c in self.trial.candidates if not c.closed and not c.by_hand]
        self.trial.close()
        if tested and not self.has_ended:
            last = tested[-1]
            again = self._candidate(last.predictions, last.n_trained, last.round, last.name)
            self._begin(again, self.model_of(last))

    def _see_whether_caught_up(self) -> None:
        if self._out_of_turn.see_whether_caught_up():
            self._collect()

    def _settle(self) -> None:
        """Count and certify what an interruption has left undone."""
        self.trial.advance()
        self._see_whether_caught_up()
        self._collect()

    def _collect(self) -> None:
        """A certificate for every rung that is certified and has none yet."""
        given = {(c.candidate, c.review_rate) for c in self.certificates}
        for candidate in self.trial.candidates:
            for rung in () if candidate.closed else candidate.rungs:
                if rung.certified and (candidate.number, rung.review_rate) not in given:
                    self.certificates.append(
                        certify(
                            candidate,
                            rung,
                            people=self.people(),
                            delta_in_all=self.ledger.delta,
                            class_version=self._class_version,
                        )
                    )
        self._n_collected = self.trial.n_certified
