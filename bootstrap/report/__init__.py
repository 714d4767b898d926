"""What a person looks at: pictures, a table and a paragraph in plain words.

Nothing is computed here that decides anything; every picture and every text says what it rests on.
"""

from bootstrap.report.label_efficiency import plot_label_efficiency
from bootstrap.report.plots import plot_history, plot_review_curve
from bootstrap.report.reliability import plot_reliability
from bootstrap.report.review_curve import ReviewCurveReport
from bootstrap.report.tables import history_table
from bootstrap.report.words import summary

__all__ = [
    "ReviewCurveReport",
    "history_table",
    "plot_history",
    "plot_label_efficiency",
    "plot_reliability",
    "plot_review_curve",
    "summary",
]
