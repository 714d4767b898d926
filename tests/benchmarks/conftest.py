"""Timing a strategy beside its peer in one run: CPU seconds, the ratio, and the memory that it adds.

All times are CPU seconds of this process, the least of a few repeats; memory is the peak of what Python and
numpy allocate while it runs (tracemalloc), in a run of its own that is not timed. `make bench` sets one BLAS
and one OpenMP thread.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

N_FEATURES, N_CLASSES, N_LABELED, BATCH = 32, 10, 200, 100


@dataclass(frozen=True)
class Task:
    """A pool, a logistic regression fitted on the labeled items, and those."""

    model: Any
    X: NDArray[np.float64]
    labeled: tuple[NDArray[np.float64], NDArray[np.intp]]


@lru_cache(maxsize=2)
def task_of(n: int) -> Task:
    """`n` items of 32 features around 10 overlapping centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(N_CLASSES, N_FEATURES))
    y = rng.integers(N_CLASSES, size=n + N_LABELED)
    y[:N_CLASSES] = np.arange(N_CLASSES)
    X = rng.normal(size=(n + N_LABELED, N_FEATURES))
    X *= 1.5
    X += centres[y]
    known = (X[:N_LABELED].copy(), y[:N_LABELED].copy())
    model = LogisticRegression(max_iter=1000).fit(*known)
    return Task(model, X[N_LABELED:], known)


@pytest.fixture
def task() -> Callable[[int], Task]:
    """The task with as many items as asked for; the last two are kept."""
    return task_of


def cpu_seconds(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """(least CPU seconds of a call, what the last call returned)."""
    seconds = []
    for _ in range(repeats):
        gc.collect()
        began = time.process_time()
        result = run()
        seconds.append(time.process_time() - began)
    return min(seconds), result


def peak_megabytes(run: Callable[[], Any]) -> float:
    """What a call adds to the memory in use, at its peak."""
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.fixture
def beside(benchmark: Any, capsys: Any) -> Callable[..., tuple[Any, Any]]:
    """Times ours, through pytest-benchmark, and a peer; prints one line; returns what both returned."""

    def run(
        ours: Callable[[], Any],
        peer: Callable[[], Any] | None = None,
        *,
        peer_name: str = "modAL",
        times_quicker: float | None = None,
        megabytes: float | None = None,
        seconds: float | None = None,
        repeats: int = 3,
        peer_repeats: int = 1,
    ) -> tuple[Any, Any]:
        memory = peak_megabytes(ours)  # warms up, too
        result = benchmark.pedantic(ours, rounds=repeats, iterations=1)
        mine = benchmark.stats.stats.min
        line, theirs, peers_result = f"{mine:.3g} s, {memory:.0f} MB", None, None
        if peer is not None:
            theirs, peers_result = cpu_seconds(peer, peer_repeats)
            line += f"; {peer_name} {theirs:.3g} s: {theirs / mine:.1f} times quicker"
            benchmark.extra_info.update(peer=peer_name, peer_seconds=theirs, times_quicker=theirs / mine)
        benchmark.extra_info.update(megabytes=memory)
        with capsys.disabled():
            print(f"\n{benchmark.name.removeprefix('test_')}: {line}", end=" ")
        if times_quicker is not None:
            assert theirs is not None
            assert theirs / mine >= times_quicker, line
        assert megabytes is None or memory < megabytes, line
        assert seconds is None or mine < seconds, line
        return result, peers_result

    return run


@pytest.fixture
def growth(request: Any, capsys: Any) -> Callable[..., float]:
    """Times something on 10^5 and on 10^6 items of the task; prints one line; at most 13-fold is linear."""

    def run(ours: Callable[[Task], Any], *, repeats: int = 3, at_most: float = 13.0) -> float:
        small, large = (cpu_seconds(partial(ours, task_of(n)), repeats)[0] for n in (10**5, 10**6))
        line = f"{small:.3g} s at 10^5, {large:.3g} s at 10^6: {large / small:.1f} times as long"
        with capsys.disabled():
            print(f"\n{request.node.name.removeprefix('test_')}: {line}", end=" ")
        assert large / small <= at_most, line
        return large / small

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: Any) -> None:
    """Count CPU time, not what else happens on the machine."""
    config.option.benchmark_timer = "time.process_time"
