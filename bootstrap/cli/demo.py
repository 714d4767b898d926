"""`bootstrap-labels demo`: a model takes work off a simulated person, on real images, in ten seconds.

All answers and the truth are known here, so that the interval can be held against them, on held-out items
that nobody was asked about. At the end stands the verdict: whether people may review less.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bootstrap.cli.terminal_output import Debug, new_console, plain_warnings, progress_bar, say

if TYPE_CHECKING:
    from bootstrap.labelers import SimulatedLabeler
    from bootstrap.loop import BootstrapLoop

__all__ = ["demo"]

_ERROR_RATE: Final = 0.02
_ANOTHER: Final = 1000  # seeds apart, so that the two people err on different items
_REVIEW_RATE: Final = 0.2

_BEFORE = (
    "1,797 scanned digits are to be sorted into ten classes, and none has a label. A simulated person, "
    "wrong on 2 % of the items, is asked about those that the model is least sure of, ten a round, and "
    "blindly about five more from a held-out set that the model never learns from: these audits say how "
    "good it is. Where an audit and a model under test differ a second person decides, wrong as often. After "
    "each round the model learns anew. The questions: if people decided only the 20 % that the model is "
    "least sure of, how much of what goes out would be right? And is that proved?"
)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the history and the pictures.")] = Path(
        "bootstrap-labels-demo"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Decides everything that is drawn.")] = 0,
    budget: Annotated[int, typer.Option(min=15, help="Labels the person gives, audits included.")] = 700,
    debug: Debug = False,
) -> None:
    """Run a loop on scikit-learn's digits, print what came out, and write it to `out`."""
    import numpy as np
    from sklearn.datasets import load_digits

    from bootstrap.cli.results import (
        new_folder,
        say_what_was_written,
        show_history,
        show_verdict,
        write_history,
    )
    from bootstrap.labelers import SimulatedLabeler

    folder = new_folder(out)
    console = new_console()
    say(console, _BEFORE, f"Seed {seed}; --seed takes another.")
    X, y = load_digits(return_X_y=True)
    X = X / 16
    ids = [f"digit-{i}" for i in range(len(y))]
    truth = dict(zip(ids, y.tolist(), strict=True))
    person, second = (
        SimulatedLabeler(truth, error_rate=_ERROR_RATE, name=name, random_state=drawn)
        for name, drawn in (("simulated person", seed), ("second person", seed + _ANOTHER))
    )
    loop = _loop(person, second, seed)
    with plain_warnings(), progress_bar(budget) as callbacks:
        history = loop.run(X, ids=ids, budget=budget, callbacks=callbacks)
    show_history(console, history)
    unseen = _held_out_and_never_asked(loop, ids)
    say(
        console,
        _held_against_what_is_known(loop, X[unseen], y[unseen], np.array(ids)[unseen].tolist(), person),
    )
    say_what_was_written(console, folder, write_history(loop, folder))
    show_verdict(console, loop, command="demo", with_plan=True)


def _loop(person: SimulatedLabeler, second: SimulatedLabeler, seed: int) -> BootstrapLoop:
    from sklearn.linear_model import LogisticRegression

    from bootstrap.loop import BootstrapLoop

    # Half as many audits as training queries: more than a real task would need, so that the interval
    # narrows before one's eyes.
    return BootstrapLoop(
        LogisticRegression(max_iter=1000),
        person,
        adjudicator=second,
        batch_size=10,
        audit_share=0.5,
        held_out=0.3,
        review_rate=_REVIEW_RATE,
        target_accuracy=0.95,
        random_state=seed,
    )


def _held_out_and_never_asked(loop: BootstrapLoop, ids: list[str]) -> list[int]:
    asked = {label.id for label in loop.labels}
    return [i for i, item_id in enumerate(ids) if loop.is_held_out(item_id) and item_id not in asked]


def _held_against_what_is_known(
    loop: BootstrapLoop, X: Any, y: Any, ids: list[str], person: SimulatedLabeler
) -> str:
    """The last model against answers, and against the truth, that nobody was asked for."""
    import numpy as np

    from bootstrap.records import Query
    from bootstrap.report.figures import interval, share

    last = loop.history[-1]
    if last.threshold is None or last.accuracy_low is None or not ids:
        return (
            "Whether the interval is honest can't be shown here: too little is measured, or all is audited."
        )
    proba = loop.predict_proba(X)
    by_model = np.asarray(loop.learner.classes_)[proba.argmax(axis=1)]
    by_person = np.array(person([Query(item_id, None, item_id) for item_id in ids]))
    alone = proba.max(axis=1) > last.threshold
    out = np.where(alone, by_model, by_person)
    agreed, right = float(np.mean(out == by_person)), float(np.mean(out == y))
    inside = last.accuracy_low <= agreed <= (last.accuracy_high or 1.0)
    return (
        f"Is that interval honest? Of the {len(y):,} held-out items that nobody was asked about, "
        f"{share(agreed)} of what would go out agrees with what this person would say. The interval for the "
        f"last round's model, {interval(last.accuracy_low, last.accuracy_high)}, "
        f"{'contains' if inside else 'does not contain'} that. By the truth, which only a simulation knows, "
        f"{share(right)} is right, and {share(float(np.mean(by_model == y)))} of what the model says on its "
        "own. The difference is the person's own errors, for which an audit blames the model: with real "
        "people it is unknown until their errors are measured."
    )
