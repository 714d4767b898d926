"""Label in the terminal, stop whenever you like, and go on later without being asked anything twice.

What one learns: `TerminalLabeler` asks, and with `storage=` each answer is on the disk before the next
question. Quit with q, run it again, and it goes on where you stopped. The texts are film reviews of one
sentence; 1 and 2 answer, ? explains.

Run: python 02_label_in_the_terminal.py     (answers go to film-labels.db in the current folder)
"""

from __future__ import annotations

from itertools import product

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bootstrap import BootstrapLoop, TerminalLabeler
from bootstrap.report import summary

WHAT = ("The story", "The acting", "The music", "The ending", "Every scene")
HOW = (
    "is a delight",
    "moved me to tears",
    "is worth the ticket",
    "bored me to tears",
    "is a waste of time",
    "made me leave early",
)
GUIDELINES = "good: the writer would see it again.\nbad: the writer would not. If you can't tell, skip."


def main() -> None:
    texts = [f"{what} {how}." for what, how in product(WHAT, HOW)]
    person = TerminalLabeler(guidelines=GUIDELINES, name="me")
    loop = BootstrapLoop(
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        person,
        storage="sqlite:///film-labels.db",
        classes=["good", "bad"],
        batch_size=4,
        audit_share=0.5,
        random_state=0,
    )
    print(f"{len(loop.labels)} answers are saved already.")
    history = loop.run(texts, budget=18)
    print(f"\n{loop.n_labels} labels so far.")
    print(summary(history))


if __name__ == "__main__":
    main()
