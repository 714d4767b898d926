"""Is the default to be trusted: `auto` beside margin, BADGE, TypiClust, FALCUN and random, on seven sets.

20 random labels to 300 by 10, logistic regression, 10 seeds a set, 30 of a small one, whose test set holds a
few dozen items (of the first ten seeds alone, a run more or less is luck); the figure is the area under the
learning curve, that is the mean accuracy on a test set over all rounds. Sets with more items are cut to 6,000
drawn at random; the texts of banking77 come as TF-IDF of the words of all. Without the development data sets
the three of scikit-learn remain, and the test says so.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bootstrap.report.label_efficiency import paired_interval
from bootstrap.testing import compare_strategies

STRATEGIES = ("auto", "margin", "badge", "typiclust", "falcun", "random_sampling")
SEEDS, SEEDS_OF_SMALL, SMALL, MOST_ITEMS = 10, 30, 1000, 6000
SCIKIT_LEARN = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine}
FILES = {"letter": "letter.npz", "haberman": "zhan_haberman.npz", "sms_spam": "sms_spam_minilm.npz"}


def data_set(name: str, folder: Path) -> tuple[Any, Any, Any]:
    """(X, y, estimator), at most 6,000 items of it."""
    linear = LogisticRegression(max_iter=1000)
    if name == "banking77":
        with gzip.open(folder / "banking77.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
        X, y = words.fit_transform([row["text"] for row in rows]), np.array([row["label"] for row in rows])
    elif name in SCIKIT_LEARN:
        X, y = SCIKIT_LEARN[name](return_X_y=True)
    else:
        held = np.load(folder / FILES[name], allow_pickle=False)
        X, y = held["X"].astype(float), held["y"]
    kept = np.random.default_rng(0).permutation(X.shape[0])[:MOST_ITEMS]
    scaled = name not in ("digits", "sms_spam", "banking77")  # pixels, embeddings and words have one unit
    X = X[kept] / 16 if name == "digits" else X[kept]
    return X, y[kept], make_pipeline(StandardScaler(), linear) if scaled else linear


def areas(name: str, folder: Path) -> dict[str, Any]:
    """Strategy -> area under its curve for each seed."""
    X, y, estimator = data_set(name, folder)
    seeds = SEEDS_OF_SMALL if len(y) < SMALL else SEEDS
    found = compare_strategies(X, y, STRATEGIES, estimator=estimator, seeds=seeds, n_jobs=-1)
    table = found.areas()
    return {strategy: table[strategy].to_numpy() for strategy in STRATEGIES}


def test_auto_is_at_least_margin_and_better_than_the_others_on_average(repository: Path, capsys: Any) -> None:
    folder = repository.parent / "shared" / "data"
    names = [*SCIKIT_LEARN, *FILES, "banking77"] if folder.is_dir() else [*SCIKIT_LEARN]
    found = {name: areas(name, folder) for name in names}
    mean = {s: np.mean([found[name][s].mean() for name in names]) for s in STRATEGIES}
    paired = [(found[name]["auto"] - found[name]["margin"])[:SEEDS] for name in names]
    differences = np.mean(paired, axis=0)
    each = {name: found[name]["auto"] > found[name]["random_sampling"] for name in names}
    ahead = np.mean([above.mean() for above in each.values()])
    of_ten = sum(above[:SEEDS].sum() for above in each.values())
    behind = {n: max(found[n][s].mean() for s in STRATEGIES) - found[n]["auto"].mean() for n in names}
    low, high = paired_interval(differences)
    with capsys.disabled():
        print(f"\n{'area':14}" + "".join(f"{s:>16}" for s in STRATEGIES))
        for name in names:
            print(f"{name:14}" + "".join(f"{found[name][s].mean():16.4f}" for s in STRATEGIES))
        print(f"{'mean':14}" + "".join(f"{mean[s]:16.4f}" for s in STRATEGIES))
        print(
            f"auto minus margin {differences.mean():+.4f} [{low:+.4f}, {high:+.4f}] over {SEEDS} seeds; "
            f"above random in {ahead:.0%} of the runs of a set on average ({of_ten} of {len(names) * SEEDS} "
            f"of the first {SEEDS} seeds); behind the best of a set by at most {max(behind.values()):.4f}"
        )
    assert mean["auto"] >= mean["margin"]
    assert mean["auto"] > max(mean[s] for s in STRATEGIES if s not in ("auto", "margin"))
    assert max(behind.values()) <= 0.015
    assert ahead >= 0.85
    if not folder.is_dir():
        pytest.skip("four of the seven data sets were not found; what is printed holds for the other three")
