"""Which items to ask about: a strategy of your own, one with chance mixed in, and one of modAL's.

What one learns: a strategy is one function `(learner, X, n_instances) -> (indices, utilities)`, larger is
more useful. `top` picks and breaks ties by chance; naming `rng` makes it reproducible. A name, your
function, a mixture and modAL's functions go into the same place. Eight rounds of one seed prove nothing
about which is better: for that see 05_is_it_better_than_random.py.

Run: python 04_own_strategy.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
from modAL.uncertainty import entropy_sampling
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from bootstrap import BootstrapLoop, SimulatedLabeler, strategies


def rare_first(learner: Any, X: Any, n_instances: int = 1, *, rng: Any = None, **_: Any) -> Any:
    """Ask where the model is unsure and a class is likely that it has seen little of."""
    proba = learner.predict_proba(X)
    classes, seen = np.unique(learner.y_training, return_counts=True)
    rarity = np.ones(proba.shape[1])
    rarity[np.searchsorted(learner.classes_, classes)] = 1 / (1 + seen)
    unsure = 1 - proba.max(axis=1)
    return strategies.top(unsure * (proba @ rarity), n_instances, rng)


def labels_and_accuracy(strategy: Any) -> tuple[int, float]:
    """Run a loop, and measure it on digits that are in no pool."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, test_size=600, stratify=y, random_state=0)
    loop = BootstrapLoop(
        LogisticRegression(max_iter=1000),
        SimulatedLabeler(y, items=X),
        strategy=strategy,
        batch_size=20,
        held_out=0,
        audit_share=0,
        random_state=0,
    )
    loop.run(X, rounds=8)
    return loop.n_labels, float((loop.predict(X_test) == y_test).mean())


def main() -> None:
    for name, strategy in {
        "by name": "margin",
        "own function": rare_first,
        "a fifth at random": strategies.mixture("margin", epsilon=0.2),
        "modAL's": entropy_sampling,
        "random": strategies.random_sampling,
    }.items():
        n_labels, accuracy = labels_and_accuracy(strategy)
        print(f"{name:18} {accuracy:.3f} right after {n_labels} labels")


if __name__ == "__main__":
    main()
