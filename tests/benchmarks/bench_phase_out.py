"""Phase-outs at full size in simulated worlds: false certificates, labels and the delay of alarms.

One table. Beside it a naive rule on the same audits: the check must be able to fail. "At most" is delta + 3
standard deviations, which a method that errs with delta exceeds with probability 3e-3 or less; one candidate
alone may spend half of delta.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from bootstrap.testing import (
    BlindSpots,
    DelayedLabels,
    Duplicates,
    Flat,
    Improving,
    PhaseOutSettings,
    RareClass,
    Simulation,
    SlowDrift,
    SuddenDrop,
    TrafficSettings,
    UShaped,
    simulate_phase_out,
    simulate_traffic,
)

N_JOBS = 2
BOUNDARY = Flat.at_boundary(0.2, steepness=0.0)  # alpha at every review rate
ONE_RUNG = PhaseOutSettings(ladder=(0.2,), n_audits=2000)
LADDER = (0.5, 0.4, 0.3, 0.2, 0.1)
CANDIDATES = (0, 100, 200, 400, 800, 1600)
STEP = TrafficSettings(ladder=(0.2,), present_rate=0.5, n_arrivals=10_000)
LATE = DelayedLabels(error=0.05, steepness=0.0, mean_delay=100.0, times_if_wrong=10.0)
HALF = Flat(error=0.025 / 0.8**2, steepness=2.0)  # half of what is allowed, above .2
ADJUDICATED = PhaseOutSettings(ladder=(0.2,), n_audits=2000, adjudicated=True)
TRAPS = PhaseOutSettings(ladder=(0.2,), n_audits=2000, adjudicated=True, n_traps=150)
RECALL = PhaseOutSettings(ladder=(0.0,), n_audits=3000, targets={1: {"recall": 0.9}})
COPIED = Duplicates(error=0.05, steepness=0.0, copies_if_right=2.0, copies_if_wrong=2.0)

#: What is simulated: name, world, settings, seeds.
ROWS: list[tuple[str, Any, Any, int]] = [
    ("at the boundary", BOUNDARY, ONE_RUNG, 2000),
    ("six candidates at the boundary", BOUNDARY,
     PhaseOutSettings(ladder=(0.2,), n_audits=800, audit_share=0.2, candidates_at=CANDIDATES), 600),
    ("ladder, true down to .3", Flat.at_boundary(0.21, steepness=4.0),
     PhaseOutSettings(ladder=LADDER, n_audits=2000), 600),
    ("improving", Improving(),
     PhaseOutSettings(ladder=LADDER, n_audits=1500, audit_share=0.4, candidates_at=CANDIDATES[1:]), 300),
    ("U-shaped", UShaped(),
     PhaseOutSettings(ladder=LADDER, n_audits=1500, audit_share=0.5, candidates_at=CANDIDATES[1:]), 300),
    ("blind spots, traps", BlindSpots(error=0.05, steepness=0.0), TRAPS, 600),
    ("blind spots, traps, good model", BlindSpots(error=0.01, steepness=0.0), TRAPS, 300),
    ("blind spots, no traps", BlindSpots(error=0.05, steepness=0.0), ADJUDICATED, 600),
    ("2 % class never predicted", RareClass(share=0.02), PhaseOutSettings(n_audits=2000), 300),
    ("recall at the boundary", RareClass(share=0.2, recall=0.9, steepness=0.0), RECALL, 500),
    ("recall of .95", RareClass(share=0.2, recall=0.95, steepness=0.0), RECALL, 200),
    ("late labels at the boundary", LATE, ONE_RUNG, 600),
    ("copies audited once", COPIED, ONE_RUNG, 600),
    ("copies counted each", COPIED, PhaseOutSettings(ladder=(0.2,), n_audits=2000, distinct=False), 300),
    ("sudden drop", SuddenDrop(error=0.01, later=0.2), ONE_RUNG, 300),
    ("slow drift", SlowDrift(error=0.01, later=0.3), ONE_RUNG, 300),
    ("traffic at the boundary", BOUNDARY, STEP, 1000),
    ("traffic, replay and late labels", LATE,
     TrafficSettings(ladder=(0.2,), present_rate=0.5, n_arrivals=10_000, n_replayed=500), 600),
    ("traffic, ladder, true down to .3", Flat.at_boundary(0.21, steepness=4.0),
     TrafficSettings(ladder=LADDER, n_arrivals=10_000), 600),
    ("traffic, .5 to .2, spends .05", HALF,
     TrafficSettings(ladder=(0.2,), present_rate=0.5, n_arrivals=10_000, delta=0.1), 1000),
    ("traffic, .5 to .2, spends .025", HALF, STEP, 1000),
    ("traffic, sudden drop", SuddenDrop(error=0.01, later=0.2, drop_at=3000), STEP, 300),
]  # fmt: skip

#: Where the claim is about something else than what is certified, on purpose.
MISLED = {"blind spots, no traps", "copies counted each"}


def at_most(n: int, delta: float = 0.05) -> float:
    return delta + 3.0 * math.sqrt(delta * (1.0 - delta) / n)


def simulated(world: Any, settings: Any, n_seeds: int) -> Simulation:
    if isinstance(settings, TrafficSettings):
        return simulate_traffic(world, settings, range(n_seeds), n_jobs=N_JOBS)
    return simulate_phase_out(world, settings, range(n_seeds), n_jobs=N_JOBS)


def naive_false_share(n_audits: int, n_seeds: int) -> float:
    """Clopper and Pearson's bound looked at after every audit, at the boundary."""
    n, false = np.arange(1, n_audits + 1), 0
    for seed in range(n_seeds):
        wrong = np.cumsum(BOUNDARY.draw(n_audits, np.random.default_rng(seed)).wrong)
        false += bool((beta.ppf(0.95, wrong + 1, n - wrong) < 0.05).any())
    return false / n_seeds


