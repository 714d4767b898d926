"""Simulated worlds with known truth: items that arrive, a model that judges them, people who answer.

Each world knows how often its model is really wrong, so that whatever a certificate claims about it can be
held against the truth. Items differ in rank, the share of items of which the model is less sure; at rank u
it is wrong with probability ``E (k + 1) (1 - u)^k``, where E is its error over all items and k the
steepness. Among those above rank r, which it decides alone at review rate r, that makes ``E (1 - r)^k``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bootstrap.errors import InvalidInput
from bootstrap.testing.arrivals import Arrival, Arrivals

__all__ = [
    "BlindSpots",
    "Flat",
    "Improving",
    "SlowDrift",
    "SuddenDrop",
    "UShaped",
    "World",
]

#: Below 1, so that a confidence never rounds to it.
_SURE = float(np.nextafter(1.0, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all worlds share. A subclass says how the error moves; :class:`Flat` does not move it.

    Parameters
    ----------
    error : float
        The model's error over all items at the first arrival, before it is trained any further.
    steepness : float
        k, how much of it sits where the model is unsure, 0 or more. With 0 its confidence says nothing.
        Otherwise confidence is one minus the chance of being wrong, as far as the model can know it: it
        notices training, and no drift.
    n_classes : int
        Equally frequent classes, at least 2.
    people_error : float
        Share of the items on which a person, each for himself, errs; on what nobody errs together.
    blind_share : float
        Share of the model's errors that all people share: they name the same wrong class.
    fresh : float
        Share of the items on which a model that was trained again errs independently of the last one. On
        the others hard stays hard.

    Raises
    ------
    InvalidInput
        If a share is outside [0, 1], or some chance of being wrong would exceed that of guessing.
    """

    error: float = 0.05
    steepness: float = 2.0
    n_classes: int = 4
    people_error: float = 0.0
    blind_share: float = 0.0
    fresh: float = 0.5

    def __post_init__(self) -> None:
        for name in ("error", "people_error", "blind_share", "fresh"):
            _check_share(name, getattr(self, name))
        if self.n_classes < 2 or not 0.0 <= self.steepness < math.inf:
            raise InvalidInput(
                f"a world has 2 classes or more and a steepness of 0 or more, found {self.n_classes} and "
                f"{self.steepness!r}"
            )
        guessing = 1.0 - 1.0 / self.n_classes
        if self.error == 0.0 or self._peak(self.error) >= guessing:
            raise InvalidInput(
                f"error must be above 0 and below {guessing / (self.steepness + 1.0):.3g}, found "
                f"{self.error!r}: with a steepness of {self.steepness:g} the model would be wrong on the "
                f"least certain items more often than by guessing"
            )

    # what is true

    @property
    def rises_at(self) -> int | None:
        """The arrival at which the error begins to rise; None where it never does."""
        return None

    def overall_error(self, at: ArrayLike = 0, n_trained: int = 0) -> NDArray[np.float64]:
        """Error over all items, for each arrival number: shape of `at`."""
        return np.full(np.shape(at), self.error)

    def true_error(self, review_rate: float, *, at: int = 0, n_trained: int = 0) -> float:
        """Error among the items that the model decides alone at a review rate: exact.

        Parameters
        ----------
        review_rate : float
            In [0, 1); what people decide is what the model is least sure of.
        at : int
            At this arrival.
        n_trained : int
            Of a model that was trained on so many labels.
        """
        _check_rate(review_rate)
        left: float = (1.0 - review_rate) ** self.steepness
        return float(self.overall_error(at, n_trained)) * left

    def true_error_of_items(self, review_rate: float, *, at: int = 0, n_trained: int = 0) -> float:
        """The same among all items where contents are copied; here none is."""
        return self.true_error(review_rate, at=at, n_trained=n_trained)

    def true_recall(self, of: int, review_rate: float, *, at: int = 0, n_trained: int = 0) -> float:
        """Share of one class's items that do not go out wrong at a review rate, if people are right."""
        return 1.0 - (1.0 - review_rate) * self.true_error(review_rate, at=at, n_trained=n_trained)

    @property
    def catch_rate(self) -> float:
        """Chance that one person rejects the model's class where it is wrong."""
        return (1.0 - self.blind_share) * (1.0 - self.people_error / (self.n_classes - 1))

    def review_rate_at(self, threshold: float, *, n_trained: int = 0) -> float:
        """Share of all items at or below a confidence."""
        if self.steepness == 0.0:
            return min(max((threshold * self.n_classes - 1.0) / (self.n_classes - 1.0), 0.0), 1.0)
        peak = self._peak(float(self.overall_error(0, n_trained)))
        above: float = min(max((1.0 - threshold) / peak, 0.0), 1.0) ** (1.0 / self.steepness)
        return 1.0 - above

    # what arrives

    def draw(self, n: int, rng: np.random.Generator, *, start: int = 0, n_trained: int = 0) -> Arrivals:
        """The next `n` arrivals, judged by a model that was trained on `n_trained` labels.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator
        start : int
            Number of the first of them.
        n_trained : int
        """
        at = np.arange(start, start + n)
        rank, luck = rng.random(n), rng.random(n)
        chance = self._chance(rank, at, n_trained)
        truth, tempting = self._classes(rank, luck, rng)
        wrong, shared = luck < chance, luck < self.blind_share * chance
        first, second = (self._answer(truth, tempting, shared, rng) for _ in range(2))
        return Arrivals(
            at=at,
            content=at,
            rank=rank,
            luck=luck,
            truth=truth,
            tempting=tempting,
            predicted=np.where(wrong, tempting, truth),
            confidence=self._confidence(rank, n_trained),
            first=first,
            second=second,
            delay=self._delay(wrong, rng),
        )

    def stream(self, rng: np.random.Generator, *, n_trained: int = 0, chunk: int = 1000) -> Iterator[Arrival]:
        """One arrival after another, without end; `chunk` are drawn at a time."""
        start = 0
        while True:
            yield from self.draw(chunk, rng, start=start, n_trained=n_trained)
            start += chunk

    def retrained(self, arrivals: Arrivals, rng: np.random.Generator, *, n_trained: int) -> Arrivals:
        """The same items and answers, judged by another model: it errs independently on a share of them.

        On what people and models mistake alike it errs as before. All copies of a content fare alike.
        """
        lowest = self.blind_share * self._chance(arrivals.rank, arrivals.at, 0)
        contents, which = np.unique(arrivals.content, return_inverse=True)
        chosen, anew = rng.random(len(contents))[which] < self.fresh, rng.random(len(contents))[which]
        redrawn = chosen & (arrivals.luck >= lowest)
        luck = np.where(redrawn, lowest + (1.0 - lowest) * anew, arrivals.luck)
        return self.judged(dataclasses.replace(arrivals, luck=luck), n_trained=n_trained)

    def judged(self, arrivals: Arrivals, *, n_trained: int) -> Arrivals:
        """The same items and answers, judged by the same model after training on `n_trained` labels."""
        wrong = arrivals.luck < self._chance(arrivals.rank, arrivals.at, n_trained)
        return dataclasses.replace(
            arrivals,
            predicted=np.where(wrong, arrivals.tempting, arrivals.truth),
            confidence=self._confidence(arrivals.rank, n_trained),
        )

    def traps(self, shown: int, rng: np.random.Generator) -> tuple[int, int]:
        """(caught, shown): known errors of the model, of those that it makes now, shown to one person."""
        return int(rng.binomial(shown, self.catch_rate)), shown

    # inside

    def _peak(self, error: float) -> float:
        return error * (self.steepness + 1.0)

    def _chance(self, rank: NDArray[np.float64], at: ArrayLike, n_trained: int) -> NDArray[np.float64]:
        """Chance that the model is wrong."""
        density: NDArray[np.float64] = (self.steepness + 1.0) * (1.0 - rank) ** self.steepness
        return self.overall_error(at, n_trained) * density

    def _confidence(self, rank: NDArray[np.float64], n_trained: int) -> NDArray[np.float64]:
        if self.steepness == 0.0:
            guess = 1.0 / self.n_classes
            return guess + (1.0 - guess) * rank
        return np.minimum(1.0 - self._chance(rank, 0, n_trained), _SURE)

    def _classes(
        self, rank: NDArray[np.float64], luck: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(truth, tempting)."""
        truth = rng.integers(0, self.n_classes, len(rank))
        return truth, self._another(truth, rng)

    def _another(self, truth: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        return (truth + rng.integers(1, self.n_classes, len(truth))) % self.n_classes

    def _answer(
        self,
        truth: NDArray[np.int64],
        tempting: NDArray[np.int64],
        shared: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> NDArray[np.int64]:
        """One person's."""
        errs = rng.random(len(truth)) < self.people_error
        return np.where(shared, tempting, np.where(errs, self._another(truth, rng), truth))

    def _delay(self, wrong: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
        return np.zeros(len(wrong), dtype=np.int64)

    def _check_later(self, name: str, error: float) -> None:
        """An error that the world comes to: no chance may exceed 1."""
        _check_share(name, error)
        if self._peak(error) > 1.0:
            raise InvalidInput(
                f"{name} must be at most {1.0 / (self.steepness + 1.0):.3g} with a steepness of "
                f"{self.steepness:g}, found {error!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat(World):
    """Nothing changes, however long one trains."""

    @classmethod
    def at_boundary(
        cls, review_rate: float, *, target: float = 0.95, steepness: float = 2.0, **others: Any
    ) -> Flat:
        """The error among the items decided alone at `review_rate` is exactly ``1 - target``.

        With a steepness of 0 it is that at every review rate, else more below and less above.
        """
        _check_rate(review_rate)
        error = (1.0 - target) / (1.0 - review_rate) ** steepness
        return cls(error=error, steepness=steepness, **others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Improving(World):
    """Training helps: the error falls from `error` to `floor` as ``(1 + n / scale)^-power``.

    Parameters
    ----------
    floor : float
        Below `error`.
    scale : float
        Labels, above 0.
    power : float
        Above 0.
    """

    error: float = 0.2
    floor: float = 0.01
    scale: float = 100.0
    power: float = 1.0

    def __post_init__(self) -> None:
        World.__post_init__(self)
        if not 0.0 < self.floor <= self.error or not self.scale > 0.0 or not self.power > 0.0:
            raise InvalidInput(
                f"floor is above 0 and at most the error ({self.error!r}), scale and power above 0; found "
                f"{self.floor!r}, {self.scale!r}, {self.power!r}"
            )

    def overall_error(self, at: ArrayLike = 0, n_trained: int = 0) -> NDArray[np.float64]:  # noqa: D102
        left = (1.0 + n_trained / self.scale) ** -self.power
        return np.full(np.shape(at), self.floor + (self.error - self.floor) * left)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuddenDrop(World):
    """The error jumps from `error` to `later` at arrival `drop_at`; the confidences stay."""

    error: float = 0.02
    later: float = 0.2
    drop_at: int = 500

    def __post_init__(self) -> None:
        World.__post_init__(self)
        self._check_later("later", self.later)

    @property
    def rises_at(self) -> int | None:  # noqa: D102
        return self.drop_at

    def overall_error(self, at: ArrayLike = 0, n_trained: int = 0) -> NDArray[np.float64]:  # noqa: D102
        return np.where(np.asarray(at) < self.drop_at, self.error, self.later)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDrift(World):
    """The error rises in a straight line from `error` at arrival `begin` to `later` at arrival `end`."""

    error: float = 0.02
    later: float = 0.2
    begin: int = 500
    end: int = 1500

    def __post_init__(self) -> None:
        World.__post_init__(self)
        self._check_later("later", self.later)
        if not self.begin < self.end:
            raise InvalidInput(f"the drift begins before it ends, found {self.begin!r} and {self.end!r}")

    @property
    def rises_at(self) -> int | None:  # noqa: D102
        return self.begin

    def overall_error(self, at: ArrayLike = 0, n_trained: int = 0) -> NDArray[np.float64]:  # noqa: D102
        return np.asarray(
            np.interp(np.asarray(at), [self.begin, self.end], [self.error, self.later]), dtype=np.float64
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UShaped(World):
    """Training helps and then harms: from `error` to `lowest` at `turn` labels, and back at twice that.

    What is frozen stays as it is: with the arrivals nothing changes.
    """

    error: float = 0.2
    lowest: float = 0.01
    turn: int = 400

    def __post_init__(self) -> None:
        World.__post_init__(self)
        if not 0.0 < self.lowest <= self.error or self.turn < 1:
            raise InvalidInput(
                f"lowest is above 0 and at most the error ({self.error!r}), turn at least 1; found "
                f"{self.lowest!r} and {self.turn!r}"
            )

    def overall_error(self, at: ArrayLike = 0, n_trained: int = 0) -> NDArray[np.float64]:  # noqa: D102
        away = min(abs(n_trained / self.turn - 1.0), 1.0)
        return np.full(np.shape(at), self.lowest + (self.error - self.lowest) * away**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpots(World):
    """People err, and some of the model's errors all of them share."""

    people_error: float = 0.03
    blind_share: float = 0.3


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise InvalidInput(f"{name} is a share in [0, 1], found {value!r}")


def _check_rate(review_rate: float) -> None:
    if not 0.0 <= review_rate < 1.0:
        raise InvalidInput(
            f"review_rate is a share in [0, 1), found {review_rate!r}: at 1 nothing is decided alone"
        )
