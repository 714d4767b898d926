"""What audited items say about a model: pure functions on arrays, importable on their own.

The draw of the held-out set and of the audits, an interval that may be looked at after every audit,
accuracy at a review rate, and the agreement of people. All of it measures; none of it decides.
"""

from bootstrap.measuring.agreement import cohen_kappa, fleiss_kappa
from bootstrap.measuring.audits import audits_needed, fewest_with
from bootstrap.measuring.calibration import Reliability, expected_calibration_error, reliability
from bootstrap.measuring.change_alarm import ChangeAlarm
from bootstrap.measuring.clopper_pearson import clopper_pearson
from bootstrap.measuring.curve import ReviewCurve, fewest_audits, review_curve, review_rate_for_target
from bootstrap.measuring.draw import audit_order, is_held_out, new_key, uniform_draw
from bootstrap.measuring.e_value import error_upper_bound, log_e_value
from bootstrap.measuring.error_interval import error_interval
from bootstrap.measuring.finite_pool import finite_pool_upper
from bootstrap.measuring.people import (
    adjudicated_error,
    alpha_with_traps,
    catch_rate_lower,
    people_error_interval,
)
from bootstrap.measuring.rates_evidence import RatesEvidence
from bootstrap.measuring.review import accuracy_at_review_rate, review_threshold, selective_accuracy
from bootstrap.measuring.weighted_evidence import WeightedEvidence

__all__ = [
    "ChangeAlarm",
    "RatesEvidence",
    "Reliability",
    "ReviewCurve",
    "WeightedEvidence",
    "accuracy_at_review_rate",
    "adjudicated_error",
    "alpha_with_traps",
    "audit_order",
    "audits_needed",
    "catch_rate_lower",
    "clopper_pearson",
    "cohen_kappa",
    "error_interval",
    "error_upper_bound",
    "expected_calibration_error",
    "fewest_audits",
    "fewest_with",
    "finite_pool_upper",
    "fleiss_kappa",
    "is_held_out",
    "log_e_value",
    "new_key",
    "people_error_interval",
    "reliability",
    "review_curve",
    "review_rate_for_target",
    "review_threshold",
    "selective_accuracy",
    "uniform_draw",
]
