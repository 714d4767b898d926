"""What audited items say about a model: pure functions on arrays, importable on their own.

The draw of the held-out set and of the audits, an interval that may be looked at after every audit,
accuracy at a review rate, and the agreement of people. All of it measures; none of it decides.
"""

from bootstrap.measuring.agreement import cohen_kappa, fleiss_kappa
from bootstrap.measuring.curve import ReviewCurve, fewest_audits, review_curve, review_rate_for_target
from bootstrap.measuring.draw import audit_order, is_held_out, new_key, uniform_draw
from bootstrap.measuring.error_interval import error_interval
from bootstrap.measuring.review import accuracy_at_review_rate, review_threshold, selective_accuracy

__all__ = [
    "ReviewCurve",
    "accuracy_at_review_rate",
    "audit_order",
    "cohen_kappa",
    "error_interval",
    "fewest_audits",
    "fleiss_kappa",
    "is_held_out",
    "new_key",
    "review_curve",
    "review_rate_for_target",
    "review_threshold",
    "selective_accuracy",
    "uniform_draw",
]
