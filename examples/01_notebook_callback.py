"""A function that answers, over embeddings: what the ten lines of a notebook look like.

What one learns: `X` is what the model sees (embeddings), `items` is what people see (texts), and the labeler
is any function on a query. Put `input(query.item)` or a widget into `ask_me`, and it asks you; here a script
answers, so that the example runs unattended.

Run: python 01_notebook_callback.py
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from bootstrap import SKIP, BootstrapLoop, Query, each

OPENINGS = ("Hello, ", "Hi there. ", "Please help: ", "Good morning, ", "Second time I write: ", "")
TOPICS = {
    "card": ("my card was declined", "the card is lost", "a new card never came", "the card got stuck"),
    "transfer": ("a transfer is missing", "I sent money twice", "my transfer was refused", "no money came"),
    "login": ("I forgot my password", "the app locks me out", "no code comes by text", "login fails"),
}
ENDINGS = (", what now?", ". Who can help?", " since Monday.", " and I travel tomorrow!", ".", ", again.")


def texts_to_sort() -> list[str]:
    phrases = [phrase for topic in TOPICS.values() for phrase in topic]
    return ["".join(parts) for parts in product(OPENINGS, phrases, ENDINGS)]


def embed(texts: list[str]) -> Any:
    """Stands in for a sentence embedding model: shape (n, 16)."""
    to_vectors = make_pipeline(TfidfVectorizer(), TruncatedSVD(16, random_state=0), Normalizer())
    return np.asarray(to_vectors.fit_transform(texts))


def ask_me(query: Query) -> Any:
    """In a notebook: `return input(query.item) or SKIP`."""
    for topic, phrases in TOPICS.items():
        if any(phrase in query.item for phrase in phrases):
            return topic
    return SKIP


def main() -> None:
    texts = texts_to_sort()
    loop = BootstrapLoop(
        LogisticRegression(max_iter=1000), each(ask_me), batch_size=10, audit_share=0.5, random_state=0
    )
    history = loop.run(embed(texts), items=texts, budget=90)

    columns = ["round", "n_labels", "n_audited", "accuracy_at_review_rate", "accuracy_low", "accuracy_high"]
    print(history.to_frame()[columns].round(3).to_string(index=False))
    for label in loop.labels[:3]:
        print(f"{label.source:8} {label.label}")


if __name__ == "__main__":
    main()
