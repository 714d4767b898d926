"""`bootstrap-labels bench`: which strategy needs the fewest labels on one's own data, against random.

Labels that exist are hidden and given out in batches. Every finished run is kept at once, so that Ctrl-C
costs nothing: the same command goes on.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from bootstrap.cli import bench_options as options
from bootstrap.cli.terminal_output import Debug, new_console, note, plain_warnings, say
from bootstrap.errors import InvalidInput, MissingExtra

if TYPE_CHECKING:
    from rich.table import Table

    from bootstrap.testing import Comparison

__all__ = ["bench"]

_INTERRUPTED: Final = 130  # what shells say of Ctrl-C


def bench(
    data: options.Data,
    label: options.Label = None,
    text: options.Text = None,
    features: options.FeatureColumns = None,
    id: options.Id = None,
    max_items: options.MaxItems = 5000,
    strategy: options.Strategy = None,
    seeds: options.Seeds = 10,
    first: options.First = 20,
    until: options.Until = 300,
    batch_size: options.BatchSize = 10,
    seed: options.Seed = 0,
    n_jobs: options.Jobs = -1,
    out: options.Out = None,
    debug: Debug = False,
) -> None:
    """Compare strategies with random sampling, print a verdict on each, and write curves and tables."""
    from bootstrap.cli.bench_data import read_bench_data
    from bootstrap.cli.results import say_what_was_written
    from bootstrap.testing import compare_strategies

    chosen = _known(strategy)
    items = read_bench_data(data, label=label, text=text, features=features, id=id).at_most(max_items, seed)
    folder = _own_folder(out or Path(f"{data.stem}-bench"))
    console = new_console()
    steps = ", ".join(type(step).__name__ for _, step in items.estimator.steps)
    say(
        console,
        f"{data}: {' '.join(items.notes)} The model: {steps}. What is found holds for it; in Python, "
        "compare_strategies(estimator=...) takes another.",
    )
    finished = [0, 0]
    try:
        with plain_warnings(), _progress(finished) as progress:
            found = compare_strategies(
                items.X,
                items.y,
                chosen,
                estimator=items.estimator,
                seeds=range(seed, seed + seeds),
                first=first,
                until=until,
                batch_size=batch_size,
                n_jobs=n_jobs,
                folder=folder / "runs",
                progress=progress,
            )
    except KeyboardInterrupt:
        note(
            f"stopped. {finished[0]:,} of {finished[1]:,} runs are finished and kept in {folder / 'runs'}: "
            "run the same command again to go on."
        )
        raise typer.Exit(_INTERRUPTED) from None
    console.print(_table(found))
    console.print()
    say(console, *found.verdicts().values(), found.caveat())
    say_what_was_written(console, folder, _write(found, folder))


def _known(named: list[str] | None) -> list[str]:
    """The strategies by name, each once; an unknown one is refused before anything is read."""
    from bootstrap.strategy_call import resolve

    chosen = list(dict.fromkeys(named or options.STRATEGIES))
    for name in chosen:
        resolve(name)
    return chosen


def _own_folder(path: Path) -> Path:
    """A new or empty folder, or that of an earlier call, which is gone on with; no other is written into."""
    from bootstrap.cli.results import new_folder

    try:
        taken = path.is_dir() and any(path.iterdir()) and not _holds_runs(path / "runs")
    except OSError as error:
        raise InvalidInput(
            f"Cannot read the folder {path}: {error.strerror}. Choose another one with --out."
        ) from error
    if taken:
        raise InvalidInput(
            f"The folder {path} holds other files, and no runs of an earlier comparison to go on with: "
            "choose a new or an empty one with --out."
        )
    return new_folder(path)


def _holds_runs(folder: Path) -> bool:
    """Whether a comparison can have left it: finished runs, and what was being written when it was killed."""
    return folder.is_dir() and all(path.suffix in (".json", ".tmp") for path in folder.iterdir())


@contextlib.contextmanager
def _progress(finished: list[int]) -> Iterator[Callable[[int, int], object]]:
    """Notes what is finished, and draws a bar on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("runs"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("runs", total=None)

        def show(done: int, total: int) -> None:
            finished[:] = done, total
            bar.update(task, completed=done, total=total)

        yield show


def _table(found: Comparison) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        caption="\nLabels: until the mean curve reaches the accuracy that random has in the end.",
        caption_justify="left",
    )
    table.add_column("strategy", overflow="fold")
    for heading in (
        "mean\naccu-\nracy",
        "against\nrandom",
        "interval\n(95 %, paired)",
        "seeds\nahead",
        "labels",
        "CPU\ns a\nrun",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = found.table().sort_values("area", ascending=False, kind="stable").to_dict(orient="index")
    for name, row in rows.items():
        table.add_row(str(name), *_cells(row, found.n_seeds))
    return table


def _cells(row: dict[Any, float], n_seeds: int) -> list[str]:
    from bootstrap.report.label_efficiency import signed_interval

    compared, interval = not math.isnan(row["ahead"]), not math.isnan(row["low"])
    reached = not math.isnan(row["labels_needed"])
    return [
        f"{row['area']:.3f}",
        f"{row['difference']:+.3f}" if compared else "",
        signed_interval(row["low"], row["high"]) if interval else "",
        f"{round(row['ahead'] * n_seeds)} of {n_seeds}" if compared else "",
        f"{row['labels_needed']:.0f} ({100 * row['labels_ratio']:.0f} %)" if reached else "never",
        f"{row['seconds']:.2f}",
    ]


def _write(found: Comparison, folder: Path) -> list[Path]:
    """The curves and the table as CSV, and the picture, if matplotlib is there."""
    written = [folder / "curves.csv", folder / "table.csv"]
    found.curves.to_csv(written[0], index=False)
    found.table().to_csv(written[1])
    try:
        figure: Any = found.plot(folder / "curves.png").get_figure(root=True)
    except MissingExtra as missing:
        note(f"no picture was drawn. {missing}")
        return written
    if "matplotlib.pyplot" in sys.modules:  # then pyplot keeps the figure until it is told not to
        sys.modules["matplotlib.pyplot"].close(figure)
    return [*written, folder / "curves.png"]
