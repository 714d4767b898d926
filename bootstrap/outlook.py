"""The plan of a loop: what a certificate may still cost, from its counts so far. A forecast, not evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bootstrap.certifying import Certifying
from bootstrap.planning import Forecast, Plan, forecast_error, labels_per_day, plan_ahead, worth_auditing
from bootstrap.records import Label, Round
from bootstrap.settings import Settings

__all__ = ["plan_for"]


def plan_for(
    settings: Settings,
    certifying: Certifying,
    rounds: Sequence[Round],
    labels: Sequence[Label],
    n_trained: int,
    rng: np.random.Generator,
) -> Plan:
    """Plan for the present candidate while it is worth its audits, else for the next one.

    Parameters
    ----------
    settings : Settings
    certifying : Certifying
        Knows the candidates and their evidence.
    rounds : sequence of Round
        For the forecast of the error.
    labels : sequence of Label
        Their times give the pace.
    n_trained : int
        Labels that the model was trained on.
    rng : numpy.random.Generator
        For the forecast.
    """
    present = certifying.trial.present
    rung = None if present is None else present.next_rung
    rate = settings.ladder[0] if rung is None else rung.review_rate
    pace = labels_per_day([label.at for label in labels])
    forecast = _forecast(rounds, certifying.next_candidate_at, rng)
    if present is not None and rung is not None:
        tally = rung.main
        if tally.alpha > 0.0 and worth_auditing(tally.errors, tally.n, tally.alpha):
            return plan_ahead(
                1.0 - tally.alpha,
                rate,
                delta=settings.delta,
                candidate=present.number,
                errors=tally.errors,
                n=tally.n,
                labels_per_day=pace,
                forecast=forecast,
            )
    return plan_ahead(
        settings.target_accuracy,
        rate,
        delta=settings.delta,
        candidate=certifying.ledger.next()[0],
        training_labels=max(0, certifying.next_candidate_at - n_trained),
        labels_per_day=pace,
        forecast=forecast,
    )


def _forecast(rounds: Sequence[Round], next_at: int, rng: np.random.Generator) -> Forecast | None:
    """Where the error among what is decided alone may be at the next two candidates."""
    last = {
        r.n_trained: r for r in rounds if r.n_decided_alone > 0
    }  # a model that was audited again counts once
    if not last:
        return None
    measured = list(last.values())
    return forecast_error(
        [r.n_trained for r in measured],
        [r.n_wrong for r in measured],
        [next_at, 2 * next_at],
        n_audited=[r.n_decided_alone for r in measured],
        rng=rng,
    )
