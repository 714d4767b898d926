"""A run by people at desks: whoever answers, the questions are those of a quiet run; nobody waits."""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from bootstrap import SKIP, BootstrapLoop
from bootstrap.desk_driver import DeskDriver, wait_for
from bootstrap.errors import InvalidInput
from bootstrap.loading import load_loop
from bootstrap.stopping import TimeSpent
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.traps import add_traps
from bootstrap.store.upkeep.checking import check

X, y = make_classification(300, 6, n_informative=4, class_sep=1.6, random_state=3)
IDS = [f"item {i}" for i in range(len(X))]
TRUTH = dict(zip(IDS, np.where(y == 1, "spam", "ham").tolist(), strict=True))


def knows(queries):
    return [TRUTH[query.id] for query in queries]


def a_loop(labeler=None, **settings):
    chosen = {"strategy": "margin", "batch_size": 10, "random_state": 5, "target_accuracy": 0.8}
    return BootstrapLoop(LogisticRegression(), labeler, **(chosen | settings))


class People:
    """Answers in the pauses of a driver, a few queries at a time, one person after the other."""

    def __init__(self, storage, names=("ann", "bob"), each=3, answer=knows):
        self.desks = [Desk(storage, name) for name in names]
        self.each, self.answer = each, answer
        self.pauses = 0
        self.asked = []

    def __call__(self, seconds):
        desk = self.desks[self.pauses % len(self.desks)]
        self.pauses += 1
        assert self.pauses < 2000, "nothing comes any more"
        queries = desk.ask(self.each)
        self.asked += [query.id for query in queries]
        if queries:
            answers = self.answer(queries)
            desk.tell({query.token: label for query, label in zip(queries, answers, strict=True)})

    def go_home(self):
        for desk in self.desks:
            desk.close()


def drive(loop, people, *, queue_ahead, budget=None, rounds=None, until=None, callbacks=()):
    driver = DeskDriver(
        loop._journal,
        loop.settings.batch_size,
        queue_ahead,
        budget=budget,
        rounds=rounds,
        until=until,
        callbacks=callbacks,
        sleep=people,
    )
    with loop._journal.holding():
        return driver.run(loop)


@pytest.mark.parametrize("settings", [{}, {"asked_twice": 0.5}], ids=["once", "some twice"])
def test_with_nothing_ahead_the_history_is_that_of_a_quiet_run(storage, settings):
    quiet = a_loop(knows, **settings)
    quiet.run(X, ids=IDS, rounds=8)
    loop = a_loop(storage=storage, **settings)
    loop.add(X, ids=IDS)
    people = People(storage)
    assert drive(loop, people, queue_ahead=0, rounds=8) == "8 of 8 rounds done"
    assert list(loop.history) == list(quiet.history)
    assert {label.id: label.label for label in loop.labels} == {
        label.id: label.label for label in quiet.labels
    }
    assert len(set(people.asked)) == len({label.id for label in loop.labels})
    people.go_home()
    loop.close()
    assert check(storage).ok


def test_queries_stay_open_beside_those_in_hand_and_what_nobody_took_is_ranked_anew(storage):
    loop = a_loop(storage=storage)
    loop.add(X, ids=IDS)
    people, waiting = People(storage, each=2), []

    def look(seconds):
        waiting.append(loop._journal.progress().n_training)
        people(seconds)

    assert drive(loop, look, queue_ahead=10, budget=120) == "120 of 120 labels spent"
    assert min(waiting[:-20]) >= 10
    assert loop.n_labels == 120
    assert len(set(people.asked)) == 120
    spent = [row.n_trained for row in loop.history]
    assert all(10 <= b - a <= 12 for a, b in pairwise(spent[:-2]))
    with loop._journal.database.reading() as connection:
        withdrawn = connection.exec_driver_sql("SELECT count(*) FROM queries WHERE state = 'withdrawn'")
        assert withdrawn.scalar() > 50
    people.go_home()
    expected = list(loop.history)
    loop.close()
    resumed = load_loop(storage=storage, estimator=LogisticRegression())
    assert list(resumed.history) == expected
    assert check(storage).ok
    resumed.close()


