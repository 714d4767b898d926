"""What a store is given comes back as it was: texts, features, labels from elsewhere, shared items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bootstrap import BootstrapLoop
from bootstrap.store.database import Database
from bootstrap.store.upkeep.checking import check

pytestmark = pytest.mark.filterwarnings("ignore:no model was fitted")


def test_texts_and_raw_items_come_back_as_they_were(storage):
    texts = [f"{'cheap pills' if i % 2 else 'see you at'} {i}" for i in range(60)]
    items = [{"subject": text, "n": i} for i, text in enumerate(texts)]
    shown = []

    def labeler(queries):
        shown.extend(query.item for query in queries)
        return ["spam" if "pills" in query.item["subject"] else "ham" for query in queries]

    def text_loop(**more):
        pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
        return BootstrapLoop(pipeline, labeler, batch_size=5, random_state=1, strategy="margin", **more)

    loop = text_loop(storage=storage)
    loop.run(texts, items=items, rounds=3)
    loop.close()
    resumed = text_loop(storage=storage)
    assert resumed.run(texts, items=items, rounds=5).stop_reason == "5 of 5 rounds done"
    assert all(item in items for item in shown)
    in_memory = text_loop()
    assert list(in_memory.run(texts, items=items, rounds=5)) == list(resumed.history)
    assert resumed.add(texts, items=items).new == 0
    resumed.close()


def as_csr(rows):
    return sp.csr_matrix(np.where(rows > 0.5, rows, 0.0))


def as_frame(rows):
    return pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])]).assign(n=range(len(rows)))


@pytest.mark.parametrize("shape", [as_csr, as_frame, lambda rows: rows.astype(np.float32)])
def test_features_of_every_kind_come_back_as_they_were(mails, tmp_path, shape):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(storage=storage)
    loop.run(shape(mails.X[:200]), ids=mails.ids[:200], rounds=2)
    loop.run(shape(mails.X[200:]), ids=mails.ids[200:], rounds=4)
    expected = mails.told(loop)
    loop.close()
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == expected
    np.testing.assert_array_equal(resumed.predict(shape(mails.X)), loop.predict(shape(mails.X)))
    resumed.close()
    loop.close()


def test_labels_from_outside_and_inside_a_modal_learner_are_kept(mails, storage):
    def number(queries):
        return [int(mails.truth[query.id] == "spam") for query in queries]

    def begin(**more):
        learner = ActiveLearner(LogisticRegression(), X_training=mails.X[:8], y_training=mails.y[:8])
        return BootstrapLoop(
            learner, lambda queries: [int(mails.truth[q.id] == "spam") for q in queries], **more
        )

    settings = {"strategy": "margin", "batch_size": 10, "random_state": 2}
    stored, in_memory = begin(storage=storage, **settings), begin(**settings)
    for loop in (stored, in_memory):
        loop.run(mails.X[30:], ids=mails.ids[30:], labeled=(mails.X[8:30], mails.y[8:30]), rounds=3)
    assert mails.told(stored) == mails.told(in_memory)
    assert stored.history[-1].n_given == 30
    stored.close()
    resumed = begin(storage=storage, **settings)
    resumed.run(mails.X[30:], ids=mails.ids[30:], labeled=(mails.X[8:30], mails.y[8:30]), rounds=5)
    in_memory.run(rounds=5)
    assert mails.told(resumed) == mails.told(in_memory)
    resumed.close()


def test_two_loops_ask_about_the_same_items_of_one_store(mails, storage):
    team, urgency = mails.loop(storage=storage, name="team"), mails.loop(storage=storage, name="urgency")
    for loop in (team, urgency):
        loop.run(mails.X, ids=mails.ids, rounds=2)
    assert mails.told(team) == mails.told(urgency)
    database = Database(storage)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM items").scalar() == len(mails.X)
    database.close()
    team.close()
    urgency.close()
    assert check(storage).ok
