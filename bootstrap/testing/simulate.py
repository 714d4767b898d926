"""What certificates would have said in a simulated world, held against its truth.

Each seed is one phase-out from the first audit to the last, driven through the machines that ship: the
ledger, candidates with their rungs, the trial with its champion and alarm, and the stages. One row a seed
tells how often that went wrong, what it cost and how soon a decline was noticed.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import (
    LADDER,
    About,
    Candidate,
    Champion,
    Claim,
    Event,
    EventKind,
    Ledger,
    People,
    PhaseOut,
    Predictions,
    Rung,
    Trial,
    certify,
    claims_of,
    rungs_for,
)
from bootstrap.testing.runs import Run, Simulation, claim_is_false, over_seeds
from bootstrap.testing.worlds import World

__all__ = ["PhaseOutSettings", "simulate_phase_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseOutSettings:
    """What is decided before the first audit.

    Parameters
    ----------
    target_accuracy : float
        Of what the model decides alone, in (0, 1).
    targets : mapping, optional
        Class -> ``{"recall": share}``.
    delta : float
        Chance that any certificate is ever false.
    ladder : tuple of float
        Review rates, falling, each in [0, 1).
    n_audits : int
        Held-out items that are audited, one after another.
    n_held_out : int, optional
        Held-out items in all, audited or not; thresholds are read off these. By default four for each
        audit.
    audit_share : float
        Of the labels, in (0, 1]: between two audits so many items are trained on that it comes out.
    candidates_at : tuple of int
        Trained labels at which a candidate is registered, rising.
    adjudicated : bool
        Whether a second person decides where a candidate and the first answer differ.
    n_traps : int
        Known errors shown to people beforehand; 0: the catch rate is not measured.
    alarm_horizon : int
        Audits in which the alarm is false with probability at most `delta`.
    distinct : bool
        Whether copies of a content are left out, as they have to be. Otherwise each counts as an item.

    Raises
    ------
    InvalidInput
        If a setting is out of its range.
    """

    target_accuracy: float = 0.95
    targets: Mapping[Any, Mapping[str, float]] | None = None
    delta: float = 0.05
    ladder: tuple[float, ...] = LADDER
    n_audits: int = 1000
    n_held_out: int | None = None
    audit_share: float = 1.0
    candidates_at: tuple[int, ...] = (0,)
    adjudicated: bool = False
    n_traps: int = 0
    alarm_horizon: int = 1000
    distinct: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.target_accuracy < 1.0 or not 0.0 < self.delta < 1.0:
            raise InvalidInput(
                f"target_accuracy and delta are shares in (0, 1), found {self.target_accuracy!r} and "
                f"{self.delta!r}"
            )
        if not 0.0 < self.audit_share <= 1.0:
            raise InvalidInput(f"audit_share is a share in (0, 1], found {self.audit_share!r}")
        if not all(0.0 <= rate < 1.0 for rate in self.ladder):
            raise InvalidInput(f"the ladder holds review rates in [0, 1), found {self.ladder!r}")
        PhaseOut(self.ladder)  # which checks that it falls
        at = self.candidates_at
        if not at or at[0] < 0 or any(a >= b for a, b in itertools.pairwise(at)):
            raise InvalidInput(f"candidates_at is a rising row of label counts, found {at!r}")
        if self.n_audits < 1 or self.n_traps < 0 or self.held_out < self.n_audits:
            raise InvalidInput(
                f"there is at least 1 audit, and they are held-out items; found {self.n_audits!r} audits of "
                f"{self.held_out!r} and {self.n_traps!r} traps"
            )
        if any(claim.about is About.PREDICTED for claim in self.claims):
            raise InvalidInput("targets of a simulated world are about recall: its truth knows no other")

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What a certificate needs."""
        return claims_of(self.target_accuracy, "alone", self.targets)

    @property
    def held_out(self) -> int:
        """Held-out items in all."""
        return 4 * self.n_audits if self.n_held_out is None else self.n_held_out


def simulate_phase_out(
    world: World, settings: PhaseOutSettings, seeds: Iterable[int], *, n_jobs: int | None = None
) -> Simulation:
    """Run a phase-out once for each seed, in parallel.

    Parameters
    ----------
    world : World
    settings : PhaseOutSettings
    seeds : iterable of int
        The same seed gives the same run, whatever `n_jobs` is.
    n_jobs : int, optional
        Processes, as joblib counts them; None: one.

    Raises
    ------
    InvalidInput
        If there is no seed, or a recall target names a class that the world does not have.

    Examples
    --------
    >>> from bootstrap.testing import Flat
    >>> settings = PhaseOutSettings(ladder=(0.5, 0.2), n_audits=600)
    >>> simulation = simulate_phase_out(Flat(error=0.02), settings, range(5))
    >>> simulation.certified_share, simulation.false_share
    (1.0, 0.0)
    """
    for claim in settings.claims:
        if claim.about is About.RECALL and claim.of not in range(world.n_classes):
            raise InvalidInput(
                f"the classes of this world are 0 to {world.n_classes - 1}, and a target names {claim.of!r}"
            )
    return over_seeds(_one_run, world, settings, seeds, n_jobs)


def _one_run(world: World, settings: PhaseOutSettings, seed: int) -> Run:
    return _PoolRun(world, settings, seed).finished()


