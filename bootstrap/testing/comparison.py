"""What a comparison of strategies says: curves, a table of paired differences, and a sentence for each."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bootstrap.report.figures import count
from bootstrap.report.label_efficiency import paired_interval, plot_label_efficiency, signed_interval
from bootstrap.testing.learning_curves import LearningCurve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["BASELINE", "Comparison"]

#: What every strategy is compared with.
BASELINE: Final = "random_sampling"

_DOTS_PER_INCH: Final = 150


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison:
    """Learning curves of several strategies, paired by seed; print it for the verdict.

    It is a simulation on labels that exist. Each interval speaks of the seeds alone: of other splits of
    *these* items and other first labels, with this estimator and these numbers. How much strategies would
    differ on other data of the kind varies more (Nadeau and Bengio, Inference for the Generalization Error,
    Machine Learning, 2003: splits of one data set overlap). And each holds by itself: of 20 strategies that
    are no better than random, one is expected to look better or worse.

    Attributes
    ----------
    curves : pandas.DataFrame
        A row a round: `strategy`, `seed`, `n_labels`, `accuracy` on the test set, and `seconds`, the CPU time
        that the strategy took to pick what the round added.
    n_pool, n_tested : int
        Items in each pool and in each test set.
    """

    curves: pd.DataFrame
    n_pool: int
    n_tested: int

    @classmethod
    def of(
        cls, runs: Iterable[LearningCurve], order: Sequence[str], *, n_pool: int, n_tested: int
    ) -> Comparison:
        """From finished runs that came in any order; strategies stand in this one, seeds rising."""
        import pandas as pd

        place = {name: i for i, name in enumerate(order)}
        rows = [
            (run.strategy, run.seed, *row)
            for run in sorted(runs, key=lambda run: (place[run.strategy], run.seed))
            for row in zip(run.n_labels, run.accuracy, run.seconds, strict=True)
        ]
        columns = ["strategy", "seed", "n_labels", "accuracy", "seconds"]
        return cls(pd.DataFrame(rows, columns=columns), n_pool, n_tested)

    @property
    def strategies(self) -> list[str]:
        """Their names, in the order in which they were given."""
        return list(dict.fromkeys(self.curves["strategy"].tolist()))

    @property
    def n_seeds(self) -> int:
        """How many pairs there are."""
        return int(self.curves["seed"].nunique())

    def areas(self) -> pd.DataFrame:
        """Area under the curve, as the mean accuracy over the rounds: a row a seed, a column a strategy."""
        return self.curves.pivot_table("accuracy", "seed", "strategy", "mean")[self.strategies]

    def table(self) -> pd.DataFrame:
        """One row a strategy.

        Returns
        -------
        pandas.DataFrame
            Indexed by strategy. `area`: its mean over the seeds. `difference`, `low`, `high`: mean of the
            paired differences to the area of random sampling, and Student's 95 % interval for it (NaN from
            a single seed, and for random sampling itself). `ahead`: share of the seeds in which it was above
            random. `labels_needed`: labels with which its mean curve first reaches the accuracy that random
            has at the end (NaN if it never does). `labels_ratio`: these as a share of what random needed, by
            the same rule. `seconds`: CPU time that the strategy took in a run, fitting not counted.
        """
        import pandas as pd

        areas = self.areas()
        means = self.curves.pivot_table("accuracy", "n_labels", "strategy", "mean")
        goal = means[BASELINE].iloc[-1]
        seconds = self.curves.groupby("strategy")["seconds"].sum() / self.n_seeds
        needed = {name: _first_at(means[name], goal) for name in self.strategies}
        rows = {}
        for name in self.strategies:
            gains = (areas[name] - areas[BASELINE]).to_numpy()
            low, high = (math.nan, math.nan) if name == BASELINE else paired_interval(gains)
            rows[name] = {
                "area": areas[name].mean(),
                "difference": gains.mean(),
                "low": float(low),
                "high": float(high),
                "ahead": math.nan if name == BASELINE else np.mean(gains > 0.0),
                "labels_needed": needed[name],
                "labels_ratio": needed[name] / needed[BASELINE],
                "seconds": seconds[name],
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")

    def verdicts(self) -> dict[str, str]:
        """For each strategy but random sampling a sentence: better, worse, or no difference shown."""
        table = self.table()
        return {
            name: _verdict(name, row, self.n_seeds)
            for name, row in table.to_dict(orient="index").items()
            if name != BASELINE
        }

    def caveat(self) -> str:
        """What the figures rest on, and what they don't say."""
        last = int(self.curves["n_labels"].max())
        used_up = ""
        if last == self.n_pool:
            used_up = " The pool is used up in the end: there all strategies have the same labels."
        return (
            f"Measured on test sets of {count(self.n_tested, 'item')}, pools of {self.n_pool:,}, with "
            f"{count(self.n_seeds, 'seed')} and up to {last:,} labels that exist already: a simulation. "
            "Intervals (95 %, paired, each by itself) are about other splits and first labels of this data "
            f"set with this model, and not about other data.{used_up}"
        )

    def plot(self, path: str | os.PathLike[str] | None = None, ax: Axes | None = None) -> Axes:
        """Mean curves, with bands that show where a difference to random sampling is more than chance.

        Parameters
        ----------
        path : path, optional
            Where to save the picture.
        ax : matplotlib Axes, optional
            Where to draw; see :func:`bootstrap.report.plot_label_efficiency`.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        ax = plot_label_efficiency(self.curves, BASELINE, ax, note=self.caveat())
        if path is not None:
            figure: Any = ax.get_figure(root=True)
            figure.savefig(path, dpi=_DOTS_PER_INCH)
        return ax

    def __str__(self) -> str:
        return "\n".join([*self.verdicts().values(), self.caveat()])

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.strategies)}; {count(self.n_seeds, 'seed')})"


def _first_at(curve: pd.Series, goal: float) -> float:
    """Labels at which a mean curve first reaches the goal; NaN if it never does."""
    reached: NDArray[np.intp] = np.flatnonzero(curve.to_numpy() >= goal - 1e-12)
    return float(curve.index[reached[0]]) if len(reached) else math.nan


def _verdict(name: str, row: dict[Any, float], n_seeds: int) -> str:
    seeds = f"{round(row['ahead'] * n_seeds)} of {count(n_seeds, 'seed')}"
    figures = f"mean accuracy {row['difference']:+.3f}"
    if math.isnan(row["low"]):
        return f"{name}: above random in {seeds}, {figures}; no interval without more seeds."
    figures += f" [{signed_interval(row['low'], row['high'], ', ')}]"
    if row["low"] <= 0.0 <= row["high"]:
        return f"{name}: no difference to random shown; above it in {seeds}, {figures}."
    if math.isnan(row["labels_needed"]):
        needs = "does not reach the accuracy that random has in the end"
    else:
        needs = (
            f"needs {row['labels_needed']:.0f} labels for the accuracy that random has in the end, "
            f"{100 * row['labels_ratio']:.0f} % of what random needs"
        )
    how = "better" if row["low"] > 0.0 else "worse"
    return f"{name} {needs}; {how} than random: above it in {seeds}, {figures}."
