"""The options of `bootstrap-labels bench`: what each is called, and what its help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

__all__ = [
    "STRATEGIES",
    "BatchSize",
    "Data",
    "FeatureColumns",
    "First",
    "Id",
    "Jobs",
    "Label",
    "MaxItems",
    "Out",
    "Seed",
    "Seeds",
    "Strategy",
    "Text",
    "Until",
]

#: Those that are compared where nobody names any: the default, and what one would try first.
STRATEGIES: Final = ("auto", "margin", "typiclust", "badge", "random_sampling")

_READING: Final = "What is read"
_COMPARING: Final = "What is compared"

Data: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="FILE",
        help="Items whose labels are known: .csv with a header, .jsonl, or .npz with X and y.",
        show_default=False,
        rich_help_panel=_READING,
    ),
]
Label: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--label", metavar="COL", help="Column of the labels; by default label.", rich_help_panel=_READING
    ),
]
Text: TypeAlias = Annotated[
    str | None, typer.Option("--text", metavar="COL", help="Column of texts.", rich_help_panel=_READING)
]
FeatureColumns: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--features",
        metavar="A,B,C",
        help="Columns of numbers or of categories; by default all others, which must hold numbers then.",
        rich_help_panel=_READING,
    ),
]
Id: TypeAlias = Annotated[
    str | None, typer.Option("--id", metavar="COL", help="Column of ids: not used.", rich_help_panel=_READING)
]
MaxItems: TypeAlias = Annotated[
    int,
    typer.Option(
        "--max-items", min=40, help="Of more items so many are drawn at random.", rich_help_panel=_READING
    ),
]
Strategy: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        metavar="NAME",
        help=f"May be given several times; by default {', '.join(STRATEGIES)}. Random is always there.",
        rich_help_panel=_COMPARING,
    ),
]
Seeds: TypeAlias = Annotated[
    int,
    typer.Option(
        "--seeds",
        min=1,
        help="Runs of each strategy; pairs of runs are compared.",
        rich_help_panel=_COMPARING,
    ),
]
First: TypeAlias = Annotated[
    int, typer.Option("--first", min=2, help="Labels to begin with.", rich_help_panel=_COMPARING)
]
Until: TypeAlias = Annotated[
    int, typer.Option("--until", min=3, help="Labels in the end.", rich_help_panel=_COMPARING)
]
BatchSize: TypeAlias = Annotated[
    int, typer.Option("--batch-size", min=1, help="Labels a round.", rich_help_panel=_COMPARING)
]
Seed: TypeAlias = Annotated[
    int,
    typer.Option(
        "--seed",
        min=0,
        help="The first of the seeds; also decides which items are drawn.",
        rich_help_panel=_COMPARING,
    ),
]


def _not_zero(n_jobs: int) -> int:
    if n_jobs == 0:
        raise typer.BadParameter("0 runs at a time do nothing: 1 is one at a time, -1 one a core.")
    return n_jobs


Jobs: TypeAlias = Annotated[
    int, typer.Option("--n-jobs", help="Runs at a time; -1 is one a core.", callback=_not_zero)
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="For runs and results; by default FILE's name and -bench."),
]
