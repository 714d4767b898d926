from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, update

from bootstrap.content import content_id
from bootstrap.errors import InvalidInput
from bootstrap.records import SKIP
from bootstrap.store import trail
from bootstrap.store.answers import LabelRow, add_labels
from bootstrap.store.covered import rows_of
from bootstrap.store.database import Database
from bootstrap.store.features import read_features, read_rows
from bootstrap.store.loops.loop_record import LoopRecord, Member, Published
from bootstrap.store.schema import aliases, blocks, items, labels, members, queries, slots
from bootstrap.store.schema import trail as entries
from bootstrap.store.upkeep.erasing import Erasable, Erased, erase, prune, to_erase, to_prune

DAY = 86400.0


class Clock:
    def __init__(self) -> None:
        self.time = 1000 * DAY

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(storage: str, clock: Clock) -> Iterator[Database]:
    database = Database(storage, clock=clock)
    yield database
    database.close()


def begin(
    database: Database,
    texts: Sequence[str],
    *,
    name: str = "default",
    X: Any = None,
    copies: Sequence[tuple[str, int]] = (),
) -> LoopRecord:
    """A loop with these texts, whose ids are `id of <text>`."""
    with database.writing() as connection:
        at = database.time(connection)
        loop = LoopRecord.begin(connection, at, name, settings={}, entropy=7, key=b"k", classes=None)
        new = [Member(row, f"id of {text}", content_id(text), 0, 0.5, text) for row, text in enumerate(texts)]
        loop.add_members(connection, at, new, X, copies)
    return loop


numbers = itertools.count()


def ask(database: Database, loop: LoopRecord, rows: Sequence[int]) -> None:
    asked = [Published(row, f"t{next(numbers)}", "training", 0, i, 1, 1.0) for i, row in enumerate(rows)]
    with database.writing() as connection:
        loop.publish(connection, database.time(connection), asked, {}, overlap=1, to_desks=True)


def answer(
    database: Database,
    loop: LoopRecord,
    row: int,
    label: Any,
    reason: str | None = None,
    stands: bool = True,
    undoes: int | None = None,
) -> None:
    with database.writing() as connection:
        item = loop.items_of(connection, [row])[row]
        said = LabelRow(
            loop.id, item, row, label, "given", "ann", 1, stands=stands, reason=reason, undoes=undoes
        )
        add_labels(connection, [said], database.time(connection))
        connection.execute(update(queries).where(queries.c.item_id == item).values(state="settled"))


def entries_that_do_not_verify(database: Database) -> list[int]:
    """Numbers of entries whose hash, or whose digest of the rows they speak of, is another one now."""
    wrong, before = [], "0" * 64
    with database.reading() as connection:
        for entry in connection.execute(select(entries).order_by(entries.c.seq)).all():
            covered = rows_of(connection, entry.kind, json.loads(entry.body), entry.loop_id)
            said = (entry.seq, entry.loop_id, entry.kind, entry.body, trail.digest(covered), entry.at)
            if trail.entry_hash(before, *said) != entry.hash:
                wrong.append(entry.seq)
            before = entry.hash
    return wrong


def everything(database: Database) -> str:
    """All that is in the tables, as text."""
    with database.reading() as connection:
        tables = [items, members, aliases, blocks, labels, queries, entries]
        return "".join(repr([tuple(row) for row in connection.execute(select(table))]) for table in tables)


def test_nothing_of_an_erased_item_is_left_and_the_trail_still_verifies(store: Database) -> None:
    loop = begin(store, ["SECRET a", "b", "c"], X=["SECRET a", "b", "c"], copies=[("SECRET copy", 0)])
    answer(store, loop, 0, SKIP, reason="SECRET, she says")
    answer(store, loop, 1, "yes", reason="kept")
    assert everything(store).count("SECRET") == 5
    assert erase(store, ["id of SECRET a"], by="bo").n_items == 1
    assert "SECRET" not in everything(store)
    assert entries_that_do_not_verify(store) == []
    with store.reading() as connection:
        assert connection.execute(select(items.c.payload).order_by("id")).scalars().all() == [
            None,
            '"b"',
            '"c"',
        ]
        assert connection.execute(select(labels.c.reason).order_by("id")).scalars().all() == [None, "kept"]
        places = connection.execute(select(members.c.block_id, members.c.at).order_by("row")).all()
        assert read_features(connection, places) == ["", "b", "c"]  # type: ignore[arg-type]


def test_what_was_said_of_an_erased_item_stays(store: Database) -> None:
    loop = begin(store, ["a"])
    answer(store, loop, 0, "yes")
    erase(store, ["id of a"])
    with store.reading() as connection:
        assert connection.execute(select(labels.c.label)).scalars().all() == ['"yes"']
        assert connection.execute(select(items.c.key)).scalar_one()


