"""A review curve together with what it is read for: the target, and how to look at it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from bootstrap.measuring import ReviewCurve
from bootstrap.report.plots import plot_review_curve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["ReviewCurveReport"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReviewCurveReport:
    """What `loop.review_curve()` returns: accuracy over all review rates, ready to be looked at.

    Attributes
    ----------
    curve : ReviewCurve
        The figures, as arrays; see :class:`bootstrap.measuring.ReviewCurve`.
    target_accuracy : float or None
        What is aimed at, in (0, 1]; drawn as a line.
    target_of : {"alone", "system"}
        Whether the target is about what the model decides alone or about all that goes out.
    review_rate : float or None
        The rate that is tracked, in [0, 1]; marked in the picture.
    """

    curve: ReviewCurve
    target_accuracy: float | None = None
    target_of: str = "alone"
    review_rate: float | None = None

    def plot(self, ax: Axes | None = None) -> Axes:
        """The curve as a picture; see :func:`bootstrap.report.plot_review_curve`.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        return plot_review_curve(
            self.curve, ax, self.target_accuracy, target_of=self.target_of, review_rate=self.review_rate
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a threshold, by ascending review rate; not measured is NaN."""
        import pandas as pd

        columns = {field.name: getattr(self.curve, field.name) for field in fields(self.curve)}
        return pd.DataFrame({name: v for name, v in columns.items() if isinstance(v, np.ndarray)})

    def __repr__(self) -> str:
        points, audited = len(self.curve.review_rate), self.curve.n_audited
        return f"ReviewCurveReport({points} review rates on {audited} audited items)"
