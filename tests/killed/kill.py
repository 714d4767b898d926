"""Kills processes that use a store, lets others go on, and says as JSON what became of the answers.

Run: python kill.py labeler|desks|statements|statements-at-desks URL FOLDER KILLS SEED

`labeler` kills a loop with a labeler of its own, `desks` a trainer or one of two people at desks, both after
a random time; `statements` lets a process die at every KILLS-th statement or commit that it sends to its
database (0: at one of each kind). URL names a store, with `{}` where a number goes: each run has its own.
The processes are forked, so that none has to import everything anew.
"""

from __future__ import annotations

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
from typing import Any

from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine

from bootstrap import BootstrapLoop
from bootstrap.store.checking import check
from bootstrap.store.database import Database
from bootstrap.store.desk import Desk
from bootstrap.store.schema import items, labels, members, slots, standing

X, Y = make_classification(
    240, 6, n_informative=4, n_redundant=0, class_sep=2.5, flip_y=0.0, shuffle=True, random_state=5
)
IDS = [str(i) for i in range(len(X))]
TRUTH = dict(zip(IDS, Y.tolist(), strict=True))
LEASE = 0.6
SIZES = {"rounds": 6, "batch": 10}


def the_loop(labeler: Any = None, **more: Any) -> BootstrapLoop:
    return BootstrapLoop(
        LogisticRegression(max_iter=200),
        labeler,
        strategy="margin",
        batch_size=SIZES["batch"],
        audit_share=1.0,
        held_out=0.5,
        target_accuracy=0.6,
        delta=0.2,
        random_state=7,
        **more,
    )


def run(loop: BootstrapLoop) -> None:
    loop.run(X, ids=IDS, rounds=SIZES["rounds"])


def said(loop: BootstrapLoop) -> tuple[list[Any], list[Any]]:
    """What has to be the same after all."""
    certificates = [(c.candidate, c.review_rate, c.to_dict()) for c in loop.certificates]
    return list(loop.history), certificates


