"""What connects a loop to the trial of its candidates.

It freezes the model at fixed counts of trained labels, hands audits and answers on in the order in which
they were asked, keeps the certificates and gives the verdict. When a candidate is frozen, and what it is,
depends on no held-out label.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootstrap.class_changes import ClassChange
from bootstrap.errors import InvalidInput, NotReady
from bootstrap.measuring import people_error_interval, review_threshold, uniform_draw
from bootstrap.model import FrozenModel, Model
from bootstrap.phaseout import (
    About,
    Candidate,
    Certificate,
    Ledger,
    People,
    Predictions,
    Rung,
    Situation,
    Trial,
    Verdict,
    certify,
    check_traps,
    give_verdict,
    rungs_for,
)
from bootstrap.planning.spending import worth_auditing
from bootstrap.pool import Place, Pool
from bootstrap.records import SKIP, Class, Label, Source
from bootstrap.settings import Settings

__all__ = ["FIRST_CANDIDATE", "Certifying", "StoredCandidate"]

#: Trained labels at which the first candidate is frozen; the next ones at each doubling.
FIRST_CANDIDATE = 100


@dataclass(frozen=True, slots=True)
class StoredCandidate:
    """What a store keeps of a candidate, beside the model: thresholds and evidence follow from it."""

    name: str
    round: int
    n_trained: int
    by_hand: bool
    predictions: Predictions


class Certifying:
    """Candidates, certificates and the verdict of one loop.

    Parameters
    ----------
    settings : Settings
    pool : Pool
    adjudicated : bool
        Whether somebody decides where a candidate and the first answer differ.
    key : bytes
        Of the draw of audits that are answered twice.

    Attributes
    ----------
    adjudicated : bool
    trial : Trial
    ledger : Ledger
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
        self.trial = Trial(adjudicated=adjudicated, alarm_delta=settings.delta)
        self.ledger = Ledger(settings.delta, settings.tested_before)
        self.certificates: list[Certificate] = []
        self.next_candidate_at = FIRST_CANDIDATE
        self.batch_is_cut = False
        self.has_ended = False
        self.adjudicated = adjudicated
        self._settings = settings
        self._pool = pool
        self._key = key
        self._models: dict[int, FrozenModel] = {}  # candidate -> what predicts for items added later
        self.others: dict[int, str] = {}  # candidate -> why what was fitted again is another model
        self.refit: Callable[[Candidate], FrozenModel] | None = None  # makes one that a store has no model of
        self._beginning: tuple[Candidate, FrozenModel] | None = None  # longer than a call: interrupted
        self._frontier = 0.0  # turn up to which items that came late have to be audited first
        self._n_known = 0  # rows of the pool that the candidates have predictions for
        self._n_collected = 0  # certified rungs that have their certificate
        self._class_version = 1
        self._n_older = 0  # candidates that were about an older version of the classes
        self._apart: set[int] = set()  # rows that are asked out of their turn: no random part of all
        self._seen_twice: set[int] = set()  # rows with two answers when the classes were changed
        self._seconds: dict[int, tuple[str | None, str | None]] = {}  # row -> who answered first and second

    @property
    def has_candidates(self) -> bool:
        """Whether any was ever registered."""
        return bool(self.trial.candidates)

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

    def answered(self, row: int, entry: Label) -> None:
        """An entry of the label log; taken into account once or twice makes no difference."""
        if entry.source is Source.GIVEN and entry.blind and self._pool.is_held_out(row):
            self.extend()
            self.trial.ask(row)
        if row not in self.trial:
            return
        first_by, second_by = self._seconds.get(row, (None, None))
        if entry.source is Source.SECOND:
            self._seconds[row] = (first_by, entry.by)
            self.trial.answer_second(row, entry.label)
        elif entry.blind:
            self._seconds[row] = (entry.by, second_by)
            self.trial.answer(row, entry.label)
        else:  # an audit that still waits will get no blind answer any more: nobody has accepted the model's
            self.trial.answer(row, SKIP)
        if self.trial.n_certified > self._n_collected:
            self._collect()

    def second_answers_wanted(self, answered: NDArray[np.intp]) -> list[int]:
        """Rows that somebody should answer a second time: disputes, and a share drawn at random."""
        wanted = dict.fromkeys(self.trial.disputed())
        if self._settings.asked_twice > 0.0:
            wanted |= dict.fromkeys(row for row in answered.tolist() if self._is_drawn_twice(row))
        return [row for row in wanted if not self.trial.has_second(row)]

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

    def _candidate(
        self, predictions: Predictions, n_trained: int, round_: int, name: str, *, by_hand: bool = False
    ) -> Candidate:
        """A candidate under the next number of the ledger."""
        number, delta = self.ledger.next()
        rungs = self._rungs(predictions, self._thresholds_from(), delta, self.people())
        self.ledger.draw()  # last: what fails before it spends nothing
        return Candidate(number, delta, name, round_, n_trained, predictions, rungs, by_hand)

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

    def model_of(self, candidate: Candidate) -> FrozenModel:
        """The frozen model of a candidate; fitted again where a store knows only how."""
        if candidate.number not in self._models:
            if self.refit is None:
                raise NotReady(f"the model of candidate {candidate.number} is not at hand")
            self._models[candidate.number] = self.refit(candidate)
        return self._models[candidate.number]

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
        self._seen_twice |= {row for row, _, _ in self.trial.twice()}
        self.trial.rename(change.now)
        if self.trial.catching_up:  # those that come first now are no random part of all that come
            for row in self._rows_to_catch_up():
                self.set_apart(row)
            self.trial.catching_up, self._frontier = False, 0.0
        self._beginning = None
        self.next_candidate_at = FIRST_CANDIDATE
        self._class_version, self._n_older = version, len(self.trial.candidates)

    def set_apart(self, row: int) -> None:
        """A row is asked again for what was said of it: its answer is evidence for nothing."""
        self._apart.add(row)
        self.trial.set_apart(row)

    def is_apart(self, row: int) -> bool:
        """Whether it is asked again for what was said of it."""
        return row in self._apart

    @property
    def waits_for_apart(self) -> bool:
        """Whether audits are missing that were asked for again: the others are no random part until then."""
        waiting = (Place.HELD_OUT, Place.AUDITING)
        return any(self._pool.place(row) in waiting for row in self._apart)

    def put_model(self, candidate: Candidate, model: FrozenModel) -> None:
        """The model of a candidate, fitted again and found to be the same."""
        self._models[candidate.number] = model

    def replace(
        self, candidate: Candidate, new: StoredCandidate | None, model: FrozenModel | None, reason: str
    ) -> None:
        """It is another model now: end its test, and test the other under a new number of the ledger."""
        self.trial.dismiss(candidate, reason)
        if new is not None:
            again = self._candidate(new.predictions, new.n_trained, new.round, new.name)
            self._begin(again, model)

    def _rungs(
        self, predictions: Predictions, held_out: NDArray[np.intp], delta: float, people: People
    ) -> tuple[Rung, ...]:
        """The rungs of a new candidate; what is known of people is frozen with it."""
        ladder, claims = self._settings.ladder, self._settings.claims
        evidence = delta * people.evidence_share
        h: list[float] | None = None
        if any(claim.about is About.SYSTEM for claim in claims):
            h = [self._people_error_below(predictions, held_out, rate, evidence / 4) for rate in ladder]
            evidence *= 3 / 4
        return rungs_for(
            predictions,
            held_out,
            ladder,
            claims,
            evidence,
            people_error=h,
            catch_rate=people.allowed_factor,
        )

    def _people_error_below(
        self, predictions: Predictions, held_out: NDArray[np.intp], rate: float, delta: float
    ) -> float:
        """Upper bound of people's error on what this candidate leaves to them; 1 where not measured."""
        threshold = review_threshold(predictions.only(held_out).confidence, rate)
        pairs = [
            pair
            for pair in self._drawn_pairs()
            if predictions.at(pair[0])[1] <= threshold and not self._is_one_person(*self._seconds[pair[0]])
        ]
        _, high = people_error_interval(sum(a != b for _, a, b in pairs), len(pairs), delta)
        return float(high)

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

    def people(self) -> People:
        """What is known of the people whose answers are the truth."""
        pairs = self._drawn_pairs()
        caught, shown = check_traps(self._settings.traps)
        return People(
            adjudicated=self.adjudicated,
            n_twice=len(pairs),
            n_disagreed=sum(first != second for _, first, second in pairs),
            same_person=any(self._is_one_person(*self._seconds[row]) for row, _, _ in pairs),
            caught=caught,
            shown=shown,
            delta=self._settings.delta,
        )

    def verdict(
        self, n_labels: int, n_trained: int, classes: tuple[Class, ...], present_rate: float
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
                people=self.people(),
                certificates=tuple(self.certificates),
                classes=classes,
            ),
        )
        return dataclasses.replace(found, reason=" ".join([*self._notes(), found.reason]))

    def _notes(self) -> list[str]:
        """What has to be said before any reason: which items the evidence is not about."""
        notes = []
        champion = self.trial.champion
        if champion is not None and champion.candidate.closed and not self.has_ended:
            notes.append("Items were added since this was certified: it speaks of those before.")
        if self.trial.catching_up:
            notes.append(
                f"Items were added after audits had begun: {self._n_to_catch_up()} of them have to be "
                "audited before anything is certified for all."
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
            return max(1, self._n_to_catch_up())
        champion = self.trial.champion
        in_use = None if champion is None else champion.candidate
        return self._wanted_by(in_use, reach) or self._wanted_by(self.trial.present, reach)

    def _wanted_by(self, candidate: Candidate | None, reach: float) -> int:
        """What its next rung takes, but for audits that are answered and wait for a second answer to one."""
        if candidate is None or candidate.closed or candidate.next_rung is None:
            return 0
        return max(0, _audits_wanted(candidate.next_rung, reach) - self.trial.n_held_up(candidate))

    # inside

    def _thresholds_from(self) -> NDArray[np.intp]:
        """The held-out items that may be audited: one that came labeled, and not blind, needs no decision."""
        return self._pool.rows(Place.HELD_OUT, Place.AUDITING, Place.AUDITED, Place.AUDIT_SKIPPED)

    def _is_drawn_twice(self, row: int) -> bool:
        if not self._pool.is_held_out(row):
            return False
        return uniform_draw(self._key, self._pool.id(row), "asked-twice") < self._settings.asked_twice

    def _drawn_pairs(self) -> list[tuple[int, Class, Class]]:
        """Both labels of the audits that were drawn to be answered twice: those disputed are no measure.

        Nor are those that were there when the classes were changed, or that were asked again for it: who
        merges two classes may have seen that people mix them up.
        """
        left_out = self._seen_twice | self._apart
        pairs = (pair for pair in self.trial.twice() if pair[0] not in left_out)
        return [pair for pair in pairs if self._is_drawn_twice(pair[0])]

    def _is_one_person(self, first: str | None, second: str | None) -> bool:
        """Whether both answers are one person's; an adjudicator without a name is another one."""
        return first == second and not (first is None and self.adjudicated)

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
        self._frontier = max(self._frontier, turn)
        self.trial.catching_up = True
        tested = [c for c in self.trial.candidates if not c.closed and not c.by_hand]
        self.trial.close()
        if tested and not self.has_ended:
            last = tested[-1]
            again = self._candidate(last.predictions, last.n_trained, last.round, last.name)
            self._begin(again, self.model_of(last))

    def _n_to_catch_up(self) -> int:
        return len(self._rows_to_catch_up())

    def _rows_to_catch_up(self) -> list[int]:
        waiting = self._pool.rows(Place.HELD_OUT, Place.AUDITING)
        return [row for row in waiting.tolist() if self._pool.turn(row) <= self._frontier]

    def _see_whether_caught_up(self) -> None:
        if not self.trial.catching_up:
            return
        if self._n_to_catch_up() == 0:
            self.trial.caught_up()
            self._frontier = 0.0
            self._collect()

    def _predict(self, rows: NDArray[np.intp]) -> None:
        """Have every candidate predict for those of these rows that it does not know yet."""
        for candidate in self.trial.candidates[self._n_older :]:
            known = candidate.predictions
            at = np.minimum(np.searchsorted(known.rows, rows), len(known.rows) - 1)
            missing = rows[known.rows[at] != rows]
            if len(missing):
                more = self.model_of(candidate).predict(self._pool, missing)
                candidate.predictions = known.joined(more)

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


def _audits_wanted(rung: Rung, reach: float) -> int:
    """Audits of everything until the rung is certified if no further one finds an error; 0: not worth it."""
    wanted = 0
    for tally in rung.tallies.values():
        if tally.proved:
            continue
        if tally.alpha <= 0.0 or not worth_auditing(tally.errors, tally.n, tally.alpha, share=reach):
            return 0
        share = (tally.n + 1) / (rung.n_audited + 1)  # of the audits that this claim is about
        wanted = max(wanted, math.ceil((tally.needed - tally.n) / share))
    return wanted or _to_show_that_it_is_of_use(rung, reach)


def _to_show_that_it_is_of_use(rung: Rung, reach: float) -> int:
    """A few more audits where all is proved, and other classes than the commonest may be common enough.

    Where they are not, every audit of the held-out set might go without showing that they are.
    """
    total = rung.alone.total()
    others = total - max(rung.alone.values(), default=0)
    hoped = min(rung.allowed / reach, 0.99)  # as far above what is allowed as the error is to be below it
    return 1 + total // 20 if worth_auditing(total - others, total, 1.0 - hoped, share=1.0) else 0
