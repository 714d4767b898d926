"""What the answers to one query make of it: whether it is settled, and who has to be asked further.

A query goes to `overlap` different people. It is settled when so many have named the same class. Somebody
who can't tell gives their place to one more person. Where people disagree, or two of them can't tell, an
adjudicator settles it, whatever that answer is; where each of them has answered already, the next person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.records import Class, Skip

__all__ = ["Resolution", "Said", "resolve"]


@dataclass(frozen=True, slots=True)
class Said:
    """One answer that counts for its query: in time, and not taken back."""

    label: Class | Skip
    adjudicates: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is to be done about a query.

    Attributes
    ----------
    settled : bool
        Nobody is asked any more.
    stands : bool
        The answer that came last is the label from now on.
    places : int
        For how many different people there has to be a place, those included who have answered.
    adjudicate : bool
        An adjudicator has to be asked.
    """

    settled: bool
    stands: bool
    places: int
    adjudicate: bool


def resolve(overlap: int, said: Sequence[Said]) -> Resolution:
    """What the answers, in the order in which they came, make of a query.

    With an overlap of 1 a first SKIP stands, so that the loop goes on, until somebody names a class.
    """
    if said and said[-1].adjudicates:
        return Resolution(settled=True, stands=True, places=overlap, adjudicate=False)
    named = [answer.label for answer in said if not isinstance(answer.label, Skip)]
    n_skips = len(said) - len(named)
    differ = any(label != named[0] for label in named)
    agreed = len(named) >= overlap and not differ
    stuck = n_skips > 1 or (len(named) >= overlap and differ)
    skips_alone = overlap == 1 and len(said) == 1 and n_skips == 1
    return Resolution(
        settled=agreed,
        stands=agreed or skips_alone,
        places=overlap + min(n_skips, 1),
        adjudicate=stuck and not agreed,
    )
