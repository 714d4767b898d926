"""A loop with a store tells the same as one in memory; resumed, it is the loop that it was."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from bootstrap import SKIP, BootstrapLoop, each
from bootstrap.errors import AnswersRejected, InvalidInput, NotReady, StoreError, StoreInUse
from bootstrap.store.database import Database
from bootstrap.store.upkeep.checking import check

pytestmark = pytest.mark.filterwarnings("ignore:no model was fitted")


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
def test_a_stored_loop_and_a_resumed_one_tell_what_one_in_memory_tells(mails, storage, settings):
    in_memory = mails.loop(**settings)
    in_memory.run(mails.X, ids=mails.ids, rounds=12)
    stored = mails.loop(storage=storage, **settings)
    stored.run(mails.X, ids=mails.ids, rounds=12)
    assert mails.told(stored) == mails.told(in_memory)
    stored.close()
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == mails.told(in_memory)
    np.testing.assert_array_equal(resumed.predict_proba(mails.X), in_memory.predict_proba(mails.X))
    resumed.run(rounds=16)
    in_memory.run(rounds=16)
    assert mails.told(resumed) == mails.told(in_memory)
    assert check(storage).ok
    resumed.close()


def test_a_script_that_is_run_again_goes_on_where_it_was(mails, storage):
    for rounds in (2, 5, 9):
        loop = mails.loop(storage=storage)
        history = loop.run(mails.X, ids=mails.ids, rounds=rounds)
        loop.close()
    in_memory = mails.loop()
    assert list(history) == list(in_memory.run(mails.X, ids=mails.ids, rounds=9))


def test_a_loop_by_ask_and_tell_is_resumed_after_every_step(mails, storage):
    def steps(loop):
        yield loop.add(mails.X[:200], ids=mails.ids[:200])
        for round_ in range(4):
            queries = loop.ask()
            yield len(queries)
            yield loop.tell({query.id: mails.truth[query.id] for query in queries[:4]}, by="ann")
            yield loop.tell({query.token: SKIP for query in queries[4:6]})
            yield loop.tell({queries[0].id: "something else"})
            yield loop.tell({query.id: mails.truth[query.id] for query in queries[6:9]})
            if round_ == 2:
                yield loop.add(mails.X[200:], ids=mails.ids[200:])
                yield loop.add_labels(
                    mails.ids[200:220], [mails.truth[i] for i in mails.ids[200:220]], by="file"
                )
                yield loop.reopen_skipped()
            yield loop.refit()

    in_memory = mails.loop(None)
    expected = list(steps(in_memory))
    stored = mails.loop(None, storage=storage)
    found = []
    walk = steps(_Resumed(mails, stored, storage))
    found = list(walk)
    assert found == expected
    with mails.resumed(storage, labeler=None)._journal.step():
        pass
    last = mails.resumed(storage, labeler=None)
    assert mails.told(last) == mails.told(in_memory)
    last.close()


class _Resumed:
    """Passes every call to the loop as another process would find it."""

    def __init__(self, mails, loop, storage):
        self._mails = mails
        self._storage = storage
        loop.close()

    def __getattr__(self, name):
        def call(*args, **kwargs):
            loop = self._mails.resumed(self._storage, labeler=None)
            try:
                return getattr(loop, name)(*args, **kwargs)
            finally:
                loop.close()

        return call


def test_two_loop_objects_in_one_store_see_what_the_other_did(mails, storage):
    one, other = mails.loop(None, storage=storage), None
    one.add(mails.X, ids=mails.ids)
    queries = one.ask()
    other = mails.loop(None, storage=storage)
    assert mails.tokens(other.ask()) == mails.tokens(queries)
    other.tell({query.id: mails.truth[query.id] for query in queries[:5]}, by="other")
    assert one.n_labels == 5
    assert mails.tokens(one.ask()) == mails.tokens(queries[5:])
    assert one.tell({queries[0].id: mails.truth[queries[0].id]}).repeated == 1
    one.tell({query.id: mails.truth[query.id] for query in queries[5:]})
    other.refit()
    assert list(one.history) == list(other.history)
    np.testing.assert_array_equal(one.predict(mails.X), other.predict(mails.X))
    one.close()
    other.close()


def test_while_one_process_trains_another_may_look_and_not_train(mails, storage):
    one = mails.loop(storage=storage)
    one.run(mails.X, ids=mails.ids, rounds=2)
    other = mails.resumed(storage)
    seen = []

    def callback(loop, round_):
        seen.append(len(other.history))
        with pytest.raises(StoreInUse, match="default"):
            other.refit()

    one.run(rounds=4, callbacks=[callback])
    assert seen == [3, 4]
    assert mails.told(other) == mails.told(one)
    one.close()
    other.close()


@pytest.mark.parametrize("streams", [True, False])
def test_answers_are_in_the_store_before_the_next_question(mails, storage, streams):
    counted = []

    def answer(query):
        database = Database(storage)
        with database.reading() as connection:
            counted.append(connection.exec_driver_sql("SELECT count(*) FROM labels").scalar())
        database.close()
        if len(counted) == 14:
            raise OSError("the line went dead")
        return mails.truth[query.id]

    labeler = each(answer) if streams else lambda queries: list(map(answer, queries))
    loop = mails.loop(labeler, storage=storage)
    with pytest.raises(OSError, match="the line went dead"):
        loop.run(mails.X, ids=mails.ids, rounds=3)
    loop.close()
    first = sum(n == 0 for n in counted)
    if streams:
        assert counted == list(range(14))
    else:
        assert sorted(set(counted)) == [0, first]
    resumed = mails.resumed(storage)
    assert resumed.n_labels == (13 if streams else first)
    resumed.run(rounds=3)
    in_memory = mails.loop()
    in_memory.run(mails.X, ids=mails.ids, rounds=3)
    assert list(resumed.history) == list(in_memory.history)
    resumed.close()


def test_what_is_refused_leaves_the_valid_answers_of_the_same_call(mails, storage):
    loop = mails.loop(None, storage=storage)
    loop.add(mails.X, ids=mails.ids)
    queries = loop.ask()
    with pytest.raises(AnswersRejected, match="nobody"):
        loop.tell({queries[0].id: "spam", "nobody": "spam", queries[1].id: None})
    loop.close()
    resumed = mails.resumed(storage, labeler=None)
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
def test_other_settings_are_refused_and_nothing_is_changed(mails, tmp_path, changed, message):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    mails.loop(storage=storage).close()
    with pytest.raises(StoreError, match=message):
        mails.loop(storage=storage, **changed)
    mails.loop(storage=storage).close()


def test_load_loop_says_which_loops_there_are(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    mails.loop(storage=storage, name="team").close()
    with pytest.raises(StoreError, match=r"no loop 'default'.*'team'"):
        mails.resumed(storage)
    with pytest.raises(StoreError, match="no store"):
        mails.resumed(f"sqlite:///{tmp_path / 'other.db'}")
    assert not (tmp_path / "other.db").exists()


def test_a_strategy_of_ones_own_has_to_be_passed_again(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def mine(learner, X, n_instances=1):
        return np.arange(n_instances), np.ones(n_instances)

    loop = mails.loop(storage=storage, strategy=mine)
    loop.run(mails.X, ids=mails.ids, rounds=2)
    loop.close()
    with pytest.raises(InvalidInput, match="pass it"):
        mails.resumed(storage)
    with pytest.raises(InvalidInput, match="margin"):
        mails.resumed(storage, strategy="margin")
    loop = mails.resumed(storage, strategy=mine)
    assert len(loop.history) == 2
    loop.close()


def test_a_committee_with_a_drawn_seed_is_resumed(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def committee():
        return [LogisticRegression(), GaussianNB(), LogisticRegression(C=0.1)]

    settings = {"strategy": "vote_entropy", "batch_size": 10, "storage": storage}
    loop = BootstrapLoop(committee(), mails.knows, **settings)
    loop.run(mails.X, ids=mails.ids, rounds=3)
    expected = mails.told(loop)
    loop.close()
    resumed = BootstrapLoop(committee(), mails.knows, **settings)
    assert mails.told(resumed) == expected
    resumed.close()


def test_labels_given_where_nothing_can_be_learned_yet_are_remembered_so(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def walk(close):
        settings = {"strategy": "auto", "batch_size": 4, "random_state": 426, "labeler": None}
        loop = mails.loop(**settings, **({"storage": storage} if close else {}))
        loop.add(mails.X, ids=mails.ids)
        loop.add_labels(mails.ids[:1], ["ham"])
        for _ in range(3):
            queries = loop.ask()
            loop.tell({query.id: mails.truth[query.id] for query in queries})
            if close:
                loop.close()
                loop = mails.resumed(storage, labeler=None)
        loop.refit()
        return loop

    stored, in_memory = walk(True), walk(False)
    assert mails.told(stored) == mails.told(in_memory)
    stored.close()


def test_asking_at_the_end_of_the_pool_is_remembered(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"

    def walk(close):
        settings = {"strategy": "auto", "batch_size": 10, "held_out": 0, "audit_share": 0}
        loop = mails.loop(**settings, **({"storage": storage} if close else {}))
        loop.run(mails.X[:40], ids=mails.ids[:40])
        assert loop.ask() == []
        if close:
            loop.close()
            loop = mails.resumed(storage)
        loop.run(mails.X[40:], ids=mails.ids[40:], rounds=8)
        return loop

    stored, in_memory = walk(True), walk(False)
    assert mails.told(stored) == mails.told(in_memory)
    stored.close()


def test_looking_at_audited_mistakes_is_remembered(mails, storage):
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, rounds=6)
    loop.errors(audited=True)
    loop.run(rounds=14)
    expected = mails.told(loop)
    loop.close()
    in_memory = mails.loop()
    in_memory.run(mails.X, ids=mails.ids, rounds=6)
    in_memory.errors(audited=True)
    in_memory.run(rounds=14)
    assert expected == mails.told(in_memory)
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == expected
    resumed.close()


def test_close_pool_says_that_it_needs_a_loop_in_memory(mails, tmp_path):
    loop = mails.loop(storage=f"sqlite:///{tmp_path / 'labels.db'}")
    loop.run(mails.X, ids=mails.ids, rounds=2)
    with pytest.raises(NotReady, match="storage=None"):
        loop.close_pool()
    loop.close()


def test_two_loops_of_one_name_in_one_process_go_on_from_each_other(mails, storage):
    one = mails.loop(storage=storage)
    one.run(mails.X, ids=mails.ids, budget=30)
    other = mails.loop(storage=storage)
    other.run(mails.X, ids=mails.ids, budget=60)
    one.run(mails.X, ids=mails.ids, budget=90)
    alone = mails.loop()
    for budget in (30, 60, 90):
        alone.run(mails.X, ids=mails.ids, budget=budget)
    assert mails.told(one) == mails.told(other) == mails.told(alone)
    one.close()
    other.close()
    assert check(storage).ok
