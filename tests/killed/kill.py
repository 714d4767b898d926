"""Kills processes that use a store, lets others go on, and says as JSON what became of the answers.

Run: python kill.py labeler|desks|statements|statements-at-desks URL FOLDER KILLS SEED

`labeler` kills a loop with a labeler of its own, `desks` a trainer or one of two people at desks, both after
a random time; `statements` lets a process die before every KILLS-th statement or commit that it sends to its
database. Each run is a loop of its own, in a store of its own where URL has `{}` for a number. The processes
are forked, so that none has to import everything anew.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine

from bootstrap import BootstrapLoop
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.schema import labels, loops, members, slots, standing
from bootstrap.store.upkeep.checking import check

X, Y = make_classification(
    400, 6, n_informative=4, n_redundant=0, n_classes=4, n_clusters_per_class=1, class_sep=2.5, random_state=5
)
IDS = [str(i) for i in range(len(X))]
TRUTH = dict(zip(IDS, Y.tolist(), strict=True))
LEASE = 0.6
ROUNDS, BATCH = 5, 34  # the first candidate comes with 100 labels


class Place(NamedTuple):
    """Where one run has its answers."""

    url: str
    loop: str
    log: Path


def the_loop(labeler: Any = None, **more: Any) -> BootstrapLoop:
    return BootstrapLoop(
        LogisticRegression(max_iter=200),
        labeler,
        strategy="margin",
        batch_size=BATCH,
        audit_share=0.4,
        held_out=0.5,
        target_accuracy=0.6,
        delta=0.2,
        random_state=7,
        **more,
    )


def run(loop: BootstrapLoop) -> None:
    loop.run(X, ids=IDS, rounds=ROUNDS)


def said(loop: BootstrapLoop) -> tuple[list[Any], list[Any]]:
    """What has to be the same after all.

    Of a certificate, what it says and proves. How much was audited when it was written depends on who was
    first to answer.
    """
    kept = ("candidate", "review_rate", "threshold", "model", "round", "n_trained", "proved", "delta")
    certificates = [{name: c.to_dict()[name] for name in kept} for c in loop.certificates]
    return list(loop.history), certificates


def without_counts(of: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
    """Without how many labels people gave in all: answers that came twice are among them."""
    history, certificates = of
    return [dataclasses.replace(row, n_labels=0) for row in history], certificates


class Log:
    """Answers that were acknowledged: on the disk before the next one is given."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        self._last: list[Any] = []

    def one_by_one(self, queries: list[Any]) -> Iterator[int]:
        for query in queries:
            yield TRUTH[query.id]
            self._acknowledged([query])  # it goes on: that answer is kept

    def all_at_once(self, queries: list[Any]) -> list[int]:
        self._acknowledged(self._last)  # it asks again: those answers are kept
        self._last = queries
        return [TRUTH[query.id] for query in queries]

    def _acknowledged(self, queries: list[Any]) -> None:
        os.write(self._file, "".join(f"{query.id}\n" for query in queries).encode())
        os.fsync(self._file)


def train_alone(at: Place) -> None:
    loop = the_loop(Log(at.log).one_by_one, storage=at.url, name=at.loop)
    run(loop)
    loop.close()


def train_in_batches(at: Place) -> None:
    loop = the_loop(Log(at.log).all_at_once, storage=at.url, name=at.loop)
    run(loop)
    loop.close()


def train_with_desks(at: Place) -> None:
    loop = the_loop(storage=at.url, name=at.loop, queue_ahead=0)
    run(loop)
    loop.close()


def sit_at_a_desk(at: Place, name: str, until: Callable[[], bool] | None = None) -> None:
    desk = Desk(at.url, name, lease_seconds=LEASE)
    desk.run(Log(at.log).one_by_one, poll_seconds=(0.01, 0.05), until=until)
    desk.close()


def all_in_one(at: Place) -> None:
    """A trainer and somebody at a desk, in one process that dies as a whole."""
    loop = the_loop(storage=at.url, name=at.loop, queue_ahead=0)
    done = threading.Event()
    desk = threading.Thread(target=sit_at_a_desk, args=(at, "ann", done.is_set), daemon=True)
    desk.start()
    run(loop)
    done.set()
    desk.join()
    loop.close()


# dying