def test_the_trail_says_which_items_were_erased_and_by_whom_but_not_their_ids(store: Database) -> None:
    begin(store, ["a", "b"])
    erase(store, ["id of b"], by="bo")
    with store.reading() as connection:
        key = connection.execute(select(items.c.key).where(items.c.payload.is_(None))).scalar_one()
        entry = connection.execute(select(entries).where(entries.c.kind == "erased")).one()
    assert entry.body == f'{{"by":"bo","items":["{key}"],"why":"asked","withdrawn":[]}}'


def test_erasing_twice_changes_nothing_and_says_so(store: Database) -> None:
    begin(store, ["a", "b"])
    erase(store, ["id of a"])
    before = everything(store)
    again = erase(store, ["id of a", "id of a", "nobody"])
    assert (again.n_items, again.n_already, again.unknown, again.n_unknown) == (0, 1, ("nobody",), 1)
    assert everything(store) == before


def test_an_item_is_erased_by_the_id_of_a_copy(store: Database) -> None:
    begin(store, ["a", "b"], copies=[("the copy", 1)])
    assert erase(store, ["the copy"]).n_items == 1
    assert erase(store, ["the copy", "id of b"]).n_already == 1
    with store.reading() as connection:
        assert connection.execute(select(items.c.payload).order_by("id")).scalars().all() == ['"a"', None]


def test_open_queries_about_an_erased_item_are_withdrawn(store: Database) -> None:
    loop = begin(store, ["a", "b"])
    ask(store, loop, [0, 1])
    assert erase(store, ["id of a"]).n_withdrawn == 1
    with store.reading() as connection:
        assert connection.execute(select(queries.c.state).order_by("id")).scalars().all() == [
            "withdrawn",
            "open",
        ]
        assert connection.execute(select(slots.c.is_open).order_by("id")).scalars().all() == [False, True]
    assert entries_that_do_not_verify(store) == []


def test_an_item_is_erased_from_every_loop_that_shares_it(store: Database) -> None:
    X = np.array([[7.0], [8.0]])
    begin(store, ["a", "b"], name="one", X=X)
    begin(store, ["b", "a"], name="two", X=X[::-1])
    assert erase(store, ["id of a"], loop="two").n_items == 1
    with store.reading() as connection:
        places = connection.execute(select(members.c.block_id, members.c.at).order_by("loop_id", "row")).all()
        seen = [float(row[0]) for row in read_rows(connection, places)]  # type: ignore[arg-type]
        names = connection.execute(select(members.c.name)).scalars().all()
    assert seen == [0, 8, 8, 0]
    assert names.count("id of b") == 2
    assert "id of a" not in names


def test_ids_are_looked_for_in_the_loop_that_is_named(store: Database) -> None:
    begin(store, ["a"], name="one")
    begin(store, ["b"], name="two")
    assert erase(store, ["id of a"], loop="two") == Erased(0, unknown=("id of a",))
    with pytest.raises(InvalidInput, match="no loop 'three'; it has 'one', 'two'"):
        erase(store, ["id of a"], loop="three")
    with pytest.raises(InvalidInput, match="single string"):
        erase(store, "id of a")


def test_more_items_than_go_into_one_statement_are_erased(store: Database) -> None:
    texts = [f"text {i}" for i in range(1200)]
    begin(store, texts)
    assert erase(store, [f"id of {text}" for text in texts[:1100]]).n_items == 1100
    with store.reading() as connection:
        assert connection.execute(select(func.count(items.c.payload))).scalar_one() == 100


def test_the_bytes_of_erased_items_are_in_no_file_of_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'labels.db'}"
    texts = [
        f"{'MARKER' if i % 3 == 0 else 'other'} {i * 7919 % 3000:04d} " + "x" * (i % 200) for i in range(3000)
    ]
    database = Database(url)
    loop = begin(database, texts, X=texts)
    for row in range(0, 60, 3):
        answer(database, loop, row, SKIP, reason="MARKER in a reason")
    erased = erase(database, [f"id of {text}" for text in texts if text.startswith("MARKER")])
    assert (erased.n_items, erased.overwritten) == (1000, True)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert sum(path.read_bytes().count(b"MARKER") for path in files) == 0
    assert sum(path.read_bytes().count(b"other") for path in files) >= 6000
    database.close()


def test_while_somebody_reads_the_old_bytes_stay_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.store.upkeep.erasing._PATIENCE", 10)
    database = Database(f"sqlite:///{tmp_path / 'labels.db'}")
    begin(database, ["a", "b"])
    with database.reading() as connection:
        connection.execute(select(items)).all()
        assert not erase(database, ["id of a"]).overwritten
    assert erase(database, ["id of b"]).overwritten
    database.close()


