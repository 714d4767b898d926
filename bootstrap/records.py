"""The frozen records that pass between the rooms and get stored.

Plain data: no behaviour beyond checking themselves on construction and turning into JSON. A `Query`
goes to a labeler, a `Label` is what came back, a `Round` is one row of the history.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

__all__ = ["SKIP", "Class", "Label", "Query", "Round", "Skip", "Source"]

#: What a label can be: a string, a whole number or a bool (never mixed within one loop).
Class: TypeAlias = str | int | bool


class Skip(enum.Enum):
    """The type of :data:`SKIP`."""

    SKIP = "skip"

    def __repr__(self) -> str:
        return "SKIP"


#: A labeler's answer for "can't tell". The item is not asked again unless wanted.
SKIP: Final = Skip.SKIP


class Source(enum.StrEnum):
    """Why a label exists; it decides what the label may be used for."""

    TRAINING = "training"  #: a query that the strategy picked: trained on, never evidence
    AUDIT = "audit"  #: a blind random check of a held-out item: evidence, never trained on
    SECOND = "second"  #: a second blind answer about an audited item: decides disagreements, measures people
    POOL = "pool"  #: a blind random check of a closed pool: evidence for that pool alone
    GIVEN = "given"  #: existed before it was asked for: trained on unless held out


@dataclass(frozen=True, slots=True)
class Query:
    """One ask: plain data that can be sent anywhere and answered by its `id` or `token`.

    It does not say whether it is an audit: people answer both kinds alike, and see no suggestion.

    Attributes
    ----------
    id : str
        The item's id; stable over restarts.
    item : object
        What the person looks at: a text, a table row (mapping or array), a path to an image.
    token : str
        Names this ask; unique within the loop.
    classes : tuple
        The classes known when the query was made, in the order they are shown.
    open_classes : bool
        True where the labeler may answer with a class that is not in `classes`.
    round : int
        The round the query belongs to, from 1.
    second : bool
        True where the item has a label already and a second, independent answer is wanted.
    """

    id: str
    item: Any = field(compare=False)  # an array equals another in no single way
    token: str
    classes: tuple[Class, ...] = ()
    open_classes: bool = True
    round: int = 1
    second: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """One answer, with who gave it and what it may be used for.

    Attributes
    ----------
    id : str
        The item's id.
    label : str, int, bool or SKIP
        The class; `SKIP` where the labeler could not tell.
    source : Source
        Why it exists: a training query, an audit, or given.
    by : str or None
        Who answered.
    round : int
        The round in which it came, from 1.
    at : float
        When it came, seconds since the epoch by the loop's clock.
    blind : bool
        True where no suggestion was in view. Only blind labels can be evidence.
    extra : bool
        True for an answer that came after the item already had a label. It is kept, and never
        overwrites the first.
    class_version : int
        The version of the class list under which it was given; `label` is what was said then.
    """

    id: str
    label: Class | Skip
    source: Source
    by: str | None = None
    round: int = 0
    at: float = 0.0
    blind: bool = True
    extra: bool = False
    class_version: int = 1


@dataclass(frozen=True, slots=True)
class Round:
    """One row of the history: what was spent, and what the held-out set says after the refit.

    Shares are in [0, 1]; `None` means not measured (no audited item yet, or no model yet). All accuracies
    are measured on audited items of the held-out set, which no strategy picked and no model was
    trained on, and take the person's answer as the truth.

    Attributes
    ----------
    round : int
        From 1.
    n_labels : int
        Every label that people gave so far in this loop, audits included.
    n_trained : int
        Labels the model was trained on, given ones included.
    n_audited : int
        Held-out items that people have answered blind.
    n_given : int
        Labels that existed already (`labeled=`, `add_labels`), counted apart from `n_labels`.
    n_skipped : int
        Queries answered with SKIP so far.
    n_classes : int
        Classes seen so far in any label.
    n_unsettled : int
        Those of them that have no label: nobody could tell, or people disagree and nobody has decided yet.
        They count as wrong in all that is measured, until there is one.
    accuracy : float or None
        Of the model alone, on every audited item.
    accuracy_at_review_rate : float or None
        If people decided the least confident `review_rate` and the model the rest. An estimate.
    accuracy_low, accuracy_high : float or None
        Interval for `accuracy_at_review_rate` of this round's model; valid for this round alone.
    running_low, running_high : float or None
        Interval for the running average: each audit scored by the model that was live when it was
        asked. Valid at all rounds at once.
    selective_accuracy : float or None
        Among the audited items that the model would decide alone.
    review_rate : float
        The nominal review rate r.
    realised_review_rate : float or None
        Share of all held-out items at or below the threshold (ties are reviewed).
    threshold : float or None
        Confidence above which the model decides alone: the r-quantile over all held-out items.
    n_decided_alone, n_wrong : int
        Audited items above the threshold, and how many of those the model gets wrong.
    certified_review_rate : float
        The lowest review rate that is certified for the champion; 1 while there is none.
    review_rate_for_target : float or None
        Estimated review rate at which the target would be met; None while there are too few audits for
        any estimate. It is looked at each round: no basis for a decision.
    seconds : float
        Time for refit and measuring; not part of equality.
    """

    round: int
    n_labels: int
    n_trained: int
    n_audited: int
    n_given: int
    n_skipped: int
    n_classes: int
    review_rate: float
    realised_review_rate: float | None = None
    threshold: float | None = None
    n_decided_alone: int = 0
    n_wrong: int = 0
    accuracy: float | None = None
    accuracy_at_review_rate: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    running_low: float | None = None
    running_high: float | None = None
    selective_accuracy: float | None = None
    review_rate_for_target: float | None = None
    certified_review_rate: float = 1.0
    n_unsettled: int = 0
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The row as plain types, ready for JSON."""
        return dataclasses.asdict(self)
