"""Is asking where it counts better than asking at random? Measured, paired, with an interval.

What one learns: how to compare two strategies fairly. Both start from the same seed, so from the same first
batch and the same items; what counts is how many labels each needs until the model is right on 95 % of a
fixed test part that is in no pool. Ten seeds make ten pairs, and the interval is for the mean difference.

Run: python 05_is_it_better_than_random.py
"""

from __future__ import annotations

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import ttest_rel
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from bootstrap import BootstrapLoop, SimulatedLabeler

GOAL = 0.95
SEEDS = range(10)
BATCH_SIZE = 10


def labels_needed(strategy: str, seed: int) -> int:
    """Labels until the model reaches the goal on the test part."""
    X, y = load_digits(return_X_y=True)
    X_pool, X_test, y_pool, y_test = train_test_split(X / 16, y, test_size=600, stratify=y, random_state=0)
    loop = BootstrapLoop(
        LogisticRegression(max_iter=1000),
        SimulatedLabeler(y_pool, items=X_pool),
        strategy=strategy,
        batch_size=BATCH_SIZE,
        held_out=0,  # the test part measures here
        audit_share=0,
        random_state=seed,
    )
    loop.run(X_pool, until=lambda loop: len(loop.history) and (loop.predict(X_test) == y_test).mean() >= GOAL)
    return loop.n_labels


def main() -> None:
    runs = [(strategy, seed) for strategy in ("auto", "random_sampling") for seed in SEEDS]
    needed = Parallel(n_jobs=2)(delayed(labels_needed)(*run) for run in runs)
    ours, random = np.array(needed).reshape(2, -1)
    print(f"labels until {GOAL:.0%} of the test part are right")
    print("seed      auto  random")
    for seed, one, other in zip(SEEDS, ours, random, strict=True):
        print(f"{seed:4}  {one:8,}  {other:6,}")

    low, high = ttest_rel(random, ours).confidence_interval(0.95)
    share = np.median(ours) / np.median(random)
    print(f"median  {np.median(ours):6,.0f}  {np.median(random):6,.0f}")
    print(f"auto needs {share:.0%} of the labels that random needs (ratio of the medians)")
    print(f"random needs {(random - ours).mean():.0f} labels more on average, ", end="")
    print(f"95 % interval of the paired difference {low:.0f} to {high:.0f}")


if __name__ == "__main__":
    main()
