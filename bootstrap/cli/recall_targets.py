"""`--recall CLASS=SHARE`: a recall target for a dear class, as text."""

from __future__ import annotations

from bootstrap.errors import InvalidInput

__all__ = ["recalls_of"]


def recalls_of(texts: list[str] | None) -> dict[str, dict[str, float]]:
    """CLASS=0.9, several of them, as targets; a class may hold an = itself."""
    targets = {}
    for text in texts or ():
        name, _, share = text.rpartition("=")
        try:
            targets[name.strip()] = {"recall": float(share)}
        except ValueError:
            name = ""
        if not name.strip():
            raise InvalidInput(
                f"--recall is {text!r}: say which class and which share of it, as in spam=0.9."
            )
    return targets
