"""A loop whose classes are changed on the way: labels mapped, split ones asked again, certificates anew."""

from __future__ import annotations

import dataclasses
from contextlib import closing

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from bootstrap import SKIP, BootstrapLoop
from bootstrap.errors import NotReady, StoreError, StoreInUse
from bootstrap.loading import load_loop
from bootstrap.store.class_lists import change_classes
from bootstrap.store.upkeep.checking import check

X, y = make_classification(
    600, 8, n_informative=6, n_classes=4, n_clusters_per_class=1, class_sep=2.5, random_state=3
)
IDS = [f"item {i}" for i in range(len(X))]
BEFORE = dict(zip(IDS, np.array(["ham", "spam", "junk", "misc"])[y].tolist(), strict=True))
NOW = {"ham": "ok", "spam": "bad", "junk": "bad"}
PARTS = dict(zip(IDS, np.where(X[:, 1] > np.median(X[y == 3, 1]), "shop", "news").tolist(), strict=True))
AFTER = {name: NOW.get(label, PARTS[name]) for name, label in BEFORE.items()}
CHANGE = {"rename": {"ham": "ok"}, "merge": {"bad": ["spam", "junk"]}, "split": {"misc": ["shop", "news"]}}


class People:
    """Answer by one version of the classes, and take down what they were asked."""

    def __init__(self, truth):
        self.truth = truth
        self.asked = []

    def __call__(self, queries):
        self.asked += queries
        return [self.truth[query.id] for query in queries]


def a_loop(storage, labeler, **settings):
    chosen = {"strategy": "margin", "batch_size": 10, "random_state": 5, "target_accuracy": 0.8}
    return BootstrapLoop(LogisticRegression(max_iter=1000), labeler, storage=storage, **(chosen | settings))


def again(storage, labeler=None):
    return load_loop(storage=storage, estimator=LogisticRegression(max_iter=1000), labeler=labeler)


def told(loop):
    return (
        list(loop.history),
        [dataclasses.replace(label, at=0.0) for label in loop.labels],
        [certificate.to_dict() for certificate in loop.certificates],
        str(loop.verdict()),
        loop.classes,
    )


def standing(loop):
    loop._journal.look()
    return {loop._pool.id(row): label for row, label in loop._exchange.labels.standing()}


@pytest.mark.parametrize("classes", [None, ["ham", "spam", "junk", "misc"]], ids=["open", "fixed"])
def test_a_changed_loop_asks_split_items_again_and_certifies_for_the_new_version(storage, classes):
    loop = a_loop(storage, People(BEFORE), classes=classes)
    loop.run(X, ids=IDS, budget=200)
    first = loop.certificates
    split = {name for name, label in standing(loop).items() if label == "misc"}
    kept = {name: NOW[label] for name, label in standing(loop).items() if label != "misc"}
    assert loop.certified_review_rate < 1
    assert {certificate.class_version for certificate in first} == {1}
    assert "version" not in str(first[-1])

    assert change_classes(storage, **CHANGE).version == 2
    assert standing(loop) == kept
    assert loop.certified_review_rate == 1
    with pytest.raises(NotReady, match="nothing is certified"):
        loop.certified_model()
    assert "the classes were changed (version 2)" in str(loop.verdict())
    assert set(loop.classes) == set(AFTER.values())
    assert set(loop.predict(X)) == {"ok", "bad"}  # by what stands, in the open list as in the fixed one
    loop.close()

    people = People(AFTER)
    loop = again(storage, people)
    loop.run()
    asked = [query.id for query in people.asked]
    assert {*asked} & {*kept} == set()
    assert {*asked} >= split
    assert len(asked) == len({*asked})
    assert {query.classes for query in people.asked} == {loop.classes}
    assert standing(loop).items() <= AFTER.items()
    assert [label.label for label in loop.labels[:200]] == [BEFORE[label.id] for label in loop.labels[:200]]
    assert {label.class_version for label in loop.labels[:200]} == {1}
    assert loop.certificates[: len(first)] == first
    assert {certificate.class_version for certificate in loop.certificates[len(first) :]} == {2}
    assert min(c.n_trained for c in loop.certificates[len(first) :]) < 160  # fitted before: 100, not 200
    assert "It is about version 2 of the classes." in str(loop.certificates[-1])
    assert loop.certified_review_rate < 1
    assert set(loop.learner.classes_.tolist()) == set(loop.classes)
    expected, probabilities = told(loop), loop.predict_proba(X)
    loop.close()

    with closing(again(storage)) as resumed:
        assert told(resumed) == expected
        np.testing.assert_array_equal(resumed.predict_proba(X), probabilities)
    assert check(storage).ok


