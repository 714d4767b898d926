"""Aids for those who plan: costs, pace and where the error may go. Never evidence.

Everything here is a forecast and says so. It stands on the measures and knows nothing of certificates
and verdicts, and they know nothing of it.
"""

from bootstrap.planning.forecast import Forecast, forecast_error
from bootstrap.planning.plan import Plan, plan_ahead
from bootstrap.planning.spending import worth_auditing
from bootstrap.planning.staffing import days_needed, labels_per_day

__all__ = [
    "Forecast",
    "Plan",
    "days_needed",
    "forecast_error",
    "labels_per_day",
    "plan_ahead",
    "worth_auditing",
]
