"""Items that are erased while a loop lives: before they are asked about, answered, learned from, or after."""

from __future__ import annotations

import numpy as np
import pytest
from modAL.uncertainty import uncertainty_sampling

from bootstrap.errors import InvalidInput
from bootstrap.pool import Place
from bootstrap.store.desks.desk import Desk
from bootstrap.store.upkeep.checking import check
from bootstrap.store.upkeep.erasing import erase

pytestmark = pytest.mark.filterwarnings("ignore:no model was fitted")


def test_who_only_looks_learns_that_erased_items_have_cost_the_certificate(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, budget=300)
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


def test_an_erasure_before_its_answer_is_taken_stops_no_trainer(mails, storage):
    loop = mails.loop(None, storage=storage)
    loop.add(mails.X, ids=mails.ids)
    loop.ask()
    with loop._journal.holding():
        loop._journal.open_desks()
    with Desk(storage, by="ann") as desk:
        queries = desk.ask(4)
        desk.tell({query.token: mails.truth[query.id] for query in queries[:2]})
        erase(storage, [queries[0].id])
        assert loop.take_saved().kept >= 1
        erase(storage, [queries[2].id])
        desk.tell({query.token: mails.truth[query.id] for query in queries[2:]})
        loop.take_saved()
    loop.refit()
    expected = mails.told(loop)
    loop.close()
    resumed = mails.resumed(storage, labeler=None)
    assert mails.told(resumed) == expected
    resumed.close()


def test_an_item_that_was_erased_stays_away_from_loops_begun_later(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    one = mails.loop(storage=storage, name="one")
    one.run(mails.X, ids=mails.ids, rounds=1)
    one.close()
    erase(storage, [mails.ids[3]])
    for rounds in (1, 2):
        other = mails.loop(storage=storage, name="other")
        other.run(mails.X, ids=mails.ids, rounds=rounds)
        other.close()


def test_erased_items_are_trained_on_no_more_and_their_evidence_stays(mails, storage):
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, budget=300)
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
        loop.run(mails.X, ids=mails.ids, budget=320)
    assert loop.n_labels >= n_labels
    assert not {label.id for label in loop.labels} & {*audited, *trained}
    assert np.intersect1d(loop.trained_rows, [mails.ids.index(i) for i in trained]).size == 0
    expected = mails.told(loop)
    loop.close()
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == expected
    assert check(storage).ok
    resumed.close()


def test_an_item_erased_while_a_refit_waits_to_be_written_takes_no_round_with_it(mails, storage):
    def erases(loop):
        if len(loop.history) == 3 and not gone:
            gone.append(next(label.id for label in loop.labels if label.source == "training"))
            erase(storage, gone)
        return len(loop.history) == 3

    gone = []
    loop = mails.loop(storage=storage)
    history = loop.run(mails.X, ids=mails.ids, until=erases)
    loop.close()
    with pytest.warns(UserWarning, match="erased"):
        resumed = mails.resumed(storage)
    assert list(resumed.history) == list(history)
    assert len(history) == 3
    resumed.close()
    assert check(storage).ok


@pytest.mark.parametrize("when", ["the refit waits", "the strategy chooses", "the labeler thinks"])
@pytest.mark.filterwarnings("ignore:the model in use")
def test_an_item_that_was_erased_before_it_was_asked_about_is_not_learned_from(mails, storage, when):
    in_memory = mails.loop()
    in_memory.run(mails.X, ids=mails.ids, rounds=3)
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
        return mails.knows(queries)

    def waits(loop):
        erases("the refit waits")
        return False

    settings = {"strategy": chooses} if when == "the strategy chooses" else {}
    loop = mails.loop(answers, storage=storage, **settings)
    loop.run(mails.X, ids=mails.ids, rounds=6, until=waits)
    assert len(loop.history) == 6
    assert (set(gone) & set(asked) == set()) is (when == "the refit waits") or settings
    rows = {row for row in range(len(mails.X)) if loop._pool.is_erased(row)}
    assert len(rows) == 4
    assert not rows & set(loop.trained_rows.tolist())
    assert not any(query.id.startswith("erased") for query in loop.ask())
    resumed = mails.resumed(storage, **settings)
    assert mails.told(resumed)[:3] == mails.told(loop)[:3]
    resumed.close()
    loop.close()
    assert check(storage).ok


@pytest.mark.parametrize("everything", [True, False])
def test_a_loop_goes_on_where_too_little_is_left_of_what_its_model_was_trained_on(mails, storage, everything):
    loop = mails.loop(storage=storage, batch_size=5)
    loop.run(mails.X, ids=mails.ids, rounds=4)
    trained = [label for label in loop.labels if label.source == "training"]
    loop.close()
    erase(storage, [label.id for label in trained if everything or label.label == "spam"])
    with pytest.warns(UserWarning, match="goes on without one"):
        resumed = mails.resumed(storage)
    assert not resumed._model.is_fitted
    assert len(resumed.history) == 4
    resumed.run(rounds=8)
    assert resumed._model.is_fitted
    expected = mails.told(resumed)
    resumed.close()
    again = mails.resumed(storage)
    assert mails.told(again) == expected
    again.close()
    assert check(storage).ok


def test_a_candidate_that_is_tested_anew_says_what_it_was_trained_on(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, budget=300)
    before = loop._certifying.trial.present
    erase(storage, [label.id for label in loop.labels if label.source == "training"][:3])
    loop.close()
    with pytest.warns(UserWarning, match="items that it was trained on were erased"):
        resumed = mails.resumed(storage)
    now = resumed._certifying.trial.present
    assert (now.round, now.n_trained) == (before.round, before.n_trained - 3)
    resumed.close()
    assert check(storage).ok


def test_a_certificate_ends_where_its_model_cant_be_fitted_again(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, budget=300)
    assert loop.certified_review_rate < 1
    spam = [label.id for label in loop.labels if label.source == "training" and label.label == "spam"]
    loop.close()
    erase(storage, spam)
    with pytest.warns(UserWarning, match="items that it was trained on were erased"):
        resumed = mails.resumed(storage)
    assert resumed.certified_review_rate == 1
    resumed.close()


def test_an_answer_about_an_erased_item_is_not_taken_back_and_asked_again(mails, storage):
    loop = mails.loop(None, storage=storage)
    loop.add(mails.X, ids=mails.ids)
    loop.ask()
    with loop._journal.holding():
        loop._journal.open_desks()
    with Desk(storage, by="ann") as ann, Desk(storage, by="bob") as bob:
        query = ann.ask()[0]
        ann.tell({query.token: "spam"})
        erase(storage, [query.id])
        with pytest.raises(InvalidInput, match="erased"):
            ann.undo(query.token)
        assert not [other.id for other in bob.ask(20) if other.id not in mails.ids]
    loop.close()


def test_a_label_that_existed_is_erased_by_the_id_that_it_came_with(mails, storage):
    ids = [f"known {i}" for i in range(40)]
    loop = mails.loop(storage=storage)
    labels = [mails.truth[name] for name in mails.ids[:40]]
    loop.run(mails.X[40:], ids=mails.ids[40:], labeled=(mails.X[:40], labels, ids), budget=20)
    loop.close()
    assert erase(storage, ids[:3]).n_items == 3
    with pytest.warns(UserWarning, match="items that it was trained on were erased"):
        resumed = mails.resumed(storage)
    assert len(resumed._pool.rows(Place.OUTSIDE)) == 37
    resumed.run(budget=40)
    resumed.close()
    assert erase(storage, ids[:3]).n_already == 3
    assert check(storage).ok
