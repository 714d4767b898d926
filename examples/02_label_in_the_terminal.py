"""Label in the terminal, stop whenever you like, and go on later without being asked anything twice.

What one learns: `TerminalLabeler` asks, `LabelLog` saves each answer before the next question, and `logged`
puts one behind the other. Quit with q, run it again, and it goes on where you stopped. The texts are
film reviews of one sentence; 1 and 2 answer, ? explains.

Run: python 02_label_in_the_terminal.py     (answers go to film-labels.jsonl in the current folder)
"""

from __future__ import annotations

from itertools import product

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bootstrap import BootstrapLoop, TerminalLabeler
from bootstrap.labelers import logged
from bootstrap.report import summary
from bootstrap.store import LabelLog

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
SETTINGS = {"classes": ["good", "bad"], "batch_size": 4, "random_state": 0}


def main() -> None:
    texts = [f"{what} {how}." for what, how in product(WHAT, HOW)]
    person = TerminalLabeler(guidelines=GUIDELINES, name="me")
    with LabelLog.open("film-labels.jsonl", settings=SETTINGS) as log:  # refuses other settings
        print(f"{len(log.answers)} answers are saved already.")
        loop = BootstrapLoop(
            make_pipeline(TfidfVectorizer(), LogisticRegression()),
            logged(person, log),
            audit_share=0.5,
            **SETTINGS,
        )
        history = loop.run(texts, budget=18)
    print(f"\n{loop.n_labels} labels so far.")
    print(summary(history))


if __name__ == "__main__":
    main()
