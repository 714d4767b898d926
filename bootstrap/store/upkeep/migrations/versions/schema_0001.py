"""Where it begins: the tables as `bootstrap.store.schema` made them when there was no other version."""

from __future__ import annotations

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: no store is older."""
