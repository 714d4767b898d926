"""Ask, tell and refit by hand: for answers that come from elsewhere, in parts, late or in another order.

What one learns: a query is plain data with an id, so it can be mailed, queued or shown on a page; `tell`
takes answers as they come. And labels are all there is to save: a new loop with the same seed and
items that is given them again has the same model.

Run: python 03_ask_and_tell.py
"""

from __future__ import annotations

import json

import numpy as np
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bootstrap import SKIP, BootstrapLoop


def new_loop() -> BootstrapLoop:
    X, _ = load_wine(return_X_y=True)
    loop = BootstrapLoop(
        make_pipeline(StandardScaler(), SVC()), batch_size=10, audit_share=0.5, held_out=0.3, random_state=0
    )
    loop.add(X, ids=[f"wine-{i}" for i in range(len(X))])
    return loop


def saved(loop: BootstrapLoop) -> str:
    """Every label as JSON; one that was skipped says nothing."""
    rows = [[label.id, label.label, label.blind] for label in loop.labels if label.label is not SKIP]
    return json.dumps(rows)


def with_labels(text: str) -> BootstrapLoop:
    """A new loop that knows these labels; blind ones of held-out items are evidence again."""
    loop = new_loop()
    for item_id, label, blind in json.loads(text):
        loop.add_labels([item_id], [label], blind=blind)
    loop.refit()
    return loop


def main() -> None:
    X, y = load_wine(return_X_y=True)
    truth = {f"wine-{i}": int(label) for i, label in enumerate(y)}
    loop = new_loop()
    for _ in range(3):
        queries = loop.ask()
        late, *others = reversed(queries)  # another order than asked, and one is missing
        loop.tell({query.id: truth[query.id] for query in others[:5]}, by="Ada")
        loop.tell({query.id: truth[query.id] for query in others[5:]}, by="Bo")
        print(f"{len(queries)} asked, {len(loop.ask())} still open; ", end="")
        round_ = loop.refit()  # does not wait for the last one
        told = loop.tell({late.id: truth[late.id]}, by="Cy")  # late, and taken all the same
        print(
            f"round {round_.round}: {round_.n_labels} labels, accuracy {round_.accuracy}; late: {told.kept}"
        )
    again = loop.tell({late.id: truth[late.id]})
    print(f"told twice: kept {again.kept}, repeated {again.repeated}")

    loop.refit()
    copy = with_labels(saved(loop))
    same = np.array_equal(loop.predict(X), copy.predict(X))
    print(f"saved and read again: the same predictions for {len(X)} wines: {same}")
    print(f"accuracy on {copy.history[-1].n_audited} audited wines: {copy.history[-1].accuracy}")


if __name__ == "__main__":
    main()
