"""When may people step back? A loop that runs until a review rate is certified, and what that is worth.

What one learns: `plan()` says what it may cost, a forecast; `verdict()` says whether people may review less,
and what is missing as long as they may not; a certificate says what was proved, about one frozen model and
one threshold. Here people err on 2 % of the items, and a second one decides where the first and the model
differ. Only a simulation knows the truth: it is held against the certificate at the end, on digits that were
in no pool.

Run: python 06_when_may_people_step_back.py
"""

from __future__ import annotations

import textwrap

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from bootstrap import BootstrapLoop, SimulatedLabeler
from bootstrap.stopping import Certified


def show(what: str, text: object) -> None:
    first = str(text).partition("\n\n")[0]  # of a plan: what comes after it is on what it rests
    print(f"{what}\n{textwrap.fill(first, 100, initial_indent='  ', subsequent_indent='  ')}\n")


def main() -> None:
    X, y = load_digits(return_X_y=True)
    X_pool, X_new, y_pool, y_new = train_test_split(X / 16, y, test_size=500, stratify=y, random_state=0)
    person = SimulatedLabeler(y_pool, items=X_pool, error_rate=0.02, name="first", random_state=1)
    second = SimulatedLabeler(y_pool, items=X_pool, error_rate=0.02, name="second", random_state=2)
    loop = BootstrapLoop(
        LogisticRegression(max_iter=1000),
        person,
        adjudicator=second,
        review_rate=0.2,
        target_accuracy=0.95,
        random_state=1,
    )
    show("Before the first label:", loop.plan())

    loop.run(X_pool, rounds=8)
    show(f"After {loop.n_labels} labels:", loop.verdict())
    show("What may be to come:", loop.plan())

    history = loop.run(budget=1000, until=Certified(review_rate=0.2))
    show(f"After {loop.n_labels} labels ({history.stop_reason}):", loop.verdict())
    certificate = loop.certificates[-1]
    show("What was proved:", certificate)

    # what nobody knows outside a simulation
    classes, alone = loop.certified_model().decide(X_new)
    wrong = classes[alone] != y_new[alone]
    print(
        f"The truth: of {len(y_new)} new digits the certified model decides {alone.sum()} alone, and gets "
        f"{wrong.mean():.1%} of them wrong; the target allows {1 - certificate.proved[0].claim.target:.1%}."
    )


if __name__ == "__main__":
    main()
