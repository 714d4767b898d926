"""Queries out, labels in: what was asked, what still waits, and what people said."""

from bootstrap.exchange.answers import Exchange

__all__ = ["Exchange"]