def test_a_loop_that_lives_through_the_change_and_a_resumed_one_are_the_same(tmp_path):
    tales = []
    for closes in (False, True):
        storage = f"sqlite:///{tmp_path / f'{closes}.db'}"
        loop = a_loop(storage, People(BEFORE), random_share=0.2, asked_twice=0.3)
        loop.run(X[:400], ids=IDS[:400], rounds=18)
        waiting = loop.ask()
        for change in ({"rename": {"ham": "ok"}}, {"split": {"misc": ["shop", "news"]}}):
            change_classes(storage, **change)
        change_classes(storage, merge={"bad": ["spam", "junk"]})
        if closes:
            loop.close()
            loop = again(storage)
        assert [query.token for query in loop.ask()] == [query.token for query in waiting]
        assert {query.classes for query in loop.ask()} == {loop.classes}
        loop.labeler = People(AFTER)
        older = len(loop._certifying.trial.candidates)
        loop.run(rounds=22)
        loop.add(X[400:], ids=IDS[400:])
        loop.run(rounds=45)
        known = [len(c.predictions.rows) for c in loop._certifying.trial.candidates]
        assert max(known[:older]) < known[-1]  # nobody asks the older ones what they say of new items
        assert {certificate.class_version for certificate in loop.certificates} == {1, 4}
        tales.append(told(loop))
        loop.close()
        with closing(again(storage)) as resumed:
            assert told(resumed) == tales[-1]
    assert tales[0] == tales[1]


