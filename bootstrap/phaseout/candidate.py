"""A model version frozen for testing, and the evidence about it.

Thresholds, claims and delta are fixed when a candidate is registered; from then on it only counts. Each
rung of the ladder is one review rate; a rung is certified when every claim has been proved on it and the
rung above is certified.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bootstrap.measuring import error_interval, error_upper_bound, log_e_value, review_threshold
from bootstrap.measuring.audits import fewest_with
from bootstrap.phaseout.claims import About, Claim, Outcome
from bootstrap.phaseout.predictions import Predictions
from bootstrap.records import Class

__all__ = ["Candidate", "Rung", "Tally", "rungs_for"]

_fewest_with = lru_cache(maxsize=4096)(fewest_with)  # rungs of one candidate ask the same things


@dataclass(slots=True)
class Tally:
    """Errors among the audits that one claim is about; two whole numbers, and whether they ever proved it.

    Attributes
    ----------
    alpha : float
        The error rate to be disproved; 0 or less: out of reach.
    delta : float
        Chance that the claim is accepted though the error is `alpha` or more.
    errors, n : int
        Audits counted so far.
    proved : bool
        True from the moment at which the e-value reached ``1 / delta``; it stays true (Ville 1939).
    errors_then, n_then : int
        The counts at that moment.
    """

    alpha: float
    delta: float
    errors: int = 0
    n: int = 0
    proved: bool = False
    errors_then: int = 0
    n_then: int = 0

    def feed(self, error: bool, *, may_prove: bool = True) -> None:
        """Count one audit."""
        self.n += 1
        self.errors += error
        if may_prove and not error:
            self.look()

    def look(self) -> None:
        """See whether the audits so far prove it."""
        if not self.proved and self.n >= self.needed:
            self.proved, self.errors_then, self.n_then = True, self.errors, self.n

    @property
    def needed(self) -> float:
        """How many audits in all prove the claim if no further error comes; infinite where out of reach."""
        return _fewest_with(self.errors, 1.0 - self.alpha, self.delta) if self.alpha > 0.0 else math.inf

    @property
    def log_e(self) -> float:
        """Log of the e-value now."""
        return float(log_e_value(self.errors, self.n, self.alpha)) if self.alpha > 0.0 else -math.inf

    @property
    def bound(self) -> float:
        """Upper bound of the error rate, valid at every look."""
        return float(error_upper_bound(self.errors, self.n, self.delta))

    @property
    def proof(self) -> tuple[int, int]:
        """(n, errors) at the moment of the proof, which later errors take nothing back from; else now."""
        return (self.n_then, self.errors_then) if self.proved else (self.n, self.errors)

    @property
    def proof_bound(self) -> float:
        """The bound by these."""
        n, errors = self.proof
        return float(error_upper_bound(errors, n, self.delta))


@dataclass(slots=True)
class Rung:
    """One review rate of one candidate.

    Attributes
    ----------
    review_rate : float
        As it is called.
    realised_review_rate : float
        Share of the held-out items at or below the threshold (ties are reviewed).
    threshold : float
        Above this confidence the candidate decides alone.
    tallies : dict
        Claim -> the audits about it.
    allowed : float
        Error rate that the overall claim allows, before traps lower it.
    certified : bool
        Whether all of them are proved, here and on the rungs above.
    n_audited, n_alone : int
        Audits counted, and those of them that the candidate decides alone.
    n_wrong : int
        Of these, how many it gets wrong.
    alone : Counter
        Class -> how many of the audits decided alone have it, by people's answer.
    missed : Counter
        Class -> how many of its audited items the model would have decided alone, and wrong.
    """

    review_rate: float
    realised_review_rate: float
    threshold: float
    tallies: dict[Claim, Tally]
    allowed: float = 1.0
    certified: bool = False
    n_audited: int = 0
    n_alone: int = 0
    n_wrong: int = 0
    alone: Counter[Class] = field(default_factory=Counter)
    missed: Counter[Class] = field(default_factory=Counter)

    def feed(self, outcome: Outcome, *, may_prove: bool = True) -> None:
        """Count one audit."""
        alone = outcome.confidence > self.threshold
        self.n_audited += 1
        for claim, tally in self.tallies.items():
            error = claim.error(outcome, alone)
            if error is not None:
                tally.feed(error, may_prove=may_prove)
        if alone:
            self.n_alone += 1
            self.n_wrong += outcome.wrong
            if outcome.truth is not None:
                self.alone[outcome.truth] += 1
                self.missed[outcome.truth] += outcome.wrong

    def start_over(self) -> None:
        """Forget every audit."""
        for tally in self.tallies.values():
            tally.errors, tally.n, tally.proved = 0, 0, False
        self.certified = False
        self.n_audited = self.n_alone = self.n_wrong = 0
        self.alone.clear()
        self.missed.clear()

    @property
    def proved(self) -> bool:
        """Whether every claim is proved and the model does more than name the commonest class."""
        return all(tally.proved for tally in self.tallies.values()) and not self.commonest_would_do

    @property
    def commonest_would_do(self) -> bool:
        """Whether always naming the commonest class might meet the target for what is decided alone.

        Accuracy shows nothing of use then. It counts as excluded when the interval for the share of the
        other classes, valid at every look, lies above the errors allowed, or when the recall of
        another class is claimed as well.
        """
        total = self.alone.total()
        if total == 0:
            return True
        commonest, count = max(self.alone.items(), key=lambda pair: pair[1])
        if any(claim.about is About.RECALL and claim.of != commonest for claim in self.tallies):
            return False
        others, _ = error_interval(total - count, total, 0.05)
        return others <= self.allowed

    @property
    def main(self) -> Tally:
        """The tally of the overall claim."""
        return next(iter(self.tallies.values()))


def rungs_for(
    predictions: Predictions,
    held_out: NDArray[np.intp],
    rates: Sequence[float],
    claims: Sequence[Claim],
    delta: float,
    *,
    people_error: Sequence[float] | None = None,
    catch_rate: float = 1.0,
) -> tuple[Rung, ...]:
    """The rungs of a new candidate; thresholds from confidences on all held-out items, answered or not.

    Parameters
    ----------
    predictions : Predictions
        At least those of the held-out items.
    held_out : ndarray of int
        Rows of the whole held-out set.
    rates : sequence of float
        Review rates, falling.
    claims : sequence of Claim
        The overall one first.
    delta : float
        What the candidate may spend on its evidence.
    people_error : sequence of float, optional
        For each rate, an upper bound of people's error in the reviewed band; 1 where not measured.
    catch_rate : float
        Lower bound of the chance that people reject a wrong class, in [0, 1]: observed errors are so much
        rarer than errors, so that the error to be disproved is multiplied by it.

    Raises
    ------
    InvalidInput
        If there is no held-out item, or one without a prediction.
    """
    confidence = predictions.only(held_out).confidence
    rungs = []
    for rate, people in zip(rates, [1.0] * len(rates) if people_error is None else people_error, strict=True):
        threshold = review_threshold(confidence, rate)
        realised = float(np.mean(confidence <= threshold))
        tallies = {claim: Tally(claim.alpha(realised, people) * catch_rate, delta) for claim in claims}
        rungs.append(Rung(float(rate), realised, threshold, tallies, claims[0].alpha(realised, people)))
    return tuple(rungs)


@dataclass(slots=True, repr=False)
class Candidate:
    """A frozen model under test.

    Attributes
    ----------
    number : int
        Its place in the ledger, from 1.
    delta : float
        What it may spend in all.
    name : str
        What the model is, for people.
    round : int
        The round after which it was frozen.
    n_trained : int
        Labels that it was trained on.
    predictions : Predictions
        What it says about every item that was or may be audited.
    rungs : tuple of Rung
        Review rates, falling.
    by_hand : bool
        Registered by hand: only audits asked afterwards count.
    registered_at : int
        How many arrivals there were when it was registered.
    first : int
        The first arrival that may count.
    cursor : int
        The next arrival to be counted.
    audited : Counter
        Class -> audited items of it so far.
    n_skipped : int
        Audits that people could not answer: counted as errors.
    n_drawn : int
        Of the audits counted, random training queries: scored before they were trained on.
    closed : bool
        True where an alarm ended the test: what was audited before speaks of other items.
    """

    number: int
    delta: float
    name: str
    round: int
    n_trained: int
    predictions: Predictions
    rungs: tuple[Rung, ...]
    by_hand: bool = False
    registered_at: int = 0
    first: int = 0
    cursor: int = 0
    audited: Counter[Class] = field(default_factory=Counter)
    n_skipped: int = 0
    n_drawn: int = 0
    closed: bool = False

    def __repr__(self) -> str:
        """One line: its predictions are as many as there are held-out items."""
        n = self.rungs[0].n_audited
        return (
            f"Candidate({self.name}, number {self.number}, round {self.round}, {self.n_trained} labels, "
            f"{n} audits, certified review rate {self.certified_review_rate:.2f})"
        )

    def score(self, row: int, first: Class | None, second: Class | None) -> Outcome:
        """What this candidate makes of an answered audit; None for an answer of "can't tell".

        It counts as wrong when everybody who was asked rejects its class. A person who could not tell
        has not accepted it.
        """
        predicted, confidence = self.predictions.at(row)
        if predicted is not None and predicted in (first, second):
            return Outcome(predicted, confidence, predicted, wrong=False)
        return Outcome(predicted, confidence, first if first is not None else second, wrong=True)

    def disputes(self, row: int, first: Class | None) -> bool:
        """Whether it would decide this item alone on some rung, against the first answer."""
        predicted, confidence = self.predictions.at(row)
        return predicted != first and confidence > self.rungs[-1].threshold

    def feed(self, outcome: Outcome, *, drawn: bool = False, may_prove: bool = True) -> list[Rung]:
        """Count one audit; returns the rungs that it certified, highest review rate first.

        With `may_prove` False it certifies nothing yet: :meth:`look` does, once that is allowed.
        """
        if outcome.truth is None:
            self.n_skipped += 1
        else:
            self.audited[outcome.truth] += 1
        self.n_drawn += drawn
        for rung in self.rungs:
            rung.feed(outcome, may_prove=may_prove)
        return list(self._newly_certified()) if may_prove else []

    def look(self) -> list[Rung]:
        """The rungs that the audits so far certify."""
        for rung in self.rungs:
            for tally in rung.tallies.values():
                tally.look()
        return list(self._newly_certified())

    def start_over(self) -> None:
        """Forget every audit, to count them all again."""
        self.cursor, self.n_skipped, self.n_drawn = self.first, 0, 0
        self.audited.clear()
        for rung in self.rungs:
            rung.start_over()

    def _newly_certified(self) -> Iterable[Rung]:
        for rung in self.rungs:
            if rung.certified:
                continue
            if not rung.proved:
                return
            rung.certified = True
            yield rung

    @property
    def certified_review_rate(self) -> float:
        """The lowest certified review rate; 1 while there is none."""
        return min((rung.review_rate for rung in self.rungs if rung.certified), default=1.0)

    @property
    def next_rung(self) -> Rung | None:
        """The rung that is tested now; None where all are certified."""
        return next((rung for rung in self.rungs if not rung.certified), None)