def test_bytes_that_cannot_be_overwritten_do_not_undo_the_erasure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bootstrap.store.upkeep.erasing._PATIENCE", "no number(")
    database = Database(f"sqlite:///{tmp_path / 'labels.db'}")
    begin(database, ["a", "b"])
    erased = erase(database, ["id of a"])
    assert (erased.n_items, erased.overwritten) == (1, False)
    assert payloads(database) == [None, '"b"']
    database.close()


def test_a_store_is_erased_from_by_its_url(storage: str) -> None:
    database = Database(storage)
    begin(database, ["a"])
    database.close()
    assert erase(storage, ["id of a"]).n_items == 1
    assert prune(storage, 0).n_items == 0


def payloads(database: Database) -> list[str | None]:
    with database.reading() as connection:
        return list(connection.execute(select(items.c.payload).order_by(items.c.id)).scalars())


def test_items_whose_last_label_is_old_are_pruned(store: Database, clock: Clock) -> None:
    loop = begin(store, ["old", "answered again", "new", "asked", "waiting"])
    ask(store, loop, [0, 1])
    answer(store, loop, 0, "yes")
    answer(store, loop, 1, "yes")
    answer(store, loop, 3, "yes")
    clock.time += 90 * DAY + 1
    answer(store, loop, 1, SKIP, stands=False)
    answer(store, loop, 2, "yes")
    ask(store, loop, [3])
    assert prune(store, "90d", by="cron").n_items == 1
    assert payloads(store) == [None, '"answered again"', '"new"', '"asked"', '"waiting"']
    assert prune(store, "90d").n_items == 0
    assert entries_that_do_not_verify(store) == []


def test_an_item_that_waits_in_another_loop_is_not_pruned(store: Database, clock: Clock) -> None:
    one, two = begin(store, ["a", "b"], name="one"), begin(store, ["a"], name="two")
    answer(store, one, 0, "yes")
    answer(store, one, 1, "yes")
    clock.time += 100 * DAY
    assert prune(store, "2w").n_items == 1
    assert payloads(store) == ['"a"', None]
    answer(store, two, 0, "no")
    clock.time += 100 * DAY
    assert prune(store, 99.5).n_items == 1


def test_an_item_waits_whatever_else_was_answered_in_its_loop(store: Database, clock: Clock) -> None:
    one, two = begin(store, ["a", "b", "c"], name="one"), begin(store, ["a", "d"], name="two")
    for row in range(3):
        answer(store, one, row, "yes")
    answer(store, one, 1, SKIP, stands=False, undoes=2)
    answer(store, two, 1, "no")
    clock.time += 100 * DAY
    assert prune(store, "90d").n_items == 2
    assert payloads(store) == ['"a"', '"b"', None, None]


def test_what_would_be_erased_is_told_and_nothing_is_changed(store: Database, clock: Clock) -> None:
    loop = begin(store, [f"t{i}" for i in range(8)], copies=[("copy", 0)])
    begin(store, ["t1"], name="other")
    ask(store, loop, [1])
    answer(store, loop, 0, "yes")
    answer(store, loop, 2, SKIP)
    clock.time += 2 * DAY
    every = [f"id of t{i}" for i in range(8)]
    before = payloads(store)
    assert to_erase(store, ["copy", *every, "nobody"]) == Erasable(8, tuple(every[:5]), 1, 1)
    assert to_erase(store, ["copy"], loop="other") == Erasable(0, (), 0, 0)
    assert to_prune(store, "1d") == Erasable(2, (every[0], every[2]), 1, 0)
    assert to_prune(store, "3d") == Erasable(0, (), 0, 0)
    assert to_prune(store, "1d", loop="other", unlabeled=True) == Erasable(0, (), 0, 0)
    assert payloads(store) == before
    erase(store, [every[0]])
    assert to_erase(store, every[:2]) == Erasable(1, (every[1],), 0, 1)
    for wrong in ({"ids": "t1"}, {"ids": ["t1"], "loop": "none"}):
        with pytest.raises(InvalidInput):
            to_erase(store, **wrong)


def test_more_than_go_into_one_statement_are_looked_over(store: Database) -> None:
    begin(store, [f"t{i}" for i in range(2500)])
    found = to_erase(store, [f"id of t{i}" for i in range(2500)])
    assert found == Erasable(2500, tuple(f"id of t{i}" for i in range(5)), 0, 0)


def test_only_items_of_the_loop_that_is_named_are_pruned(store: Database, clock: Clock) -> None:
    for name in ("one", "two"):
        answer(store, begin(store, [name], name=name), 0, "yes")
    clock.time += DAY
    assert prune(store, "1h", loop="two").n_items == 1
    assert payloads(store) == ['"one"', None]


def test_items_that_nobody_answered_are_pruned_only_if_asked_for(store: Database, clock: Clock) -> None:
    loop = begin(store, ["waiting", "asked", "labeled"])
    ask(store, loop, [1])
    clock.time += DAY
    answer(store, loop, 2, "yes")
    clock.time += 3600
    assert prune(store, "0.5h") == Erased(0 + 1, overwritten=store.is_sqlite)
    assert prune(store, "2h", unlabeled=True).n_items == 1
    assert payloads(store) == [None, '"asked"', None]


@pytest.mark.parametrize("age", ["90", "d", "ninety days", "-1d", -1, "1y", float("nan")])
def test_what_is_no_age_is_refused(tmp_path: Path, age: Any) -> None:
    with pytest.raises(InvalidInput, match="is no age"):
        prune(f"sqlite:///{tmp_path / 'labels.db'}", age)
