"""The options of `bootstrap-labels verdict` and `plan`: what each is called, and what its help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

__all__ = [
    "At",
    "Blind",
    "Confidence",
    "Delta",
    "Folder",
    "Id",
    "Json",
    "Label",
    "LogOrFolder",
    "ModelSince",
    "Predicted",
    "Probability",
    "Recall",
    "ReviewRate",
    "Target",
    "TestedBefore",
]

_LOG: Final = "A log: what one frozen model predicted, and what people said"
_ASKED: Final = "What is to be certified, for a log (a run has fixed it)"

LogOrFolder: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="LOG|FOLDER",
        help="A review log (.csv with a header, or .jsonl), or a folder that `run` has written.",
        show_default=False,
    ),
]
Folder: TypeAlias = Annotated[
    Path, typer.Argument(help="A folder that `run` has written.", show_default=False)
]
Id: TypeAlias = Annotated[
    str | None,
    typer.Option("--id", metavar="COL", help="Column of ids; each counts once.", rich_help_panel=_LOG),
]
Label: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--label", metavar="COL", help="Column of people's answers; empty: none.", rich_help_panel=_LOG
    ),
]
Predicted: TypeAlias = Annotated[
    str | None,
    typer.Option("--predicted", metavar="COL", help="Column of the model's classes.", rich_help_panel=_LOG),
]
Confidence: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--confidence",
        metavar="COL",
        help="Column of its probability for that class, in [0, 1].",
        rich_help_panel=_LOG,
    ),
]
Blind: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--blind",
        metavar="COL",
        help="Column that says whether the person saw no suggestion; others are no evidence.",
        rich_help_panel=_LOG,
    ),
]
ModelSince: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model-since",
        metavar="DATE",
        help="When the model was frozen; it may have been trained on what came before.",
        rich_help_panel=_LOG,
    ),
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option("--at", metavar="COL", help="Column of dates or times, ISO 8601.", rich_help_panel=_LOG),
]
Probability: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--probability",
        metavar="COL",
        help="Column of the chance of each row's audit, where that was not one for all.",
        rich_help_panel=_LOG,
    ),
]
TestedBefore: TypeAlias = Annotated[
    int,
    typer.Option(
        "--tested-before",
        min=0,
        help="Other models that were tested on these answers before.",
        rich_help_panel=_LOG,
    ),
]
ReviewRate: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--review-rate",
        help="The highest that is tested; lower ones follow. By default 0.2.",
        rich_help_panel=_ASKED,
    ),
]
Target: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--target", help="Accuracy of what the model decides alone. By default 0.95.", rich_help_panel=_ASKED
    ),
]
Delta: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--delta", help="Chance that any certificate is ever false. By default 0.05.", rich_help_panel=_ASKED
    ),
]
Recall: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--recall",
        metavar="CLASS=SHARE",
        help="Share of a class that may not go out wrong; may be given several times.",
        rich_help_panel=_ASKED,
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]
