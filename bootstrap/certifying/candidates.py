"""The candidates of a loop: what is fixed when a model is frozen, and the frozen models themselves.

A candidate gets the next number of the ledger, thresholds from the confidences on the held-out set, and what
is known of people by then. Its model is kept, or fitted again, for items that are added later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootstrap.certifying.answered_twice import AnsweredTwice
from bootstrap.certifying.out_of_turn import OutOfTurn
from bootstrap.errors import NotReady
from bootstrap.model import FrozenModel
from bootstrap.phaseout import About, Candidate, Ledger, People, Predictions, Rung, Trial, rungs_for
from bootstrap.pool import Place, Pool
from bootstrap.settings import Settings

__all__ = ["Candidates", "StoredCandidate"]


@dataclass(frozen=True, slots=True)
class StoredCandidate:
    """What a store keeps of a candidate, beside the model: thresholds and evidence follow from it."""

    name: str
    round: int
    n_trained: int
    by_hand: bool
    predictions: Predictions


class Candidates:
    """All candidates of one loop, and the models behind them.

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
    refit : callable or None
        Makes a model that a store keeps only the making of.
    others : dict
        Number of a candidate -> why what was fitted again is another model.
    """

    def __init__(self, settings: Settings, pool: Pool, *, adjudicated: bool, key: bytes) -> None:
        self.trial = Trial(adjudicated=adjudicated, alarm_delta=settings.delta)
        self.ledger = Ledger(settings.delta, settings.tested_before)
        self.adjudicated = adjudicated
        self.refit: Callable[[Candidate], FrozenModel] | None = None
        self.others: dict[int, str] = {}
        self._settings = settings
        self._pool = pool
        self._out_of_turn = OutOfTurn(pool, self.trial)
        self._answered_twice = AnsweredTwice(
            settings, pool, self.trial, adjudicated=adjudicated, key=key, out_of_turn=self._out_of_turn
        )
        self._models: dict[int, FrozenModel] = {}  # candidate -> what predicts for items added later
        self._n_older = 0  # candidates that were about an older version of the classes

    @property
    def has_candidates(self) -> bool:
        """Whether any was ever registered."""
        return bool(self.trial.candidates)

    def people(self) -> People:
        """What is known of the people whose answers are the truth."""
        return self._answered_twice.people()

    def model_of(self, candidate: Candidate) -> FrozenModel:
        """The frozen model of a candidate; fitted again where a store knows only how."""
        if candidate.number not in self._models:
            if self.refit is None:
                raise NotReady(f"the model of candidate {candidate.number} is not at hand")
            self._models[candidate.number] = self.refit(candidate)
        return self._models[candidate.number]

    def put_model(self, candidate: Candidate, model: FrozenModel) -> None:
        """The model of a candidate, fitted again and found to be the same."""
        self._models[candidate.number] = model

    # inside

    def _candidate(
        self, predictions: Predictions, n_trained: int, round_: int, name: str, *, by_hand: bool = False
    ) -> Candidate:
        """A candidate under the next number of the ledger."""
        number, delta = self.ledger.next()
        rungs = self._rungs(predictions, self._thresholds_from(), delta, self.people())
        self.ledger.draw()  # last: what fails before it spends nothing
        return Candidate(number, delta, name, round_, n_trained, predictions, rungs, by_hand)

    def _rungs(
        self, predictions: Predictions, held_out: NDArray[np.intp], delta: float, people: People
    ) -> tuple[Rung, ...]:
        """The rungs of a new candidate; what is known of people is frozen with it."""
        ladder, claims = self._settings.ladder, self._settings.claims
        evidence = delta * people.evidence_share
        h: list[float] | None = None
        if any(claim.about is About.SYSTEM for claim in claims):
            below = self._answered_twice.error_below
            h = [below(predictions, held_out, rate, evidence / 4) for rate in ladder]
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

    def _thresholds_from(self) -> NDArray[np.intp]:
        """The held-out items that may be audited: one that came labeled, and not blind, needs no decision."""
        return self._pool.rows(Place.HELD_OUT, Place.AUDITING, Place.AUDITED, Place.AUDIT_SKIPPED)

    def _predict(self, rows: NDArray[np.intp]) -> None:
        """Have every candidate predict for those of these rows that it does not know yet."""
        for candidate in self.trial.candidates[self._n_older :]:
            known = candidate.predictions
            at = np.minimum(np.searchsorted(known.rows, rows), len(known.rows) - 1)
            missing = rows[known.rows[at] != rows]
            if len(missing):
                more = self.model_of(candidate).predict(self._pool, missing)
                candidate.predictions = known.joined(more)
