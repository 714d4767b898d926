"""Simulated worlds with known truth, to try settings in before people's time is spent on them."""

from bootstrap.testing.arrivals import Arrival, Arrivals
from bootstrap.testing.comparison import Comparison
from bootstrap.testing.label_efficiency import compare_strategies
from bootstrap.testing.runs import Run, Simulation
from bootstrap.testing.simulate import PhaseOutSettings, simulate_phase_out
from bootstrap.testing.strategy_checks import StrategyCheckFailed, check_strategy, strategy_checks
from bootstrap.testing.traffic import TrafficRun, TrafficSettings, simulate_traffic
from bootstrap.testing.uneven import DelayedLabels, Duplicates, RareClass
from bootstrap.testing.worlds import BlindSpots, Flat, Improving, SlowDrift, SuddenDrop, UShaped, World

__all__ = [
    "Arrival",
    "Arrivals",
    "BlindSpots",
    "Comparison",
    "DelayedLabels",
    "Duplicates",
    "Flat",
    "Improving",
    "PhaseOutSettings",
    "RareClass",
    "Run",
    "Simulation",
    "SlowDrift",
    "StrategyCheckFailed",
    "SuddenDrop",
    "TrafficRun",
    "TrafficSettings",
    "UShaped",
    "World",
    "check_strategy",
    "compare_strategies",
    "simulate_phase_out",
    "simulate_traffic",
    "strategy_checks",
]