@pytest.mark.parametrize("queue_ahead", [0, 10])
def test_answers_that_come_while_a_run_begins_are_learned_from_before_more_is_asked(storage, queue_ahead):
    quiet = a_loop(knows)
    quiet.run(X, ids=IDS, rounds=3)
    loop = a_loop(storage=storage)
    loop.add(X, ids=IDS)
    loop.ask()
    loop._journal.open_desks()
    people = People(storage, names=["ann"], each=100)
    look = loop._journal.progress

    def progress():
        if not people.pauses:
            people(0)  # answers all that waits between two steps of the run
        return look()

    loop._journal.progress = progress
    drive(loop, people, queue_ahead=queue_ahead, rounds=3)
    assert loop.history[0] == quiet.history[0]
    if not queue_ahead:
        assert list(loop.history) == list(quiet.history)
    people.go_home()
    loop.close()


def test_audits_are_no_more_than_planned_though_queries_are_taken_back(storage):
    loop = a_loop(storage=storage, audit_share=0.2)
    loop.add(X, ids=IDS)
    people = People(storage, each=2)
    drive(loop, people, queue_ahead=10, rounds=8)
    people.go_home()
    trained, audited = loop.history[-1].n_trained, loop.history[-1].n_audited
    assert 0.1 * trained <= audited <= 0.2 * (trained + 20)
    loop.close()


def test_somebody_who_cannot_tell_holds_nothing_up(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage)
    loop.add(X, ids=IDS)
    people = People(storage, names=["ann"], answer=lambda queries: [SKIP for _ in queries])
    until = lambda loop: len(loop.history) > 0 and loop.history[-1].n_skipped >= 20  # noqa: E731
    drive(loop, people, queue_ahead=0, until=until)
    assert loop.history[-1].n_labels == 0
    people.go_home()
    loop.close()


def test_two_people_for_each_query_and_their_costs_are_counted(storage):
    loop = a_loop(storage=storage, overlap=2)
    loop.add(X, ids=IDS)
    people = People(storage, names=["ann", "bob", "eve"])
    drive(loop, people, queue_ahead=0, rounds=3)
    last = loop.history[-1]
    assert last.n_labels == 2 * (last.n_trained + last.n_audited)
    assert sorted(set(map(people.asked.count, people.asked))) == [2]
    people.go_home()
    loop.close()


@pytest.mark.parametrize(
    ("overlap", "queue_ahead", "budget"), [(1, 20, 47), (2, 0, 30), (2, 15, 41), (3, 5, 40)]
)
def test_the_budget_holds_with_all_that_is_in_hand(tmp_path, overlap, queue_ahead, budget):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage, overlap=overlap)
    loop.add(X, ids=IDS)
    people = People(storage, names=["ann", "bob", "eve", "joe"], each=7)
    assert drive(loop, people, queue_ahead=queue_ahead, budget=budget).endswith(f"of {budget} labels spent")
    for _ in range(8):  # what is in somebody's hands still comes
        people(0.0)
    loop.take_saved()
    assert budget <= loop.n_labels < budget + overlap
    people.go_home()
    loop.close()


def test_a_run_says_that_another_person_is_missing(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage, overlap=2)
    loop.add(X, ids=IDS)
    ann, bob = People(storage, names=["ann"]), People(storage, names=["bob"])

    def alone(seconds):
        ann(seconds)
        if ann.pauses > 100:
            bob(seconds)

    with pytest.warns(UserWarning, match=r"another person: all \d+ open queries .*overlap=2") as warned:
        drive(loop, alone, queue_ahead=0, rounds=2)
    assert len(warned) == 1
    assert ann.pauses > 100
    for people in (ann, bob):
        people.go_home()
    loop.close()


def test_traps_never_reach_the_loop(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage, classes=["ham", "spam"])
    loop.add(X, ids=IDS)
    loop.ask()
    with loop._journal.holding():
        loop._journal.open_desks()  # traps go among what waits for people
    add_traps(storage, "default", {item: TRUTH[item] for item in IDS[:10]}, rng=np.random.default_rng(0))
    quiet = a_loop(knows, classes=["ham", "spam"])
    quiet.run(X, ids=IDS, rounds=3)
    people = People(storage)
    drive(loop, people, queue_ahead=0, rounds=3)
    assert list(loop.history) == list(quiet.history)
    people.go_home()
    loop.close()


