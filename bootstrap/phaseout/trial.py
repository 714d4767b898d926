"""Which candidate may take over: audits in, certified review rates out.

Audits count in the order in which they were asked, and one that still waits for an answer holds up those
behind it: late answers may be the hard ones. An audit of a held-out item counts for every candidate,
later ones too (replayed to them, in the same order); a training query that was drawn at random counts
only for candidates that existed before it was asked, since later ones were trained on it.

Nothing here looks at an item, fits a model or asks anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass

from bootstrap.errors import InvalidInput
from bootstrap.measuring import ChangeAlarm
from bootstrap.phaseout.candidate import Candidate, Rung
from bootstrap.phaseout.claims import Outcome
from bootstrap.records import SKIP, Class, Skip

__all__ = ["Champion", "Trial"]


@dataclass(slots=True)
class _Arrival:
    """One audit: what was asked, and what people said."""

    row: int
    held_out: bool  # else a training query that was drawn at random
    first: Class | Skip | None = None
    second: Class | Skip | None = None


@dataclass(slots=True)
class Champion:
    """The candidate in use, and the watch over it.

    Attributes
    ----------
    candidate : Candidate
    rung : Rung
        The lowest that is certified: where it may decide.
    alarm : ChangeAlarm
        Fed with the audits asked since it became champion, where it decides alone.
    cursor : int
        The next arrival for the alarm.
    """

    candidate: Candidate
    rung: Rung
    alarm: ChangeAlarm
    cursor: int


class Trial:
    """Candidates, their evidence and the champion.

    Parameters
    ----------
    adjudicated : bool
        Whether a second person decides where a candidate and the first answer differ; the audit waits for
        that answer then.
    alarm_horizon : int
        Audits in which the alarm is false with probability at most `alarm_delta`.
    alarm_delta : float

    Attributes
    ----------
    candidates : list of Candidate
        All that were registered, passed or not.
    champion : Champion or None
        The one in use.
    withdrawn : tuple of (Champion, str) or None
        The champion that was withdrawn last and why, until there is another.
    catching_up : bool
        Whether audits of items that came late are still missing: until they are in, what was audited is no
        random part of all items, and nothing is certified.
    """

    def __init__(
        self, *, adjudicated: bool = False, alarm_horizon: int = 1000, alarm_delta: float = 0.05
    ) -> None:
        self.candidates: list[Candidate] = []
        self.champion: Champion | None = None
        self.withdrawn: tuple[Champion, str] | None = None
        self.catching_up = False
        self._adjudicated = adjudicated
        self._alarm = (alarm_horizon, alarm_delta)
        self._arrivals: list[_Arrival] = []
        self._place: dict[int, int] = {}  # row -> its place among the arrivals
        self._promoted: set[tuple[int, float]] = set()  # (candidate, review rate) that was certified
        self._is_counting = False  # True for longer than a call only where that was interrupted
        self._gone: dict[int, int] = {}  # row erased or set apart -> how many candidates there were
        self._fresh_from = 0  # candidates registered from now on count no arrival before this one

    # events

    def ask(self, row: int, *, held_out: bool = True) -> None:
        """An item is audited from now on. Asking about it again changes nothing: it keeps its place."""
        if row not in self._place:
            if not (self._arrivals and self._arrivals[-1].row == row):  # else interrupted just here
                self._arrivals.append(_Arrival(row, held_out))
            self._place[row] = len(self._arrivals) - 1

    def answer(self, row: int, label: Class | Skip) -> list[tuple[Candidate, Rung]]:
        """The first answer about an item; returns what that certified.

        About an item that is not audited it says nothing here. A first label stays; SKIP gives way to one.
        """
        arrival = self._arrival(row)
        if arrival is None:
            return []
        if arrival.first is None or isinstance(arrival.first, Skip):
            arrival.first = label
        return self.advance()

    def answer_second(self, row: int, label: Class | Skip) -> list[tuple[Candidate, Rung]]:
        """A second person's answer about an item; returns what that certified."""
        arrival = self._arrival(row)
        if arrival is None:
            return []
        if arrival.second is None:
            arrival.second = label
        return self.advance()

    def register(self, candidate: Candidate) -> list[tuple[Candidate, Rung]]:
        """Begin to test a candidate; returns what the replay certified.

        Held-out audits are replayed to it in the order in which they were asked, unless it was
        registered by hand: whoever chose it may have looked at them.

        Raises
        ------
        InvalidInput
            If another one has its number.
        """
        if any(candidate is other for other in self.candidates):  # interrupted just here
            return self.advance()
        if any(candidate.number == other.number for other in self.candidates):
            raise InvalidInput(
                f"there is a candidate {candidate.number} already: draw each number from the ledger"
            )
        candidate.registered_at = len(self._arrivals)
        candidate.first = candidate.registered_at if candidate.by_hand else self._fresh_from
        candidate.cursor = candidate.first
        self.candidates.append(candidate)
        return self.advance()

    def retire(self) -> int:
        """Somebody looked at how audited items came out: none of them counts for later candidates.

        All audits so far are retired, not only the mistakes that were shown: what was not shown is
        known to be right, and would make the next candidate look better than it is.

        Returns
        -------
        int
            How many audits that are.
        """
        retired = len(self._arrivals) - self._fresh_from
        self._fresh_from = len(self._arrivals)
        return retired

    def erase(self, rows: Iterable[int]) -> None:
        """The content of these items is gone: no candidate of a later day can be tested on them.

        For those that there are it stays what it was; an answer that has not come counts as "can't tell".
        """
        for row in rows:
            if row in self._place:
                self._gone.setdefault(row, len(self.candidates))
                self.answer(row, SKIP)

    def set_apart(self, row: int) -> None:
        """It is asked out of its turn, for what was said of it before: evidence for no later candidate."""
        self._gone.setdefault(row, len(self.candidates))

    def rename(self, now: Callable[[Class], Class | None]) -> None:
        """Call every class what it is called now; None says that an answer says nothing any more."""
        for arrival in self._arrivals:
            first, second = _class(arrival.first), _class(arrival.second)
            if first is not None:
                arrival.first = now(first)
            if second is not None:
                arrival.second = now(second)

    def close(self) -> None:
        """End all tests: no candidate counts any further audit. The champion stays in use."""
        for candidate in self.candidates:
            candidate.closed = True

    def end(self) -> None:
        """End all tests, and let later candidates count none of the audits so far."""
        self.close()
        self.retire()

    def dismiss(self, candidate: Candidate, reason: str) -> None:
        """End the test of one candidate; if it is the champion, take it out of use."""
        candidate.closed = True
        if self.champion is not None and self.champion.candidate is candidate:
            self.withdrawn = (self.champion, reason)
            self.champion = None

    def withdraw(self, reason: str) -> None:
        """Take the champion out of use and end all tests: audits before speak of other items."""
        self.end()
        if self.champion is not None:
            self.withdrawn = (self.champion, reason)
            self.champion = None

    def advance(self) -> list[tuple[Candidate, Rung]]:
        """Count every audit that is ready; returns what that certified.

        Where a call was interrupted, half of an audit may have been counted: the next one counts all anew.
        """
        if self._is_counting:
            self._start_over()
        self._is_counting = True
        certified: list[tuple[Candidate, Rung]] = []
        for candidate in self.candidates:
            for arrival, outcome in self._ready(candidate):
                drawn = not arrival.held_out
                for rung in candidate.feed(outcome, drawn=drawn, may_prove=not self.catching_up):
                    self._certify(candidate, rung, certified)
        self._watch()
        self._is_counting = False
        return certified

    def caught_up(self) -> None:
        """The audits of items that came late are in: what has been counted so far may prove something."""
        self.catching_up = False
        for candidate in self.candidates:
            for rung in () if candidate.closed else candidate.look():
                self._certify(candidate, rung, [])
        self.advance()

    def _certify(self, candidate: Candidate, rung: Rung, certified: list[tuple[Candidate, Rung]]) -> None:
        certified.append((candidate, rung))
        if (candidate.number, rung.review_rate) not in self._promoted:
            self._promote(candidate, rung)

    def _start_over(self) -> None:
        for candidate in self.candidates:
            if not candidate.closed:
                candidate.start_over()

    # reading

    def __contains__(self, row: int) -> bool:
        """Whether the item is audited."""
        return row in self._place

    @property
    def n_certified(self) -> int:
        """Rungs certified so far, of all candidates."""
        return len(self._promoted)

    @property
    def n_waiting(self) -> int:
        """Audits without an answer."""
        return sum(arrival.first is None for arrival in self._arrivals)

    @property
    def present(self) -> Candidate | None:
        """The candidate registered last, unless an alarm ended its test."""
        last = self.candidates[-1] if self.candidates else None
        return None if last is None or last.closed else last

    def n_held_up(self, candidate: Candidate) -> int:
        """Answered audits that don't count for it yet: they, or one before them, wait for another answer."""
        waiting = self._counting(candidate, candidate.cursor)
        return sum(arrival.first is not None for arrival in waiting)

    def disputed(self) -> list[int]:
        """Rows that wait for a second answer: the first one differs from the candidate's class.

        Those of the present candidate, and of the champion: its alarm would wait for ever otherwise.
        """
        if not self._adjudicated:
            return []
        champion = None if self.champion is None else self.champion.candidate
        rows: dict[int, None] = {}
        for candidate in (self.present, champion):
            if candidate is not None:
                rows |= dict.fromkeys(
                    arrival.row
                    for arrival in self._counting(candidate, candidate.cursor)
                    if arrival.second is None
                    and arrival.first is not None
                    and candidate.disputes(arrival.row, _class(arrival.first))
                )
        return list(rows)

    def has_second(self, row: int) -> bool:
        """Whether a second person has answered about it."""
        arrival = self._arrival(row)
        return arrival is not None and arrival.second is not None

    def twice(self) -> list[tuple[int, Class, Class]]:
        """(row, first label, second label) of all audits with two labels, as they were asked."""
        pairs = ((arrival.row, _class(arrival.first), _class(arrival.second)) for arrival in self._arrivals)
        return [(row, one, other) for row, one, other in pairs if one is not None and other is not None]

    # inside

    def _arrival(self, row: int) -> _Arrival | None:
        place = self._place.get(row)
        return None if place is None else self._arrivals[place]

    def _counting(self, candidate: Candidate, begin: int) -> Iterator[_Arrival]:
        """The arrivals from `begin` on that count for this candidate."""
        for place in range(begin, len(self._arrivals)):
            if self._counts(candidate, place):
                yield self._arrivals[place]

    def _counts(self, candidate: Candidate, place: int) -> bool:
        """Whether the arrival at this place is evidence about the candidate."""
        arrival = self._arrivals[place]
        if not arrival.held_out and place < candidate.registered_at:
            return False  # it was trained on
        since = self._gone.get(arrival.row)
        return since is None or any(candidate is known for known in self.candidates[:since])

    def _ready(self, candidate: Candidate) -> Iterator[tuple[_Arrival, Outcome]]:
        """Arrivals to be counted now, up to the first that waits."""
        while not candidate.closed and candidate.cursor < len(self._arrivals):
            arrival = self._arrivals[candidate.cursor]
            if self._counts(candidate, candidate.cursor):
                outcome = self._outcome(candidate, arrival)
                if outcome is None:
                    return
                candidate.cursor += 1
                yield arrival, outcome
            else:
                candidate.cursor += 1

    def _outcome(self, candidate: Candidate, arrival: _Arrival) -> Outcome | None:
        """What the candidate makes of it; None while an answer is missing."""
        if arrival.first is None:
            return None
        first = _class(arrival.first)
        if not self._adjudicated:
            return candidate.score(arrival.row, first, None)
        if arrival.second is None and candidate.disputes(arrival.row, first):
            return None
        return candidate.score(arrival.row, first, _class(arrival.second))

    def _promote(self, candidate: Candidate, rung: Rung) -> None:
        champion = self.champion
        if champion is not None and champion.candidate is candidate:
            if rung.main.alpha != champion.rung.main.alpha:  # a target for all that goes out allows less here
                champion.alarm = ChangeAlarm(rung.main.alpha, *self._alarm)
            champion.rung = rung
        elif champion is None or rung.review_rate <= champion.rung.review_rate:
            alarm = ChangeAlarm(rung.main.alpha, *self._alarm)
            self.champion = Champion(candidate, rung, alarm, len(self._arrivals))
            self.withdrawn = None
        self._promoted.add((candidate.number, rung.review_rate))

    def _watch(self) -> None:
        """Feed the alarm with what the champion decided alone since it came into use."""
        champion = self.champion
        if champion is None:
            return
        while champion.cursor < len(self._arrivals) and not champion.alarm.raised:
            if not self._counts(champion.candidate, champion.cursor):
                champion.cursor += 1
                continue
            outcome = self._outcome(champion.candidate, self._arrivals[champion.cursor])
            if outcome is None:
                break
            fed = copy(champion.alarm)
            if outcome.confidence > champion.rung.threshold:
                fed.update(outcome.wrong)
            champion.alarm, champion.cursor = fed, champion.cursor + 1  # both, or neither if interrupted
        if champion.alarm.raised:
            self.withdraw("the alarm: too many errors among what it decided alone")


def _class(answer: Class | Skip | None) -> Class | None:
    return None if isinstance(answer, Skip) else answer
