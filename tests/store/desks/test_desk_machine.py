"""Claim, renew, expire, answer, undo, release, remove, crash, reopen in any order, against a plain model.

The model is lists in memory and one clock. After every step, what is stored has to be what it says.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, update

from bootstrap.errors import InvalidInput, LeaseLost
from bootstrap.records import SKIP
from bootstrap.store.database import Database
from bootstrap.store.desks.claiming import withdraw_unclaimed
from bootstrap.store.desks.desk import Desk
from bootstrap.store.desks.progress import progress_of
from bootstrap.store.desks.reviewers import add_reviewer, remove_reviewer, reviewers
from bootstrap.store.schema import labels, loops, queries, slots, standing, trail
from bootstrap.store.schema import store as head
from bootstrap.store.trail import entry_hash

LEASE, MOST_HELD, N_QUERIES = 10.0, 3, 4


@dataclass
class Place:
    """Room for one answer."""

    judge: bool
    open: bool = True
    holder: str | None = None
    token: str | None = None
    until: float = 0.0

    def held(self, now):
        return self.open and self.holder is not None and self.until > now

    def drop(self):
        """Nobody is to answer here any more, and nobody has."""
        if self.open:
            self.open, self.holder, self.token = False, None, None


@dataclass
class Said:
    query: int
    by: str
    token: str
    label: object
    stands: bool
    judges: bool = False
    undone: bool = False
    used: bool = False


@dataclass
class Asked:
    overlap: int
    state: str = "open"
    places: list[Place] = field(default_factory=list)
    standing: Said | None = None


class Model:
    """What ought to be."""

    def __init__(self, overlap):
        self.asked = [Asked(overlap, places=[Place(False) for _ in range(overlap)]) for _ in range(N_QUERIES)]
        self.said: list[Said] = []
        self.leases: dict[str, tuple[str, int, Place]] = {}  # token -> (who, query, place)
        self.removed: set[str] = set()
        self.people: list[str] = []

    def on(self, query):
        return [one for one in self.said if one.query == query and not one.undone]

    def n_held(self, who, now):
        return sum(p.holder == who and p.held(now) for q in self.asked for p in q.places)

    def next_for(self, who, now, is_judge):
        """The place that this person gets next: (query, place), or None."""
        for judge in (True, False) if is_judge else (False,):
            for number, asked in enumerate(self.asked):
                if any(one.by == who for one in self.on(number)):
                    continue
                own = [p for p in asked.places if p.holder == who]
                for place in asked.places:
                    if place.open and place.judge == judge and not place.held(now) and own in ([], [place]):
                        return number, place
        return None

    def counted(self, number):
        """What was said in time: one answer under the lease of each place that is filled."""
        found = []
        tokens = [p.token for p in self.asked[number].places if not p.open]
        for one in self.on(number):
            if one.token in tokens:
                tokens.remove(one.token)
                found.append(one)
        return found

    def verdict(self, number):
        """(what the answers make of the query, how many people have to be asked in all)."""
        said = self.counted(number)
        named = [one.label for one in said if one.label is not SKIP]
        skips = len(said) - len(named)
        overlap = self.asked[number].overlap
        if said and said[-1].judges:
            return "settled", overlap
        if len(named) >= overlap and len(set(named)) == 1:
            return "settled", overlap
        if skips > 1 or len(named) >= overlap:
            return "judge", overlap
        return "more", overlap + (skips > 0)

    def in_name(self, token):
        """The place that is held, or was filled, under this lease; None where it is another's by now."""
        who, number, _ = self.leases[token]
        places = self.asked[number].places
        return next((p for p in places if p.token == token and p.holder == who), None)

    def could_settle(self, number, judges_only):
        """Who might, of those that have not answered."""
        answered = {one.by for one in self.on(number)}
        there = [who for who in self.people if who not in self.removed and who not in answered]
        return [who for who in there if who.startswith("dora") or not judges_only]

    def anybody_judges(self, number):
        """Whether every judge has answered, so that the next person has the last word."""
        judges = [who for who in self.people if who.startswith("dora") and who not in self.removed]
        return bool(judges) and not self.could_settle(number, judges_only=True)

    def n_waited_for(self):
        """How many queries want further answers, and how many others somebody there can settle."""
        n_short = n_to_settle = 0
        for number, asked in enumerate(self.asked):
            if asked.state != "open":
                continue
            filled = sum(not p.open and p.holder is not None for p in asked.places)
            judging = any(p.open and p.judge for p in asked.places)
            short = filled < asked.overlap and not judging
            n_short += short
            n_to_settle += bool(not short and asked.overlap > 1 and self.could_settle(number, judging))
        return n_short, n_to_settle

    def arrange(self, number, now):
        """Have as many places as are wanted; nothing is taken out of anybody's hands."""
        asked = self.asked[number]
        what, wanted = self.verdict(number)
        answered = {one.token for one in self.on(number)}
        usual = [p for p in asked.places if not p.judge and (p.open or p.token in answered)]
        judging = [p for p in asked.places if p.judge and p.open]
        judges = 0
        if what == "judge" and self.anybody_judges(number):
            wanted = 1 + sum(not p.open for p in usual)
        elif what == "judge":
            wanted, judges = 0, 1
        for places, enough in ((usual, wanted), (judging, judges)):
            too_many = len(places) - enough
            for place in places:
                if too_many > 0 and place.open and not place.held(now):
                    place.drop()
                    too_many -= 1
        asked.places += [Place(False) for _ in range(wanted - len(usual))]
        asked.places += [Place(True) for _ in range(judges - len(judging))]

    def close(self, number):
        self.asked[number].state = "settled"
        for place in self.asked[number].places:
            place.drop()

    def stand(self, one):
        one.stands, self.asked[one.query].standing = True, one

    def answer(self, token, label, now):
        """Take an answer; returns which count of `Told` goes up."""
        who, number, place = self.leases[token]
        asked = self.asked[number]
        mine = [one.label for one in self.on(number) if one.by == who]
        if label in mine:
            return "repeated"
        one = Said(number, who, token, label, stands=False)
        is_judge = who.startswith("dora") and who not in self.removed
        last_word = self.verdict(number)[0] == "judge" and (is_judge or self.anybody_judges(number))
        self.said.append(one)
        if mine:
            return "extra"
        usual = "skipped" if label is SKIP else "kept"
        in_name = [p for p in asked.places if p.open and p.holder == who]
        if not in_name and place.open and place.holder is None:
            in_name = [place]
        if asked.state != "open" or not in_name:
            nothing = asked.standing is None
            gives_way = asked.standing is not None and asked.standing.label is SKIP and label is not SKIP
            if asked.state == "open" or not (nothing or gives_way):
                return "extra"
            self.stand(one)
            asked.state = "settled"
            return usual
        filled = in_name[0]
        filled.open, filled.holder, filled.token = False, who, token
        one.judges = filled.judge or last_word
        if asked.standing is not None and asked.standing.label is not SKIP:
            self.close(number)
            return "extra"
        what, _ = self.verdict(number)
        if what == "settled":
            self.stand(one)
            self.close(number)
            return usual
        if asked.overlap == 1 and label is SKIP and len(self.counted(number)) == 1:
            self.stand(one)
        self.arrange(number, now)
        return usual

    def undo(self, token, now):
        """Take back what was said under a lease; returns whether that can be done."""
        number = self.leases[token][1]
        asked, place = self.asked[number], self.in_name(token)
        mine = [one for one in self.on(number) if one.token == token]
        filled = place is not None
        counts = any(one is asked.standing for one in mine)
        if not mine or any(one.used for one in mine):
            return False
        if not counts and not (filled and asked.state == "open"):
            return False
        for one in mine:
            one.undone = True
            if one is asked.standing:
                asked.standing = None
        if not filled:
            asked.state = "withdrawn"
            return True
        asked.state, place.open, place.until = "open", True, now + LEASE
        self.arrange(number, now)
        return True


