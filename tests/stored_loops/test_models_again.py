"""Models are fitted again, and seen to be the same or said not to be."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bootstrap import BootstrapLoop
from bootstrap.errors import NotReady, StoreError
from bootstrap.loading import load_loop
from bootstrap.store.loops.loop_reading import LoopReader
from bootstrap.store.upkeep.checking import check
from bootstrap.store.upkeep.erasing import erase

pytestmark = pytest.mark.filterwarnings("ignore:no model was fitted")


class Drifting(LogisticRegression):
    """Says something else in another version of its package, and calls itself the same."""

    version = 1

    def decision_function(self, X):
        return super().decision_function(X) * (1.0 if self.version == 1 else 0.9)


def drifting(mails, storage, **more):
    return load_loop(storage=storage, estimator=Drifting(), labeler=mails.knows, **more)


def drifted(mails, storage, monkeypatch):
    """A loop with certificates, whose estimator is of another version now; what it was told before."""
    loop = BootstrapLoop(
        Drifting(),
        mails.knows,
        strategy="margin",
        batch_size=10,
        random_state=5,
        target_accuracy=0.8,
        storage=storage,
    )
    loop.run(mails.X, ids=mails.ids, budget=300)
    assert loop.certified_review_rate < 1
    monkeypatch.setattr(Drifting, "version", 2)
    return loop


def test_another_version_is_another_model_and_its_certificates_do_not_apply(mails, storage, monkeypatch):
    loop = drifted(mails, storage, monkeypatch)
    given = loop.certificates
    loop.close()
    with pytest.warns(UserWarning, match=r"goes on with the new one|certificates do not apply") as warned:
        other = drifting(mails, storage)
    assert any("goes on with the new one" in str(w.message) for w in warned)
    assert any("certificates do not apply" in str(w.message) for w in warned)
    told_now = mails.told(other)
    assert other.certificates[: len(given)] == given
    assert all(c.candidate > given[0].candidate for c in other.certificates[len(given) :])
    other.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = drifting(mails, storage)
    assert mails.told(same) == told_now
    same.close()
    assert check(storage).ok


def test_another_estimator_is_refused_and_nothing_is_changed(mails, storage):
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, budget=300)
    expected = mails.told(loop)
    loop.close()
    with pytest.raises(StoreError, match=r"LogisticRegression.*GaussianNB.*loop\.candidate"):
        load_loop(storage=storage, estimator=GaussianNB(), labeler=mails.knows)
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == expected
    resumed.close()


def test_of_long_estimators_the_place_is_shown_where_they_differ(mails, storage):
    def estimator(C):
        return make_pipeline(*[StandardScaler(with_mean=False) for _ in range(6)], LogisticRegression(C=C))

    loop = mails.loop(storage=storage, estimator=estimator(2.5))
    loop.run(mails.X, ids=mails.ids, rounds=1)
    loop.close()
    with pytest.raises(StoreError) as refused:
        load_loop(storage=storage, estimator=estimator(7.5), labeler=mails.knows)
    assert "LogisticRegression(C=2.5, " in str(refused.value)
    assert "LogisticRegression(C=7.5, " in str(refused.value)
    assert "Pipeline(" not in str(refused.value)


def test_a_candidate_by_hand_cannot_be_fitted_again_and_that_is_said(mails, storage):
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, rounds=8)
    loop.candidate(GaussianNB())
    loop.run(rounds=12)
    loop.close()
    with pytest.warns(UserWarning, match="registered by hand"):
        resumed = mails.resumed(storage)
    before = mails.told(resumed)
    resumed.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed = mails.resumed(storage)
    assert mails.told(resumed) == before
    resumed.close()


@pytest.mark.parametrize(("n", "size"), [(150, 150), (300, 200)])
def test_a_fingerprint_is_of_two_hundred_items_or_of_all(mails, tmp_path, n, size):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(storage=storage, held_out=0, audit_share=0)
    loop.run(mails.X[:n], ids=mails.ids[:n], rounds=13)  # fewer are left to ask about in the end
    with loop._journal.database.reading() as connection:
        reader = LoopReader(connection, loop._journal.record.id)
        found = [reader.model(number).fingerprint for number in range(1, reader.last_model() + 1)]
    assert len(found) >= 10
    for fingerprint in found:
        assert len(np.unique(fingerprint[:, 0])) == size
    rows = found[-1][:, 0].astype(int)
    np.testing.assert_allclose(found[-1][:, 1:], loop.predict_proba(mails.X[rows]), atol=1e-12)
    loop.close()


def test_candidates_are_checked_as_soon_as_the_trainer_of_before_is_gone(mails, tmp_path, monkeypatch):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = drifted(mails, storage, monkeypatch)
    given = loop.certificates
    with loop._journal.holding():
        with pytest.warns(UserWarning, match="goes on with the new one"):
            other = drifting(mails, storage)
        assert other.certified_review_rate == loop.certified_review_rate  # it may look, and change nothing
        with pytest.raises(NotReady, match=r"not at hand.*differ"):
            other.certified_model()
    with pytest.warns(UserWarning, match="certificates do not apply"):
        other.refit()
    assert other.certificates[: len(given)] == given
    other.close()
    loop.close()


@pytest.mark.filterwarnings("ignore:the model in use", "ignore:candidate 1 is tested no more")
def test_certificates_of_a_model_that_took_the_place_of_another_are_the_same_when_resumed(mails, storage):
    def erases(loop):
        if loop._certifying.trial.candidates and not gone:
            gone.extend([label.id for label in loop.labels if label.source == "training"][:30])
            erase(storage, gone)
        return False

    gone = []
    settings = {"target_accuracy": 0.7, "delta": 0.3, "audit_share": 1.2, "held_out": 0.5, "random_state": 1}
    loop = mails.loop(storage=storage, **settings)
    loop.run(mails.X, ids=mails.ids, rounds=12, until=erases)
    assert {certificate.candidate for certificate in loop.certificates} >= {2}
    resumed = mails.resumed(storage)
    assert mails.told(resumed)[2:5] == mails.told(loop)[2:5]
    resumed.close()
    loop.close()
