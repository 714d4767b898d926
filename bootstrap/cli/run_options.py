"""The options of `bootstrap-labels run`: what each is called, and what its help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

__all__ = [
    "MOST_SEEDS",
    "STRATEGIES",
    "AuditShare",
    "BatchSize",
    "Budget",
    "By",
    "Classes",
    "File",
    "Guidelines",
    "HeldOut",
    "Id",
    "KnownLabels",
    "LabelWith",
    "Out",
    "Recall",
    "ReviewRate",
    "Rounds",
    "Seed",
    "Strategy",
    "Target",
    "Text",
]

MOST_SEEDS: Final = 2**32

#: Those that make sense with one model of texts; the others want a committee, or numbers.
STRATEGIES: Final = (
    "auto",
    "margin",
    "weighted_kmeans",
    "badge",
    "entropy",
    "least_confident",
    "random_sampling",
)

_LEARNING: Final = "What is learned from"
_MEASURING: Final = "What is measured"

File: TypeAlias = Annotated[
    Path, typer.Argument(help="Your texts: .csv with a header, or .jsonl.", show_default=False)
]
Text: TypeAlias = Annotated[
    str, typer.Option("--text", metavar="COL", help="Column of the texts.", show_default=False)
]
LabelWith: TypeAlias = Annotated[
    str,
    typer.Option(
        "--label-with",
        metavar="terminal|column:COL",
        help="Who answers: you, here; or a column that holds the answers, to try things out.",
        show_default=False,
    ),
]
Classes: TypeAlias = Annotated[
    str | None,
    typer.Option("--classes", metavar="A,B,C", help="All classes; without this, new ones may turn up."),
]
KnownLabels: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--known-labels", metavar="COL", help="Column of labels that exist: learned from, not asked about."
    ),
]
Id: TypeAlias = Annotated[
    str | None, typer.Option("--id", metavar="COL", help="Column of ids; by default made from the texts.")
]
Guidelines: TypeAlias = Annotated[
    Path | None,
    typer.Option("--guidelines", metavar="FILE", help="A text on how to label, shown when you press ?."),
]
By: TypeAlias = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who answers; kept with each label.")
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="For labels and results; by default FILE's name and -labels."),
]
Budget: TypeAlias = Annotated[
    int, typer.Option("--budget", min=1, help="Labels in all sessions together, audits included.")
]
Rounds: TypeAlias = Annotated[
    int | None, typer.Option("--rounds", min=1, help="Rounds in all sessions together.")
]
BatchSize: TypeAlias = Annotated[
    int,
    typer.Option("--batch-size", min=1, help="Questions a round to learn from.", rich_help_panel=_LEARNING),
]
Strategy: TypeAlias = Annotated[
    str,
    typer.Option(
        "--strategy",
        help=f"Which texts to ask about: {', '.join(STRATEGIES)}.",
        rich_help_panel=_LEARNING,
    ),
]
Seed: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=MOST_SEEDS - 1,
        help="Decides everything that is drawn; drawn itself, and kept, if not given.",
        rich_help_panel=_LEARNING,
    ),
]
ReviewRate: TypeAlias = Annotated[
    float,
    typer.Option(
        "--review-rate", help="Share of texts that people would decide.", rich_help_panel=_MEASURING
    ),
]
Target: TypeAlias = Annotated[
    float,
    typer.Option(
        "--target", help="Accuracy aimed at in what the model decides alone.", rich_help_panel=_MEASURING
    ),
]
Recall: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--recall",
        metavar="CLASS=SHARE",
        help="Share of a class that may not go out wrong; may be given several times.",
        rich_help_panel=_MEASURING,
    ),
]
HeldOut: TypeAlias = Annotated[
    float,
    typer.Option(
        "--held-out", help="Share of texts never learned from, to measure on.", rich_help_panel=_MEASURING
    ),
]
AuditShare: TypeAlias = Annotated[
    str,
    typer.Option(
        "--audit-share",
        metavar="auto|NUMBER",
        help="Blind checks of held-out texts: where they bring a certificate soonest, or so many for each "
        "question to learn from.",
        rich_help_panel=_MEASURING,
    ),
]
