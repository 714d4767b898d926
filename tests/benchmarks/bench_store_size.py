"""A hundred thousand and a million items in a store: to add, to go on with, one round; and the file's size.

16 features an item, the strategy `margin`. Peak memory is that of the process, which holds the pool as well.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bootstrap

_ROUND = """
import json, resource, sys, time
import numpy as np
from sklearn.linear_model import LogisticRegression
from bootstrap import BootstrapLoop

url, n, begins = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "add"
took, last = {}, time.perf_counter()

def lap(name):
    global last
    now = time.perf_counter()
    took[name], last = now - last, now

loop = BootstrapLoop(LogisticRegression(), strategy="margin", batch_size=20, random_state=7, storage=url)
lap("open")
if begins:
    X = np.random.default_rng(0).normal(size=(n, 16))
    last = time.perf_counter()
    loop.add(X, ids=[f"item {i}" for i in range(n)])
    lap("add")
for name in ("first", "second"):
    queries = loop.ask()
    lap(f"{name} ask")
    loop.tell({query.id: int(query.id.split()[1]) % 2 for query in queries})
    lap(f"{name} tell")
    loop.refit()
    lap(f"{name} refit")
loop.close()
took["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(took))
"""


def measured(url: str, n: int, what: str) -> dict[str, float]:
    """Seconds of each step, and peak MB, of a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", _ROUND, url, str(n), what],
        env={**os.environ, "PYTHONPATH": str(Path(bootstrap.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    took: dict[str, float] = json.loads(ran.stdout)
    return took


def test_a_million_items(tmp_path: Path, capsys: Any) -> None:
    added, resumed, size = {}, {}, {}
    for n in (10**5, 10**6):
        file = tmp_path / f"{n}.db"
        url = f"sqlite:///{file.as_posix()}"
        added[n], resumed[n] = measured(url, n, "add"), measured(url, n, "resume")
        size[n] = file.stat().st_size / 1e6
    rows = {
        "add (s)": {n: added[n]["add"] for n in added},
        "resume (s)": {n: resumed[n]["open"] for n in added},
        "ask (s)": {n: resumed[n]["second ask"] for n in added},
        "tell (s)": {n: resumed[n]["second tell"] for n in added},
        "refit (s)": {n: resumed[n]["second refit"] for n in added},
        "file (MB)": size,
        "peak memory (MB)": {n: max(added[n]["peak"], resumed[n]["peak"]) for n in added},
    }
    with capsys.disabled():
        print(f"\n{'':18}{'10^5':>10}{'10^6':>10}{'times':>8}")
        for name, row in rows.items():
            small, large = row[10**5], row[10**6]
            print(f"{name:18}{small:10.2f}{large:10.2f}{large / small:8.1f}")
    for name in ("add (s)", "resume (s)", "file (MB)", "peak memory (MB)"):
        assert rows[name][10**6] <= 13 * rows[name][10**5], name
    for name in ("ask (s)", "tell (s)", "refit (s)"):  # milliseconds at 10^5: no ratio of these
        assert rows[name][10**6] <= 1.0, name