def test_audits_asked_again_are_no_evidence_and_nothing_is_measured_until_they_are_in(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    people = People(BEFORE)
    loop = a_loop(storage, people, audit_share=0.5)
    loop.run(X, ids=IDS, rounds=15)
    audited = {label.id for label in loop.labels if label.source == "audit"}
    split = {name for name in audited if BEFORE[name] == "misc"}
    assert len(split) > 10
    change_classes(storage, **CHANGE)
    loop.labeler = people = People(AFTER)
    n_asked = 0
    while n_asked < len(split):
        loop.run(rounds=len(loop.history) + 1)
        n_asked = len(split & {query.id for query in people.asked})
        assert (loop.history[-1].accuracy is None) == (n_asked < len(split))
    loop.run(rounds=len(loop.history) + 8)
    fresh = {label.id for label in loop.labels if label.source == "audit"} - audited
    assert loop._certifying.trial.present.rungs[0].n_audited == len(fresh)
    assert len(loop._running._outcomes) == len(fresh)
    loop.close()


def test_what_was_said_before_a_change_and_not_taken_is_mapped_or_asked_again(storage):
    people = People(BEFORE)
    loop = a_loop(storage, people)
    loop.add(X, ids=IDS)
    queries = loop.ask()
    saving = loop.saving("ann")
    saving.save([(query, BEFORE[query.id]) for query in queries[:-1]])
    saving.save([(queries[-1], SKIP)])
    change_classes(storage, **CHANGE)
    loop.take_saved()
    answered = {query.id: NOW.get(BEFORE[query.id]) for query in queries[:-1]}
    assert standing(loop) == {name: label for name, label in answered.items() if label is not None}
    assert None in answered.values()
    assert loop.ask() != queries
    split = next(name for name, label in answered.items() if label is None)
    saving = loop.saving("ann")
    saving.save([(query, PARTS[split]) for query in queries if query.id == split])
    loop.take_saved()
    assert standing(loop)[split] == PARTS[split]
    loop.close()
    assert check(storage).ok


def test_second_answers_of_a_split_class_are_asked_for_once_more(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage, None, audit_share=1.0, asked_twice=1.0)
    loop.add(X, ids=IDS)
    loop.tell({query.id: BEFORE[query.id] for query in loop.ask()})
    pairs = loop.ask_second()
    one, other, late = [query for query in pairs if BEFORE[query.id] != "misc"][:3]
    rest = [query for query in pairs if query not in (one, other, late)]
    loop.tell_second({one.id: "misc", **{query.id: BEFORE[query.id] for query in rest}})
    loop.saving("ann").save([(other, "misc")])
    assert loop._certifying.people().n_twice > 0
    change_classes(storage, split={"misc": ["shop", "news"]})
    loop.take_saved()
    assert loop._certifying.people().n_twice == 0
    wanted = {query.id: query for query in loop.ask_second()}
    assert {*wanted} == {one.id, other.id, late.id}
    assert wanted[one.id].token != one.token
    assert wanted[late.id].token == late.token
    loop.tell_second({query.id: BEFORE[query.id] for query in wanted.values()})
    assert loop.ask_second() == []
    assert loop._certifying.people().n_twice == 2  # of the first, nobody knew what it would be
    loop.close()
    assert check(storage).ok


def test_labels_from_outside_of_a_split_class_are_trained_on_no_more(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage, None, held_out=0, audit_share=0)
    loop.add(X[100:], ids=IDS[100:])
    with loop._journal.step(answers=True):
        loop._add_outside(X[:40], [BEFORE[name] for name in IDS[:40]])
    change_classes(storage, **CHANGE)
    loop.take_saved()
    rows, _ = loop._exchange.training()
    assert len(rows) == 40 - sum(BEFORE[name] == "misc" for name in IDS[:40])
    assert {query.id for query in loop.ask()} <= {*IDS[100:]}
    loop.close()


def test_a_script_names_the_latest_classes_to_go_on(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    a_loop(storage, None, classes=["a", "b"]).close()
    change_classes(storage, add=["c"])
    with pytest.raises(StoreError, match=r"classes is \['a', 'b', 'c'\] there"):
        a_loop(storage, None, classes=["a", "b"])
    for latest in (["a", "b", "c"], None):  # None: whatever the store has
        with closing(a_loop(storage, None, classes=latest)) as loop:
            assert loop.classes == ("a", "b", "c")
            assert not loop._classes.is_open


def test_a_trainer_at_work_keeps_its_classes(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    refused = []

    def callback(loop, round_):
        with pytest.raises(StoreInUse):
            change_classes(storage, **CHANGE)
        refused.append(round_.round)

    with closing(a_loop(storage, People(BEFORE))) as loop:
        loop.run(X, ids=IDS, rounds=2, callbacks=[callback])
    assert refused == [1, 2]


def test_a_split_item_that_is_drawn_again_is_evidence_for_no_later_candidate(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage, People(BEFORE), random_share=1.0, audit_share=0.2)
    loop.add(X, ids=IDS)
    loop.add_labels(IDS[:60], [BEFORE[name] for name in IDS[:60]])  # not by any candidate's audits
    change_classes(storage, **CHANGE)
    loop.labeler = People(AFTER)
    loop.run(rounds=30)
    trial = loop._certifying.trial
    asked = [place for place, one in enumerate(trial._arrivals) if loop._certifying.is_apart(one.row)]
    assert asked  # asked for again, in a random turn that came before its time
    assert not any(trial._counts(candidate, place) for candidate in trial.candidates for place in asked)
    loop.close()
