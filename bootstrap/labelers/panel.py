"""Several labelers per item: the majority decides, every vote is kept, and agreement is reported.

Which members read an item depends on the item's id alone (by keyed hash), so that a retry asks the
same people and those who have answered already are not asked again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bootstrap.classes import plain_answer
from bootstrap.errors import InvalidInput, LabelerError, LabelerStopped
from bootstrap.labelers.callback import Collected, CollectingLabeler, OnAnswer, OnUndo, collect
from bootstrap.measuring.agreement import cohen_kappa, fleiss_kappa
from bootstrap.measuring.draw import new_key, uniform_draw
from bootstrap.protocols import Labeler
from bootstrap.records import SKIP, Class, Query, Skip

__all__ = ["AgreementReport", "PairAgreement", "PanelLabeler", "Vote"]


@dataclass(frozen=True, slots=True)
class Vote:
    """What one member of a panel answered to one item.

    Attributes
    ----------
    id : str
        The item's id.
    by : str
        The member's name.
    answer : str, int, bool or SKIP
    """

    id: str
    by: str
    answer: Class | Skip


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """How two members agree on the items that both gave a class.

    Attributes
    ----------
    a, b : str
        Their names.
    n : int
        Items that both gave a class.
    agreement : float
        Share of those, in [0, 1], to which both gave the same class.
    kappa : float
        Cohen's kappa on those; 1.0 by convention where all answers are one class.
    """

    a: str
    b: str
    n: int
    agreement: float
    kappa: float


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """How far the members of a panel agree; `None` where there is nothing to measure on.

    Attributes
    ----------
    n_items : int
        Items that a whole panel has answered.
    n_disagreed : int
        Items to which not every reader gave the same class; a skip counts as a disagreement.
    agreement : float or None
        Share in [0, 1] of pairs of classes given to the same item that are equal ("percent
        agreement"). Skips are left out.
    cohen_kappa : float or None
        Plain mean over `pairs`.
    pairs : tuple of PairAgreement
        Every pair of members that both gave a class to some item.
    fleiss_kappa : float or None
        On the items to which every reader of the panel gave a class.
    n_fleiss : int
        How many these are.
    """

    n_items: int
    n_disagreed: int
    agreement: float | None
    cohen_kappa: float | None
    pairs: tuple[PairAgreement, ...]
    fleiss_kappa: float | None
    n_fleiss: int

    def __str__(self) -> str:
        if not self.n_items:
            return "Agreement: no item has been answered by its whole panel yet."
        lines = [f"Agreement on {self.n_items:,} items: {self.n_disagreed:,} with a disagreement or a skip."]
        if self.agreement is not None and self.cohen_kappa is not None:
            lines.append(f"  same class, by pairs of answers   {self.agreement:6.1%}")
            lines.append(f"  Cohen's kappa, mean over pairs    {self.cohen_kappa:6.3f}")
        if self.fleiss_kappa is not None:
            lines.append(f"  Fleiss' kappa ({self.n_fleiss:,} items)".ljust(36) + f"{self.fleiss_kappa:6.3f}")
        for pair in self.pairs:
            figures = f"kappa {pair.kappa:.3f}, same class {pair.agreement:.1%} (n = {pair.n:,})"
            lines.append(f"    {pair.a} and {pair.b}: {figures}")
        return "\n".join(lines)


class PanelLabeler(CollectingLabeler):
    """Ask several labelers about each item and let the majority decide.

    The answer is the class with the most votes, skips aside; a tie, or skips alone, is SKIP. An item
    whose panel is not complete (a member raised, or left it out) gets no answer: it goes back to
    the pool, and asking it again asks only the members still missing. An item asked again after its
    panel was complete is read afresh, and the later votes count.

    Parameters
    ----------
    labelers : mapping or sequence
        Name -> labeler, or labelers with a `name` each. At least two.
    overlap : int
        How many members read each item, from 2 to all of them.
    random_state : int or None
        Seeds which members read which item. Every set of `overlap` members is equally likely, so
        that the load is balanced up to chance.
    name : str
        Stored as who answered.

    Raises
    ------
    InvalidInput
        If an argument is wrong.

    Examples
    --------
    >>> from bootstrap.labelers import SimulatedLabeler
    >>> truth = {"a": "spam", "b": "ham"}
    >>> panel = PanelLabeler({who: SimulatedLabeler(truth, random_state=0) for who in ("Ann", "Ben")})
    >>> panel([Query("a", "some text", "t1")])
    {'a': 'spam'}
    >>> panel.report().n_disagreed
    0
    """

    def __init__(
        self,
        labelers: Mapping[str, Labeler] | Sequence[Labeler],
        *,
        overlap: int = 2,
        random_state: int | None = 0,
        name: str = "panel",
    ) -> None:
        self._members = _named(labelers)
        if isinstance(overlap, bool) or not isinstance(overlap, int | np.integer):
            raise InvalidInput(f"overlap is {overlap!r}. Pass how many members read each item: 2 or more.")
        if not 2 <= overlap <= len(self._members):
            raise InvalidInput(
                f"overlap is {overlap} with {len(self._members)} labelers. Each item needs at least 2 "
                "different readers: pass a number from 2 to the number of labelers, or more labelers."
            )
        self.overlap = int(overlap)
        self.name = name
        self._key = new_key(random_state)
        self._votes: list[Vote] = []
        self._pending: dict[str, dict[str, Class | Skip]] = {}  # item id -> by -> answer
        self._complete: dict[str, dict[str, Class | Skip]] = {}

    @property
    def votes(self) -> list[Vote]:
        """Every vote so far, in the order given; those of incomplete panels too."""
        return list(self._votes)

    def readers_of(self, item_id: str) -> tuple[str, ...]:
        """Return the names of the members that read the item `item_id`."""
        draws = {
            who: uniform_draw(self._key, f"{len(who)} {who} {item_id}", "panel") for who in self._members
        }
        by_draw = sorted(draws, key=lambda who: draws[who])
        return tuple(by_draw[: self.overlap])

    def disagreements(self) -> dict[str, dict[str, Class | Skip]]:
        """Return item id -> {member: answer} where not every reader gave the same class.

        Ties and skips are among them. In the order in which the panels were first completed.
        """
        return {item_id: dict(said) for item_id, said in self._complete.items() if _differ(said)}

    def collect(
        self, queries: Sequence[Query], *, on_answer: OnAnswer | None = None, on_undo: OnUndo | None = None
    ) -> Collected:
        """Ask the members in turn and decide what is complete; never raise.

        If a member raises, the others are asked all the same; Ctrl-C ends the asking at once. What
        is complete then is decided, and the votes of incomplete items are kept for the next time.
        """
        errors: list[BaseException] = []
        for by in self._members:
            error = self._ask(by, queries)
            if error is not None:
                error.add_note(f"raised while asking {by!r} of panel {self.name!r}")
                errors.append(error)
            if error is not None and not isinstance(error, Exception):
                break
        answers: dict[str, Class | Skip] = {}
        for query in queries:
            said = self._pending.get(query.id, {})
            if len(said) == self.overlap:
                self._complete[query.id] = self._pending.pop(query.id)
                answers[query.id] = _majority(said)
        if on_answer is not None:
            try:
                for query in queries:
                    if query.id in answers:
                        on_answer(query, answers[query.id])
            except BaseException as error:  # the answers are kept; whoever collects raises it
                errors.append(error)
        return Collected(answers, _most_serious(errors))

    def report(self) -> AgreementReport:
        """Measure how far the members agree, on all items that a whole panel has answered.

        Items that a strategy picked are harder than others: agreement on them says little about the
        rest. scikit-learn is imported here.
        """
        classes_given = [
            {by: answer for by, answer in said.items() if answer is not SKIP}
            for said in self._complete.values()
        ]
        pairs = self._pairs(classes_given)
        n_pairs = sum(pair.n for pair in pairs)
        whole = [list(said.values()) for said in classes_given if len(said) == self.overlap]
        classes = list(dict.fromkeys(answer for row in whole for answer in row))
        counts = [[row.count(label) for label in classes] for row in whole]
        return AgreementReport(
            n_items=len(self._complete),
            n_disagreed=len(self.disagreements()),
            agreement=sum(pair.n * pair.agreement for pair in pairs) / n_pairs if pairs else None,
            cohen_kappa=sum(pair.kappa for pair in pairs) / len(pairs) if pairs else None,
            pairs=pairs,
            fleiss_kappa=fleiss_kappa(counts) if whole else None,
            n_fleiss=len(whole),
        )

    def _ask(self, by: str, queries: Sequence[Query]) -> BaseException | None:
        """Ask one member what it has yet to answer, and record its votes; return what it raised."""
        share = [
            query
            for query in queries
            if by in self.readers_of(query.id) and by not in self._pending.get(query.id, {})
        ]
        collected = collect(self._members[by], share)
        refused: list[str] = []
        for item_id, raw in collected.answers.items():
            try:
                answer = plain_answer(raw)
            except InvalidInput as error:
                refused.append(f"{item_id}: {error}")
                continue
            self._votes.append(Vote(item_id, by, answer))
            self._pending.setdefault(item_id, {})[by] = answer
        if refused and collected.error is None:
            return LabelerError(
                f"{len(refused)} of the answers of {by!r} can't count as votes; the others were kept. "
                + "; ".join(refused[:3])
            )
        return collected.error

    def _pairs(self, classes_given: list[dict[str, Any]]) -> tuple[PairAgreement, ...]:
        """Compare each two members on the items that both gave a class."""
        pairs = []
        for a, b in itertools.combinations(self._members, 2):
            both = [(said[a], said[b]) for said in classes_given if a in said and b in said]
            if both:
                same = sum(x == y for x, y in both) / len(both)
                kappa = cohen_kappa([x for x, _ in both], [y for _, y in both])
                pairs.append(PairAgreement(a, b, len(both), same, kappa))
        return tuple(pairs)


def _named(labelers: Any) -> dict[str, Labeler]:
    """Return name -> labeler, checked."""
    if isinstance(labelers, Mapping):
        members = dict(labelers)
    else:
        members = {}
        for place, labeler in enumerate(labelers):
            who = getattr(labeler, "name", None)
            if not isinstance(who, str) or who in members:
                found = f"is called {who!r} like an earlier one" if who in members else "has no name"
                raise InvalidInput(
                    f"Labeler {place + 1} of the panel {found}; votes could not be told apart. "
                    "Give each a name of its own, or pass a dict name -> labeler."
                )
            members[who] = labeler
    for who, labeler in members.items():
        if not isinstance(who, str) or not callable(labeler):
            raise InvalidInput(
                f"The panel's member {who!r} is {labeler!r}. Pass a dict of names (strings) -> labelers "
                "(callables on a list of queries), or a list of labelers with a name each."
            )
    return members


def _majority(said: Mapping[str, Class | Skip]) -> Class | Skip:
    """Return the class with the most votes; SKIP for a tie or where all skipped."""
    ranked = Counter(answer for answer in said.values() if answer is not SKIP).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return SKIP
    return ranked[0][0]


def _differ(said: Mapping[str, Class | Skip]) -> bool:
    """Say whether not every reader gave the same class."""
    answers = list(said.values())
    return any(answer is SKIP or answer != answers[0] for answer in answers)


def _most_serious(errors: Sequence[BaseException]) -> BaseException | None:
    """Pick the error to raise: Ctrl-C first, a wish to stop last."""
    return min(errors, key=_mildness, default=None)


def _mildness(error: BaseException) -> int:
    if not isinstance(error, Exception):
        return 0
    return 2 if isinstance(error, LabelerStopped) else 1