def row(name: str, found: Simulation) -> str:
    def cell(value: float, form: str) -> str:
        return "-" if math.isinf(value) else format(value, form)

    return (
        f"{name:34}{len(found.runs):6}{found.certified_share:10.3f}{found.false_share:8.3f}"
        f"{cell(found.median('labels_until_certified'), '.0f'):>8}"
        f"{cell(found.median('audits_until_certified'), '.0f'):>8}"
        f"{found.median('lowest_certified_rate'):7.2f}{cell(found.median('alarm_delay'), '.0f'):>7}"
        f"{found.false_alarm_share:8.3f}"
    )


@pytest.fixture(scope="module")
def table() -> dict[str, Simulation]:
    return {name: simulated(world, settings, n_seeds) for name, world, settings, n_seeds in ROWS}


def test_the_table_of_phase_outs(table, capsys):
    naive = naive_false_share(2000, 1000)
    with capsys.disabled():
        print("\nphase-out in simulated worlds, target .95, delta .05; medians over the seeds")
        print(f"{'world':34} seeds certified   false  labels  audits lowest  alarm   false")
        for name, found in table.items():
            print(row(name, found))
        print(f"{'naive: Clopper-Pearson each time':34}{1000:6}{naive:10.3f}{naive:8.3f}")
    assert naive > at_most(1000)


def test_certificates_are_false_with_delta_at_most(table):
    shares = {name: (found.false_share, at_most(len(found.runs), found.settings.delta))
              for name, found in table.items() if name not in MISLED}  # fmt: skip

    assert {name: share for name, share in shares.items() if share[0] > share[1]} == {}


def test_what_is_said_to_mislead_does(table):
    assert all(table[name].false_share > at_most(len(table[name].runs)) for name in MISLED)


def test_alarms_are_false_with_delta_at_most(table):
    late = {name: found.false_alarm_share for name, found in table.items()
            if found.false_alarm_share > 0.09}  # fmt: skip

    assert late == {}


def test_the_figures_that_were_promised(table):
    assert table["2 % class never predicted"].certified_share == 0.0
    assert table["improving"].certified_share > 0.9
    assert table["recall of .95"].certified_share > 0.5
    assert np.mean([run.lowest_certified_rate <= 0.3 for run in table["ladder, true down to .3"].runs]) > 0.5
    assert table["traffic, .5 to .2, spends .05"].median("audits_until_certified") <= 160
