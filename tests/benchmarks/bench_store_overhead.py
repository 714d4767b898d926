"""CPU time of a loop with a store, beside the same loop in memory, in turn, in one run.

Digits, logistic regression, 50 rounds of 20, audits on top; one BLAS thread. The store is a SQLite file with
`synchronous=FULL`; the time of the system is counted, that of the disk is not.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from bootstrap import BootstrapLoop

ROUNDS, BATCH, REPEATS = 50, 20, 12


def one_run(X: Any, truth: dict[str, int], storage: str | None) -> float:
    """CPU seconds."""
    loop = BootstrapLoop(
        LogisticRegression(max_iter=1000),
        lambda queries: [truth[query.id] for query in queries],
        strategy="margin",
        batch_size=BATCH,
        audit_share=0.2,
        random_state=7,
        storage=storage,
    )
    gc.collect()
    began = time.process_time()
    loop.run(X, ids=list(truth), rounds=ROUNDS)
    seconds = time.process_time() - began
    loop.close()
    return seconds


def test_a_loop_with_a_store_beside_one_in_memory(tmp_path: Path, capsys) -> None:
    X, y = load_digits(return_X_y=True)
    X = X / 16
    truth = {str(i): int(label) for i, label in enumerate(y)}
    memory, store = [], []
    with threadpool_limits(1):
        for i in range(REPEATS + 1):
            memory.append(one_run(X, truth, None))
            store.append(one_run(X, truth, f"sqlite:///{tmp_path.as_posix()}/{i}.db"))
    memory, store = memory[1:], store[1:]  # the first of each warms up imports and caches
    ratio = min(store) / min(memory)  # as timeit does: what others do on the machine only ever adds
    with capsys.disabled():
        print(
            f"\nCPU seconds, least of {REPEATS}: in memory {min(memory):.3f}, with a store {min(store):.3f}, "
            f"ratio {ratio:.3f}; {1000 * (min(store) - min(memory)) / ROUNDS:.1f} ms more a round"
        )
    assert ratio <= 1.3
