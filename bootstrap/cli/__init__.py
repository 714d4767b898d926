"""The command line: `bootstrap-labels demo`, `run`, `verdict`, `plan`, `bench` and `db`.

One file a command. Everything heavy is imported when a command runs, so that `--help` is quick.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bootstrap import __version__
from bootstrap.cli.bench import bench as _bench
from bootstrap.cli.db import db as _db
from bootstrap.cli.demo import demo as _demo
from bootstrap.cli.option_words import in_options
from bootstrap.cli.run import run as _run
from bootstrap.cli.run_verdict import plan as _plan
from bootstrap.cli.verdict import verdict as _verdict
from bootstrap.errors import BootstrapError

__all__ = ["app", "main"]

app = typer.Typer(
    name="bootstrap-labels",
    help="Start with people labeling everything; let the model take over as it earns it, with honest "
    "numbers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bootstrap-labels {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of the program itself; the text of its help stands above."""


app.command(
    "demo",
    help="Watch a model take work off a simulated person, on real images, in ten seconds.\n\n"
    "\b\nExample:\n  bootstrap-labels demo --out seen --seed 3",
)(_demo)
app.command(
    "run",
    help="Label your own texts, and see what the model can take over.\n\n"
    "FILE is a CSV with a header, or JSON lines. Answers are saved at once: stop whenever you like, and run "
    "the same command again to continue.\n\n"
    "\b\nExamples:\n"
    "  bootstrap-labels run mails.csv --text body --label-with terminal\n"
    "  bootstrap-labels run mails.csv --text body --label-with column:truth",
)(_run)
app.command(
    "verdict",
    help="May people review less? Says so with its evidence, or says what is missing.\n\n"
    "LOG holds what one frozen model predicted and what people answered; FOLDER is what `run` has "
    "written.\n\n"
    "\b\nExamples:\n"
    "  bootstrap-labels verdict log.csv --id id --label label --predicted class \\\n"
    "      --confidence p --blind blind --at day --model-since 2026-03-01\n"
    "  bootstrap-labels verdict mails-labels",
)(_verdict)
app.command(
    "plan",
    help="What a certificate is likely to take from here: a forecast, and evidence of nothing.\n\n"
    "\b\nExample:\n  bootstrap-labels plan mails-labels",
)(_plan)
app.command(
    "bench",
    help="Which strategy needs the fewest labels on your data, and is it better than random?\n\n"
    "Labels that exist are hidden and given out batch by batch, for several seeds. Finished runs are kept: "
    "stop whenever you like, and run the same command again to go on.\n\n"
    "\b\nExamples:\n"
    "  bootstrap-labels bench --data mails.csv --text body --label truth\n"
    "  bootstrap-labels bench --data cells.npz --strategy margin --seeds 20",
)(_bench)

app.add_typer(_db)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit: 0 if all went well, 2 for a mistake that the message explains.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those it was called with.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without some letter is no reason to fail
    try:
        app(arguments, prog_name="bootstrap-labels")
    except (BootstrapError, OSError) as error:
        if "--debug" in arguments:
            raise
        typer.echo(f"Error: {in_options(str(error))}", err=True)
        sys.exit(2)
