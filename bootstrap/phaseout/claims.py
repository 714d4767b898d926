"""What has to be true before people may step back, as statements that audits can speak against.

Each claim says which audited items it is about and what counts as an error there. A certificate needs all
of them. No delta is divided between them: if one of them is false, the certificate needs that very one to
be accepted wrongly (an intersection-union test; Berger 1982).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.errors import InvalidInput
from bootstrap.records import Class

__all__ = ["About", "Claim", "Outcome", "claims_of"]

#: What people leave of the errors allowed is nothing where it is less than this: floats don't add up to 0.
_ROUNDING = 1e-9


class About(enum.StrEnum):
    """What a claim is about."""

    ALONE = "alone"  #: accuracy among the items that the model decides alone
    SYSTEM = "system"  #: accuracy of all that goes out, people's part included
    PREDICTED = "predicted"  #: accuracy among the items that it decides alone as one class
    RECALL = "recall"  #: share of one class's items that do not go out wrong


@dataclass(frozen=True, slots=True)
class Outcome:
    """One audited item, as one candidate would have decided it.

    Attributes
    ----------
    predicted : class
        What the candidate says.
    confidence : float
        How sure it is.
    truth : class or None
        What people say, after a second opinion where there was one; None where they could not tell.
    wrong : bool
        Whether the candidate counts as wrong: people rejected its class, or could not tell.
    """

    predicted: Class
    confidence: float
    truth: Class | None
    wrong: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement: the error in question is below ``1 - target``.

    Attributes
    ----------
    about : About
        Which items, and what is an error there.
    target : float
        Accuracy or recall to be shown, in (0, 1).
    of : class, optional
        For claims about one class.
    """

    about: About
    target: float
    of: Class | None = None

    def alpha(self, review_rate: float, people_error: float) -> float:
        """The error rate to be disproved, in [0, 1); 0 where the target is out of reach.

        For the whole system, ``(alpha_s - r h) / (1 - r)``: what the people's part, wrong on at most a
        share h, leaves of the errors allowed.

        Parameters
        ----------
        review_rate : float
            Realised share r that people decide, in [0, 1].
        people_error : float
            Upper bound h of people's error on those items.
        """
        allowed = 1.0 - self.target
        if self.about is not About.SYSTEM:
            return allowed
        left = allowed - review_rate * people_error
        if review_rate == 1.0 or left < _ROUNDING:
            return 0.0
        return min(left / (1.0 - review_rate), 1.0 - _ROUNDING)

    def error(self, outcome: Outcome, alone: bool) -> bool | None:
        """Whether this audit is an error; None where the claim is not about it."""
        if self.about is About.RECALL:
            if outcome.truth == self.of or (outcome.truth is None and alone):
                return alone and outcome.wrong
            return None
        if not alone or (self.about is About.PREDICTED and outcome.predicted != self.of):
            return None
        return outcome.wrong

    def __str__(self) -> str:
        if self.about is About.SYSTEM:
            return f"accuracy of at least {self.target:g} over all that goes out"
        if self.about is About.PREDICTED:
            return f"accuracy of at least {self.target:g} where the model decides {self.of!r} alone"
        if self.about is About.RECALL:
            return f"at least {self.target:g} of the {self.of!r} items not going out wrong"
        return f"accuracy of at least {self.target:g} where the model decides alone"

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON."""
        return {"about": str(self.about), "target": self.target, "of": self.of}


def claims_of(
    target_accuracy: float, target_of: str, targets: Mapping[Any, Mapping[str, float]] | None = None
) -> tuple[Claim, ...]:
    """The claims that a certificate needs.

    Parameters
    ----------
    target_accuracy : float
        In (0, 1).
    target_of : {"alone", "system"}
    targets : mapping, optional
        From a class to ``{"recall": share}``, ``{"accuracy": share}`` or both; accuracy is about the
        items that the model decides alone as this class.

    Raises
    ------
    InvalidInput
        For anything else.
    """
    if target_of not in ("alone", "system"):
        raise InvalidInput(f'target_of is "alone" or "system", got {target_of!r}')
    if not 0.0 < target_accuracy < 1.0:
        raise InvalidInput(f"target_accuracy is a share in (0, 1), got {target_accuracy!r}")
    claims = [Claim(About(target_of), target_accuracy)]
    kinds = {"recall": About.RECALL, "accuracy": About.PREDICTED}
    if targets is not None and not isinstance(targets, Mapping):
        raise InvalidInput(f'targets is a mapping such as {{"spam": {{"recall": 0.9}}}}, got {targets!r}')
    for of, wanted in (targets or {}).items():
        if not isinstance(wanted, Mapping) or not wanted or not set(wanted) <= set(kinds):
            raise InvalidInput(
                f'targets of {of!r} is {wanted!r}: say {{"recall": 0.9}}, {{"accuracy": 0.97}} or both'
            )
        for kind, share in wanted.items():
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 < share < 1.0:
                raise InvalidInput(f"the {kind} target of {of!r} is a share in (0, 1), got {share!r}")
            claims.append(Claim(kinds[kind], float(share), of))
    return tuple(claims)
