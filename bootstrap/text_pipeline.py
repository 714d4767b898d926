"""The classifier for texts that works well enough without a thought, and learns in a fraction of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["PIPELINE_VERSION", "text_pipeline"]

#: Goes up with every change to the pipeline: another model asks other questions, and logs say which it was.
PIPELINE_VERSION: Final = 1


def text_pipeline() -> Pipeline:
    """TF-IDF of words and pairs of words, and a logistic regression.

    Classes count alike (`class_weight="balanced"`): a strategy labels rare classes more often than they
    occur, and a rare class is often the one that matters, so how often a class was asked about should
    not decide. It makes probabilities of rare classes larger than their frequency; the threshold of a
    review rate is a quantile of confidence, which does not mind, and accuracy is measured, not derived from
    probabilities. `C=10`: on the few hundred short texts that a loop starts with, weaker shrinkage does
    better the more classes there are. Words of one letter count too: short texts are full of them.

    Returns
    -------
    Pipeline
        Unfitted; takes a list of texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(lowercase=True, token_pattern=r"\b\w+\b", ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, class_weight="balanced", max_iter=1000),
    )
