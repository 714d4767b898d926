"""All strategies in one list: by name, with what each needs, and as a table made of their docstrings.

What a docstring says (`Paper:`, `Utility:`, `Cost:`, `Memory:`, `Not when:` in its Notes) is read from
there; the few facts that code depends on stand here.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from strategies.auto import auto
from strategies.badge import badge
from strategies.batch import ranked_batch
from strategies.chance import random_sampling
from strategies.cluster_margin import cluster_margin, weighted_kmeans
from strategies.committee import bald, consensus_entropy, max_disagreement, vote_entropy
from strategies.contrastive import contrastive
from strategies.density import density_weighted, information_density
from strategies.discriminative import discriminative
from strategies.diversity import cold_start
from strategies.expected_error import expected_error
from strategies.falcun import falcun
from strategies.k_center import k_center
from strategies.prob_cover import prob_cover
from strategies.selection import Strategy
from strategies.typiclust import typiclust
from strategies.uncertainty import cost_sensitive, entropy, least_confident, margin

__all__ = ["Entry", "Facts", "Needs", "by_name", "facts", "markdown_table", "needs_of", "table"]

#: What kind of learner a strategy looks at. "none": it may be None, or not fitted.
Needs: TypeAlias = Literal["one model", "committee", "none"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What code has to know about a strategy.

    Attributes
    ----------
    strategy : callable
    needs : {"one model", "committee", "none"}
        What learner it asks. One that needs one model takes a committee too, as the mean of its members.
    by_chance : bool
        It draws even where nothing ties.
    in_turn : bool
        It picks one item after the other; each utility is that of its own turn.
    takes_nan : bool
        NaN in the features is no trouble to it.
    needs_labels : bool
        It compares with what is labeled, and refuses to work without.
    """

    strategy: Strategy
    needs: Needs
    by_chance: bool = False
    in_turn: bool = False
    takes_nan: bool = False
    needs_labels: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A strategy as its docstring describes it, one paragraph of plain text each.

    Attributes
    ----------
    name : str
    asks : str
        The first sentence: where it asks, or what it picks.
    needs : {"one model", "committee", "none"}
    paper, utility, cost, memory, not_when : str
        The paragraphs of its Notes; `cost` in the items n, features d, batch b, classes c and labels m.
    """

    name: str
    asks: str
    needs: Needs
    paper: str
    utility: str
    cost: str
    memory: str
    not_when: str


_FACTS: Final[dict[str, Facts]] = {
    "auto": Facts(auto, "one model", by_chance=True, in_turn=True),
    "badge": Facts(badge, "one model", by_chance=True, in_turn=True),
    "bald": Facts(bald, "committee"),
    "cluster_margin": Facts(cluster_margin, "one model", by_chance=True, in_turn=True),
    "cold_start": Facts(cold_start, "none", by_chance=True, takes_nan=True),
    "consensus_entropy": Facts(consensus_entropy, "committee"),
    "contrastive": Facts(contrastive, "one model", needs_labels=True),
    "cost_sensitive": Facts(cost_sensitive, "one model"),
    "density_weighted": Facts(density_weighted, "one model"),
    "discriminative": Facts(discriminative, "none", in_turn=True),
    "entropy": Facts(entropy, "one model"),
    "expected_error": Facts(expected_error, "one model", needs_labels=True),
    "falcun": Facts(falcun, "one model", by_chance=True, in_turn=True),
    "information_density": Facts(information_density, "none"),
    "k_center": Facts(k_center, "none"),
    "least_confident": Facts(least_confident, "one model"),
    "margin": Facts(margin, "one model"),
    "max_disagreement": Facts(max_disagreement, "committee"),
    "prob_cover": Facts(prob_cover, "none", by_chance=True),
    "random_sampling": Facts(random_sampling, "none", by_chance=True, takes_nan=True),
    "ranked_batch": Facts(ranked_batch, "one model", in_turn=True),
    "typiclust": Facts(typiclust, "none", by_chance=True, in_turn=True),
    "vote_entropy": Facts(vote_entropy, "committee"),
    "weighted_kmeans": Facts(weighted_kmeans, "one model", by_chance=True),
}

#: What to try first, in this order.
_FIRST: Final = (
    "auto",
    "margin",
    "random_sampling",
    "typiclust",
    "badge",
    "ranked_batch",
    "k_center",
    "vote_entropy",
    "consensus_entropy",
    "max_disagreement",
    "bald",
)

#: The paragraphs of a strategy's Notes, in their order, and the fields they become.
_PARAGRAPHS: Final = {
    "Paper": "paper",
    "Utility": "utility",
    "Cost": "cost",
    "Memory": "memory",
    "Not when": "not_when",
}


def by_name(name: str) -> Strategy:
    """The strategy of that name; names are those of the functions.

    Raises
    ------
    ValueError
        If there is none; the message lists all and suggests near ones.
    """
    return _facts_of(name).strategy


def facts() -> dict[str, Facts]:
    """What code has to know about each strategy, by its name; a copy."""
    return dict(_FACTS)


def needs_of(strategy: Any) -> Needs | None:
    """What learner a strategy asks, or what the one inside a wrapper does.

    Looks through `functools.partial` and whatever keeps what it wraps as `strategy` or, for several,
    `strategies`: one that needs a committee makes the whole need one.

    Returns
    -------
    {"one model", "committee", "none"} or None
        None for a strategy that is not ours.
    """
    for known in _FACTS.values():
        if known.strategy is strategy:
            return known.needs
    inner = getattr(strategy, "strategies", None)
    if inner is None:
        inner = [getattr(strategy, "strategy", getattr(strategy, "func", None))]
    found = [needs_of(one) for one in inner if one is not None]
    ranked: tuple[Needs, ...] = ("committee", "one model", "none")
    return next((needs for needs in ranked if needs in found), None)


def table(names: Iterable[str] | None = None) -> list[Entry]:
    """What the strategies' docstrings say.

    Parameters
    ----------
    names : iterable of str, optional
        Which, and in which order. Without it: all, by name.

    Returns
    -------
    list of Entry

    Raises
    ------
    ValueError
        For an unknown name, or a docstring without one of the five paragraphs; never for ours, unless
        Python was told to drop docstrings (-OO).
    """
    return [_entry(name) for name in (_FACTS if names is None else names)]


def markdown_table(names: Iterable[str] | None = None, *, brief: bool = False) -> str:
    """:func:`table` in Markdown, a row for each strategy; without the utility, for want of width.

    Parameters
    ----------
    names : iterable of str, optional
        As in :func:`table`.
    brief : bool
        Only what it does and what it asks, first in the order in which to try them.

    Returns
    -------
    str
        Lines that end in a newline each.

    Raises
    ------
    ValueError
        As :func:`table`.
    """
    if brief:
        columns = {"strategy": "name", "what it does": "asks", "learner": "needs"}
        names = [*_FIRST, *(name for name in _FACTS if name not in _FIRST)] if names is None else names
    else:
        columns = {
            "strategy": "name",
            "what it does": "asks",
            "learner": "needs",
            "cost": "cost",
            "memory": "memory",
            "not when": "not_when",
            "paper": "paper",
        }
    entries = [_for_markdown(entry) for entry in table(names)]
    rows = [
        "| " + " | ".join(f"`{e.name}`" if c == "name" else getattr(e, c) for c in columns.values()) + " |"
        for e in entries
    ]
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows]) + "\n"


def _facts_of(name: str) -> Facts:
    if name in _FACTS:
        return _FACTS[name]
    near = difflib.get_close_matches(str(name).lower(), _FACTS, n=2)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ValueError(f"no strategy is called {name!r}.{hint} There are: {', '.join(_FACTS)}")


def _entry(name: str) -> Entry:
    known = _facts_of(name)
    paragraphs = (inspect.getdoc(known.strategy) or "").split("\n\n")
    try:
        start = next(i for i, text in enumerate(paragraphs) if text.startswith("Notes\n-----\n"))
    except StopIteration:
        raise ValueError(f"the docstring of {name} has no section Notes: {_wanted()}") from None
    notes = [paragraphs[start].removeprefix("Notes\n-----\n"), *paragraphs[start + 1 :]]
    found = {}
    for text, (word, field) in zip(notes, _PARAGRAPHS.items(), strict=False):
        if text.startswith(f"{word}:") and text.removeprefix(f"{word}:").strip():
            found[field] = " ".join(text.removeprefix(f"{word}:").split())
    missing = [word for word, field in _PARAGRAPHS.items() if field not in found]
    if missing:
        raise ValueError(f"the Notes of {name} lack {', '.join(missing)} where it belongs: {_wanted()}")
    return Entry(name=name, asks=paragraphs[0].replace("\n", " "), needs=known.needs, **found)


def _wanted() -> str:
    return f"they begin with paragraphs {', '.join(f'{word}:' for word in _PARAGRAPHS)} in this order"


def _for_markdown(entry: Entry) -> Entry:
    def plain(text: str) -> str:
        text = re.sub(r":\w+:`~?(?:\w+\.)*(\w+)`", r"`\1`", text).replace("``", "`")
        return re.sub(r"(?<!\\)\|", r"\\|", text)

    values = {field: plain(getattr(entry, field)) for field in ("asks", *_PARAGRAPHS.values())}
    return Entry(name=entry.name, needs=entry.needs, **values)
