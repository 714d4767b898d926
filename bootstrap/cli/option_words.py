"""Errors are worded for Python: here the name of an argument becomes the option that sets it.

So `target_accuracy is a share` is read as `--target is a share`, and `format='xml'` as `--format 'xml'`. What
stands in quotes is the user's, and is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["OPTION_OF", "in_options"]

#: Argument -> option of some command.
OPTION_OF: Final[Mapping[str, str]] = {
    "audit_share": "--audit-share",
    "batch_size": "--batch-size",
    "budget": "--budget",
    "by": "--by",
    "classes": "--classes",
    "columns": "--column",
    "delta": "--delta",
    "format": "--format",
    "held_out": "--held-out",
    "known_labels": "--known-labels",
    "loop": "--loop",
    "n_jobs": "--n-jobs",
    "older_than": "--older-than",
    "random_state": "--seed",
    "review_rate": "--review-rate",
    "rounds": "--rounds",
    "strategy": "--strategy",
    "target_accuracy": "--target",
    "targets": "--recall",
    "tested_before": "--tested-before",
}

#: `loop` may mean what it says, where `held_out` and `loop=` are arguments.
_ANYWHERE: Final = "|".join(name for name in OPTION_OF if "_" in name)
_WITH_SIGN: Final = "|".join(name for name in OPTION_OF if "_" not in name)
_FOUND: Final = re.compile(
    rf"""(?<![\w'"./-])(?:(?P<name>{_ANYWHERE})(?![\w'"])|(?P<word>{_WITH_SIGN})(?==))(?P<sign>=?)"""
)


def in_options(message: str) -> str:
    """The message with options in place of arguments.

    Examples
    --------
    >>> in_options("held_out=0 leaves nothing to audit: set audit_share=0 too")
    '--held-out 0 leaves nothing to audit: set --audit-share 0 too'
    >>> in_options("say which loop (loop=): the store has 'loop=a', 'held_out'")
    "say which loop (--loop): the store has 'loop=a', 'held_out'"
    """
    return _FOUND.sub(_option, message)


def _option(found: re.Match[str]) -> str:
    option = OPTION_OF[found["name"] or found["word"]]
    has_value = found["sign"] and found.string[found.end() : found.end() + 1] not in ("", *" ,;:)")
    return f"{option} " if has_value else option
