"""What is known of the people whose answers count as the truth.

Blind second answers measure how often they err; seeded traps (known errors of a model, shown like any other
item) how often they catch one. What was not measured is said to be so.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass

from bootstrap.errors import InvalidInput
from bootstrap.measuring import catch_rate_lower, people_error_interval

__all__ = ["People", "check_traps"]


@dataclass(frozen=True, slots=True)
class People:
    """The people behind the audits.

    Attributes
    ----------
    adjudicated : bool
        Whether a second person decided where a model and the first answer differed.
    readers : int
        How many different people had to say the same for it to be the answer, where no adjudicator decided.
    n_twice, n_disagreed : int
        Audits, drawn at random, that were answered twice and blind; and those with two different labels.
    same_person : bool
        Whether any of them was answered twice by one person.
    caught, shown : int
        Traps that people caught, and that they were shown.
    delta : float
        For the intervals.
    """

    adjudicated: bool = False
    n_twice: int = 0
    n_disagreed: int = 0
    same_person: bool = False
    caught: int = 0
    shown: int = 0
    delta: float = 0.05
    readers: int = 1

    @property
    def error_interval(self) -> tuple[float, float]:
        """Interval for one person's error rate; a single look, (0, 1) where nothing was answered twice."""
        low, high = people_error_interval(self.n_disagreed, self.n_twice, self.delta)
        return float(low), float(high)

    @property
    def catch_rate(self) -> float | None:
        """Lower bound of the chance that a person rejects a wrong class, or None: not measured."""
        if self.shown == 0:
            return None
        return float(catch_rate_lower(self.caught, self.shown, self.delta / 2))

    @property
    def allowed_factor(self) -> float:
        """What the errors allowed are multiplied by, since not every error is caught."""
        caught = self.catch_rate
        readers = 2 if self.adjudicated else 1
        return 1.0 if caught is None else math.pow(caught, readers)

    @property
    def evidence_share(self) -> float:
        """The part of delta that is left for the model's evidence."""
        return 1.0 if self.shown == 0 else 0.5

    def __str__(self) -> str:
        if self.adjudicated:
            truth = "An error counts when two people, asked blind, both reject the model's class."
        elif self.readers > 1:
            truth = (
                f"An answer is what {self.readers} people said, each for themselves, or what an adjudicator "
                "decided where they differed; it is taken as the truth."
            )
        else:
            truth = "One person's answer is taken as the truth; nobody was asked to decide disagreements."
        if self.n_twice:
            low, high = self.error_interval
            who = ", some by the same person later" if self.same_person else ""
            erring = (
                f"Of {self.n_twice} audits that were answered twice{who}, the answers to {self.n_disagreed} "
                f"differ: one person's error lies in [{low:.3f}, {high:.3f}]."
            )
        else:
            erring = "People's own error: not measured."
        if self.shown:
            traps = (
                f"Catch rate: at least {self.catch_rate:.3f} ({self.caught} of {self.shown} known errors, "
                "shown like any other item, were caught)."
            )
        else:
            traps = "Catch rate: not measured, so that errors which people overlook as well stay unseen."
        return f"{truth} {erring} {traps}"


def check_traps(traps: Iterable[int] | None) -> tuple[int, int]:
    """(caught, shown) as whole numbers; (0, 0) for None.

    Raises
    ------
    InvalidInput
        If they are not two counts, or more were caught than shown.
    """
    if traps is None:
        return 0, 0
    counts = list(traps) if isinstance(traps, tuple | list) else []
    good = len(counts) == 2 and all(isinstance(c, numbers.Integral) for c in counts)
    good = good and not any(isinstance(c, bool) for c in counts)
    if not good or not 0 <= counts[0] <= counts[1] or counts[1] == 0:
        raise InvalidInput(f"traps is (caught, shown), two counts such as (142, 150); got {traps!r}")
    return int(counts[0]), int(counts[1])