class _PoolRun:
    """One seed: audits are asked, answered when their time has come, and held against the truth."""

    def __init__(self, world: World, settings: PhaseOutSettings, seed: int) -> None:
        self.world, self.settings = world, settings
        self.rng = np.random.default_rng(seed)
        arrivals = world.draw(settings.held_out, self.rng)
        self.items = arrivals.distinct() if settings.distinct else arrivals
        self.n_audits = min(settings.n_audits, len(self.items))
        self.people = self._people()
        self.ledger = Ledger(settings.delta)
        self.trial = Trial(
            adjudicated=settings.adjudicated, alarm_horizon=settings.alarm_horizon, alarm_delta=settings.delta
        )
        self.stages = PhaseOut(settings.ladder)
        self.run = Run(seed, n_labels=settings.n_traps)
        self.to_register = list(settings.candidates_at)
        self.n_trained = 0
        self.alarm: tuple[Champion, str] | None = None  # the last one that was written down

    def finished(self) -> Run:
        """Audit them all, and wait for the last answer."""
        due: defaultdict[int, list[int]] = defaultdict(list)
        now = 0
        while now < self.n_audits or due:
            if now < self.n_audits:
                self._train(now)
                self.trial.ask(now)
                due[now + int(self.items.delay[now])].append(now)
            for row in due.pop(now, ()):
                self.run.n_labels += 1
                self._note(self.trial.answer(row, int(self.items.first[row])), now)
            self._adjudicate(now)
            now += 1
        self.run.review_rate = self.stages.review_rate
        self.run.n_candidates = self.ledger.n_drawn
        return self.run

    def _people(self) -> People:
        caught = shown = 0
        if self.settings.n_traps:
            caught, shown = self.world.traps(self.settings.n_traps, self.rng)
        adjudicated = self.settings.adjudicated
        return People(adjudicated=adjudicated, caught=caught, shown=shown, delta=self.settings.delta)

    def _train(self, n_asked: int) -> None:
        """Label what belongs between two audits; a candidate may be due."""
        share = self.settings.audit_share
        trained = math.floor(n_asked * (1.0 - share) / share)
        self.run.n_labels += trained - self.n_trained
        self.n_trained = trained
        while self.to_register and self.to_register[0] <= trained:
            self._register(self.to_register.pop(0), n_asked)
            self._adjudicate(n_asked)

    def _register(self, n_trained: int, now: int) -> None:
        number, delta = self.ledger.draw()
        if number == 1:
            items = self.world.judged(self.items, n_trained=n_trained)
        else:
            items = self.world.retrained(self.items, self.rng, n_trained=n_trained)
        rows = np.arange(len(items))
        predictions = Predictions.of(rows, items.predicted, items.confidence)
        spent = delta * self.people.evidence_share
        rungs = rungs_for(
            predictions,
            rows,
            self.settings.ladder,
            self.settings.claims,
            spent,
            catch_rate=self.people.allowed_factor,
        )
        candidate = Candidate(number, delta, f"candidate {number}", number, n_trained, predictions, rungs)
        self._note(self.trial.register(candidate), now)

    def _adjudicate(self, now: int) -> None:
        for row in self.trial.disputed():
            self.run.n_labels += 1
            self._note(self.trial.answer_second(row, int(self.items.second[row])), now)

    def _note(self, certified: list[tuple[Candidate, Rung]], now: int) -> None:
        """Write down what an event brought: certificates, then perhaps an alarm."""
        for candidate, rung in certified:
            self._note_certificate(candidate, rung, now)
        if self.trial.withdrawn is not None and self.trial.withdrawn is not self.alarm:
            self.alarm = self.trial.withdrawn
            self._note_alarm(*self.alarm, now)

    def _note_certificate(self, candidate: Candidate, rung: Rung, now: int) -> None:
        run = self.run
        run.n_certificates += 1
        false = any(self._is_false(claim, candidate, rung, now) for claim in rung.tallies)
        run.false_advances += false
        if not false and math.isnan(run.labels_until_certified):
            run.labels_until_certified = run.n_labels
            run.audits_until_certified = min(now + 1, self.n_audits)
        run.lowest_certified_rate = min(run.lowest_certified_rate, rung.review_rate)
        certificate = certify(candidate, rung, people=self.people, delta_in_all=self.settings.delta)
        run.certificates.append(certificate)
        if self._moves(candidate, rung):
            self.stages, _ = self.stages.after(Event(EventKind.CERTIFIED, certificate=certificate))

    def _moves(self, candidate: Candidate, rung: Rung) -> bool:
        """Whether a certificate changes what is in force: one rung down, or another model at this rate."""
        now = self.stages.review_rate
        if rung.review_rate == now:
            in_force = self.stages.certificates
            return not in_force or in_force[-1].candidate != candidate.number
        return rung.review_rate == next((rate for rate in self.settings.ladder if rate < now), None)

    def _note_alarm(self, champion: Champion, reason: str, now: int) -> None:
        asked, rises_at = min(now + 1, self.n_audits), self.world.rises_at
        if not self._is_false(self.settings.claims[0], champion.candidate, champion.rung, now):
            self.run.false_alarms += 1
        elif math.isnan(self.run.alarm_at):
            self.run.alarm_at = asked
            if rises_at is not None:
                self.run.alarm_delay = asked - rises_at
        self.stages, _ = self.stages.after(Event(EventKind.ALARM, reason))

    def _is_false(self, claim: Claim, candidate: Candidate, rung: Rung, now: int) -> bool:
        trained, per_item = candidate.n_trained, not self.settings.distinct
        rate = self.world.review_rate_at(rung.threshold, n_trained=trained)
        return claim_is_false(claim, self.world, rate, at=now, n_trained=trained, per_item=per_item)
