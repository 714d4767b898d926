"""Worlds whose items are not alike: a rare class, labels that come late, contents that come often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bootstrap.errors import InvalidInput
from bootstrap.testing.arrivals import Arrivals
from bootstrap.testing.worlds import World

__all__ = ["DelayedLabels", "Duplicates", "RareClass"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RareClass(World):
    """Class 1 is rare, and all that the model gets wrong is missing it. Class 0 is everything else.

    Training changes nothing. Items of the rare class are more frequent where the model is unsure.

    Parameters
    ----------
    share : float
        Of the rare class among all items, in (0, 1).
    recall : float
        Share of it that the model names, in [0, 1); with 0 it never does.
    error : float
        Follows from the two and can't be given.
    """

    error: float = 0.0
    share: float = 0.02
    recall: float = 0.0
    n_classes: int = 2
    fresh: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 < self.share < 1.0 and 0.0 <= self.recall < 1.0):
            raise InvalidInput(
                f"share is in (0, 1) and recall in [0, 1), found {self.share!r} and {self.recall!r}"
            )
        missed = self.share * (1.0 - self.recall)
        if self.error not in (0.0, missed) or self.fresh != 0.0 or self.n_classes != 2:
            raise InvalidInput(
                "in this world error follows from share and recall, training changes nothing (fresh=0) and "
                f"there are two classes; found {self.error!r}, {self.fresh!r} and {self.n_classes!r}"
            )
        object.__setattr__(self, "error", missed)
        World.__post_init__(self)
        if self._peak(self.share) > 1.0:
            raise InvalidInput(
                f"share must be at most {1.0 / (self.steepness + 1.0):.3g} with a steepness of "
                f"{self.steepness:g}, found {self.share!r}"
            )

    def true_recall(  # noqa: D102
        self, of: int, review_rate: float, *, at: int = 0, n_trained: int = 0
    ) -> float:
        error = self.true_error(review_rate, at=at, n_trained=n_trained)
        return 1.0 - (1.0 - review_rate) * error / self.share if of == 1 else 1.0

    def _classes(
        self, rank: NDArray[np.float64], luck: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        # those that are missed are the part `1 - recall` of these with the least luck
        rare = luck < self._chance(rank, 0, 0) / (1.0 - self.recall)
        truth = rare.astype(np.int64)
        return truth, 1 - truth


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedLabels(World):
    """Answers come late, and those about items that the model gets wrong come later still.

    Parameters
    ----------
    mean_delay : float
        Arrivals until the first answer is there, on average, where the model is right; 0 or more.
    times_if_wrong : float
        So many times as long where it is wrong; 0 or more.
    """

    mean_delay: float = 20.0
    times_if_wrong: float = 5.0

    def __post_init__(self) -> None:
        World.__post_init__(self)
        if not (self.mean_delay >= 0.0 and self.times_if_wrong >= 0.0):
            raise InvalidInput(
                f"mean_delay and times_if_wrong are 0 or more, found {self.mean_delay!r} and "
                f"{self.times_if_wrong!r}"
            )

    def _delay(self, wrong: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
        mean = self.mean_delay * np.where(wrong, self.times_if_wrong, 1.0)
        return np.rint(rng.exponential(mean)).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates(World):
    """Contents that come more than once, the copies of one right behind each other.

    :meth:`true_error` is about distinct contents, :meth:`true_error_of_items` about all that arrives.
    They differ where errors are copied more often, or less, than the rest.

    Parameters
    ----------
    copies_if_right, copies_if_wrong : float
        Further copies of a content on average, where the model is right and where it is wrong on it.
    """

    copies_if_right: float = 1.0
    copies_if_wrong: float = 1.0

    def __post_init__(self) -> None:
        World.__post_init__(self)
        if not (self.copies_if_right >= 0.0 and self.copies_if_wrong >= 0.0):
            raise InvalidInput(
                f"copies are 0 or more on average, found {self.copies_if_right!r} and "
                f"{self.copies_if_wrong!r}"
            )

    def true_error_of_items(self, review_rate: float, *, at: int = 0, n_trained: int = 0) -> float:
        """Error among the items, copies included, that the model decides alone: exact.

        `review_rate` is a share of contents here, too. The copies go by the model that was first in use.
        """
        error = self.true_error(review_rate, at=at, n_trained=n_trained)
        wrong = error * (1.0 + self.copies_if_wrong)
        return wrong / (wrong + (1.0 - error) * (1.0 + self.copies_if_right))

    def draw(  # noqa: D102
        self, n: int, rng: np.random.Generator, *, start: int = 0, n_trained: int = 0
    ) -> Arrivals:
        contents = World.draw(self, n, rng, start=start, n_trained=n_trained)
        copies = rng.poisson(np.where(contents.wrong, self.copies_if_wrong, self.copies_if_right))
        arrived = contents.take(np.repeat(np.arange(n), 1 + copies)[:n])
        arrived.at[:] = np.arange(start, start + n)
        return arrived
