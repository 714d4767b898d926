"""Classes by version in a store: what stands is mapped or asked again, and nothing that was said is lost."""

from __future__ import annotations

import itertools
import json
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sqlalchemy import select

from bootstrap import SKIP, BootstrapLoop
from bootstrap.class_changes import ClassChange
from bootstrap.errors import InvalidInput, StoreInUse
from bootstrap.loading import load_loop
from bootstrap.store.answers import LabelRow
from bootstrap.store.class_lists import change_classes, class_list, read_classes
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.reviewers import add_reviewer
from bootstrap.store.desks.traps import add_traps, trap_counts
from bootstrap.store.files.exporting import export
from bootstrap.store.loops.loop_record import LoopRecord
from bootstrap.store.schema import labels, queries, standing
from bootstrap.store.training_lock import TrainingLock
from bootstrap.store.upkeep.checking import check

IDS = [f"i{i}" for i in range(8)]
numbers = itertools.count()


def a_loop(storage, classes=("a", "b", "c"), name="team", **settings):
    loop = BootstrapLoop(LogisticRegression(), storage=storage, name=name, classes=classes, **settings)
    loop.add([[float(i)] for i in range(8)], ids=IDS)
    return loop


def test_versions_are_kept_with_what_changed_and_who_changed_it(storage):
    a_loop(storage).close()
    made = change_classes(storage, "team", rename={"a": "x"}, add=["d"], by="ann")
    version, classes, history = class_list(storage, "team")
    assert (version, classes) == (2, ("x", "b", "c", "d"))
    assert history[1] == made
    assert made.by == "ann"
    assert made.change == ClassChange.of(rename={"a": "x"}, add=["d"])
    assert (history[0].version, history[0].classes) == (1, ("a", "b", "c"))
    assert history[0].change == ClassChange()
    assert check(storage).ok


def test_an_edited_change_is_found(database):
    a_loop(database.engine.url.render_as_string(hide_password=False)).close()
    change_classes(database, "team", rename={"a": "x"})
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE class_lists SET classes = '[\"y\"]' WHERE version = 2")
    assert any("classes" in problem for problem in check(database).problems)


@pytest.mark.parametrize(
    ("what", "message"),
    [({"rename": {"z": "y"}}, "'z' is none"), ({"merge": {"x": ["a", "b", "c"]}}, "only 'x'"), ({}, "say")],
)
def test_a_change_that_is_refused_changes_nothing(storage, what, message):
    a_loop(storage).close()
    with pytest.raises(InvalidInput, match=message):
        change_classes(storage, "team", **what)
    with pytest.raises(InvalidInput, match="no loop 'other'"):
        change_classes(storage, "other", add=["d"])
    assert class_list(storage, "team")[0] == 1


def test_a_running_trainer_is_told_of(database):
    a_loop(database.engine.url.render_as_string(hide_password=False)).close()
    with TrainingLock(database, "team"), pytest.raises(StoreInUse):
        change_classes(database, "team", add=["d"])
    assert change_classes(database, "team", add=["d"]).version == 2


def test_an_open_list_knows_the_classes_that_people_have_named(storage):
    with closing(a_loop(storage, classes=None)) as loop:
        loop.add_labels(IDS[:3], ["a", "b", "b"])
        with pytest.raises(InvalidInput, match="'c' is none"):
            change_classes(storage, "team", rename={"c": "d"})
        assert change_classes(storage, "team", split={"b": ["b1", "b2"]}).classes is None
        assert loop.classes == ("a", "b1", "b2")
        assert change_classes(storage, "team", rename={"b1": "x"}).version == 3
        assert loop.classes == ("a", "b2", "x")
        with pytest.raises(InvalidInput, match="'b' is no class any more"):
            loop.add_labels(IDS[3:4], ["b"])


def test_people_at_desks_see_the_new_classes_and_what_they_said_is_mapped(database, publish):
    publish(database, 4, overlap=2, classes=None)
    for name in ("ann", "bob", "cem"):
        add_reviewer(database, name)
    ann, bob = Desk(database, "ann"), Desk(database, "bob")
    hers, his = ann.ask(4), bob.ask(4)
    ann.tell({hers[0].token: "a", hers[1].token: "b", hers[2].token: "c", hers[3].token: SKIP})
    bob.tell({his[3].token: "c"})
    change_classes(database, "team", rename={"a": "x"}, split={"b": ["b1", "b2"]})
    assert Desk(database, "cem").ask(1)[0].classes == ("b1", "b2")
    told = bob.tell({his[0].token: "x", his[1].token: "b1"})  # with what ann said of the first, now agreed
    assert told.kept == 2
    with database.reading() as connection:
        states = connection.execute(select(queries.c.state).order_by(queries.c.id)).scalars().all()
        versions = connection.execute(select(labels.c.class_version).order_by(labels.c.id)).scalars().all()
    assert states[:2] == ["settled", "open"]
    assert versions == [1] * 5 + [2] * 2
    assert ann.tell({hers[0].token: "x"}).repeated == 1
    assert not [said for said in check(database).problems if said.startswith(("Slot", "Label", "What"))]


