"""One reviewer at one store: claim, renew, answer, undo, release.

A desk needs no loop and no model, only the URL of the store: as many as there are people, in any processes.
What it was told is on the disk before `tell` returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from bootstrap.errors import AnswersRejected, InvalidInput, LeaseLost
from bootstrap.labels import Told
from bootstrap.protocols import Clock, Labeler
from bootstrap.records import Query
from bootstrap.store.database import Database
from bootstrap.store.desks.attending import attend
from bootstrap.store.desks.claiming import Lease, take_slot
from bootstrap.store.desks.reviewers import enter, locked, n_held, refuse_removed
from bootstrap.store.desks.shown import Claim, ClassLists, shown
from bootstrap.store.desks.taking import Answer, Answering
from bootstrap.store.desks.undoing import undo
from bootstrap.store.schema import claims, loops, members, queries, slots

__all__ = ["Claim", "Desk"]


class Desk:
    """Where one reviewer gets queries and gives answers.

    Several desks of one person share what that person may hold. A desk may be used by several threads.

    Parameters
    ----------
    storage : str or Database
        Where the loops have published their queries.
    by : str
        Who answers. Somebody new is added to the reviewers.
    loop : str, optional
        Only queries of this loop.
    lease_seconds : float
        How long a query stays in this person's hands unless it is renewed.
    clock : callable, optional
        Seconds since the epoch, instead of the database's clock.

    Raises
    ------
    InvalidInput
        For an empty name, a reviewer who was removed, a loop that is not there, or a lease of no time.
    StoreError
        If the store can't be opened.
    """

    def __init__(
        self,
        storage: str | Database,
        by: str,
        *,
        loop: str | None = None,
        lease_seconds: float = 600.0,
        clock: Clock | None = None,
    ) -> None:
        if not lease_seconds > 0:
            raise InvalidInput(f"lease_seconds is a time above 0, got {lease_seconds!r}")
        if isinstance(storage, Database) and clock is not None:
            raise InvalidInput("the store that is given has a clock: give it to Database, not to the desk")
        self.by = by
        self.lease_seconds = lease_seconds
        self._owns = not isinstance(storage, Database)
        self._database = (
            storage if isinstance(storage, Database) else Database(storage, clock=clock, must_exist=True)
        )
        try:
            enter(self._database, by)
            self._loop_id = None if loop is None else self._id_of(loop)
        except BaseException:
            self.close()
            raise
        self._lists = ClassLists()

    def close(self) -> None:
        """Let go of the store. What is held stays so until it runs out: :meth:`release_all` comes first."""
        if self._owns:
            self._database.close()

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Hand back what is held, and close."""
        try:
            self.release_all()
        finally:
            self.close()

    # claiming

    def claim(self, n: int = 1, *, together: bool = True) -> list[Claim]:
        """Get up to `n` items that wait for an answer; an empty list where nothing does.

        Parameters
        ----------
        n : int
        together : bool
            All open questions about an item come at once, those of other loops too.

        Raises
        ------
        InvalidInput
            If this reviewer holds as much as they may, or was removed.
        """
        _refuse_no_number(n)
        with self._database.claiming() as connection:
            person = locked(connection, self.by)
            now = self._database.time(connection)  # this person may have claimed elsewhere in the meantime
            refuse_removed(person)
            room = self._room(connection, person, now)
            if room < 1:
                raise InvalidInput(
                    f"{self.by!r} holds {person.most_held - room} queries and may hold {person.most_held} at "
                    "a time: answer or release some first"
                )
            return self._claim(connection, person, now, n, room, together=together)

    def ask(self, n: int = 1) -> list[Query]:
        """The queries of up to `n` items: :meth:`claim` for whoever needs no more."""
        return [query for claim in self.claim(n) for query in claim.queries]

    def _room(self, connection: Connection, person: Any, now: float) -> int:
        """How many more queries this person may hold."""
        return int(person.most_held) - n_held(connection, self.by, now)

    def _claim(
        self, connection: Connection, person: Any, now: float, n: int, room: int, *, together: bool
    ) -> list[Claim]:
        taken: list[list[Lease]] = []
        while len(taken) < n and room > 0:
            leases = self._take(connection, now, person.is_adjudicator, room if together else 1)
            if not leases:
                break
            taken.append(leases)
            room -= len(leases)
        return self._as_claims(connection, taken)

    def _take(self, connection: Connection, now: float, adjudicates: bool, most: int) -> list[Lease]:
        """The first item in order, with as many questions about it as there are and may be held."""
        first = self._take_one(connection, now, adjudicates)
        if first is None:
            return []
        leases = [first]
        while first.more and len(leases) < most:
            further = self._take_one(connection, now, adjudicates, first.item_id)
            if further is None:
                break
            leases.append(further)
        return leases

    def _take_one(
        self, connection: Connection, now: float, adjudicates: bool, item_id: int | None = None
    ) -> Lease | None:
        for for_adjudicator in (True, False) if adjudicates else (False,):
            lease = take_slot(
                connection,
                self.by,
                now,
                self.lease_seconds,
                for_adjudicator=for_adjudicator,
                loop_id=self._loop_id,
                item_id=item_id,
            )
            if lease is not None:
                return lease
        return None

    def _as_claims(self, connection: Connection, taken: list[list[Lease]]) -> list[Claim]:
        tokens = {lease.query_id: lease.token for leases in taken for lease in leases}
        seen = shown(connection, tokens, self._lists)
        made = []
        for leases in taken:
            asked = [seen[lease.query_id] for lease in leases]
            asked_by, asked_for = tuple(loop for loop, _ in asked), tuple(query for _, query in asked)
            made.append(Claim(asked_for[0].id, asked_for, asked_by, leases[0].expires_at))
        return made

    # answers

    def tell(self, answers: Mapping[Any, Any]) -> Told:
        """Give answers; every valid one is stored, on the disk, before any is refused.

        Saying the same again changes nothing, so that it is safe to repeat a call that failed. A different
        answer under the same lease is kept beside the first, and so is one that comes after somebody else
        got the query.

        Parameters
        ----------
        answers : mapping
            Lease token -> class, SKIP or :class:`~bootstrap.store.desks.taking.Answer`. An item's id will do
            where this reviewer holds exactly one query about it.

        Raises
        ------
        AnswersRejected
            Naming each answer that was refused, and why.
        StoreError
            If nothing could be stored.
        """
        _refuse_no_mapping(answers)
        if not answers:
            return Told()
        with self._database.writing() as connection:
            self._database.expect_few_rows(connection)
            told, rejected = self._tell(connection, answers)
        _refuse(rejected, told)
        return told

    def tell_and_claim(self, answers: Mapping[Any, Any], n: int = 1) -> tuple[Told, list[Claim]]:
        """Give answers and get the next items, which takes a disk half as long as one after the other.

        Parameters
        ----------
        answers : mapping
            As for :meth:`tell`.
        n : int
            Up to so many items, as :meth:`claim` gives them.

        Returns
        -------
        told : Told
        claimed : list of Claim
            Empty where nothing waits, or this reviewer may have no more: :meth:`claim` says which.

        Raises
        ------
        AnswersRejected
            As :meth:`tell` does; every valid answer is stored then, and nothing is claimed.
        StoreError
            If nothing could be stored.
        """
        _refuse_no_number(n)
        _refuse_no_mapping(answers)
        claimed: list[Claim] = []
        with self._database.writing() as connection:
            self._database.expect_few_rows(connection)
            person = locked(connection, self.by)  # before any slot, as whoever renews does
            told, rejected = self._tell(connection, answers)
            if not rejected and person.removed_at is None:
                now = self._database.time(connection)
                room = self._room(connection, person, now)
                claimed = self._claim(connection, person, now, n, room, together=True)
        _refuse(rejected, told)
        return told, claimed

    def _tell(self, connection: Connection, answers: Mapping[Any, Any]) -> tuple[Told, dict[str, str]]:
        """Store what is valid; what became of it, and why the others are refused."""
        outcomes: Counter[str] = Counter()
        rejected: dict[str, str] = {}
        answering = Answering(connection, self.by, self._database.time(connection))
        token_of = self._tokens(connection, answering, answers)
        for key, given in answers.items():
            try:
                token = token_of[key]
                answer = self._checked(connection, answering, token, given)
                outcomes[answering.answer(token, answer)] += 1
            except InvalidInput as error:
                rejected[str(key)] = str(error)
        answering.store()
        return Told(**outcomes), rejected

    def undo(self, token: str) -> None:
        """Take back what was answered under a lease. The query is in this person's hands again.

        Raises
        ------
        InvalidInput
            If there is nothing to take back, or the loop has used the answer already.
        """
        with self._database.writing() as connection:
            self._database.expect_few_rows(connection)
            at = self._database.time(connection)
            refuse_removed(locked(connection, self.by))
            undo(connection, self.by, token, at, self.lease_seconds)

    def _tokens(self, connection: Connection, answering: Answering, keys: Iterable[Any]) -> dict[Any, str]:
        """Key as given -> lease token: the key itself, or that of the one query held about an item."""
        found = {key: str(key) for key in keys}
        answering.read(found.values())
        others = [name for name in found.values() if name not in answering.known]
        if others:
            held: dict[str, list[str]] = {}
            for row in connection.execute(_HELD_ABOUT, {"me": self.by, "names": others}):
                held.setdefault(row.name, []).append(row.token)
            one = {name: tokens[0] for name, tokens in held.items() if len(tokens) == 1}
            answering.read(one.values())
            found = {key: one.get(name, name) for key, name in found.items()}
        return found

    def _checked(self, connection: Connection, answering: Answering, token: str, given: Any) -> Answer:
        row = answering.known.get(token)
        if row is None:
            raise InvalidInput(
                f"{self.by!r} has no query under this token, and not exactly one about an item of this id: "
                "answer by the token of the query that claim gave"
            )
        answer = given if isinstance(given, Answer) else Answer(given)
        classes = self._lists.of(connection, row.loop_id, row.newest_version)
        return replace(answer, label=classes.check(answer.label))

    # holding

    def renew(self, token: str) -> float:
        """Keep a query in hand for another `lease_seconds`; returns until when.

        A lease that has run out is renewed too while nobody else has the query.

        Raises
        ------
        LeaseLost
            If it was answered, somebody else has it, or nobody is asked any more. An answer is still taken.
        InvalidInput
            If the token is none of this reviewer's.
        """
        with self._database.claiming() as connection:
            at = self._database.time(connection)
            until = at + self.lease_seconds
            refuse_removed(locked(connection, self.by))
            held = {"me": self.by, "lease": token, "at": at, "until": until}
            if connection.execute(_RENEW, held).rowcount:
                return until
            self._refuse_unknown(connection, token)
        raise LeaseLost(
            f"The query under {token!r} is not in the hands of {self.by!r} any more: it was answered, handed "
            "to somebody else after the lease had run out, or taken back. An answer is still taken, and kept"
        )

    def release(self, token: str) -> None:
        """Hand a query back unanswered; nothing happens where it is not held any more.

        Raises
        ------
        InvalidInput
            If the token is none of this reviewer's.
        """
        with self._database.claiming() as connection:
            if not connection.execute(_RELEASE, {"me": self.by, "lease": token}).rowcount:
                self._refuse_unknown(connection, token)

    def release_all(self) -> int:
        """Hand back everything that this reviewer holds, at other desks too; returns how many queries."""
        with self._database.claiming(alone=True) as connection:
            return int(connection.execute(_RELEASE_ALL, {"me": self.by}).rowcount)

    def _refuse_unknown(self, connection: Connection, token: str) -> None:
        found = connection.execute(_CLAIMED_BY, {"lease": token}).scalar()
        if found != self.by:
            raise InvalidInput(
                f"{token!r} is no lease of {self.by!r}: use the token of a query that claim gave"
            )

    # at work

    def run(
        self,
        labeler: Labeler,
        *,
        n: int | None = None,
        wait: bool = True,
        poll_seconds: tuple[float, float] = (0.05, 2.0),
        limit: int | None = None,
        until: Callable[[], bool] | None = None,
    ) -> int:
        """Let a labeler answer whatever waits; returns how many answers were given.

        Each answer is stored as it is given. What is in hand is renewed meanwhile, and handed back at the
        end, whatever ends it.

        Parameters
        ----------
        labeler : Labeler
            As for a loop: it gets queries and returns, or yields, answers. `LabelerStopped` ends the run.
        n : int, optional
            Items at a time. By default 1; where a person can go back in a batch, as in the terminal, 5.
        wait : bool
            Wait for more where nothing waits for an answer; otherwise return.
        poll_seconds : pair of floats
            The shortest and the longest pause between two looks.
        limit : int, optional
            Stop after so many answers.
        until : callable, optional
            Looked at before each claim: stop where it says True.

        Raises
        ------
        InvalidInput
            For something that is no labeler.
        KeyboardInterrupt
            At Ctrl-C, after what is in hand was handed back; at a terminal it just ends the run.
        """
        return attend(self, labeler, n=n, wait=wait, poll_seconds=poll_seconds, limit=limit, until=until)

    def _id_of(self, name: str) -> int:
        with self._database.reading() as connection:
            found = {row.name: row.id for row in connection.execute(select(loops.c.name, loops.c.id))}
        if name not in found:
            there = ", ".join(map(repr, sorted(found))) or "none yet"
            raise InvalidInput(f"the store has no loop {name!r}; there are: {there}")
        return int(found[name])


