"""What came of simulated phase-outs: one row a seed, and what they say together."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from bootstrap.errors import InvalidInput
from bootstrap.phaseout import About, Certificate, Claim
from bootstrap.testing.worlds import World

__all__ = ["Run", "Simulation", "claim_is_false", "over_seeds"]

#: A true error that is this close to what the target allows is on the boundary: the claim is false there.
_ROUNDING = 1e-12


@dataclass(slots=True)
class Run:
    """One seed: a row of the table.

    Attributes
    ----------
    seed : int
    n_candidates : int
        Registered, passed or not.
    n_certificates, false_advances : int
        Certificates, and those whose claim was false in truth when they were given.
    labels_until_certified : float
        Labels that people gave until the first certificate that was true; NaN without one.
    audits_until_certified : float
        Audits asked until then.
    lowest_certified_rate : float
        1 without a certificate.
    review_rate : float
        In force at the end, by the stages.
    alarm_at : float
        Audits asked when the first alarm was raised that was right; NaN without one.
    alarm_delay : float
        Audits from the rise of the error until then; NaN where either did not come.
    false_alarms : int
        Raised while the champion met the target.
    n_labels : int
        In all: trained labels, audits, second answers and traps.
    certificates : list of Certificate
        As they were given; the table leaves them out.
    """

    seed: int
    n_candidates: int = 0
    n_certificates: int = 0
    false_advances: int = 0
    labels_until_certified: float = math.nan
    audits_until_certified: float = math.nan
    lowest_certified_rate: float = 1.0
    review_rate: float = 1.0
    alarm_at: float = math.nan
    alarm_delay: float = math.nan
    false_alarms: int = 0
    n_labels: int = 0
    certificates: list[Certificate] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of every seed.

    Attributes
    ----------
    world, settings
        What was simulated.
    runs : tuple of Run
        In the order of the seeds.
    """

    world: World
    settings: Any
    runs: tuple[Run, ...] = field(repr=False)

    @property
    def false_share(self) -> float:
        """Share of the seeds with at least one false certificate; `delta` bounds its expectation."""
        return float(np.mean([run.false_advances > 0 for run in self.runs]))

    @property
    def certified_share(self) -> float:
        """Share of the seeds with a certificate."""
        return float(np.mean([run.n_certificates > 0 for run in self.runs]))

    @property
    def false_alarm_share(self) -> float:
        """Share of the seeds with at least one false alarm."""
        return float(np.mean([run.false_alarms > 0 for run in self.runs]))

    def median(self, column: str) -> float:
        """Median over the seeds; one that never came counts as infinite."""
        values = np.array([getattr(run, column) for run in self.runs], dtype=np.float64)
        return float(np.median(np.where(np.isnan(values), math.inf, values)))

    def to_frame(self) -> Any:
        """A pandas.DataFrame, one row a seed."""
        import pandas as pd

        columns = [f.name for f in dataclasses.fields(self.runs[0]) if f.name != "certificates"]
        return pd.DataFrame([{name: getattr(run, name) for name in columns} for run in self.runs])

    def __str__(self) -> str:
        return (
            f"{type(self.world).__name__}, {len(self.runs)} seeds: certified in {self.certified_share:.3f}, "
            f"falsely in {self.false_share:.3f}; labels until certified (median) "
            f"{self.median('labels_until_certified'):g}; lowest certified rate (median) "
            f"{self.median('lowest_certified_rate'):g}; alarm after (median) {self.median('alarm_delay'):g} "
            f"audits, false in {self.false_alarm_share:.3f}"
        )


def over_seeds(
    one_run: Callable[[World, Any, int], Run],
    world: World,
    settings: Any,
    seeds: Iterable[int],
    n_jobs: int | None,
) -> Simulation:
    """Call `one_run(world, settings, seed)` for each seed, in parallel."""
    each = [int(seed) for seed in seeds]
    if not each:
        raise InvalidInput("a simulation needs at least one seed, such as range(100)")
    runs = Parallel(n_jobs=n_jobs)(delayed(one_run)(world, settings, seed) for seed in each)
    return Simulation(world, settings, tuple(runs))


def claim_is_false(
    claim: Claim,
    world: World,
    review_rate: float,
    *,
    at: int,
    n_trained: int = 0,
    per_item: bool = False,
) -> bool:
    """Whether a claim about what is decided alone is false in a world; on the boundary it is.

    Parameters
    ----------
    claim : Claim
        About all that is decided alone, or about recall.
    world : World
    review_rate : float
        In truth, not as it is called.
    at : int
        At this arrival.
    n_trained : int
        Of a model that was trained on so many labels.
    per_item : bool
        Copies count, too.
    """
    if claim.about is About.RECALL and isinstance(claim.of, int):
        recall = world.true_recall(claim.of, review_rate, at=at, n_trained=n_trained)
        return recall <= claim.target + _ROUNDING
    true_error = world.true_error_of_items if per_item else world.true_error
    return true_error(review_rate, at=at, n_trained=n_trained) >= 1.0 - claim.target - _ROUNDING
