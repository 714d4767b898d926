"""Every exception that this package raises on purpose.

    BootstrapError
    ├── InvalidInput (ValueError)       an argument is wrong; nothing was changed
    │   └── UnknownItem (KeyError)      an id that the pool does not hold
    ├── AnswersRejected (ValueError)    some answers were refused; the valid ones were kept
    ├── LabelerError (TypeError)        the labeler broke its contract (wrong count, None, not a list)
    ├── LabelerStopped                  the labeler wants to stop; carries the answers given so far
    ├── NotReady (RuntimeError)         asked for something that needs labels or a fitted model first
    ├── LogError (OSError)              an earlier label log that cannot be read or is in use
    ├── MissingExtra (ImportError)      an optional dependency is not installed
    ├── StoreError (OSError)            a store that cannot be opened, read or written
    │   └── StoreInUse                  another process trains this loop
    ├── LeaseLost (RuntimeError)        a claim that has run out, and somebody else has the query
    └── PackageShadowed (ImportError)   another package named `strategies` hides ours

A message says what was asked, what was found and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "AnswersRejected",
    "BootstrapError",
    "InvalidInput",
    "LabelerError",
    "LabelerStopped",
    "LeaseLost",
    "LogError",
    "MissingExtra",
    "NotReady",
    "PackageShadowed",
    "StoreError",
    "StoreInUse",
    "UnknownItem",
]


class BootstrapError(Exception):
    """Base of all errors that this package raises on purpose."""


class InvalidInput(BootstrapError, ValueError):
    """An argument is wrong. Nothing was changed by the call."""


class UnknownItem(InvalidInput, KeyError):
    """An id that the pool does not hold. Nothing was changed by the call."""

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0]) if self.args else ""


class AnswersRejected(BootstrapError, ValueError):
    """Some answers were refused; every valid one in the same call was kept.

    Attributes
    ----------
    rejected : dict
        Key as given -> why it was refused.
    n_kept : int
        How many answers of the same call were stored.
    """

    def __init__(self, rejected: Mapping[str, str], n_kept: int) -> None:
        self.rejected = dict(rejected)
        self.n_kept = n_kept
        shown = [f"{key}: {why}" for key, why in list(self.rejected.items())[:5]]
        more = len(self.rejected) - len(shown)
        if more > 0:
            shown.append(f"and {more} more (see .rejected)")
        kept = "1 other was kept" if n_kept == 1 else f"{n_kept} others were kept"
        super().__init__(f"{len(self.rejected)} of the answers refused, {kept}. " + "; ".join(shown))

    def __reduce__(self) -> tuple[Any, ...]:  # an exception is pickled by its message otherwise
        return type(self), (self.rejected, self.n_kept)


class LabelerError(BootstrapError, TypeError):
    """The labeler broke its contract; see :class:`bootstrap.protocols.Labeler`."""


class LabelerStopped(BootstrapError):
    """Raised by a labeler that wants to stop: not an error, the run ends cleanly.

    Parameters
    ----------
    answers : mapping, optional
        Query id -> answer, for what was answered before stopping. They are kept.
    reason : str
        Shown as the reason why the run ended.
    """

    def __init__(self, answers: Mapping[str, Any] | None = None, reason: str = "the labeler stopped") -> None:
        self.answers = dict(answers or {})
        self.reason = reason
        super().__init__(reason)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.answers, self.reason)


class NotReady(BootstrapError, RuntimeError):
    """What was asked for needs labels, or a fitted model, that are not there yet."""


class LogError(BootstrapError, OSError):
    """An earlier label log that can't be read, or is in use."""


class MissingExtra(BootstrapError, ImportError):
    """An optional dependency is missing.

    Parameters
    ----------
    doing : str
        What was attempted, as a gerund: "Drawing a plot".
    package : str
        The distribution that is missing.
    extra : str
        The extra of `bootstrap-labels` that brings it.
    """

    def __init__(self, doing: str, package: str, extra: str) -> None:
        self._parts = (doing, package, extra)
        super().__init__(
            f"{doing} needs {package}, which is not installed. Run: pip install {package} "
            f"(it comes with the extra [{extra}] of bootstrap-labels)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._parts


class StoreError(BootstrapError, OSError):
    """A store that can't be opened, read or written. What was said to be saved before is."""


class StoreInUse(StoreError):
    """Another process trains this loop. Nothing was changed by the call."""


class LeaseLost(BootstrapError, RuntimeError):
    """A claim that has run out, and somebody else has the query now. An answer to it is still taken."""


class PackageShadowed(BootstrapError, ImportError):
    """`import strategies` found a package that is not ours."""
