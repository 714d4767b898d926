"""Where labels live: so far an append-only log in one file."""

from __future__ import annotations

from bootstrap.store.label_log import LabelLog

__all__ = ["LabelLog"]