def _refuse_no_number(n: Any) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InvalidInput(f"n is a whole number from 1, got {n!r}")


def _refuse_no_mapping(answers: Any) -> None:
    if not isinstance(answers, Mapping):
        raise InvalidInput(
            f"answers is a mapping from token (or id) to answer, {{token: 'spam'}}; got a "
            f"{type(answers).__name__}"
        )


def _refuse(rejected: dict[str, str], told: Told) -> None:
    if rejected:
        raise AnswersRejected(rejected, told.kept + told.repeated + told.extra + told.skipped)


_CLAIMED_BY = select(claims.c.reviewer).where(claims.c.token == bindparam("lease"))
_HELD_ABOUT = (
    select(members.c.name, slots.c.token)
    .join(queries, queries.c.id == slots.c.query_id)
    .join(members, (members.c.loop_id == queries.c.loop_id) & (members.c.row == queries.c.row))
    .where(slots.c.reviewer == bindparam("me"), slots.c.is_open)
    .where(members.c.name.in_(bindparam("names", expanding=True)))
)
_MINE = (slots.c.reviewer == bindparam("me"), slots.c.is_open)
_RENEW = (
    update(slots)
    .where(*_MINE, slots.c.token == bindparam("lease"))
    .values(leased_at=bindparam("at"), expires_at=bindparam("until"))
)
_FREE: dict[str, Any] = {"reviewer": None, "token": None, "leased_at": None, "expires_at": None}
_RELEASE = update(slots).where(*_MINE, slots.c.token == bindparam("lease")).values(_FREE)
_RELEASE_ALL = update(slots).where(*_MINE).values(_FREE)
