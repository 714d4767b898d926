"""One query, the places for its answers and all that was said about it, within one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bootstrap.records import Class, Skip
from bootstrap.store.desks.resolving import Resolution, Said

__all__ = ["Asked", "OldLabel", "Slot"]


@dataclass(slots=True)
class Slot:
    """One row of `slots`, as it will be."""

    id: int
    for_adjudicator: bool
    is_open: bool
    reviewer: str | None
    token: str | None
    held: bool
    changed: bool = False
    changed_hands: bool = False

    def close(self, reviewer: str | None = None, token: str | None = None) -> None:
        """Let nobody answer here any more; with a name, because that person has."""
        self.is_open, self.changed = False, True
        if reviewer is not None and (reviewer, token) != (self.reviewer, self.token):
            self.reviewer, self.token, self.changed_hands = reviewer, token, True

    def drop(self) -> None:
        """Close an open one that nobody has answered; whoever held it may be asked again, should it be."""
        self.close()
        if self.reviewer is not None:
            self.reviewer, self.token, self.changed_hands = None, None, True


@dataclass(slots=True)
class OldLabel:
    """One label that was not taken back."""

    id: int
    by: str | None
    token: str | None
    label: Class | Skip
    adjudicates: bool


@dataclass(slots=True)
class Asked:
    """One query, with all that was said about it."""

    row: Any
    state: str
    slots: list[Slot] = field(default_factory=list)
    said: list[OldLabel] = field(default_factory=list)
    gone: set[str | None] = field(default_factory=set)  # who said a class that was split: not asked again
    new_slots: list[bool] = field(default_factory=list)  # whether each that is to be made is an adjudicator's

    @property
    def opinion(self) -> str:
        """Whether it asks for a first or a second answer about its item."""
        return "second" if self.row.kind == "second" else "first"

    @property
    def is_trap(self) -> bool:
        """Whether its answer is known."""
        return bool(self.row.kind == "trap")

    def counted(self) -> list[Said]:
        """What was said in time: the first answer under the lease of each slot that was answered."""
        tokens = {slot.token for slot in self.slots if not slot.is_open and slot.token is not None}
        found = []
        for old in self.said:
            if old.token in tokens:
                tokens.remove(old.token)
                found.append(Said(old.label, old.adjudicates))
        return found

    def slot_for(self, reviewer: str, slot_id: int) -> Slot | None:
        """Where this person may answer: in the slot in their name, or in their old one while it is free."""
        for slot in self.slots:
            if slot.reviewer == reviewer and slot.is_open:
                return slot
        return next((s for s in self.slots if s.id == slot_id and s.is_open and s.reviewer is None), None)

    def settle(self) -> None:
        """Ask nobody any more."""
        self.state = "settled"
        self.new_slots.clear()  # that an answer in the same call wanted
        for slot in self.slots:
            if slot.is_open:
                slot.drop()

    def ask_further(self, resolution: Resolution, *, by_anybody: bool) -> None:
        """As many places as are needed, no more; what somebody has in hand stays.

        With `by_anybody`, an adjudicator is not waited for: the next person has the last word.
        """
        answered = {old.token for old in self.said}
        ordinary = [s for s in self.slots if not s.for_adjudicator and (s.is_open or s.token in answered)]
        adjudicating = [s for s in self.slots if s.for_adjudicator and s.is_open]
        wanted, adjudicators = resolution.places, 0
        if resolution.adjudicate:
            n_answered = sum(not slot.is_open for slot in ordinary)
            wanted, adjudicators = (n_answered + 1, 0) if by_anybody else (0, 1)
        _drop_surplus(ordinary, len(ordinary) - wanted)
        _drop_surplus(adjudicating, len(adjudicating) - adjudicators)
        self.new_slots += [False] * (wanted - len(ordinary)) + [True] * (adjudicators - len(adjudicating))


def _drop_surplus(slots: list[Slot], surplus: int) -> None:
    for slot in slots:
        if surplus > 0 and slot.is_open and not slot.held:
            slot.drop()
            surplus -= 1
