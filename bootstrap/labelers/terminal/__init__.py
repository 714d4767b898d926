"""A person in the terminal: what keys mean, how they are read, how it looks, and all three together."""

from __future__ import annotations

from bootstrap.labelers.terminal.labeler import TerminalLabeler

__all__ = ["TerminalLabeler"]