def die_at(n: int) -> None:
    """Kill this process before its n-th statement or commit."""
    count = 0

    def next_one(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == n:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", next_one)
    event.listen(Engine, "commit", next_one)


def forked(work: Callable[..., None], *given: Any) -> int:
    """A process of its own that does this; its number."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        work(*given)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(pid: int, seconds: float | None) -> bool:
    """Whether it ends by itself within that time (None: however long it takes)."""
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        found, status = os.waitpid(pid, 0 if end is None else os.WNOHANG)
        if found:
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                return False
            if status:
                raise SystemExit(f"a process failed: {status}")
            return True
        time.sleep(0.002)
    return False


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


# what has to be true afterwards


def verify(at: Place, quiet: tuple[list[Any], list[Any]]) -> None:
    """Raise unless all is as in a quiet run; the loop has come to its end."""
    loop = the_loop(lambda queries: [TRUTH[query.id] for query in queries], storage=at.url, name=at.loop)
    run(loop)  # has nothing to do
    found = said(loop)
    if any(label.extra for label in loop.labels):  # a lease ran out while its person lived: two have answered
        found, quiet = without_counts(found), without_counts(quiet)
    loop.close()
    if found != quiet:
        raise SystemExit(f"another history:\n{found}\nin place of\n{quiet}")
    report = check(at.url)
    if not report.ok:
        raise SystemExit(str(report))
    acknowledged = at.log.read_text().split() if at.log.exists() else []
    database = Database(at.url)
    with database.reading() as connection:
        its = select(loops.c.id).where(loops.c.name == at.loop).scalar_subquery()
        counted = (
            select(members.c.name, func.count())
            .join(
                standing,
                (standing.c.item_id == members.c.item_id) & (standing.c.loop_id == members.c.loop_id),
            )
            .where(members.c.loop_id == its)
            .group_by(members.c.name)
        )
        stand = dict(map(tuple, connection.execute(counted)))
        of_loop = select(func.count()).select_from(labels).where(labels.c.loop_id == its)
        kept = connection.execute(of_loop).scalar_one()
        extra = connection.execute(of_loop.where(labels.c.extra)).scalar_one()
        taken = (slots.c.loop_id == its) & slots.c.is_open & slots.c.token.is_not(None)
        held = connection.execute(select(func.count()).where(taken)).scalar_one()
    database.close()
    lost = [name for name in acknowledged if stand.get(name) != 1]
    if lost or set(stand.values()) != {1} or kept != len(stand) + extra or held:
        raise SystemExit(f"lost {lost}, {kept} labels of {len(stand)} items, {extra} extra, {held} held")


def verified(at: Place, quiet: Any, work: Callable[[Place], None] | None = None) -> None:
    """All is well, once this work was gone on with."""

    def go_on() -> None:
        if work is not None:
            work(at)
        verify(at, quiet)

    if not ended(forked(go_on), None):
        raise SystemExit("killed while it was verified")


# four ways to be killed


class Killer:
    """Kills, counts, and verifies."""

    def __init__(self, url: str, folder: Path, kills: int, seed: int) -> None:
        self.url, self.folder, self.kills = url, folder, kills
        self.seed, self.random = seed, random.Random(seed)
        loop = the_loop(lambda queries: [TRUTH[query.id] for query in queries])
        run(loop)
        self.quiet = said(loop)
        self.n_killed = self.n_runs = 0

    def next_place(self) -> Place:
        self.n_runs += 1
        return Place(self.url.format(self.n_runs), f"loop {self.n_runs}", self.folder / f"{self.n_runs}.log")

    def labeler(self) -> None:
        while self.n_killed < self.kills:
            at = self.next_place()
            is_done = False
            while not is_done:
                goes_on = self.n_killed >= self.kills
                pid = forked(train_alone, at)
                is_done = ended(pid, None if goes_on else self.random.uniform(0.0, 0.4))
                if not is_done:
                    killed(pid)
                    self.n_killed += 1
            verified(at, self.quiet)

    def desks(self) -> None:
        while self.n_killed < self.kills:
            at = self.next_place()
            Database(at.url).close()
            names = ("trainer", "ann", "bob")
            at_work = {name: self.start(name, at) for name in names}
            is_done = False
            while not is_done:
                pause = None if self.n_killed >= self.kills else self.random.uniform(0.0, 0.4)
                is_done = ended(at_work["trainer"], pause)
                if not is_done:
                    name = self.random.choice(names)
                    killed(at_work[name])
                    self.n_killed += 1
                    at_work[name] = self.start(name, at)
            for name in names[1:]:
                killed(at_work[name])
            verified(at, self.quiet)

    def start(self, name: str, at: Place) -> int:
        if name == "trainer":
            return forked(train_with_desks, at)
        return forked(sit_at_a_desk, at, name)

    def statements(self, work: Callable[[Place], None] = train_in_batches) -> None:
        """At every so many statements, until a process ends before it is killed."""
        n, is_done = self.seed, False
        while not is_done:
            at = self.next_place()
            is_done = ended(forked(self.dying, work, n, at), None)
            if not is_done:
                self.n_killed += 1
                verified(at, self.quiet, work)
            n += self.kills

    @staticmethod
    def dying(work: Callable[[Place], None], n: int, at: Place) -> None:
        die_at(n)
        work(at)


def main() -> None:
    kind, url, folder, kills, seed = sys.argv[1:]
    killer = Killer(url, Path(folder), int(kills), int(seed))
    if kind == "statements-at-desks":
        killer.statements(all_in_one)
    else:
        getattr(killer, kind)()
    print(
        json.dumps({"killed": killer.n_killed, "runs": killer.n_runs, "certificates": len(killer.quiet[1])})
    )


if __name__ == "__main__":
    main()
