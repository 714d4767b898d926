"""The loop that these tests are about: 400 mails, spam or ham, by their features."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop
from bootstrap.loading import load_loop


class Mails:
    """Items, who knows their labels, and a loop that asks about them."""

    def __init__(self):
        self.X, self.y = make_classification(400, 6, n_informative=4, class_sep=1.6, random_state=3)
        self.ids = [f"item {i}" for i in range(len(self.X))]
        self.truth = dict(zip(self.ids, np.where(self.y == 1, "spam", "ham").tolist(), strict=True))

    def knows(self, queries):
        return [self.truth[query.id] for query in queries]

    def loop(self, *labeler, estimator=None, **settings):
        """With a labeler who knows all, unless another is given."""
        chosen = {"strategy": "margin", "batch_size": 10, "random_state": 5, "target_accuracy": 0.8}
        if not labeler:
            chosen["labeler"] = self.knows
        return BootstrapLoop(estimator or LogisticRegression(), *labeler, **(chosen | settings))

    def resumed(self, storage, **settings):
        chosen = {"labeler": self.knows} | settings
        return load_loop(storage=storage, estimator=LogisticRegression(), **chosen)

    @staticmethod
    def tokens(queries):
        return [query.token for query in queries]

    @staticmethod
    def told(loop):
        """Everything that one may ask a loop about."""
        return (
            list(loop.history),
            [(label.id, label.label, label.source, label.extra, label.round) for label in loop.labels],
            [certificate.to_dict() for certificate in loop.certificates],
            str(loop.verdict()),
            loop.certified_review_rate,
            loop.classes,
        )


@pytest.fixture(scope="session")
def mails():
    return Mails()
