"""Certifying the rest of one pool that is the whole product: audits without replacement.

Where nothing comes after the pool, every audited item is one item less that can be wrong, and a pool that is
audited to a good part needs fewer audits than traffic does. The model is frozen first; then the audits are
drawn from exactly the items that the statement is about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bootstrap.errors import InvalidInput
from bootstrap.measuring import finite_pool_upper, review_threshold, uniform_draw
from bootstrap.measuring.outcomes import check_open_share, checked_confidence
from bootstrap.phaseout.candidate import Rung, Tally
from bootstrap.phaseout.certificate import missed_in_words
from bootstrap.phaseout.claims import About, Claim, Outcome
from bootstrap.records import Class, Skip

__all__ = ["ClosedPool"]


class ClosedPool:
    """The audit of what a frozen model decides alone in one closed pool.

    Parameters
    ----------
    ids : sequence of str
        The items without a label.
    predicted : sequence of class
        What the frozen model says about each.
    confidence : sequence of float
        How sure it is.
    review_rate : float
        Share of these items that people label, in [0, 1): the least confident; ties too.
    target : float
        Accuracy to be shown among the others, in (0, 1).
    delta : float
        Chance that this is ever claimed falsely.
    key : bytes
        Of the draw.
    name : str
        The frozen model, for people.

    Attributes
    ----------
    threshold : float
        The model decides alone above it.
    to_review : tuple of str
        Items at or below the threshold: people label all of them.
    size : int
        Items that the model would decide alone.
    proved : bool
        Whether it was ever shown that the errors among these, before any is corrected, stay within the
        target. It stays so.

    Raises
    ------
    InvalidInput
        If lengths differ, an id comes twice, or nothing is left for the model to decide.
    """

    def __init__(
        self,
        ids: Sequence[str],
        predicted: Sequence[Class],
        confidence: Sequence[float],
        *,
        review_rate: float,
        target: float,
        delta: float,
        key: bytes,
        name: str = "the model",
    ) -> None:
        sure = checked_confidence(confidence)
        if not len(ids) == len(predicted) == len(sure) or len(set(ids)) != len(ids):
            raise InvalidInput("a closed pool needs one class and one confidence for each id, each id once")
        check_open_share("target", target)
        check_open_share("delta", delta)
        self.threshold = review_threshold(sure, review_rate) if len(sure) else 1.0
        alone = np.flatnonzero(sure > self.threshold).tolist()
        if len(alone) == 0:
            raise InvalidInput(
                f"at a review rate of {review_rate:g} the model decides none of {len(ids)} items alone: "
                "there is nothing to certify"
            )
        self.to_review = tuple(ids[i] for i in np.flatnonzero(sure <= self.threshold).tolist())
        self.size = len(alone)
        self.delta = delta
        self.proved = False
        self._target = target
        self._name = name
        claim = Claim(About.ALONE, target)
        self._tally = Tally(1.0 - target, delta)
        self._rung = Rung(
            review_rate, 1.0 - self.size / len(ids), self.threshold, {claim: self._tally}, 1.0 - target
        )
        draws = uniform_draw(key, [ids[i] for i in alone], "closed-pool")
        self._order = [ids[alone[i]] for i in np.argsort(draws, kind="stable").tolist()]
        self._prediction = {ids[i]: (predicted[i], float(sure[i])) for i in alone}
        self._answers: dict[str, Class | Skip] = {}
        self._done = 0  # audits counted, in the order of the draw
        self._is_counting = False  # True for longer than a call only where that was interrupted

    def next(self, n: int) -> list[str]:
        """The next ids to audit, at most `n`: those that were drawn first and have no answer."""
        waiting = (i for i in self._order if i not in self._answers)
        return [item for item, _ in zip(waiting, range(n), strict=False)]

    def tell(self, answers: dict[str, Class | Skip]) -> None:
        """Take blind answers, in any order; SKIP counts as wrong. The first answer about an item stays.

        Raises
        ------
        InvalidInput
            For an id that the model does not decide alone here. Nothing was taken then.
        """
        unknown = [item for item in answers if item not in self._prediction]
        if unknown:
            raise InvalidInput(f"{unknown[0]!r} is not among the {self.size} items that are audited here")
        for item, answer in answers.items():
            self._answers.setdefault(item, answer)
        if self._is_counting:
            self._rung.start_over()
            self._done = 0
        self._is_counting = True
        while self._done < self.size and self._order[self._done] in self._answers:
            self._count(self._order[self._done])
            self._done += 1
            self.proved = self.proved or (self.upper <= self.allowed and not self._rung.commonest_would_do)
        self._is_counting = False

    def _count(self, item: str) -> None:
        predicted, confidence = self._prediction[item]
        answer = self._answers[item]
        truth = None if isinstance(answer, Skip) else answer
        self._rung.feed(Outcome(predicted, confidence, truth, wrong=truth != predicted))

    @property
    def n_audited(self) -> int:
        """Audits counted: those in the order of the draw up to the first that waits."""
        return self._done

    @property
    def n_wrong(self) -> int:
        """Of these, how many the model gets wrong."""
        return self._tally.errors

    @property
    def allowed(self) -> int:
        """Errors that the target allows among all that the model decides alone."""
        return int(np.floor((1.0 - self._target) * self.size + 1e-9))

    @property
    def upper(self) -> int:
        """Most errors that there may be, the audited ones included; valid at every look."""
        return finite_pool_upper(self.n_wrong, self._done, self.size, self.delta)

    @property
    def audits_to_go(self) -> int | None:
        """Audits still missing if none of them finds an error; None where only labeling all would do."""
        if self.proved:
            return 0
        if self.n_wrong > self.allowed:
            return None
        low, high = self._done, self.size  # all audited: then the errors are known
        while high - low > 1:
            middle = (low + high) // 2
            enough = finite_pool_upper(self.n_wrong, middle, self.size, self.delta) <= self.allowed
            low, high = (low, middle) if enough else (middle, high)
        return high - self._done

    def __str__(self) -> str:
        found = (
            f"of the {self.size} distinct items that {self._name} decides alone (confidence above "
            f"{self.threshold:.6g}), {self._done} were audited blind, drawn at random without replacement, "
            f"and {self.n_wrong} are wrong: at most {self.upper} of all are, and {self.allowed} are allowed."
        )
        people = f"People label the other {len(self.to_review)}, and correct what an audit shows to be wrong."
        missed = missed_in_words(
            {name: (self._rung.missed[name], n) for name, n in sorted(self._rung.alone.items(), key=str)}
        )
        if self.proved:
            return (
                f"ADVANCE: {found} {people} {missed} That is false with a chance of at most "
                f"{self.delta:.4g}, however often one looks, and it says nothing of items outside this pool."
            )
        return f"HOLD: {found} {self._missing()} {missed}"

    def _missing(self) -> str:
        more = self.audits_to_go
        if more is None:
            return "That is more than the target allows: label on, or have people review more."
        if self.upper <= self.allowed:
            return (
                "But nearly all of them are of one class, so that always answering it might be as good: "
                "accuracy shows nothing of use here."
            )
        return f"{more} more audits without an error would do."
