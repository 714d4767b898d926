"""Three people label at once, a model learns beside them, and processes are killed: nothing is lost.

What one learns: with `storage=` and without a labeler, `run` asks people at desks, in any processes. Each
answer is on the disk before the next question, and what somebody held who was killed goes to somebody else.
With `queue_ahead=0` it all ends as if nobody had been killed.

Run: python 07_many_reviewers.py [postgresql://user@host/name]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from bootstrap import BootstrapLoop
from bootstrap.store.database import Database
from bootstrap.store.desks.desk import Desk
from bootstrap.store.upkeep.checking import check

X, Y = load_digits(return_X_y=True)
TRUTH = {f"digit {i}": int(y) for i, y in enumerate(Y)}


def look(queries):
    """Needs a fiftieth of a second for each."""
    for query in queries:
        time.sleep(0.02)
        yield TRUTH[query.id]


def review(url: str, name: str) -> None:
    with Desk(url, name, lease_seconds=1) as desk:
        desk.run(look, poll_seconds=(0.02, 0.2))


def train(url: str | None, labeler=None) -> BootstrapLoop:
    loop = BootstrapLoop(
        LogisticRegression(max_iter=500), labeler, storage=url, batch_size=20, queue_ahead=0, random_state=1
    )
    loop.run(X / 16, ids=list(TRUTH), rounds=4)
    return loop


def start(*given: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, __file__, *given])


def main(url: str) -> None:
    Database(url).close()  # makes the tables
    at_work = {role: start(url, role) for role in ("Ada", "Bo", "Cy", "trainer")}
    for role, seconds in (("Ada", 3.0), ("trainer", 0.5), ("Bo", 0.5)):
        time.sleep(seconds)
        if at_work["trainer"].poll() is None:
            at_work[role].kill()  # kill -9
            print(f"{role} was killed, and starts again")
            at_work[role] = start(url, role)
    at_work.pop("trainer").wait()
    for process in at_work.values():
        process.kill()
    loop, quiet = train(url), train(None, lambda queries: [TRUTH[query.id] for query in queries])
    print(f"{loop.n_labels} labels by {', '.join(sorted({label.by for label in loop.labels}))}")
    same = {each.id: each.label for each in loop.labels} == {each.id: each.label for each in quiet.labels}
    print(f"the same labels as in a quiet run: {same}; the same history: {loop.history == quiet.history}")
    print(check(url))
    loop.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:  # as `start` starts it
        train(sys.argv[1]) if sys.argv[2] == "trainer" else review(*sys.argv[1:])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/labels.db")