_examples = itertools.count(1)


class Desks(RuleBasedStateMachine):
    """Four queries of a loop of its own, three people and a judge, in one store for all examples."""

    storage: str
    seen: Counter
    publish: staticmethod
    clock: object

    def __init__(self):
        super().__init__()
        self.number = next(_examples)
        self.name = f"loop {self.number}"
        self.database = Database(self.storage, clock=self.clock)
        self.people = [f"{name} {self.number}" for name in ("anna", "bert", "carl", "dora")]
        self.desks = {}

    @initialize(overlap=st.sampled_from([1, 1, 2, 3]))
    def begin(self, overlap):
        first = self.number * N_QUERIES
        self.loop_id = self.publish(self.database, N_QUERIES, loop=self.name, first=first, overlap=overlap)
        with self.database.reading() as connection:
            of_loop = select(queries.c.id).where(queries.c.loop_id == self.loop_id).order_by(queries.c.id)
            self.ids = connection.execute(of_loop).scalars().all()
        self.names = [f"i{first + i}" for i in range(N_QUERIES)]
        self.model = Model(overlap)
        self.model.people = self.people
        for who in self.people:
            self.let_in(who)

    def let_in(self, who):
        add_reviewer(self.database, who, is_adjudicator=who.startswith("dora"), most_held=MOST_HELD)

    def desk(self, who):
        if who not in self.desks:
            self.desks[who] = Desk(self.database, who, loop=self.name, lease_seconds=LEASE)
        return self.desks[who]

    def a_lease(self, data):
        return data.draw(st.sampled_from(sorted(self.model.leases, key=list(self.model.leases).index)))

    @rule(data=st.data(), n=st.integers(1, 3))
    def claim(self, data, n):
        who = data.draw(st.sampled_from(self.people))
        now, model = self.clock(), self.model
        room = MOST_HELD - model.n_held(who, now)
        if who in model.removed or room < 1:
            with pytest.raises(InvalidInput, match="removed" if who in model.removed else "may hold 3"):
                self.desk(who).claim(n) if who in self.desks else Desk(self.database, who).claim(n)
            return
        self.are_right(self.desk(who).claim(n), who, min(n, room))

    def are_right(self, found, who, most):
        now, model = self.clock(), self.model
        got = []
        for claim in found:
            number, place = model.next_for(who, now, who.startswith("dora"))
            token = claim.queries[0].token
            place.holder, place.token, place.until = who, token, now + LEASE
            model.leases[token] = (who, number, place)
            got.append(self.names[number])
        assert [claim.id for claim in found] == got
        assert all(claim.expires_at == now + LEASE for claim in found)
        if len(found) < most:
            assert model.next_for(who, now, who.startswith("dora")) is None

    @rule(data=st.data(), told=st.lists(st.sampled_from(["a", "b", SKIP]), min_size=1, max_size=5))
    def work(self, data, told):
        """One after the other takes what comes next, and answers it: where people agree, and where not."""
        for label in told:
            who = data.draw(st.sampled_from(self.people))
            if who in self.model.removed or self.model.n_held(who, self.clock()) >= MOST_HELD:
                continue
            before = len(self.model.leases)
            self.are_right(self.desk(who).claim(), who, 1)
            for token in list(self.model.leases)[before:]:
                self.told(token, label, 0)

    @rule(seconds=st.sampled_from([1.0, 6.0, 11.0]))
    def time_passes(self, seconds):
        self.clock.time += seconds

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data(), label=st.sampled_from(["a", "a", "b", SKIP]), further=st.sampled_from([0, 0, 1, 2]))
    def answer(self, data, label, further):
        self.told(self.a_lease(data), label, further)

    def told(self, token, label, further):
        who = self.model.leases[token][0]
        if who in self.model.removed and who not in self.desks:
            return  # no desk, no answer
        desk = self.desk(who)
        expected = self.model.answer(token, label, self.clock())
        if further:
            told, claimed = desk.tell_and_claim({token: label}, further)
            room = 0 if who in self.model.removed else MOST_HELD - self.model.n_held(who, self.clock())
            self.are_right(claimed, who, min(further, max(0, room)))
        else:
            told = desk.tell({token: label})
        self.seen[expected] += 1
        assert {name: getattr(told, name) for name in ("kept", "repeated", "extra", "skipped")} == {
            name: int(name == expected) for name in ("kept", "repeated", "extra", "skipped")
        }

    @precondition(lambda self: self.model.said)
    @rule(data=st.data())
    def undo(self, data):
        token = data.draw(st.sampled_from([one.token for one in self.model.said]))
        who = self.model.leases[token][0]
        if who in self.model.removed:
            return
        if self.model.undo(token, self.clock()):
            self.seen["undone"] += 1
            self.desk(who).undo(token)
        else:
            with pytest.raises(InvalidInput, match=r"used|taken it back already|not the one that counts"):
                self.desk(who).undo(token)

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data())
    def renew(self, data):
        token = self.a_lease(data)
        who, place = self.model.leases[token][0], self.model.in_name(token)
        if who in self.model.removed:
            return
        if place is not None and place.open:
            place.until = self.clock() + LEASE
            assert self.desk(who).renew(token) == place.until
        else:
            with pytest.raises(LeaseLost):
                self.desk(who).renew(token)

    @precondition(lambda self: self.model.leases)
    @rule(data=st.data())
    def release(self, data):
        token = self.a_lease(data)
        who, place = self.model.leases[token][0], self.model.in_name(token)
        if who in self.model.removed:
            return
        self.desk(who).release(token)
        if place is not None and place.open:
            place.holder = place.token = None

    @precondition(lambda self: len(self.model.leases) > 3)
    @rule(data=st.data())
    def something_rarer(self, data):
        """One rule for all of it: it would end most examples before people have disagreed."""
        happens = [
            self.remove_or_let_in,
            self.the_loop_takes_what_there_is,
            self.crash,
            self.the_loop_withdraws,
        ]
        data.draw(st.sampled_from(happens))(data)

    def remove_or_let_in(self, data):
        who = data.draw(st.sampled_from(self.people))
        if who in self.model.removed:
            self.let_in(who)
            self.model.removed.remove(who)
            return
        assert remove_reviewer(self.database, who) == self.model.n_held(who, self.clock())
        self.model.removed.add(who)
        for asked in self.model.asked:
            for place in asked.places:
                if place.open and place.holder == who:
                    place.holder = place.token = None

    def the_loop_takes_what_there_is(self, _):
        with self.database.writing() as connection:
            last = connection.execute(select(labels.c.id).order_by(labels.c.id.desc()).limit(1)).scalar() or 0
            connection.execute(update(loops).where(loops.c.id == self.loop_id).values(taken_up_to=last))
        for one in self.model.said:
            one.used = True

    def the_loop_withdraws(self, _):
        expected = []
        for number, asked in enumerate(self.model.asked):
            untouched = all(p.open and not p.held(self.clock()) for p in asked.places)
            if asked.state == "open" and untouched:
                expected.append(self.ids[number])
                asked.state = "withdrawn"
                for place in asked.places:
                    place.drop()
        with self.database.writing() as connection:
            assert withdraw_unclaimed(connection, self.loop_id, self.clock()) == expected

    def crash(self, _):
        """Everything that was in memory is gone; nothing is closed in order."""
        self.desks.clear()
        self.database.engine.dispose()
        self.database = Database(self.storage, clock=self.clock, must_exist=True)

    @invariant()
    def what_is_stored_is_what_the_model_says(self):
        if not hasattr(self, "model"):
            return
        with self.database.reading() as connection:
            said = connection.execute(
                select(labels).where(labels.c.loop_id == self.loop_id).order_by(labels.c.id)
            ).all()
            stands = connection.execute(
                select(standing.c.item_id, labels.c.token, labels.c.query_id, labels.c.label)
                .join(labels, labels.c.id == standing.c.label_id)
                .where(standing.c.loop_id == self.loop_id)
            ).all()
            states = (
                connection.execute(
                    select(queries.c.state).where(queries.c.loop_id == self.loop_id).order_by(queries.c.id)
                )
                .scalars()
                .all()
            )
            progress = progress_of(connection, self.loop_id)
            places = connection.execute(
                select(slots.c.query_id, slots.c.reviewer).where(
                    slots.c.loop_id == self.loop_id, slots.c.is_open
                )
            ).all()
        back = {row.undoes for row in said}
        assert [
            (
                self.ids.index(row.query_id),
                row.by,
                row.token,
                as_label(row.label),
                not row.extra,
                row.id in back,
            )
            for row in said
            if row.undoes is None
        ] == [(one.query, one.by, one.token, one.label, one.stands, one.undone) for one in self.model.said]
        assert {self.ids.index(row.query_id): (row.token, as_label(row.label)) for row in stands} == {
            number: (asked.standing.token, asked.standing.label)
            for number, asked in enumerate(self.model.asked)
            if asked.standing is not None
        }
        assert states == [asked.state for asked in self.model.asked]
        assert (progress.n_open, progress.n_to_settle) == self.model.n_waited_for()
        assert sorted((self.ids.index(row.query_id), str(row.reviewer)) for row in places) == sorted(
            (number, str(place.holder))
            for number, asked in enumerate(self.model.asked)
            for place in asked.places
            if place.open
        )
        for asked in self.model.asked:  # never stuck: an open query can be answered by somebody
            assert asked.state != "open" or any(place.open for place in asked.places)

    def teardown(self):
        if hasattr(self, "model"):
            places = [place for asked in self.model.asked for place in asked.places]
            self.seen["sent to a judge"] += sum(place.judge for place in places)
            judges = sum(one.judges for one in self.model.said)
            self.seen["settled by a judge"] += judges
            self.seen["settled by anybody"] += judges - sum(
                p.judge and p.holder is not None and not p.open for p in places
            )
            with self.database.reading() as connection:
                verify(connection)
            held = {one.name: one.held for one in reviewers(self.database)}
            for who in self.people:
                assert held[who] == self.model.n_held(who, self.clock())
                remove_reviewer(self.database, who)  # or it could settle what is asked by the next one
        self.database.close()


def as_label(text):
    return SKIP if text is None else json.loads(text)


def verify(connection):
    """The chain of the trail."""
    before = "0" * 64
    for row in connection.execute(select(trail).order_by(trail.c.seq)):
        said = (before, row.seq, row.loop_id, row.kind, row.body, row.digest, row.at)
        assert entry_hash(*said) == row.hash
        before = row.hash
    assert connection.execute(select(head.c.trail_head)).scalar_one() == before


def test_any_order_of_what_people_do_ends_where_the_model_does(storage, publish, hand):
    on_sqlite = storage.startswith("sqlite")
    seen = Counter()
    given = {"storage": storage, "publish": staticmethod(publish), "clock": hand, "seen": seen}
    run_state_machine_as_test(
        type("Machine", (Desks,), given),
        settings=settings(
            max_examples=150 if on_sqlite else 40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    wanted = {"kept", "extra", "repeated", "skipped", "undone", "sent to a judge", "settled by a judge"}
    assert wanted <= (+seen).keys(), seen
