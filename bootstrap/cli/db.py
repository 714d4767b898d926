"""`bootstrap-labels db`: look after a store. One command a job; each says what it did, with counts.

A store is named by its URL, by its file, or by the folder that `run` has written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from bootstrap.cli.run_folder import url_of
from bootstrap.cli.terminal_output import Debug
from bootstrap.errors import InvalidInput

if TYPE_CHECKING:
    from bootstrap.store.files.importing import ImportReport
    from bootstrap.store.upkeep.erasing import Erasable, Erased

__all__ = ["db", "storage_of"]

_FILE_NAME: Final = "labels.db"
_MOST_LISTED: Final = 20

Store: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="STORE",
        help="A file, the folder that `run` has written, or a URL (sqlite:///labels.db, postgresql://…).",
        show_default=False,
    ),
]
Loop: TypeAlias = Annotated[
    str | None, typer.Option("--loop", metavar="NAME", help="Only of this loop.", show_default=False)
]
By: TypeAlias = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who does this; is kept.", show_default=False)
]
Raw: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--raw", help="CSV for programs: without the marks that keep a spreadsheet from running it."
    ),
]

Yes: TypeAlias = Annotated[
    bool, typer.Option("--yes", help="Erase without asking; needed where nobody can be asked.")
]

db = typer.Typer(
    name="db",
    help="Look after a store: check, copy, upgrade, export, import, erase.",
    no_args_is_help=True,
    add_completion=False,
)


def storage_of(argument: str) -> str:
    """The URL of a store that is named by its URL, its file, or the folder of a `run`.

    Raises
    ------
    InvalidInput
        If there is nothing of that name.
    """
    if "://" in argument:
        return argument
    path = Path(argument)
    if path.is_dir():
        path = path / _FILE_NAME
        if not path.is_file():
            raise InvalidInput(
                f"The folder {argument} holds no {_FILE_NAME}. Name the store's file, or its URL."
            )
    elif not path.exists():
        raise InvalidInput(
            f"There is no {argument}. Name the file of a store, the folder that `bootstrap-labels run` has "
            "written, or a URL such as sqlite:///labels.db or postgresql://user@host/name."
        )
    return url_of(path)


@db.command("check")
def check(store: Store, debug: Debug = False) -> None:
    """Is everything as its writers left it? Goes through the trail and all that it speaks of.

    Exit code 1 if not, with what was found.
    """
    from bootstrap.store.upkeep.checking import check as check_store

    report = check_store(storage_of(store))
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(1)


@db.command("upgrade")
def upgrade(store: Store, debug: Debug = False) -> None:
    """Bring a store of an older version up to date. A file is copied beside itself first."""
    from bootstrap.store.upkeep.upgrading import upgrade as upgrade_store

    done = upgrade_store(storage_of(store))
    if done.old == done.new:
        typer.echo(f"The store is up to date: schema {done.new}. Nothing was changed.")
        return
    typer.echo(f"The store went from schema {done.old} to {done.new}.")
    if done.backup is not None:
        typer.echo(f"As it was before: {done.backup}. Delete that once all is well.")


@db.command("backup")
def backup(
    store: Store,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.", show_default=False)],
    debug: Debug = False,
) -> None:
    """Copy a store into a new file, as it is at one moment; people go on labeling meanwhile."""
    from bootstrap.store.upkeep.backing_up import backup as copy_store

    written = copy_store(storage_of(store), path)
    typer.echo(f"Copied to {written} ({written.stat().st_size:,} bytes). It is a store itself.")


@db.command("export")
def export(
    store: Store,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="By its ending: .jsonl (everything), .csv, .parquet, .json (Label Studio).",
            show_default=False,
        ),
    ],
    loop: Loop = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help="jsonl, csv, parquet or label-studio.", show_default=False
        ),
    ] = None,
    raw: Raw = False,
    debug: Debug = False,
) -> None:
    """Write items and labels into a file."""
    from bootstrap.store.files.exporting import export as export_store

    written = export_store(storage_of(store), path, loop=loop, format=format, spreadsheet_safe=not raw)
    typer.echo(
        f"{_count(written.n_items, 'item')} written to {written.path}: {written.n_labels} labeled, "
        f"{written.n_skipped} skipped, {_count(written.n_extra, 'further answer')}."
    )
    if written.n_unsettled:
        typer.echo(
            f"Answered without a class that counts yet: {_count(written.n_unsettled, 'item')}. db import "
            "passes over what was said of them, and Label Studio's JSON leaves it out."
        )
    if written.n_erased:
        typer.echo(f"{_count(written.n_erased, 'item')} without content, which was erased.")


@db.command("import")
def import_(
    store: Store,
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What `db export` writes, or such a file.", show_default=False),
    ],
    loop: Annotated[
        str | None,
        typer.Option("--loop", metavar="NAME", help="Which loop gets the labels.", show_default=False),
    ] = None,
    by: By = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help="jsonl, csv, parquet or label-studio.", show_default=False
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="FIELD=COL",
            help="Where the file calls it otherwise: --column id=nr --column label=truth.",
            show_default=False,
        ),
    ] = None,
    raw: Raw = False,
    debug: Debug = False,
) -> None:
    """Take labels from a file, for items that the loop has. Doing so again changes nothing.

    Exit code 1 if some lines could not be taken; they are named, and all others are in.
    """
    from bootstrap.store.files.importing import import_items

    report = import_items(
        storage_of(store),
        path,
        loop=loop,
        by=by,
        format=format,
        columns=_columns(column or []),
        spreadsheet_safe=not raw,
    )
    typer.echo(
        f"{_count(report.n_rows, 'row')} read: {_count(report.n_new, 'new label')}, "
        f"{report.n_skipped} skipped, {report.n_extra} kept beside another label, "
        f"{report.n_duplicates} known before, {report.n_unlabeled} without a label."
    )
    _say_of_labels(report)
    unit = report.unit.capitalize() + "s"
    _list(f"{unit} that say what was known", (str(line) for line in report.duplicates))
    _list(f"{unit} about items that the loop does not have", (str(line) for line in report.unknown))
    _list(f"{unit} that can't be read", (f"{line}: {why}" for line, why in report.bad))
    if report.bad or report.unknown:
        raise typer.Exit(1)


def _say_of_labels(report: ImportReport) -> None:
    """What is not plain of labels that count now, and what was passed over."""
    if report.new_classes:
        typer.echo(
            f"Classes that the loop did not have: {', '.join(map(repr, report.new_classes))}. One that is "
            "misspelt is mended by change_classes(..., merge=...)."
        )
    if report.n_repeated > report.n_duplicates:
        typer.echo(
            f"{_count(report.n_repeated, 'answer')} said again what was known, or SKIP beside a label."
        )
    if report.n_unsettled:
        typer.echo(
            f"Passed over: what was said in {_count(report.n_unsettled, 'row')} where no class counts, since "
            "people disagree, could not tell, or more of them are to be asked."
        )
    if report.n_traps:
        typer.echo(f"Passed over: {_count(report.n_traps, 'answer')} to traps.")
    if report.n_held_out:
        typer.echo(
            f"On held-out items, where the model is measured: {_count(report.n_held_out, 'new label')}, "
            "kept, but neither trained on nor evidence."
        )
    if report.n_as_text:
        typer.echo(
            "Numbers taken as text, which is all that such a file can say: "
            f"{_count(report.n_as_text, 'new label')}. To have numbers, import from .jsonl or .parquet, or "
            "begin the loop with numbers as its classes."
        )


@db.command("erase")
def erase(
    store: Store,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of items.", show_default=False)],
    loop: Loop = None,
    by: By = None,
    yes: Yes = False,
    debug: Debug = False,
) -> None:
    """Erase what people saw of these items: content, payload, features. What was decided stays, by hash.

    Says what would go, and asks. Exit code 1 if the store does not hold some of them.
    """
    from bootstrap.store.upkeep.erasing import erase as erase_items
    from bootstrap.store.upkeep.erasing import to_erase

    storage = storage_of(store)
    if not yes:
        _ask_back(to_erase(storage, ids, loop=loop))
    erased = erase_items(storage, ids, loop=loop, by=by)
    _say_erased(erased)
    if erased.unknown:
        raise typer.Exit(1)


@db.command("prune")
def prune(
    store: Store,
    older_than: Annotated[
        str,
        typer.Option("--older-than", metavar="AGE", help="90d, 12h or 2w.", show_default=False),
    ],
    loop: Loop = None,
    by: By = None,
    unlabeled: Annotated[
        bool, typer.Option("--unlabeled", help="Items that nobody has labeled in that time, too.")
    ] = False,
    yes: Yes = False,
    debug: Debug = False,
) -> None:
    """Erase items that are done with: no question about them is open, and their last label is old.

    Says what would go, and asks.
    """
    from bootstrap.store.upkeep.erasing import prune as prune_items
    from bootstrap.store.upkeep.erasing import to_prune

    storage = storage_of(store)
    if not yes:
        _ask_back(to_prune(storage, older_than, loop=loop, unlabeled=unlabeled))
    _say_erased(prune_items(storage, older_than, loop=loop, by=by, unlabeled=unlabeled))


def _ask_back(found: Erasable) -> None:
    """Say what would be erased, and go on only if somebody agrees. Where there is nothing, ask nobody."""
    if not found.n_items:
        return
    more = f" and {found.n_items - len(found.first):,} more" if found.n_items > len(found.first) else ""
    told = (
        f"{_count(found.n_items, 'item')} would lose content, features and id for good: "
        f"{', '.join(found.first)}{more}. {found.n_labeled:,} with a label, which stays; "
        f"{_count(found.n_open, 'open question')} would be withdrawn."
    )
    if not sys.stdin.isatty():
        raise InvalidInput(f"{told} Nothing was erased: there is nobody to ask here. To go ahead, add --yes.")
    typer.echo(told)
    if not typer.confirm("Erase?"):
        typer.echo("Nothing was erased.")
        raise typer.Exit(1)


def _say_erased(erased: Erased) -> None:
    typer.echo(
        f"{_count(erased.n_items, 'item')} erased, {erased.n_already} had been before; "
        f"{_count(erased.n_withdrawn, 'open question')} withdrawn."
    )
    _list("The store holds no item of the id", erased.unknown)
    if erased.n_items and not erased.overwritten:
        typer.echo(
            "Old bytes may remain in the database's files until their space is used again. Backups and "
            "exports made before are not touched."
        )


def _columns(pairs: Iterable[str]) -> dict[str, str] | None:
    columns = {}
    for pair in pairs:
        field, parted, column = pair.partition("=")
        if not (field and parted and column):
            raise InvalidInput(f"--column {pair} is not FIELD=COL, such as --column label=truth")
        columns[field] = column
    return columns or None


def _count(n: int, noun: str) -> str:
    return f"1 {noun}" if n == 1 else f"{n:,} {noun}s"


def _list(heading: str, lines: Iterable[str]) -> None:
    """The first of them; nothing where there are none."""
    every = list(lines)
    if every:
        typer.echo(f"{heading}:")
    for line in every[:_MOST_LISTED]:
        typer.echo(f"  {line}")
    if len(every) > _MOST_LISTED:
        typer.echo(f"  and {len(every) - _MOST_LISTED:,} more")
