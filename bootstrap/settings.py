"""The settings of a loop, checked once, before anything else happens."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import Claim, check_traps, claims_of, ladder_below

__all__ = ["Settings", "check_queue"]

#: With `audit_share="auto"`: audits for each training query at least, so that there is something to see.
_FLOOR = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """What a :class:`~bootstrap.loop.BootstrapLoop` was asked to do; see there for the meaning."""

    batch_size: int
    review_rate: float
    target_accuracy: float
    target_of: Literal["alone", "system"]
    delta: float
    held_out: float
    audit_share: float | Literal["auto"]
    random_share: float
    people_error: float | None
    targets: Mapping[Any, Mapping[str, float]] | None
    asked_twice: float
    traps: tuple[int, int] | None
    tested_before: int
    name: str
    random_state: int | None
    n_jobs: int | None
    overlap: int = 1

    def __post_init__(self) -> None:
        _whole("batch_size", self.batch_size, least=1)
        _share("review_rate", self.review_rate)
        _share("delta", self.delta, open_low=True, open_high=True)
        _share("held_out", self.held_out, open_high=True)
        if self.audit_share != "auto" and not (_is_number(self.audit_share) and self.audit_share >= 0):
            raise InvalidInput(
                f'audit_share is "auto", or audits for each training query, such as 0.2; got '
                f"{self.audit_share!r}"
            )
        if self.audit_share != 0 and self.held_out == 0:
            raise InvalidInput(
                "held_out=0 leaves nothing to audit: set audit_share=0 too (nothing will be measured), "
                "or keep a held-out share such as 0.2"
            )
        if self.people_error is not None:
            _share("people_error", self.people_error)
        self._check_target()
        _share("random_share", self.random_share)
        _share("asked_twice", self.asked_twice)
        check_traps(self.traps)
        _whole("tested_before", self.tested_before, least=0)
        claims_of(self.target_accuracy, self.target_of, self.targets)
        if self.random_state is not None:
            _whole("random_state", self.random_state, least=0)
        if self.n_jobs is not None and (not _is_whole(self.n_jobs) or self.n_jobs == 0):
            raise InvalidInput(f"n_jobs is None, a number of workers, or -1 for all; got {self.n_jobs!r}")
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInput(f"name is a non-empty string, got {self.name!r}")

    def _check_target(self) -> None:
        _share("target_accuracy", self.target_accuracy, open_low=True)
        if self.target_accuracy == 1:
            raise InvalidInput(
                "target_accuracy=1.0 can't be shown by any number of audits: an error rate of exactly 0 "
                "is never proved. Choose what you can live with, such as 0.99"
            )
        if self.target_of not in ("alone", "system"):
            raise InvalidInput(
                f'target_of is "alone" (what the model decides alone) or "system" (all that goes out), '
                f"got {self.target_of!r}"
            )

    @property
    def is_auto(self) -> bool:
        """Whether audits are asked where they bring a certificate soonest."""
        return self.audit_share == "auto"

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What a certificate needs; the overall claim first."""
        return claims_of(self.target_accuracy, self.target_of, self.targets)

    @property
    def ladder(self) -> tuple[float, ...]:
        """The review rates that are tested, falling."""
        return ladder_below(self.review_rate)

    def audits_due(self, n_training: int) -> int:
        """How many audits go with so many training queries in all, at the least."""
        share = _FLOOR if self.audit_share == "auto" else self.audit_share
        return math.floor(share * n_training + 1e-9)  # 0.2 * 15 is 3, not 2.9999999999999996


def check_queue(storage: Any, labeler: Any, overlap: Any, queue_ahead: Any) -> None:
    """Refuse settings of the queue to people at desks that can't work."""
    _whole("overlap", overlap, least=1)
    if queue_ahead is not None:
        _whole("queue_ahead", queue_ahead, least=0)
    if overlap > 1 and (storage is None or labeler is not None):
        raise InvalidInput(
            f"overlap={overlap} asks different people the same: it takes storage= and people at desks, and "
            "no labeler in this process. For several readers in one process use PanelLabeler"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _share(name: str, value: Any, *, open_low: bool = False, open_high: bool = False) -> None:
    inside = _is_number(value) and 0 <= value <= 1
    if inside and not (open_low and value == 0) and not (open_high and value == 1):
        return
    interval = f"{'(' if open_low else '['}0, 1{')' if open_high else ']'}"
    hint = f"; did you mean {value / 100:g}?" if _is_number(value) and 1 < value <= 100 else ""
    raise InvalidInput(f"{name} is a share in {interval}, got {value!r}{hint}")


def _whole(name: str, value: Any, *, least: int) -> None:
    if not _is_whole(value) or value < least:
        raise InvalidInput(f"{name} is a whole number of at least {least}, got {value!r}")
