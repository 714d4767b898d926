"""Steps that fail, wait or collide: threads, a write that fails, a refit not written yet, a lost lock."""

from __future__ import annotations

import threading

import pytest
from modAL.uncertainty import uncertainty_sampling
from sqlalchemy import event

from bootstrap import each
from bootstrap.errors import StoreError, StoreInUse
from bootstrap.store.database import Database
from bootstrap.store.upkeep.checking import check

pytestmark = pytest.mark.filterwarnings("ignore:no model was fitted")


def test_threads_that_tell_at_once_lose_nothing(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(None, storage=storage, batch_size=40)
    loop.add(mails.X, ids=mails.ids)
    queries = loop.ask()

    def work(k):
        for query in queries[k::3]:
            loop.tell({query.token: mails.truth[query.id]})

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    loop.close()
    resumed = mails.resumed(storage, labeler=None)
    assert resumed.n_labels == len(queries)
    resumed.close()


def test_a_failed_write_leaves_the_store_right_and_memory_follows_it(mails, tmp_path, monkeypatch):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(None, storage=storage)
    loop.add(mails.X, ids=mails.ids)
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
    assert mails.tokens(loop.ask()) == mails.tokens(queries)
    assert loop.tell({queries[0].id: "spam"}).kept == 1
    loop.close()


def test_a_refit_within_a_run_is_written_with_the_next_questions(mails, tmp_path):
    storage = f"sqlite:///{tmp_path / 'labels.db'}"
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, rounds=1)
    commits = []
    event.listen(loop._journal.database.engine, "commit", commits.append)
    loop.run(rounds=5)
    assert 2 * 4 <= len(commits) <= 2 * 4 + 2  # the questions, the answers; what is left in the end
    loop.close()
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == mails.told(loop)
    resumed.close()


def test_a_refit_that_was_not_written_yet_is_done_again(mails, storage):
    def breaks(learner, pool, n_instances=1):
        if len(loop.history) == 3 and not broken:
            broken.append(True)
            raise OSError("out of memory")
        return uncertainty_sampling(learner, pool, n_instances=n_instances)

    broken = []
    in_memory = mails.loop(strategy=uncertainty_sampling)
    in_memory.run(mails.X, ids=mails.ids, rounds=6)
    loop = mails.loop(storage=storage, strategy=breaks)
    with pytest.raises(OSError, match="out of memory"):
        loop.run(mails.X, ids=mails.ids, rounds=6)
    loop.run(rounds=6)
    assert list(loop.history) == list(in_memory.history)
    loop.close()
    assert check(storage).ok


def test_labels_given_while_a_refit_waits_to_be_written_come_after_it(mails, storage):
    def gives(loop):
        if len(loop.history) == 3 and not given:
            given.append(loop.add_labels([mails.ids[-1]], [mails.truth[mails.ids[-1]]]))
        return False

    given = []
    in_memory = mails.loop()
    in_memory.run(mails.X, ids=mails.ids, rounds=5, until=gives)
    given.clear()
    loop = mails.loop(storage=storage)
    loop.run(mails.X, ids=mails.ids, rounds=5, until=gives)
    assert mails.told(loop) == mails.told(in_memory)
    loop.close()
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == mails.told(in_memory)
    resumed.close()


def test_connections_that_break_in_the_middle_of_an_answer_lose_nothing_and_not_the_lock(
    mails, postgres_storage
):
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
        return mails.truth[query.id]

    loop = mails.loop(each(answer), storage=postgres_storage)
    other = mails.resumed(postgres_storage)

    def callback(*_):
        with pytest.raises(StoreInUse):
            other.refit()

    loop.run(mails.X, ids=mails.ids, rounds=5, callbacks=[callback])
    in_memory = mails.loop()
    in_memory.run(mails.X, ids=mails.ids, rounds=5)
    assert list(loop.history) == list(in_memory.history)
    assert len(asked) == len(set(asked))
    loop.close()
    other.close()
    assert check(postgres_storage).ok


@pytest.mark.parametrize("how", ["before the strategy", "by a budget"])
def test_a_round_that_left_queries_open_is_over_whatever_comes_after_it(mails, storage, how):
    def breaks(learner, pool, n_instances=1):
        if len(loop.history) == 3 and not broken:
            broken.append(True)
            raise OSError("out of memory")
        return uncertainty_sampling(learner, pool, n_instances=n_instances)

    def answers_some(queries):
        return {query.id: mails.truth[query.id] for query in queries[:-3]}

    broken = []
    runs = {"before the strategy": {"rounds": 6}, "by a budget": {"budget": 60}}[how]
    loop = in_memory = mails.loop(answers_some, strategy=breaks)
    with pytest.raises(OSError, match="out of memory"):
        in_memory.run(mails.X, ids=mails.ids, **runs)
    in_memory.run(**runs)
    broken.clear()
    loop = mails.loop(answers_some, storage=storage, strategy=breaks)
    with pytest.raises(OSError, match="out of memory"):
        loop.run(mails.X, ids=mails.ids, **runs)
    assert len(loop.history) == 3
    loop.run(**runs)
    assert mails.told(loop) == mails.told(in_memory)
    loop.close()


@pytest.mark.parametrize("done", ["nothing", "another round", "labels"])
@pytest.mark.parametrize("ends", [True, False])
def test_a_lock_that_is_lost_while_a_refit_waits_costs_no_round(mails, storage, done, ends):
    def loses(loop):
        if len(loop.history) == 3 and not lost:
            lost.append(True)
            loop._journal._lock.close()
            if done != "nothing":
                other = mails.resumed(storage)
                if done == "labels":
                    other.add_labels(mails.ids[-2:], [mails.truth[i] for i in mails.ids[-2:]])
                else:
                    other.run(rounds=4)
                other.close()
        return ends and len(loop.history) == 3

    lost = []
    loop = mails.loop(storage=storage)
    if done == "nothing":
        assert len(loop.run(mails.X, ids=mails.ids, rounds=6, until=loses)) == (3 if ends else 6)
    else:
        with pytest.raises(StoreInUse, match="Run it again"):
            loop.run(mails.X, ids=mails.ids, rounds=6, until=loses)
    loop.run(rounds=6)
    history = list(loop.history)
    assert [row.round for row in history] == [1, 2, 3, 4, 5, 6]
    resumed = mails.resumed(storage)
    assert mails.told(resumed) == mails.told(loop)
    if done != "labels":
        in_memory = mails.loop()
        assert history == list(in_memory.run(mails.X, ids=mails.ids, rounds=6))
    resumed.close()
    loop.close()
    assert check(storage).ok


def test_second_answers_wait_for_the_batch_that_a_failure_has_cut(mails, storage):
    def fails_once(queries):
        for i, query in enumerate(queries):
            if i == 8 and not failed:
                failed.append(True)
                raise OSError("gone")
            yield mails.truth[query.id]

    failed = [True]
    settings = {"asked_twice": 1.0, "audit_share": 1.0}
    in_memory = mails.loop(fails_once, **settings)
    in_memory.run(mails.X, ids=mails.ids, rounds=4)
    failed.clear()
    loop = mails.loop(fails_once, storage=storage, **settings)
    with pytest.raises(OSError, match="gone"):
        loop.run(mails.X, ids=mails.ids, rounds=4)
    loop.run(rounds=4)
    assert mails.told(loop) == mails.told(in_memory)
    loop.close()