class Log:
    """Answers that were acknowledged: on the disk before the next one is given."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def answer(self, queries: list[Any]) -> Iterator[int]:
        for query in queries:
            yield TRUTH[query.id]
            os.write(self._file, f"{query.id}\n".encode())  # it goes on: that answer is kept
            os.fsync(self._file)


def train_alone(url: str, log: Path) -> None:
    loop = the_loop(Log(log).answer, storage=url)
    run(loop)
    loop.close()


def train_with_desks(url: str, _: Path) -> None:
    loop = the_loop(storage=url, queue_ahead=0)
    run(loop)
    loop.close()


def sit_at_a_desk(url: str, log: Path, name: str, until: Callable[[], bool] | None = None) -> None:
    desk = Desk(url, name, lease_seconds=LEASE)
    desk.run(Log(log).answer, poll_seconds=(0.01, 0.05), until=until)
    desk.close()


def all_in_one(url: str, log: Path) -> None:
    """A trainer and somebody at a desk, in one process that dies as a whole."""
    loop = the_loop(storage=url, queue_ahead=0)
    done = threading.Event()
    desk = threading.Thread(target=sit_at_a_desk, args=(url, log, "ann", done.is_set), daemon=True)
    desk.start()
    run(loop)
    done.set()
    desk.join()
    loop.close()


# dying


def die_at(n: int, seen: list[str] | None = None) -> None:
    """Kill this process before its n-th statement or commit."""
    count = 0

    def next_one(what: str) -> None:
        nonlocal count
        count += 1
        if seen is not None:
            seen.append(what)
        if count == n:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", lambda c, cursor, text, *rest: next_one(text[:60]))
    event.listen(Engine, "commit", lambda c: next_one("COMMIT"))


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


def verify(url: str, log: Path, quiet: tuple[list[Any], list[Any]]) -> None:
    """Raise unless all is as in a quiet run; the loop has come to its end."""
    loop = the_loop(lambda queries: [TRUTH[query.id] for query in queries], storage=url)
    run(loop)  # has nothing to do
    found = said(loop)
    loop.close()
    if found != quiet:
        raise SystemExit(f"another history:\n{found}\nin place of\n{quiet}")
    report = check(url)
    if not report.ok:
        raise SystemExit(str(report))
    acknowledged = log.read_text().split() if log.exists() else []
    database = Database(url)
    with database.reading() as connection:
        counted = (
            select(members.c.name, func.count())
            .join(standing, standing.c.item_id == members.c.item_id)
            .join(labels, labels.c.id == standing.c.label_id)
            .group_by(members.c.name)
        )
        stand = {name: n for name, n in connection.execute(counted)}
        kept = connection.execute(select(func.count()).select_from(labels)).scalar_one()
        extra = connection.execute(select(func.count()).where(labels.c.extra)).scalar_one()
        now = database.time(connection)
        held = connection.execute(
            select(func.count()).where(slots.c.is_open, slots.c.expires_at > now)
        ).scalar_one()
        n_items = connection.execute(select(func.count()).select_from(items)).scalar_one()
    database.close()
    lost = [name for name in acknowledged if stand.get(name) != 1]
    if lost or set(stand.values()) != {1} or kept != len(stand) + extra or held or n_items != len(X):
        raise SystemExit(f"lost {lost}, {kept} labels of {len(stand)} items, {extra} extra, {held} held")


def verified(url: str, log: Path, quiet: tuple[list[Any], list[Any]]) -> None:
    if not ended(forked(verify, url, log, quiet), None):
        raise SystemExit("killed while it was verified")


# four ways to be killed


class Killer:
    """Kills, counts, and verifies."""

    def __init__(self, url: str, folder: Path, kills: int, seed: int) -> None:
        self.url, self.folder, self.kills = url, folder, kills
        self.random = random.Random(seed)
        loop = the_loop(lambda queries: [TRUTH[query.id] for query in queries])
        run(loop)
        self.quiet = said(loop)
        self.n_killed = self.n_runs = 0

    def store(self) -> tuple[str, Path]:
        self.n_runs += 1
        return self.url.format(self.n_runs), self.folder / f"{self.n_runs}.log"

    def labeler(self) -> None:
        while self.n_killed < self.kills:
            url, log = self.store()
            is_done = False
            while not is_done:
                goes_on = self.n_killed >= self.kills
                pid = forked(train_alone, url, log)
                is_done = ended(pid, None if goes_on else self.random.uniform(0.0, 0.4))
                if not is_done:
                    killed(pid)
                    self.n_killed += 1
            verified(url, log, self.quiet)

    def desks(self) -> None:
        while self.n_killed < self.kills:
            url, log = self.store()
            Database(url).close()
            names = ("trainer", "ann", "bob")
            at_work = {name: self.start(name, url, log) for name in names}
            is_done = False
            while not is_done:
                pause = None if self.n_killed >= self.kills else self.random.uniform(0.0, 0.4)
                is_done = ended(at_work["trainer"], pause)
                if not is_done:
                    name = self.random.choice(names)
                    killed(at_work[name])
                    self.n_killed += 1
                    at_work[name] = self.start(name, url, log)
            for name in names[1:]:
                killed(at_work[name])
            verified(url, log, self.quiet)

    def start(self, name: str, url: str, log: Path) -> int:
        if name == "trainer":
            return forked(train_with_desks, url, log)
        return forked(sit_at_a_desk, url, log, name)

    def statements(self, work: Callable[[str, Path], None] = train_alone) -> None:
        for n in self.chosen(work):
            url, log = self.store()
            if ended(forked(self.dying, work, n, url, log), None):
                continue
            self.n_killed += 1
            if not ended(forked(work, url, log), None):
                raise SystemExit("killed while it went on")
            verified(url, log, self.quiet)

    @staticmethod
    def dying(work: Callable[[str, Path], None], n: int, url: str, log: Path) -> None:
        die_at(n)
        work(url, log)

    def chosen(self, work: Callable[[str, Path], None]) -> list[int]:
        """At which statements: the first and the last of each kind, or every so many."""
        listed = self.folder / "statements.json"
        url, log = self.store()

        def write_down() -> None:
            seen: list[str] = []
            die_at(0, seen)
            work(url, log)
            listed.write_text(json.dumps(seen))

        ended(forked(write_down), None)
        seen = json.loads(listed.read_text())
        if self.kills:
            return list(range(1, len(seen) + 1, self.kills))
        first = {text: n for n, text in reversed(list(enumerate(seen, 1)))}
        last = {text: n for n, text in enumerate(seen, 1)}
        return sorted({*first.values(), *last.values()})


def main() -> None:
    kind, url, folder, kills, seed = sys.argv[1:]
    if kind.startswith("statements"):
        SIZES.update(rounds=4, batch=4)
    killer = Killer(url, Path(folder), int(kills), int(seed))
    if kind == "statements-at-desks":
        killer.statements(all_in_one)
    else:
        getattr(killer, kind)()
    print(json.dumps({"killed": killer.n_killed, "runs": killer.n_runs, "certificates": len(killer.quiet[1])}))


if __name__ == "__main__":
    main()
