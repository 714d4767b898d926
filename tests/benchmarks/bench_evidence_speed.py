"""How long evidence takes: 20 review rates over a million logged items, and the next thousand on top."""

from __future__ import annotations

import time

import numpy as np

from bootstrap.measuring import RatesEvidence

N_ITEMS, N_RATES, MORE = 1_000_000, 20, 1_000


def log_of(n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A log of traffic: 10 % audited, the error falling with the confidence, 3 % in all."""
    confidence = rng.random(n)
    wrong = rng.random(n) < 0.06 * (1 - confidence)
    asked = rng.random(n) < 0.1
    return confidence, wrong, asked, np.full(n, 0.1)


def test_twenty_rates_over_a_million_items(capsys):
    rng = np.random.default_rng(0)
    log, more = log_of(N_ITEMS, rng), log_of(MORE, rng)
    evidence = RatesEvidence(np.linspace(0.05, 0.9, N_RATES), 0.05, 0.1)
    began = time.perf_counter()
    evidence.update(*log)
    whole = time.perf_counter() - began
    began = time.perf_counter()
    evidence.update(*more)
    new = time.perf_counter() - began
    with capsys.disabled():
        print(
            f"\nevidence for {N_RATES} review rates: {whole:.2f} s for {N_ITEMS:,} logged items, "
            f"{1000 * new:.1f} ms for the next {MORE:,}"
        )
    assert whole < 1.0
    assert new < whole / 10  # only what is new is counted
