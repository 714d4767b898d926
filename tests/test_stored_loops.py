"""A loop with a store tells the same as one in memory; resumed, it is the loop that it was."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner
from modAL.uncertainty import uncertainty_sampling
from sklearn.datasets import make_classification
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sqlalchemy import event

from bootstrap import SKIP, BootstrapLoop, each
from bootstrap.errors import AnswersRejected, InvalidInput, NotReady, StoreError, StoreInUse
from bootstrap.loading import load_loop
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.loops.loop_reading import LoopReader
from bootstrap.store.upkeep.checking import check
from bootstrap.store.upkeep.erasing import erase

pytestmark = pytest.mark.filterwarnings("ignore:no model was fitted")

X, y = make_classification(400, 6, n_informative=4, class_sep=1.6, random_state=3)
IDS = [f"item {i}" for i in range(len(X))]
TRUTH = dict(zip(IDS, np.where(y == 1, "spam", "ham").tolist(), strict=True))


def knows(queries):
    return [TRUTH[query.id] for query in queries]


def a_loop(labeler=knows, *, estimator=None, **settings):
    chosen = {"strategy": "margin", "batch_size": 10, "random_state": 5, "target_accuracy": 0.8}
    return BootstrapLoop(estimator or LogisticRegression(), labeler, **(chosen | settings))


def again(storage, **settings):
    return load_loop(storage=storage, estimator=LogisticRegression(), **({"labeler": knows} | settings))


def tokens(queries):
    return [query.token for query in queries]


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


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"audit_share": 0.3, "random_share": 0.3, "classes": ["ham", "spam"]},
        {"target_of": "system", "asked_twice": 0.5},
        {"held_out": 0, "audit_share": 0},
        {"targets": {"spam": {"recall": 0.6}}},
    ],
    ids=["as it comes", "shares", "twice", "nothing held out", "recall"],
)
def test_a_stored_loop_and_a_resumed_one_tell_what_one_in_memory_tells(storage, settings):
    in_memory = a_loop(**settings)
    in_memory.run(X, ids=IDS, rounds=12)
    stored = a_loop(storage=storage, **settings)
    stored.run(X, ids=IDS, rounds=12)
    assert told(stored) == told(in_memory)
    stored.close()
    resumed = again(storage)
    assert told(resumed) == told(in_memory)
    np.testing.assert_array_equal(resumed.predict_proba(X), in_memory.predict_proba(X))
    resumed.run(rounds=16)
    in_memory.run(rounds=16)
    assert told(resumed) == told(in_memory)
    assert check(storage).ok
    resumed.close()


def test_a_script_that_is_run_again_goes_on_where_it_was(storage):
    for rounds in (2, 5, 9):
        loop = a_loop(storage=storage)
        history = loop.run(X, ids=IDS, rounds=rounds)
        loop.close()
    in_memory = a_loop()
    assert list(history) == list(in_memory.run(X, ids=IDS, rounds=9))


def test_a_loop_by_ask_and_tell_is_resumed_after_every_step(storage):
    def steps(loop):
        yield loop.add(X[:200], ids=IDS[:200])
        for round_ in range(4):
            queries = loop.ask()
            yield len(queries)
            yield loop.tell({query.id: TRUTH[query.id] for query in queries[:4]}, by="ann")
            yield loop.tell({query.token: SKIP for query in queries[4:6]})
            yield loop.tell({queries[0].id: "something else"})
            yield loop.tell({query.id: TRUTH[query.id] for query in queries[6:9]})
            if round_ == 2:
                yield loop.add(X[200:], ids=IDS[200:])
                yield loop.add_labels(IDS[200:220], [TRUTH[i] for i in IDS[200:220]], by="file")
                yield loop.reopen_skipped()
            yield loop.refit()

    in_memory = a_loop(None)
    expected = list(steps(in_memory))
    stored = a_loop(None, storage=storage)
    found = []
    walk = steps(_Resumed(stored, storage))
    found = list(walk)
    assert found == expected
    with again(storage, labeler=None)._journal.step():
        pass
    last = again(storage, labeler=None)
    assert told(last) == told(in_memory)
    last.close()


class _Resumed:
    """Passes every call to the loop as another process would find it."""

    def __init__(self, loop, storage):
        self._storage = storage
        loop.close()

    def __getattr__(self, name):
        def call(*args, **kwargs):
            loop = again(self._storage, labeler=None)
            try:
                return getattr(loop, name)(*args, **kwargs)
            finally:
                loop.close()

        return call


def test_two_loop_objects_in_one_store_see_what_the_other_did(storage):
    one, other = a_loop(None, storage=storage), None
    one.add(X, ids=IDS)
    queries = one.ask()
    other = a_loop(None, storage=storage)
    assert tokens(other.ask()) == tokens(queries)
    other.tell({query.id: TRUTH[query.id] for query in queries[:5]}, by="other")
    assert one.n_labels == 5
    assert tokens(one.ask()) == tokens(queries[5:])
    assert one.tell({queries[0].id: TRUTH[queries[0].id]}).repeated == 1
    one.tell({query.id: TRUTH[query.id] for query in queries[5:]})
    other.refit()
    assert list(one.history) == list(other.history)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    one.close()
    other.close()


def test_while_one_process_trains_another_may_look_and_not_train(storage):
    one = a_loop(storage=storage)
    one.run(X, ids=IDS, rounds=2)
    other = again(storage)
    seen = []

    def callback(loop, round_):
        seen.append(len(other.history))
        with pytest.raises(StoreInUse, match="default"):
            other.refit()

    one.run(rounds=4, callbacks=[callback])
    assert seen == [3, 4]
    assert told(other) == told(one)
    one.close()
    other.close()


@pytest.mark.parametrize("streams", [True, False])
def test_answers_are_in_the_store_before_the_next_question(storage, streams):
    counted = []

    def answer(query):
        database = Database(storage)
        with database.reading() as connection:
            counted.append(connection.exec_driver_sql("SELECT count(*) FROM labels").scalar())
        database.close()
        if len(counted) == 14:
            raise OSError("the line went dead")
        return TRUTH[query.id]

    labeler = each(answer) if streams else lambda queries: list(map(answer, queries))
    loop = a_loop(labeler, storage=storage)
    with pytest.raises(OSError, match="the line went dead"):
        loop.run(X, ids=IDS, rounds=3)
    loop.close()
    first = sum(n == 0 for n in counted)
    if streams:
        assert counted == list(range(14))
    else:
        assert sorted(set(counted)) == [0, first]
    resumed = again(storage)
    assert resumed.n_labels == (13 if streams else first)
    resumed.run(rounds=3)
    in_memory = a_loop()
    in_memory.run(X, ids=IDS, rounds=3)
    assert list(resumed.history) == list(in_memory.history)
    resumed.close()


def test_what_is_refused_leaves_the_valid_answers_of_the_same_call(storage):
    loop = a_loop(None, storage=storage)
    loop.add(X, ids=IDS)
    queries = loop.ask()
    with pytest.raises(AnswersRejected, match="nobody"):
        loop.tell({queries[0].id: "spam", "nobody": "spam", queries[1].id: None})
    loop.close()
    resumed = again(storage, labeler=None)
    assert [label.id for label in resumed.labels] == [queries[0].id]
    resumed.close()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 11}, "batch_size is 10 there and 11 now"),
        ({"strategy": "entropy"}, "strategy is 'margin' there and 'entropy' now"),
        ({"target_accuracy": 0.9}, "target_accuracy"),
        ({"random_state": 6}, "another random_state"),
        ({"classes": ["ham", "spam"]}, "classes"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_changed(tmp_path, changed, message):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    a_loop(storage=storage).close()
    with pytest.raises(StoreError, match=message):
        a_loop(storage=storage, **changed)
    a_loop(storage=storage).close()


def test_load_loop_says_which_loops_there_are(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    a_loop(storage=storage, name="team").close()
    with pytest.raises(StoreError, match=r"no loop 'default'.*'team'"):
        again(storage)
    with pytest.raises(StoreError, match="no store"):
        again(f"sqlite:///{tmp_path / 'other.db'}")
    assert not (tmp_path / "other.db").exists()


def test_a_strategy_of_ones_own_has_to_be_passed_again(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def mine(learner, X, n_instances=1):
        return np.arange(n_instances), np.ones(n_instances)

    loop = a_loop(storage=storage, strategy=mine)
    loop.run(X, ids=IDS, rounds=2)
    loop.close()
    with pytest.raises(InvalidInput, match="pass it"):
        again(storage)
    with pytest.raises(InvalidInput, match="margin"):
        again(storage, strategy="margin")
    loop = again(storage, strategy=mine)
    assert len(loop.history) == 2
    loop.close()


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
def test_features_of_every_kind_come_back_as_they_were(tmp_path, shape):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage)
    loop.run(shape(X[:200]), ids=IDS[:200], rounds=2)
    loop.run(shape(X[200:]), ids=IDS[200:], rounds=4)
    expected = told(loop)
    loop.close()
    resumed = again(storage)
    assert told(resumed) == expected
    np.testing.assert_array_equal(resumed.predict(shape(X)), loop.predict(shape(X)))
    resumed.close()
    loop.close()


def test_labels_from_outside_and_inside_a_modal_learner_are_kept(storage):
    def begin(**more):
        learner = ActiveLearner(LogisticRegression(), X_training=X[:8], y_training=y[:8])
        return BootstrapLoop(learner, lambda queries: [int(TRUTH[q.id] == "spam") for q in queries], **more)

    settings = {"strategy": "margin", "batch_size": 10, "random_state": 2}
    stored, in_memory = begin(storage=storage, **settings), begin(**settings)
    for loop in (stored, in_memory):
        loop.run(X[30:], ids=IDS[30:], labeled=(X[8:30], y[8:30]), rounds=3)
    assert told(stored) == told(in_memory)
    assert stored.history[-1].n_given == 30
    stored.close()
    resumed = begin(storage=storage, **settings)
    resumed.run(X[30:], ids=IDS[30:], labeled=(X[8:30], y[8:30]), rounds=5)
    in_memory.run(rounds=5)
    assert told(resumed) == told(in_memory)
    resumed.close()


def test_two_loops_ask_about_the_same_items_of_one_store(storage):
    team, urgency = a_loop(storage=storage, name="team"), a_loop(storage=storage, name="urgency")
    for loop in (team, urgency):
        loop.run(X, ids=IDS, rounds=2)
    assert told(team) == told(urgency)
    database = Database(storage)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM items").scalar() == len(X)
    database.close()
    team.close()
    urgency.close()
    assert check(storage).ok


def test_a_committee_with_a_drawn_seed_is_resumed(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def committee():
        return [LogisticRegression(), GaussianNB(), LogisticRegression(C=0.1)]

    settings = {"strategy": "vote_entropy", "batch_size": 10, "storage": storage}
    loop = BootstrapLoop(committee(), knows, **settings)
    loop.run(X, ids=IDS, rounds=3)
    expected = told(loop)
    loop.close()
    resumed = BootstrapLoop(committee(), knows, **settings)
    assert told(resumed) == expected
    resumed.close()


class Drifting(LogisticRegression):
    """Says something else in another version of its package, and calls itself the same."""

    version = 1

    def decision_function(self, X):
        return super().decision_function(X) * (1.0 if self.version == 1 else 0.9)


def drifting(storage, **more):
    return load_loop(storage=storage, estimator=Drifting(), labeler=knows, **more)


def drifted(storage, monkeypatch):
    """A loop with certificates, whose estimator is of another version now; what it was told before."""
    loop = BootstrapLoop(
        Drifting(),
        knows,
        strategy="margin",
        batch_size=10,
        random_state=5,
        target_accuracy=0.8,
        storage=storage,
    )
    loop.run(X, ids=IDS, budget=300)
    assert loop.certified_review_rate < 1
    monkeypatch.setattr(Drifting, "version", 2)
    return loop


def test_another_version_is_another_model_and_its_certificates_do_not_apply(storage, monkeypatch):
    loop = drifted(storage, monkeypatch)
    given = loop.certificates
    loop.close()
    with pytest.warns(UserWarning, match=r"goes on with the new one|certificates do not apply") as warned:
        other = drifting(storage)
    assert any("goes on with the new one" in str(w.message) for w in warned)
    assert any("certificates do not apply" in str(w.message) for w in warned)
    told_now = told(other)
    assert other.certificates[: len(given)] == given
    assert all(c.candidate > given[0].candidate for c in other.certificates[len(given) :])
    other.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = drifting(storage)
    assert told(same) == told_now
    same.close()
    assert check(storage).ok


def test_another_estimator_is_refused_and_nothing_is_changed(storage):
    loop = a_loop(storage=storage)
    loop.run(X, ids=IDS, budget=300)
    expected = told(loop)
    loop.close()
    with pytest.raises(StoreError, match=r"LogisticRegression.*GaussianNB.*loop\.candidate"):
        load_loop(storage=storage, estimator=GaussianNB(), labeler=knows)
    resumed = again(storage)
    assert told(resumed) == expected
    resumed.close()


def test_of_long_estimators_the_place_is_shown_where_they_differ(storage):
    def estimator(C):
        return make_pipeline(*[StandardScaler(with_mean=False) for _ in range(6)], LogisticRegression(C=C))

    loop = a_loop(storage=storage, estimator=estimator(2.5))
    loop.run(X, ids=IDS, rounds=1)
    loop.close()
    with pytest.raises(StoreError) as refused:
        load_loop(storage=storage, estimator=estimator(7.5), labeler=knows)
    assert "LogisticRegression(C=2.5, " in str(refused.value)
    assert "LogisticRegression(C=7.5, " in str(refused.value)
    assert "Pipeline(" not in str(refused.value)


def test_who_only_looks_learns_that_erased_items_have_cost_the_certificate(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage)
    loop.run(X, ids=IDS, budget=300)
    assert "ADVANCE" in str(loop.verdict())
    rate = loop.certified_review_rate
    erase(storage, [label.id for label in loop.labels if label.source == "training"][:5])
    with pytest.warns(UserWarning, match="erased"):
        verdict = loop.verdict()
    assert loop.certified_review_rate >= rate
    champion = loop._certifying.trial.champion
    assert champion is None or champion.candidate.number not in loop._certifying.others
    assert ("ADVANCE" in str(verdict)) == (champion is not None)
    loop.close()


def test_an_erasure_before_its_answer_is_taken_stops_no_trainer(storage):
    loop = a_loop(None, storage=storage)
    loop.add(X, ids=IDS)
    loop.ask()
    with loop._journal.holding():
        loop._journal.open_desks()
    with Desk(storage, by="ann") as desk:
        queries = desk.ask(4)
        desk.tell({query.token: TRUTH[query.id] for query in queries[:2]})
        erase(storage, [queries[0].id])
        assert loop.take_saved().kept >= 1
        erase(storage, [queries[2].id])
        desk.tell({query.token: TRUTH[query.id] for query in queries[2:]})
        loop.take_saved()
    loop.refit()
    expected = told(loop)
    loop.close()
    resumed = again(storage, labeler=None)
    assert told(resumed) == expected
    resumed.close()


def test_an_item_that_was_erased_stays_away_from_loops_begun_later(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    one = a_loop(storage=storage, name="one")
    one.run(X, ids=IDS, rounds=1)
    one.close()
    erase(storage, [IDS[3]])
    for rounds in (1, 2):
        other = a_loop(storage=storage, name="other")
        other.run(X, ids=IDS, rounds=rounds)
        other.close()


def test_labels_given_where_nothing_can_be_learned_yet_are_remembered_so(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def walk(close):
        settings = {"strategy": "auto", "batch_size": 4, "random_state": 426, "labeler": None}
        loop = a_loop(**settings, **({"storage": storage} if close else {}))
        loop.add(X, ids=IDS)
        loop.add_labels(IDS[:1], ["ham"])
        for _ in range(3):
            queries = loop.ask()
            loop.tell({query.id: TRUTH[query.id] for query in queries})
            if close:
                loop.close()
                loop = again(storage, labeler=None)
        loop.refit()
        return loop

    stored, in_memory = walk(True), walk(False)
    assert told(stored) == told(in_memory)
    stored.close()


def test_asking_at_the_end_of_the_pool_is_remembered(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def walk(close):
        settings = {"strategy": "auto", "batch_size": 10, "held_out": 0, "audit_share": 0}
        loop = a_loop(**settings, **({"storage": storage} if close else {}))
        loop.run(X[:40], ids=IDS[:40])
        assert loop.ask() == []
        if close:
            loop.close()
            loop = again(storage)
        loop.run(X[40:], ids=IDS[40:], rounds=8)
        return loop

    stored, in_memory = walk(True), walk(False)
    assert told(stored) == told(in_memory)
    stored.close()


def test_threads_that_tell_at_once_lose_nothing(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(None, storage=storage, batch_size=40)
    loop.add(X, ids=IDS)
    queries = loop.ask()

    def work(k):
        for query in queries[k::3]:
            loop.tell({query.token: TRUTH[query.id]})

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    loop.close()
    resumed = again(storage, labeler=None)
    assert resumed.n_labels == len(queries)
    resumed.close()


def test_a_candidate_by_hand_cannot_be_fitted_again_and_that_is_said(storage):
    loop = a_loop(storage=storage)
    loop.run(X, ids=IDS, rounds=8)
    loop.candidate(GaussianNB())
    loop.run(rounds=12)
    loop.close()
    with pytest.warns(UserWarning, match="registered by hand"):
        resumed = again(storage)
    before = told(resumed)
    resumed.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed = again(storage)
    assert told(resumed) == before
    resumed.close()


def test_looking_at_audited_mistakes_is_remembered(storage):
    loop = a_loop(storage=storage)
    loop.run(X, ids=IDS, rounds=6)
    loop.errors(audited=True)
    loop.run(rounds=14)
    expected = told(loop)
    loop.close()
    in_memory = a_loop()
    in_memory.run(X, ids=IDS, rounds=6)
    in_memory.errors(audited=True)
    in_memory.run(rounds=14)
    assert expected == told(in_memory)
    resumed = again(storage)
    assert told(resumed) == expected
    resumed.close()


def test_erased_items_are_trained_on_no_more_and_their_evidence_stays(storage):
    loop = a_loop(storage=storage)
    loop.run(X, ids=IDS, budget=300)
    rate, n_labels = loop.certified_review_rate, loop.n_labels
    audited = [label.id for label in loop.labels if label.source == "audit"][:3]
    trained = [label.id for label in loop.labels if label.source == "training"][:3]
    assert rate < 1
    erase(storage, audited)
    assert loop.certified_review_rate == rate  # by the same model: it has learned from none of these
    with pytest.raises(InvalidInput, match="no item has the id"):
        loop.is_held_out(audited[0])
    erase(storage, trained)
    with pytest.warns(UserWarning, match="erased"):
        loop.run(X, ids=IDS, budget=320)
    assert loop.n_labels >= n_labels
    assert not {label.id for label in loop.labels} & {*audited, *trained}
    assert np.intersect1d(loop.trained_rows, [IDS.index(i) for i in trained]).size == 0
    expected = told(loop)
    loop.close()
    resumed = again(storage)
    assert told(resumed) == expected
    assert check(storage).ok
    resumed.close()


def test_a_failed_write_leaves_the_store_right_and_memory_follows_it(tmp_path, monkeypatch):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(None, storage=storage)
    loop.add(X, ids=IDS)
    queries = loop.ask()
    write = loop._journal._write

    def fails(connection):
        write(connection)
        raise StoreError("the disk is full")

    monkeypatch.setattr(loop._journal, "_write", fails)
    with pytest.raises(StoreError, match="full"):
        loop.tell({queries[0].id: "spam"})
    monkeypatch.undo()
    assert loop.n_labels == 0
    assert tokens(loop.ask()) == tokens(queries)
    assert loop.tell({queries[0].id: "spam"}).kept == 1
    loop.close()


def test_a_refit_within_a_run_is_written_with_the_next_questions(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage)
    loop.run(X, ids=IDS, rounds=1)
    commits = []
    event.listen(loop._journal.database.engine, "commit", commits.append)
    loop.run(rounds=5)
    assert 2 * 4 <= len(commits) <= 2 * 4 + 2  # the questions, the answers; what is left in the end
    loop.close()
    resumed = again(storage)
    assert told(resumed) == told(loop)
    resumed.close()


def test_a_refit_that_was_not_written_yet_is_done_again(storage):
    def breaks(learner, pool, n_instances=1):
        if len(loop.history) == 3 and not broken:
            broken.append(True)
            raise OSError("out of memory")
        return uncertainty_sampling(learner, pool, n_instances=n_instances)

    broken = []
    in_memory = a_loop(strategy=uncertainty_sampling)
    in_memory.run(X, ids=IDS, rounds=6)
    loop = a_loop(storage=storage, strategy=breaks)
    with pytest.raises(OSError, match="out of memory"):
        loop.run(X, ids=IDS, rounds=6)
    loop.run(rounds=6)
    assert list(loop.history) == list(in_memory.history)
    loop.close()
    assert check(storage).ok


def test_an_item_erased_while_a_refit_waits_to_be_written_takes_no_round_with_it(storage):
    def erases(loop):
        if len(loop.history) == 3 and not gone:
            gone.append(next(label.id for label in loop.labels if label.source == "training"))
            erase(storage, gone)
        return len(loop.history) == 3

    gone = []
    loop = a_loop(storage=storage)
    history = loop.run(X, ids=IDS, until=erases)
    loop.close()
    with pytest.warns(UserWarning, match="erased"):
        resumed = again(storage)
    assert list(resumed.history) == list(history)
    assert len(history) == 3
    resumed.close()
    assert check(storage).ok


def test_labels_given_while_a_refit_waits_to_be_written_come_after_it(storage):
    def gives(loop):
        if len(loop.history) == 3 and not given:
            given.append(loop.add_labels([IDS[-1]], [TRUTH[IDS[-1]]]))
        return False

    given = []
    in_memory = a_loop()
    in_memory.run(X, ids=IDS, rounds=5, until=gives)
    given.clear()
    loop = a_loop(storage=storage)
    loop.run(X, ids=IDS, rounds=5, until=gives)
    assert told(loop) == told(in_memory)
    loop.close()
    resumed = again(storage)
    assert told(resumed) == told(in_memory)
    resumed.close()


@pytest.mark.parametrize(("n", "size"), [(150, 150), (300, 200)])
def test_a_fingerprint_is_of_two_hundred_items_or_of_all(tmp_path, n, size):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage, held_out=0, audit_share=0)
    loop.run(X[:n], ids=IDS[:n], rounds=13)  # fewer are left to ask about in the end
    with loop._journal.database.reading() as connection:
        reader = LoopReader(connection, loop._journal.record.id)
        found = [reader.model(number).fingerprint for number in range(1, reader.last_model() + 1)]
    assert len(found) >= 10
    for fingerprint in found:
        assert len(np.unique(fingerprint[:, 0])) == size
    rows = found[-1][:, 0].astype(int)
    np.testing.assert_allclose(found[-1][:, 1:], loop.predict_proba(X[rows]), atol=1e-12)
    loop.close()


def test_close_pool_says_that_it_needs_a_loop_in_memory(tmp_path):
    loop = a_loop(storage=f"sqlite:///{tmp_path / 'labels.db'}")
    loop.run(X, ids=IDS, rounds=2)
    with pytest.raises(NotReady, match="storage=None"):
        loop.close_pool()
    loop.close()


def test_candidates_are_checked_as_soon_as_the_trainer_of_before_is_gone(tmp_path, monkeypatch):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = drifted(storage, monkeypatch)
    given = loop.certificates
    with loop._journal.holding():
        with pytest.warns(UserWarning, match="goes on with the new one"):
            other = drifting(storage)
        assert other.certified_review_rate == loop.certified_review_rate  # it may look, and change nothing
        with pytest.raises(NotReady, match=r"not at hand.*differ"):
            other.certified_model()
    with pytest.warns(UserWarning, match="certificates do not apply"):
        other.refit()
    assert other.certificates[: len(given)] == given
    other.close()
    loop.close()


def test_connections_that_break_in_the_middle_of_an_answer_lose_nothing_and_not_the_lock(postgres_storage):
    asked = []

    def answer(query):
        asked.append(query.id)
        if len(asked) == 25:
            database = Database(postgres_storage)
            with database.claiming() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            database.close()
        return TRUTH[query.id]

    loop = a_loop(each(answer), storage=postgres_storage)
    other = again(postgres_storage)

    def callback(*_):
        with pytest.raises(StoreInUse):
            other.refit()

    loop.run(X, ids=IDS, rounds=5, callbacks=[callback])
    in_memory = a_loop()
    in_memory.run(X, ids=IDS, rounds=5)
    assert list(loop.history) == list(in_memory.history)
    assert len(asked) == len(set(asked))
    loop.close()
    other.close()
    assert check(postgres_storage).ok


@pytest.mark.parametrize("how", ["before the strategy", "by a budget"])
def test_a_round_that_left_queries_open_is_over_whatever_comes_after_it(storage, how):
    def breaks(learner, pool, n_instances=1):
        if len(loop.history) == 3 and not broken:
            broken.append(True)
            raise OSError("out of memory")
        return uncertainty_sampling(learner, pool, n_instances=n_instances)

    def answers_some(queries):
        return {query.id: TRUTH[query.id] for query in queries[:-3]}

    broken = []
    runs = {"before the strategy": {"rounds": 6}, "by a budget": {"budget": 60}}[how]
    loop = in_memory = a_loop(answers_some, strategy=breaks)
    with pytest.raises(OSError, match="out of memory"):
        in_memory.run(X, ids=IDS, **runs)
    in_memory.run(**runs)
    broken.clear()
    loop = a_loop(answers_some, storage=storage, strategy=breaks)
    with pytest.raises(OSError, match="out of memory"):
        loop.run(X, ids=IDS, **runs)
    assert len(loop.history) == 3
    loop.run(**runs)
    assert told(loop) == told(in_memory)
    loop.close()


@pytest.mark.parametrize("done", ["nothing", "another round", "labels"])
@pytest.mark.parametrize("ends", [True, False])
def test_a_lock_that_is_lost_while_a_refit_waits_costs_no_round(storage, done, ends):
    def loses(loop):
        if len(loop.history) == 3 and not lost:
            lost.append(True)
            loop._journal._lock.close()
            if done != "nothing":
                other = again(storage)
                if done == "labels":
                    other.add_labels(IDS[-2:], [TRUTH[i] for i in IDS[-2:]])
                else:
                    other.run(rounds=4)
                other.close()
        return ends and len(loop.history) == 3

    lost = []
    loop = a_loop(storage=storage)
    if done == "nothing":
        assert len(loop.run(X, ids=IDS, rounds=6, until=loses)) == (3 if ends else 6)
    else:
        with pytest.raises(StoreInUse, match="Run it again"):
            loop.run(X, ids=IDS, rounds=6, until=loses)
    loop.run(rounds=6)
    history = list(loop.history)
    assert [row.round for row in history] == [1, 2, 3, 4, 5, 6]
    resumed = again(storage)
    assert told(resumed) == told(loop)
    if done != "labels":
        in_memory = a_loop()
        assert history == list(in_memory.run(X, ids=IDS, rounds=6))
    resumed.close()
    loop.close()
    assert check(storage).ok


@pytest.mark.parametrize("when", ["the refit waits", "the strategy chooses", "the labeler thinks"])
@pytest.mark.filterwarnings("ignore:the model of round")
def test_an_item_that_was_erased_before_it_was_asked_about_is_not_learned_from(storage, when):
    in_memory = a_loop()
    in_memory.run(X, ids=IDS, rounds=3)
    gone = [query.id for query in in_memory.ask()][:4]
    asked, erased = [], []

    def erases(now):
        if now == when and len(loop._rounds) == 3 and not erased:
            erased.append(erase(storage, gone))

    def chooses(learner, pool, n_instances=1):
        picked = uncertainty_sampling(learner, pool, n_instances=n_instances)
        erases("the strategy chooses")
        return picked

    def answers(queries):
        asked.extend(query.id for query in queries)
        erases("the labeler thinks")
        return knows(queries)

    def waits(loop):
        erases("the refit waits")
        return False

    settings = {"strategy": chooses} if when == "the strategy chooses" else {}
    loop = a_loop(answers, storage=storage, **settings)
    loop.run(X, ids=IDS, rounds=6, until=waits)
    assert len(loop.history) == 6
    assert (set(gone) & set(asked) == set()) is (when == "the refit waits") or settings
    rows = {row for row in range(len(X)) if loop._pool.is_erased(row)}
    assert len(rows) == 4
    assert not rows & set(loop.trained_rows.tolist())
    assert not any(query.id.startswith("erased") for query in loop.ask())
    resumed = again(storage, **settings)
    assert told(resumed)[:3] == told(loop)[:3]
    resumed.close()
    loop.close()
    assert check(storage).ok


@pytest.mark.filterwarnings("ignore:the model of round", "ignore:candidate 1 is tested no more")
def test_certificates_of_a_model_that_took_the_place_of_another_are_the_same_when_resumed(storage):
    def erases(loop):
        if loop._certifying.trial.candidates and not gone:
            gone.extend([label.id for label in loop.labels if label.source == "training"][:30])
            erase(storage, gone)
        return False

    gone = []
    settings = {"target_accuracy": 0.7, "delta": 0.3, "audit_share": 1.2, "held_out": 0.5, "random_state": 1}
    loop = a_loop(storage=storage, **settings)
    loop.run(X, ids=IDS, rounds=12, until=erases)
    assert {certificate.candidate for certificate in loop.certificates} >= {2}
    resumed = again(storage)
    assert told(resumed)[2:5] == told(loop)[2:5]
    resumed.close()
    loop.close()


def test_second_answers_wait_for_the_batch_that_a_failure_has_cut(storage):
    def fails_once(queries):
        for i, query in enumerate(queries):
            if i == 8 and not failed:
                failed.append(True)
                raise OSError("gone")
            yield TRUTH[query.id]

    failed = [True]
    settings = {"asked_twice": 1.0, "audit_share": 1.0}
    in_memory = a_loop(fails_once, **settings)
    in_memory.run(X, ids=IDS, rounds=4)
    failed.clear()
    loop = a_loop(fails_once, storage=storage, **settings)
    with pytest.raises(OSError, match="gone"):
        loop.run(X, ids=IDS, rounds=4)
    loop.run(rounds=4)
    assert told(loop) == told(in_memory)
    loop.close()
