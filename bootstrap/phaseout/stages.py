"""How much people review in force: one transition table, events in and instructions out.

The review rate falls only by certificate, one rung at a time. It rises by alarm, when a champion is
withdrawn, or by hand. What is practised below 1 without a certificate can be recorded, and is called not
certified. *When* people look (before the output or after) is a second setting, changed by people alone.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NoReturn

from bootstrap.errors import InvalidInput
from bootstrap.phaseout.certificate import Certificate

__all__ = ["Event", "EventKind", "IllegalMove", "Instruction", "PhaseOut", "Stage", "Step", "stage_of"]


class Stage(enum.Enum):
    """Read off the review rate."""

    ALL = "all"  #: people decide everything
    PARTIAL = "partial"  #: people decide the least certain part
    AUDIT_ONLY = "audit only"  #: the model decides everything; random audits remain


def stage_of(review_rate: float) -> Stage:
    """The stage that belongs to a review rate."""
    if not 0.0 <= review_rate <= 1.0:
        raise InvalidInput(f"review_rate is a share in [0, 1], found {review_rate!r}")
    if review_rate == 1.0:
        return Stage.ALL
    return Stage.AUDIT_ONLY if review_rate == 0.0 else Stage.PARTIAL


class EventKind(enum.StrEnum):
    """What can happen."""

    CERTIFIED = "certified"  #: a certificate for the next lower rung
    ALARM = "alarm"  #: the champion makes too many errors
    WITHDRAWN = "withdrawn"  #: the champion is taken out of use
    RAISED = "raised by hand"  #: people want to review more
    RECORDED = "recorded as practised"  #: a rate below 1 that nothing certifies


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes
    ----------
    kind : EventKind
    reason : str
        In words; needed for everything but a certificate.
    certificate : Certificate, optional
        With CERTIFIED.
    review_rate : float, optional
        With RAISED and RECORDED: the rate from now on.
    """

    kind: EventKind
    reason: str = ""
    certificate: Certificate | None = None
    review_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history: what happened, and the rate from then on."""

    event: Event
    review_rate: float
    certified: bool


@dataclass(frozen=True, slots=True)
class Instruction:
    """What whoever routes the items has to do now.

    Attributes
    ----------
    review_rate : float
        Share of items that people decide.
    threshold : float or None
        The model decides alone above it; None where no certificate allows it to.
    void : tuple of Certificate
        Certificates that no longer hold.
    new_candidate : bool
        Whether a new candidate has to be registered.
    audit_floor : float
        The least share of what the model decides alone that is audited.
    """

    review_rate: float
    threshold: float | None
    void: tuple[Certificate, ...]
    new_candidate: bool
    audit_floor: float


class IllegalMove(InvalidInput):
    """A transition that the table does not hold; the message tells the whole history."""


#: After these no certificate holds any more.
_ENDS: Final = (EventKind.ALARM, EventKind.WITHDRAWN)

#: (stage, event) that may happen. Everything else is refused.
_TABLE: Final[frozenset[tuple[Stage, EventKind]]] = frozenset(
    [
        (Stage.ALL, EventKind.CERTIFIED),
        (Stage.ALL, EventKind.RECORDED),
        (Stage.PARTIAL, EventKind.CERTIFIED),
        (Stage.PARTIAL, EventKind.ALARM),
        (Stage.PARTIAL, EventKind.WITHDRAWN),
        (Stage.PARTIAL, EventKind.RAISED),
        (Stage.AUDIT_ONLY, EventKind.CERTIFIED),  # another candidate takes over
        (Stage.AUDIT_ONLY, EventKind.ALARM),
        (Stage.AUDIT_ONLY, EventKind.WITHDRAWN),
        (Stage.AUDIT_ONLY, EventKind.RAISED),
    ]
)


@dataclass(frozen=True, slots=True)
class PhaseOut:
    """The state: how much people review, since when and why. :meth:`after` gives the next one.

    Parameters
    ----------
    ladder : tuple of float
        The rungs, falling.
    when : {"before", "after"}
        Whether people look before the output goes out or after. No event changes it.
    audit_floor : float
        The least share of what the model decides alone that is audited, in (0, 1].
    history : tuple of Step
        What happened so far.
    """

    ladder: tuple[float, ...]
    when: Literal["before", "after"] = "before"
    audit_floor: float = 0.01
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        falls = all(a > b for a, b in pairwise((1.0, *self.ladder)))
        if not self.ladder or not falls or self.ladder[-1] < 0.0:
            raise InvalidInput(f"the ladder is a falling row of review rates in [0, 1), got {self.ladder!r}")
        if self.when not in ("before", "after"):
            raise InvalidInput(f'when is "before" or "after" the output, got {self.when!r}')
        if not 0.0 < self.audit_floor <= 1.0:
            raise InvalidInput(
                f"audit_floor is a share in (0, 1], got {self.audit_floor!r}: without audits no alarm comes"
            )

    @property
    def review_rate(self) -> float:
        """The rate in force."""
        return self.history[-1].review_rate if self.history else 1.0

    @property
    def stage(self) -> Stage:
        """Read off the review rate."""
        return stage_of(self.review_rate)

    @property
    def is_certified(self) -> bool:
        """Whether a certificate carries the rate in force. A rate of 1 needs none."""
        return self.review_rate == 1.0 or self.history[-1].certified

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Those in force, in the order in which they were given: all of one candidate."""
        return self._held_and_withdrawn()[0]

    def after(self, event: Event) -> tuple[PhaseOut, Instruction]:
        """The next state, and what to do.

        Raises
        ------
        IllegalMove
            If the event can't happen here.
        """
        if (self.stage, event.kind) not in _TABLE:
            self._refuse(event, f"nothing of this kind can happen at stage {self.stage.name}")
        rate, certified = self._next_rate(event)
        step = Step(event, rate, certified)
        state = PhaseOut(self.ladder, self.when, self.audit_floor, (*self.history, step))
        void = tuple(c for c in self.certificates if c not in state.certificates)
        carrying = _carrying(state.certificates, rate) if certified else None
        threshold = None if carrying is None else carrying.threshold
        return state, Instruction(rate, threshold, void, event.kind in _ENDS, self.audit_floor)

    def _next_rate(self, event: Event) -> tuple[float, bool]:
        """(review rate, whether certified) after a legal kind of event."""
        if event.kind is EventKind.CERTIFIED:
            return self._certified_rate(event), True
        if not event.reason:
            self._refuse(event, "a reason is needed")
        if event.kind in _ENDS:
            return self._rate_before(), False
        rate = event.review_rate
        if rate is None or not 0.0 <= rate <= 1.0:
            self._refuse(event, "it needs a review_rate in [0, 1]")
        if event.kind is EventKind.RAISED and rate <= self.review_rate:
            self._refuse(event, "by hand the review rate can only rise; it falls by certificate")
        return rate, event.kind is EventKind.RAISED and _carrying(self.certificates, rate) is not None

    def _certified_rate(self, event: Event) -> float:
        certificate = event.certificate
        if certificate is None:
            self._refuse(event, "there is no certificate")
        held, withdrawn = self._held_and_withdrawn()
        if certificate.candidate <= withdrawn:
            self._refuse(
                event, f"certificates of candidates up to {withdrawn} are void since the champion fell"
            )
        rate = certificate.review_rate
        if rate == self.review_rate < 1.0:  # what was only recorded is certified, or another model takes over
            if self.is_certified and held[-1].candidate == certificate.candidate:
                self._refuse(event, "this rate is certified for this candidate already")
            return rate
        allowed = next((r for r in self.ladder if r < self.review_rate), None)
        if rate != allowed:
            self._refuse(event, f"the next rung is {allowed}, and the certificate is for {rate}")
        return rate

    def _held_and_withdrawn(self) -> tuple[tuple[Certificate, ...], int]:
        """Certificates in force, and up to which number candidates are void (0: none)."""
        held: list[Certificate] = []
        seen = withdrawn = 0
        for step in self.history:
            if step.event.kind in _ENDS:
                withdrawn = seen
                held.clear()
            elif step.event.kind is EventKind.CERTIFIED and step.event.certificate is not None:
                if held and held[-1].candidate != step.event.certificate.candidate:
                    held.clear()
                held.append(step.event.certificate)
                seen = max(seen, step.event.certificate.candidate)
        return tuple(held), withdrawn

    def _rate_before(self) -> float:
        """The next higher rung; 1 above the ladder."""
        higher = [r for r in self.ladder if r > self.review_rate]
        return higher[-1] if higher else 1.0

    def _refuse(self, event: Event, why: str) -> NoReturn:
        told = "; ".join(
            f"{step.event.kind}{f' ({step.event.reason})' if step.event.reason else ''} -> "
            f"{step.review_rate:g}{'' if step.certified or step.review_rate == 1.0 else ' (not certified)'}"
            for step in self.history
        )
        raise IllegalMove(
            f"{event.kind} is refused at a review rate of {self.review_rate:g}: {why}. "
            f"So far: {told or 'nothing has happened'}"
        )


def _carrying(certificates: tuple[Certificate, ...], rate: float) -> Certificate | None:
    """The certificate with which people review at least this share, and as little more as can be."""
    enough = (c for c in certificates if c.review_rate >= rate)
    return min(enough, key=lambda c: c.review_rate, default=None)
