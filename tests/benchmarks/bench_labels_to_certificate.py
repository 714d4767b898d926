"""How many labels do people give before a certificate, all of them counted: training, audits and held-out.

Target .95 of what is decided alone at a review rate of .2, delta .05; 20 seeds a data set. "auto" and fixed
audit shares, beside three rivals: (i) random training with the same certificate; (ii) random training and
300 held-out items labeled in advance, Clopper-Pearson (1934) with Bonferroni over 20 looks; (iii) the same
with margin for training. A run that is not certified within its budget counts as infinite.

The loop certifies nothing where always naming the commonest class might do as well. (ii) and (iii) have no
such guard, so that "auto" is shown once more up to the moment at which the accuracy alone was proved.
"""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop
from bootstrap.measuring import clopper_pearson, review_threshold
from bootstrap.stopping import Certified

pytestmark = pytest.mark.data

TARGET, RATE, DELTA, LOOKS, HELD_OUT = 0.95, 0.2, 0.05, 20, 300
SHARES = (0.1, 0.2, 0.35, 0.5)
AUTO, RANDOM = '"auto"', '(i) random, "auto"'
FIXED_RANDOM, FIXED_MARGIN = "(ii) random, 300 fixed", "(iii) margin, 300 fixed"
UNGUARDED = '"auto", accuracy alone'
METHODS = (AUTO, *(f"share {share:g}" for share in SHARES), RANDOM, FIXED_RANDOM, FIXED_MARGIN)
ROWS = (AUTO, UNGUARDED, *METHODS[1:])


@dataclass(frozen=True)
class Task:
    """One data set, a model for it, and what may be spent."""

    X: Any
    y: np.ndarray[Any, Any]
    estimator: Any
    batch: int
    budget: int


def digits(folder: Path) -> Task:
    data = load_digits()
    return Task(data.data / 16, data.target, LogisticRegression(max_iter=1000), 20, 1400)


def sms_spam(folder: Path) -> Task:
    data = np.load(folder / "sms_spam_minilm.npz", allow_pickle=False)
    return Task(data["X"].astype(float), data["y"], LogisticRegression(max_iter=1000), 20, 2500)


def letter(folder: Path) -> Task:
    data = np.load(folder / "letter.npz", allow_pickle=False)
    return Task(data["X"].astype(float), data["y"], RandomForestClassifier(50, n_jobs=1), 100, 5000)


