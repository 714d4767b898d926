"""Any classifier as a modAL learner that works on current scikit-learn and numpy.

modAL 0.4.2.1 calls scikit-learn with an argument that 1.8 removed, and can't be printed or cloned. The
two subclasses here keep modAL's interface and replace what broke: they store the training data
themselves, fit a fresh clone each time (so that an earlier model stays what it was), encode the labels
once (strings work everywhere, committees too), and remember the predictions for the pool of the
present round, so that a strategy and the measuring share them. Nothing in modAL is patched.

This is the only room that imports modAL.
"""

from bootstrap.learner.committee import CommitteeLearner
from bootstrap.learner.single import Learner
from bootstrap.learner.wrapping import AnyLearner, as_learner, members_of

__all__ = ["AnyLearner", "CommitteeLearner", "Learner", "as_learner", "members_of"]
