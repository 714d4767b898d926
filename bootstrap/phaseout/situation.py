"""What a verdict has to know beside the evidence of the trial."""

from __future__ import annotations

from dataclasses import dataclass, field

from bootstrap.phaseout.certificate import Certificate
from bootstrap.phaseout.claims import Claim
from bootstrap.phaseout.people import People
from bootstrap.records import Class

__all__ = ["Situation"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a verdict has to know beside the evidence.

    Attributes
    ----------
    claims : tuple of Claim
        What a certificate needs; the overall claim first.
    ladder : tuple of float
        Review rates that are tested, falling.
    present_rate : float
        The review rate that is practised now.
    n_labels : int
        Labels that people gave so far.
    n_trained : int
        Labels that the model was trained on.
    next_candidate_at : int
        Trained labels at which the next candidate is registered.
    n_left : int
        Held-out items, and random training queries, that were not asked yet.
    n_disputed : int
        Audits that wait for an adjudicator, since people disagree or could not tell.
    people : People
    certificates : tuple of Certificate
        In the order in which they were given.
    classes : tuple
        All classes seen so far.
    """

    claims: tuple[Claim, ...]
    ladder: tuple[float, ...]
    present_rate: float = 1.0
    n_labels: int = 0
    n_trained: int = 0
    next_candidate_at: int = 100
    n_left: int = 0
    n_disputed: int = 0
    people: People = field(default_factory=People)
    certificates: tuple[Certificate, ...] = ()
    classes: tuple[Class, ...] = ()