def banking77(folder: Path) -> Task:
    with gzip.open(folder / "banking77.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=3)
    X = words.fit_transform([row["text"] for row in rows])
    # As accurate as the default solver run to the end, and fifteen times as quick.
    model = LogisticRegression(C=10, solver="saga", tol=0.02, max_iter=50)
    return Task(X, np.array([row["label"] for row in rows]), model, 200, 8000)


TASKS: dict[str, Callable[[Path], Task]] = {
    "digits": digits,
    "sms_spam": sms_spam,
    "letter": letter,
    "banking77": banking77,
}


def by_loop(task: Task, seed: int, strategy: str, audit_share: Any) -> tuple[float, float]:
    """Labels until the loop's certificate, and until the accuracy was proved; infinite: not in budget."""
    proved: list[float] = []

    def look(loop: BootstrapLoop, round_: Any) -> None:
        if any(c.rungs[0].main.proved for c in loop._certifying.trial.candidates):
            proved.append(float(loop.n_labels))

    loop = BootstrapLoop(
        task.estimator,
        lambda queries: [task.y[int(query.id)].item() for query in queries],
        strategy=strategy,
        batch_size=task.batch,
        review_rate=RATE,
        target_accuracy=TARGET,
        delta=DELTA,
        audit_share=audit_share,
        random_state=seed,
    )
    ids = [str(i) for i in range(len(task.y))]
    loop.run(task.X, ids=ids, budget=task.budget, until=Certified(RATE), callbacks=[look])
    certified = float(loop.n_labels) if loop.certified_review_rate <= RATE else math.inf
    return certified, min(proved, default=math.inf)


def by_fixed_held_out(task: Task, seed: int, strategy: str) -> tuple[float, float]:
    """Labels until one of 20 looks, evenly spread over the budget, at 300 labels bought in advance."""
    order = np.random.default_rng(seed).permutation(len(task.y))
    held_out, pool = order[:HELD_OUT], order[HELD_OUT:]
    every = math.ceil((task.budget - HELD_OUT) / task.batch / LOOKS)
    loop = BootstrapLoop(
        task.estimator,
        lambda queries: [task.y[int(query.id)].item() for query in queries],
        strategy=strategy,
        batch_size=task.batch,
        held_out=0,
        random_state=seed,
    )

    def certified(loop: BootstrapLoop) -> bool:
        rounds = len(loop.history)
        if rounds == 0 or rounds % every or rounds > every * LOOKS:
            return False
        confidence = loop.predict_proba(task.X[held_out])
        top = confidence.max(axis=1)
        alone = top > review_threshold(top, RATE)
        wrong = loop.learner.classes_[confidence.argmax(axis=1)] != task.y[held_out]
        bound = clopper_pearson(int(wrong[alone].sum()), int(alone.sum()), 2 * DELTA / LOOKS)[1]
        return bound <= 1 - TARGET

    loop.add(task.X[pool], ids=[str(i) for i in pool])
    loop.run(budget=task.budget - HELD_OUT, until=certified)
    labels = float(loop.n_labels + HELD_OUT) if "certified" in str(loop.stop_reason) else math.inf
    return labels, labels


def one_run(task: Task, method: str, seed: int) -> tuple[float, float]:
    """All human labels of one run: until the certificate, and until the accuracy was proved."""
    if method == FIXED_RANDOM:
        return by_fixed_held_out(task, seed, "random_sampling")
    if method == FIXED_MARGIN:
        return by_fixed_held_out(task, seed, "margin")
    if method.startswith("share"):
        return by_loop(task, seed, "margin", float(method.split()[1]))
    return by_loop(task, seed, "random_sampling" if method == RANDOM else "margin", "auto")


def labels_to_certificate(
    name: str, folder: Path, seeds: Iterable[int], methods: Iterable[str] = METHODS, n_jobs: int = 2
) -> dict[str, np.ndarray[Any, Any]]:
    """Method -> labels of each seed."""
    task, methods, seeds = TASKS[name](folder), list(methods), list(seeds)
    found = Parallel(n_jobs=n_jobs)(
        delayed(one_run)(task, method, seed) for method in methods for seed in seeds
    )
    labels = np.reshape(found, (len(methods), len(seeds), 2))
    results = {method: labels[i, :, 0] for i, method in enumerate(methods)}
    if AUTO in results:
        results[UNGUARDED] = labels[methods.index(AUTO), :, 1]
    return results


def quartiles(labels: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Each a value, or the mean of two; infinite where it lies among the runs that were never certified."""
    ranked = np.sort(labels)

    def at(share: float) -> float:
        k = share * len(ranked)
        return float(ranked[int(k)] if k % 1 else (ranked[int(k) - 1] + ranked[int(k)]) / 2)

    return at(0.25), at(0.5), at(0.75)


def _shown(labels: float) -> str:
    return f"{labels:.0f}" if math.isfinite(labels) else "never"


def _ratio(value: float, other: float) -> str:
    if math.isinf(value):
        return "-" if math.isinf(other) else "never"
    return f"{value / other:.2f}" if math.isfinite(other) else "wins"


def table(results: dict[str, dict[str, np.ndarray[Any, Any]]]) -> str:
    """Medians, quartiles and how many never were certified; then "auto" against the others."""
    lines = [f"{'':24}" + "".join(f"{name:>30}" for name in results)]
    for method in ROWS:
        cells = []
        for found in results.values():
            low, middle, high = quartiles(found[method])
            never = int(np.isinf(found[method]).sum())
            cells.append(f"{_shown(middle)} [{_shown(low)}, {_shown(high)}] {never} never")
        lines.append(f"{method:24}" + "".join(f"{cell:>30}" for cell in cells))
    medians = {name: {m: quartiles(v)[1] for m, v in found.items()} for name, found in results.items()}
    rivals = {"best fixed share": [best_fixed(found) for found in medians.values()]}
    rivals |= {method: [found[method] for found in medians.values()] for method in ROWS[1:]}
    auto = [found[AUTO] for found in medians.values()]
    head = '"auto" as a share of'
    lines.append(f"{head:24}" + "".join(f"{name:>30}" for name in [*results, "on average"]))
    for rival, others in rivals.items():
        both = [a / b for a, b in zip(auto, others, strict=True) if math.isfinite(a) and math.isfinite(b)]
        cells = [_ratio(a, b) for a, b in zip(auto, others, strict=True)]
        cells.append(f"{np.mean(both):.2f} ({len(both)} sets)" if both else "-")
        lines.append(f"{rival:24}" + "".join(f"{cell:>30}" for cell in cells))
    return "\n".join(lines)


def best_fixed(medians: dict[str, float]) -> float:
    """The least median among the fixed shares."""
    return min(medians[f"share {share:g}"] for share in SHARES)


def test_auto_needs_hardly_more_labels_than_the_best_fixed_share(development_data, capsys):
    results = {name: labels_to_certificate(name, development_data, range(20)) for name in TASKS}
    with capsys.disabled():
        print("\nall human labels until a certificate of .95 at a review rate of .2: median [quartiles]")
        print(table(results))
    for name, found in results.items():
        medians = {method: quartiles(labels)[1] for method, labels in found.items()}
        best = best_fixed(medians)
        if math.isfinite(best):
            assert medians[AUTO] <= 1.15 * best, (name, medians)
