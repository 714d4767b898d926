"""The same for traffic: people review what is below a threshold, and audit the rest at a floor rate.

Reviewed items are answered with probability 1, those that the model decides alone with the audit rate,
and unaudited ones count as zero (inverse-probability weights; Horvitz and Thompson 1952). So one log is
evidence for every lower review rate at once. Nothing is skipped: an item whose answer is pending holds up
those behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bootstrap.errors import InvalidInput
from bootstrap.measuring import ChangeAlarm, RatesEvidence, new_key, review_threshold, uniform_draw
from bootstrap.phaseout import (
    LADDER,
    Certificate,
    Claim,
    Event,
    EventKind,
    Ledger,
    People,
    PhaseOut,
    Proved,
    claims_of,
)
from bootstrap.testing.runs import Run, Simulation, claim_is_false, over_seeds
from bootstrap.testing.worlds import World

__all__ = ["TrafficRun", "TrafficSettings", "simulate_traffic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSettings:
    """What is decided before the first item is routed.

    Parameters
    ----------
    target_accuracy : float
        Of what the model decides alone, in (0, 1).
    delta : float
        Chance that a certificate is ever false.
    ladder : tuple of float
        Review rates, falling, each in [0, 1). The first that is tested is the present rate, where it is
        among them, or else the next lower one.
    present_rate : float
        What people review when it begins, in [0, 1]; below 1 it is recorded as practised, not certified.
    audit_rate : float
        Share of what the model decides alone that is audited, in (0, 1].
    n_arrivals : int
        Items that are routed; copies of a content are left out.
    n_recent : int
        Earlier items, without labels, whose confidences give the thresholds.
    n_replayed : int
        Held-out items that were answered before the candidate was registered.
    look_every : int
        Items that are routed between two looks at the evidence.
    alarm_horizon : int
        Audits in which the alarm is false with probability at most `delta`.

    Raises
    ------
    InvalidInput
        If a setting is out of its range.
    """

    target_accuracy: float = 0.95
    delta: float = 0.05
    ladder: tuple[float, ...] = LADDER
    present_rate: float = 1.0
    audit_rate: float = 0.1
    n_arrivals: int = 5000
    n_recent: int = 5000
    n_replayed: int = 0
    look_every: int = 50
    alarm_horizon: int = 1000

    def __post_init__(self) -> None:
        if not 0.0 < self.target_accuracy < 1.0 or not 0.0 < self.delta < 1.0:
            raise InvalidInput(
                f"target_accuracy and delta are shares in (0, 1), found {self.target_accuracy!r} and "
                f"{self.delta!r}"
            )
        if not 0.0 <= self.present_rate <= 1.0:
            raise InvalidInput(f"present_rate is a share in [0, 1], found {self.present_rate!r}")
        PhaseOut(self.ladder, audit_floor=self.audit_rate)  # which checks both
        if not all(0.0 <= rate < 1.0 for rate in self.ladder) or not self.rates:
            raise InvalidInput(
                f"the ladder holds review rates in [0, 1), and one at least that is not above the present "
                f"rate of {self.present_rate!r}; found {self.ladder!r}"
            )
        if min(self.n_arrivals, self.n_recent, self.look_every) < 1 or self.n_replayed < 0:
            raise InvalidInput(
                "n_arrivals, n_recent and look_every are at least 1, and n_replayed is 0 or more; found "
                f"{self.n_arrivals!r}, {self.n_recent!r}, {self.look_every!r} and {self.n_replayed!r}"
            )

    @property
    def rates(self) -> tuple[float, ...]:
        """Review rates that are tested, falling."""
        return tuple(rate for rate in self.ladder if rate <= self.present_rate)

    @property
    def claim(self) -> Claim:
        """What a certificate needs."""
        return claims_of(self.target_accuracy, "alone")[0]


@dataclass(slots=True)
class TrafficRun(Run):
    """One seed in traffic. Audits are answers about what the model decided alone; labels, all answers.

    Attributes
    ----------
    log_e : float
        Log of the evidence at the lowest review rate tested, at the end.
    """

    log_e: float = 0.0


def simulate_traffic(
    world: World, settings: TrafficSettings, seeds: Iterable[int], *, n_jobs: int | None = None
) -> Simulation:
    """Route traffic once for each seed, in parallel; one candidate, and an alarm ends the run.

    Parameters
    ----------
    world : World
    settings : TrafficSettings
    seeds : iterable of int
        The same seed gives the same run, whatever `n_jobs` is.
    n_jobs : int, optional
        Processes, as joblib counts them; None: one.

    Raises
    ------
    InvalidInput
        If there is no seed.
    """
    return over_seeds(_one_run, world, settings, seeds, n_jobs)


def _one_run(world: World, settings: TrafficSettings, seed: int) -> TrafficRun:
    return _TrafficRun(world, settings, seed).finished()


class _TrafficRun:
    """One seed: items are routed, answered when their time has come, and fed in the order of routing."""

    def __init__(self, world: World, settings: TrafficSettings, seed: int) -> None:
        self.world, self.settings = world, settings
        self.run = TrafficRun(seed, n_candidates=1)
        rng = np.random.default_rng(seed)
        recent = world.draw(settings.n_recent, rng).distinct().confidence
        replayed = world.draw(settings.n_replayed, rng).distinct()
        self.items = world.draw(settings.n_arrivals, rng).distinct()
        self.wrong = self.items.predicted != self.items.first
        self.uniform = uniform_draw(new_key(seed), map(str, self.items.content.tolist()), "traffic audit")
        self.probability = np.ones(len(self.items))
        self.asked = np.zeros(len(self.items), dtype=np.bool_)
        self.ends = self.items.delay + np.arange(len(self.items))  # with which arrival the answer is there

        self.number, delta = Ledger(settings.delta).draw()
        self.level, self.delta = -math.log(delta), delta
        self.thresholds = [review_threshold(recent, rate) for rate in settings.rates]
        alpha = 1.0 - settings.target_accuracy
        self.evidence = RatesEvidence(self.thresholds, alpha, settings.audit_rate)
        everyone = np.ones(len(replayed), dtype=np.bool_)
        errors = replayed.predicted != replayed.first
        self.evidence.update(replayed.confidence, errors, everyone, np.ones(len(replayed)))
        self.run.n_labels = len(replayed)
        self.alarm: ChangeAlarm | None = None
        self.promoted_at = 0  # arrivals routed by then say nothing to the alarm
        self.n_certified = 0  # rates
        self.stages = PhaseOut(settings.ladder, audit_floor=settings.audit_rate)
        self.threshold = math.inf  # in force: the model decides alone above it
        if settings.present_rate < 1.0:
            practised = Event(EventKind.RECORDED, "so it was", review_rate=settings.present_rate)
            self.stages, _ = self.stages.after(practised)
            self.threshold = review_threshold(recent, settings.present_rate)

    def finished(self) -> TrafficRun:
        """Route them all, and wait for the last answer unless an alarm comes first."""
        n, routed, fed = len(self.items), 0, 0
        self._look(routed)  # the replay may have been enough
        while fed < n and not (self.alarm is not None and self.alarm.raised):
            begin, routed = routed, min(routed + self.settings.look_every, n)
            self._route(slice(begin, routed))
            now = routed if begin < n else math.inf  # at the end every answer is waited for
            pending = np.flatnonzero(self.asked[fed:routed] & (self.ends[fed:routed] >= now))
            ready = fed + int(pending[0]) if len(pending) else routed
            self._feed(slice(fed, ready), routed)
            fed = ready
        self.run.review_rate = self.stages.review_rate
        self.run.log_e = float(self.evidence.log_e[-1])
        return self.run

    def _route(self, block: slice) -> None:
        """Log the probability of being asked, and draw, before anybody answers."""
        confidence = self.items.confidence[block]
        self.probability[block] = np.where(confidence <= self.threshold, 1.0, self.settings.audit_rate)
        self.asked[block] = self.uniform[block] < self.probability[block]
        self.run.n_labels += int(self.asked[block].sum())

    def _feed(self, block: slice, routed: int) -> None:
        confidence, asked, wrong = self.items.confidence[block], self.asked[block], self.wrong[block]
        self.evidence.update(confidence, wrong, asked, self.probability[block])
        if self.alarm is not None:
            after = np.arange(block.start, block.stop) >= self.promoted_at
            alone = asked & (self.probability[block] < 1.0) & after
            self.alarm.update(wrong[alone])
            if self.alarm.raised:
                self._note_alarm(routed)
                return
        self._look(routed)

    def _look(self, routed: int) -> None:
        """Step down as far as the evidence carries, one rate after another."""
        highest = self.evidence.highest_log_e
        while self.n_certified < len(highest) and highest[self.n_certified] >= self.level:
            self._note_certificate(self.n_certified, routed)
            self.n_certified += 1

    def _note_certificate(self, place: int, routed: int) -> None:
        run, rate = self.run, self.settings.rates[place]
        false = self._is_false(self.thresholds[place], routed)
        run.n_certificates += 1
        run.false_advances += false
        if not false and math.isnan(run.labels_until_certified):
            run.labels_until_certified = run.n_labels
            run.audits_until_certified = int((self.asked & (self.probability < 1.0)).sum())
        run.lowest_certified_rate = rate
        run.certificates.append(self._certificate(place))
        event = Event(EventKind.CERTIFIED, certificate=run.certificates[-1])
        self.stages, instruction = self.stages.after(event)
        self.threshold = math.inf if instruction.threshold is None else instruction.threshold
        if self.alarm is None:
            alpha = 1.0 - self.settings.target_accuracy
            self.alarm = ChangeAlarm(alpha, self.settings.alarm_horizon, self.settings.delta)
            self.promoted_at = routed

    def _certificate(self, place: int) -> Certificate:
        claim, alpha = self.settings.claim, float(self.evidence.alpha[place])
        audited, wrong = int(self.evidence.n_audited[place]), int(self.evidence.n_wrong[place])
        return Certificate(
            review_rate=self.settings.rates[place],
            realised_review_rate=self.world.review_rate_at(self.thresholds[place]),
            threshold=self.thresholds[place],
            model="candidate 1",
            candidate=self.number,
            round=0,
            n_trained=0,
            proved=(Proved(claim, alpha, audited, wrong, alpha),),
            n_audited=audited,
            n_alone=audited,
            n_wrong=wrong,
            n_drawn=0,
            n_skipped=0,
            delta=self.delta,
            delta_in_all=self.settings.delta,
            people=People(),
            missed={},
        )

    def _note_alarm(self, routed: int) -> None:
        run, audits = self.run, self.asked & (self.probability < 1.0)
        if not self._is_false(self.threshold, routed):
            run.false_alarms += 1
        else:
            run.alarm_at = int(audits.sum())
            if self.world.rises_at is not None:
                run.alarm_delay = int(audits[self.world.rises_at :].sum())
        self.stages, _ = self.stages.after(Event(EventKind.ALARM, "too many errors among the audits"))

    def _is_false(self, threshold: float, at: int) -> bool:
        rate = self.world.review_rate_at(threshold)
        return claim_is_false(self.settings.claim, self.world, rate, at=at)
