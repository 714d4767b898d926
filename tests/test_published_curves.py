"""The loop beside published figures and beside random: real data, the public API only."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bootstrap import SKIP, BootstrapLoop

pytestmark = pytest.mark.data


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_the_published_margin_curve_is_reproduced_round_by_round(development_data, seed):
    """Lu, Li & Lin (2023), arXiv 2306.08954, on data of Zhan et al. (2021): haberman, SVC, batch 1."""
    data = np.load(development_data / "zhan_haberman.npz", allow_pickle=False)
    X, y = data["X"], data["y"]
    rows = np.arange(len(X))
    np.random.default_rng(seed).shuffle(rows)
    n_train = int(len(X) * (1 - 0.4))
    train, test = rows[:n_train], rows[n_train:]
    np.random.default_rng(seed).shuffle(train)
    scaler = StandardScaler().fit(X[train])
    X_test = scaler.transform(X[test])
    given, pool = train[:20], train[20:]
    truth = {str(i): int(y[i]) for i in pool}

    accuracy: list[float] = []

    def look(loop: BootstrapLoop, round_: Any = None) -> None:
        accuracy.append(float(np.mean(loop.predict(X_test) == y[test])))

    loop = BootstrapLoop(
        SVC(kernel="rbf", gamma="auto", C=1.0, tol=1e-3),
        lambda queries: [truth[query.id] for query in queries],
        strategy="margin",
        batch_size=1,
        held_out=0,
        audit_share=0,
        random_state=seed,
    )
    ids = [str(i) for i in pool]
    loop.add(scaler.transform(X[pool]), ids=ids)
    loop.run(labeled=(scaler.transform(X[given]), y[given]), until=lambda loop: look(loop) or "start")
    history = loop.run(callbacks=[look])

    assert "used up" in history.stop_reason
    assert history[-1].n_trained == n_train
    curves = pd.read_csv(development_data / "lu2023_haberman_margin_curves.csv.gz")
    expected = curves[curves["seed"] == seed].sort_values("n_labels")["test_acc"]
    np.testing.assert_allclose(accuracy, expected, atol=5.1e-6)  # published with five digits


def test_texts_in_77_classes_run_20_rounds_and_a_late_class_is_handled(development_data):
    with gzip.open(development_data / "banking77.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    truth = {row["text"]: row["label"] for row in rows}
    late = rows[0]["label"]
    seen: list[int] = []

    def labeler(queries: Any) -> list[Any]:
        known = [SKIP if q.round < 9 and truth[q.item] == late else truth[q.item] for q in queries]
        seen.extend(q.round for q, label in zip(queries, known, strict=True) if label == late)
        return known

    loop = BootstrapLoop(
        make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000)),
        labeler,
        batch_size=50,
        random_state=5,
    )
    history = loop.run([row["text"] for row in rows], rounds=20)
    assert len(history) == 20
    assert min(seen) >= 9
    assert late in loop.learner.classes_
    assert history[-1].n_classes > 70
    assert history[-1].accuracy > 0.5