def test_a_run_that_stops_for_time_keeps_what_came(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage)
    loop.add(X, ids=IDS)
    now = [0.0]

    def nobody(seconds):
        now[0] += 30

    reason = drive(loop, nobody, queue_ahead=None or 0, until=TimeSpent(60, clock=lambda: now[0]))
    assert "60" in reason
    assert loop.n_labels == 0
    loop.close()


def test_labels_that_came_while_the_trainer_was_down_are_taken(storage):
    loop = a_loop(storage=storage)
    loop.add(X, ids=IDS)
    people = People(storage)

    class Killed(BaseException):
        pass

    def dies(seconds):
        people(seconds)
        if people.pauses == 2:
            raise Killed

    with pytest.raises(Killed):
        drive(loop, dies, queue_ahead=0, rounds=4)
    loop.close()
    people(0)
    resumed = a_loop(storage=storage)
    assert resumed.wait(new_labels=5, timeout=0) == 9
    drive(resumed, people, queue_ahead=0, rounds=4)
    quiet = a_loop(knows)
    quiet.run(X, ids=IDS, rounds=4)
    assert list(resumed.history) == list(quiet.history)
    people.go_home()
    resumed.close()


def test_a_labeler_in_this_process_takes_over_from_the_desks(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = a_loop(storage=storage)
    loop.add(X, ids=IDS)
    people = People(storage)
    drive(loop, people, queue_ahead=0, rounds=2)
    ann = Desk(storage, "ann")
    loop.labeler = knows
    loop.run(rounds=4)
    assert ann.ask(5) == []
    loop.labeler = None
    drive(loop, people, queue_ahead=0, rounds=6)
    quiet = a_loop(knows)
    quiet.run(X, ids=IDS, rounds=6)
    assert list(loop.history) == list(quiet.history)
    for desk in (ann, people):
        desk.close() if isinstance(desk, Desk) else desk.go_home()
    loop.close()


def test_run_waits_for_people_in_other_threads(storage):
    loop = a_loop(storage=storage, queue_ahead=0)
    done = threading.Event()

    def work():
        with Desk(storage, "ann") as desk:
            desk.run(knows, until=done.is_set, poll_seconds=(0.01, 0.05))

    ann = threading.Thread(target=work)
    ann.start()
    seen = []
    try:
        history = loop.run(X, ids=IDS, rounds=3, callbacks=[lambda _, row: seen.append(row.round)])
    finally:
        done.set()
        ann.join()
    assert seen == [1, 2, 3]
    assert history.stop_reason == "3 of 3 rounds done"
    loop.close()


def test_what_can_not_work_is_refused_before_anything_is_asked(tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    with pytest.raises(InvalidInput, match="queue_ahead"):
        a_loop(storage=storage, queue_ahead=-1)
    with pytest.raises(InvalidInput, match="overlap"):
        a_loop(storage=storage, overlap=0)
    with pytest.raises(InvalidInput, match="people at desks"):
        a_loop(knows, storage=storage, overlap=2)
    with pytest.raises(InvalidInput, match="storage="):
        a_loop().run(X)
    with pytest.raises(InvalidInput, match="storage"):
        a_loop().wait()
    assert not (tmp_path / "labels.db").exists()
    loop = a_loop(storage=storage)
    with pytest.raises(InvalidInput, match="callback"):
        loop.run(X, callbacks=["no function"])
    with pytest.raises(InvalidInput, match="new_labels"):
        loop.wait(new_labels=0)
    with pytest.raises(InvalidInput, match="timeout"):
        loop.wait(timeout=-1)
    loop.close()


def test_waiting_looks_less_and_less_often_and_at_once_again_when_something_came():
    came, pauses, now = iter([0, 0, 0, 0, 1, 1, 3]), [], [0.0]

    def sleep(seconds):
        pauses.append(seconds)
        now[0] += seconds

    assert wait_for(lambda: next(came), 2, None, clock=lambda: now[0], sleep=sleep) == 3
    assert pauses[0] < pauses[1] < pauses[2] < pauses[3]
    assert pauses[4] == pauses[0]
    assert wait_for(lambda: 0, 1, 5.0, clock=lambda: now[0], sleep=sleep) == 0
    assert sum(pauses[6:]) == pytest.approx(5.0)
