"""One file for each schema number: what makes the store before it into that one.

A file holds `revision` and `down_revision`, numbers of four digits, and `upgrade()`, which changes the tables
through `alembic.op`. Version 1 is where it begins. :mod:`bootstrap.store.upkeep.upgrading` runs them.
"""

__all__: list[str] = []