def test_traps_that_wait_are_taken_back_and_late_answers_to_them_count_for_nothing(database, publish):
    publish(database, 1)
    add_traps(database, "team", {"i0": "a"})
    add_reviewer(database, "ann")
    ann = Desk(database, "ann")
    asked = ann.ask(2)
    change_classes(database, "team", rename={"a": "x"})
    ann.tell({query.token: "x" for query in asked})
    assert trap_counts(database, "team").shown == 0
    with database.reading() as connection:
        trap = select(queries.c.state).where(queries.c.kind == "trap")
        assert connection.execute(trap).scalar_one() == "withdrawn"
    assert not [said for said in check(database).problems if said.startswith("Slot")]


def test_an_export_names_classes_as_they_are_called_now(storage, tmp_path):
    with closing(a_loop(storage)) as loop:
        loop.add_labels(IDS[:3], ["a", "b", "c"])
    change_classes(storage, "team", rename={"a": "x"}, split={"b": ["b1", "b2"]})
    found = export(storage, tmp_path / "all.jsonl")
    rows = [json.loads(line) for line in found.path.read_text().splitlines()]
    assert [row["label"] for row in rows[:4]] == ["x", None, "c", None]
    assert rows[1]["others"][0]["label"] == "b"
    assert found.n_labels == 2


NAMES = st.sampled_from("abcdef")
LABEL = st.tuples(st.just("label"), st.integers(0, 7), st.integers(0, 5), st.booleans())
CHANGES = st.one_of(
    st.tuples(st.just("rename"), st.dictionaries(NAMES, NAMES, min_size=1, max_size=2)),
    st.tuples(st.just("merge"), st.dictionaries(NAMES, st.lists(NAMES, min_size=2, unique=True), min_size=1)),
    st.tuples(st.just("split"), st.dictionaries(NAMES, st.lists(NAMES, min_size=2, unique=True), min_size=1)),
    st.tuples(st.just("add"), st.lists(NAMES, min_size=1, max_size=2, unique=True)),
)


class Slips:
    """The plain model: one slip of paper for each item, rewritten or torn up when the classes change."""

    def __init__(self):
        self.classes = ("a", "b", "c")
        self.says = {}

    def label(self, row, name):
        self.says.setdefault(row, name)

    def change(self, kind, what):
        for row, name in list(self.says.items()):
            if kind == "split" and name in what:
                del self.says[row]
            elif kind == "rename":
                self.says[row] = what.get(name, name)
            elif kind == "merge":
                self.says[row] = next((new for new, olds in what.items() if name in olds), name)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(LABEL, LABEL, CHANGES), max_size=14), is_open=st.booleans())
def test_what_stands_is_what_a_plain_model_says_in_the_store_in_memory_and_after_resuming(
    storage, steps, is_open
):
    name, slips = f"loop {next(numbers)}", Slips()
    loop = a_loop(storage, classes=None if is_open else slips.classes, name=name)
    database = Database(storage)
    for kind, *what in steps:
        if kind == "label":
            row, which, is_told = what
            label = slips.classes[which % len(slips.classes)]
            if is_told:
                loop.add_labels([IDS[row]], [label])
            else:
                _store(database, name, row, label)
            slips.label(row, label)
            continue
        try:
            made = change_classes(database, name, **{kind: what[0]})
        except InvalidInput:
            continue
        slips.change(kind, what[0])
        slips.classes = made.classes or made.change.apply(slips.classes)
    assert _standing(database, name) == slips.says
    loop.take_saved()
    resumed = load_loop(name, storage=storage, estimator=LogisticRegression())
    for one in (loop, resumed):
        assert dict(one._exchange.labels.standing()) == slips.says
        assert set(one._exchange.training()[0]) == {r for r in slips.says if not one.is_held_out(IDS[r])}
        assert one.classes == resumed.classes
        one.close()
    database.close()
    assert check(storage).ok


def _store(database, name, row, label):
    """A label that no loop has taken yet."""
    with database.writing() as connection:
        record = LoopRecord.find(connection, name)
        item = record.items_of(connection, [row])[row]
        said = LabelRow(record.id, item, row, label, "given", "file", 1, class_version=record.class_version)
        record.save_answers(connection, database.time(connection), [said])


def _standing(database, name):
    with database.reading() as connection:
        record = LoopRecord.find(connection, name)
        classes = read_classes(connection, record.id)
        found = connection.execute(
            select(labels)
            .join(standing, standing.c.label_id == labels.c.id)
            .where(standing.c.loop_id == record.id, labels.c.label.is_not(None))
        )
        return {row.row: classes.now(row.label.strip('"'), row.class_version) for row in found}
